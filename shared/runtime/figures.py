"""Figures on their way from a service to whoever asks: a metric, its labels and a number.

Services count in plain integers while they work; what they tell is put together when it is asked
for. How it is written down is ``exposition``'s business.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from shared.adapters.log_follower import LogFollower
from shared.adapters.nats_client import BusCounters
from shared.runtime import metrics
from shared.runtime.metrics import Metric

POWERS = 24
"""The longest time that is told from longer ones has 2 to this power of milliseconds: 4.7 h."""


class Times:
    """How long something took, each time: counted by powers of two of a millisecond."""

    __slots__ = ("counts", "sum_ms")

    def __init__(self) -> None:
        self.counts = [0] * (POWERS + 2)
        """How many took less than 1, 2, 4, 8 ... ms, and no less than the one before says."""
        self.sum_ms = 0

    def add(self, ms: int) -> None:
        """One more; a clock that was set back counts as no time at all."""
        ms = max(ms, 0)
        self.counts[min(ms.bit_length(), POWERS + 1)] += 1
        self.sum_ms += ms


def new_outcomes() -> defaultdict[str, int]:
    """To count answers in. What somebody may be called for at night is there from the beginning:
    of a counter that comes into being nobody sees the first step."""
    return defaultdict(int, answered=0, overloaded=0, unavailable=0)


class Figure(NamedTuple):
    """One number, or the times of something. ``labels`` are in the order of the metric's."""

    metric: Metric
    value: float | Times
    labels: tuple[str, ...] = ()


def of_bus(counters: BusCounters, *, connected: bool) -> Iterator[Figure]:
    """What a connection to the broker has seen."""
    yield Figure(metrics.BUS_CONNECTED, connected)
    yield Figure(metrics.BUS_MESSAGES, counters.published, ("out",))
    yield Figure(metrics.BUS_MESSAGES, counters.received, ("in",))
    faults = {
        "refused": counters.refused,
        "malformed": counters.malformed,
        "handler_failed": counters.handler_failures,
        "denied": counters.denied,
        "slow": counters.slow,
    }
    for fault, number in faults.items():
        yield Figure(metrics.BUS_FAULTS, number, (fault,))
    yield Figure(metrics.BUS_RENEWED, counters.reconnected, ("reconnected",))
    yield Figure(metrics.BUS_RENEWED, counters.rebuilt, ("rebuilt",))


def of_answers(service: str, outcomes: Mapping[str, int]) -> Iterator[Figure]:
    """How a service answered."""
    for outcome, number in outcomes.items():
        yield Figure(metrics.ANSWERS, number, (service, outcome))


def of_follower(service: str, follower: LogFollower) -> Iterator[Figure]:
    """How far behind the logs a service is."""
    yield Figure(metrics.FOLLOWER_LAG, follower.lag, (service,))
    yield Figure(metrics.UNFOLLOWED, follower.unfollowed, (service,))
