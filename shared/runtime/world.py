"""What every service works with: a store, a bus, a clock."""

from typing import NamedTuple

from shared.adapters.clocks import SystemClock
from shared.adapters.open_store import Store
from shared.ports import Bus, Clock
from shared.ports.tracing import Tracer
from shared.runtime.duty import LEASE_MS


class World(NamedTuple):
    """What a service is made from, besides settings of its own."""

    store: Store
    bus: Bus
    clock: Clock
    """What happens is stamped by it, and timers fall due by it."""
    lease_ms: int = LEASE_MS
    """The life that the store gives to leases."""
    lease_clock: Clock = SystemClock()
    """Their life is counted by the machine's clock, wherever ``clock`` has been set to."""
    tracer: Tracer | None = None
    """None where nobody traces."""
