"""Waiting for a condition of another process, which nothing in this one can announce."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

WITHIN_S = 30.0
LOOK_EVERY_S = 0.02

T = TypeVar("T")


async def until(
    what: str,
    look: Callable[[], Awaitable[T]],
    within_s: float = WITHIN_S,
    every_s: float = LOOK_EVERY_S,
) -> T:
    """Look again and again until the answer is truthy, and return it.

    Raises ``TimeoutError`` naming ``what`` did not come about.
    """
    answer = await look()
    try:
        async with asyncio.timeout(within_s):
            while not answer:
                await asyncio.sleep(every_s)
                answer = await look()
    except TimeoutError:
        raise TimeoutError(f"not within {within_s} s: {what}; at last: {answer!r}") from None
    return answer
