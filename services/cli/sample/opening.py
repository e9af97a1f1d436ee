"""The sample shop as ``fernamt up --sample`` opens it: its log if need be, then people at work."""

from contextlib import AbstractAsyncContextManager

from services.cli.sample.playing import playing
from services.cli.sample.shop import WORKSPACE
from services.cli.sample.storing import ensure_sample
from shared.adapters.clocks import SystemClock
from shared.adapters.open_store import Store
from shared.ports import Clock


class SampleShop:
    """``open`` before the services start, ``playing`` once they serve."""

    def __init__(self, lease_ms: int) -> None:
        self.told = ""
        """What is there, in one line for people."""
        self._lease_ms = lease_ms
        self._clock: Clock = SystemClock()

    async def open(self, store: Store, clock: Clock) -> None:
        """Raises as ``ensure_sample`` does."""
        self._clock = clock
        written = await ensure_sample(store, clock, lease_ms=self._lease_ms)
        there = f"has a day of generated traffic ({written} events)" if written else "goes on"
        self.told = (
            f"The workspace `{WORKSPACE}` {there}, and people play on in it. "
            "To start without: --no-sample (make up ARGS=--no-sample)."
        )

    def playing(self, url: str) -> AbstractAsyncContextManager[None]:
        """People are at work while the block runs."""
        return playing(url, self._clock)
