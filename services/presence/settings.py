"""How long a heartbeat holds, and everything that is measured against it."""

import os
from collections.abc import Mapping

import msgspec

LEASE_MS = 45_000
"""Three heartbeats, of which there is one every 15 s."""
VARIABLE = "FERNAMT_PRESENCE_LEASE_MS"


class Settings(msgspec.Struct, frozen=True):
    """A shorter lease makes the whole service as much faster, idle times included: for tests."""

    lease_ms: int = LEASE_MS

    @property
    def second_ms(self) -> float:
        """How long one second of an idle time takes."""
        return 1_000 * self.lease_ms / LEASE_MS

    @property
    def pulse_ms(self) -> int:
        """How often the service makes sure that it hears."""
        return min(1_000, self.lease_ms // 15)

    @property
    def stall_ms(self) -> int:
        """After how long without a pulse it has been deaf: half of the time between heartbeats.

        What nobody heard in a shorter time is made good by the two heartbeats that a lease allows
        to be lost.
        """
        return self.lease_ms // 6


def settings_from(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this process. Raises ``ValueError``."""
    text = environment.get(VARIABLE, "")
    if not text:
        return Settings()
    if not (text.isdigit() and 150 <= int(text) <= 3_600_000):
        raise ValueError(f"{VARIABLE}: milliseconds from 150 to 3600000 are expected: {text[:20]}")
    return Settings(int(text))
