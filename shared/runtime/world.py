"""What every service works with: a store, a bus, a clock."""

from typing import NamedTuple

from shared.adapters.open_store import Store
from shared.ports import Bus, Clock
from shared.runtime.duty import LEASE_MS


class World(NamedTuple):
    """What a service is made from, besides settings of its own."""

    store: Store
    bus: Bus
    clock: Clock
    lease_ms: int = LEASE_MS
    """The life that the store gives to leases."""
