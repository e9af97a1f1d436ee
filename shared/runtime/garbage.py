"""Python's garbage collector in a process that keeps a large state: it must never walk all of it.

What a service drops is freed at once by reference counting; the collector is there for cycles, and
those end young (of 1,100 in 40,000 conversations, none reached the oldest generation). The state
lives for ever. Walking it stops everything: 0.6 s with 100,000 conversations, again and again as it
grows, which is a third of a lease's life.
"""

import gc
from collections.abc import Mapping

YOUNG_MAX = 2_000
"""New objects that start a collection of the young: a millisecond."""
MIDDLE_EVERY = 5
"""Every so many of those the survivors are looked at once more: a few milliseconds."""


def spare_what_lasts() -> None:
    """From here on, what survives its second collection is never looked at again."""
    gc.set_threshold(YOUNG_MAX, MIDDLE_EVERY)
    gc.collect()
    gc.freeze()
    gc.callbacks.append(_freeze_survivors)


def _freeze_survivors(phase: str, info: Mapping[str, int]) -> None:
    if phase == "stop" and info["generation"] > 0:
        gc.freeze()
