"""What a ``fernamt run`` says of itself over HTTP."""

from typing import Any, NamedTuple

import httpx

WITHIN_S = 10.0


class Readiness(NamedTuple):
    """The answer to ``/readyz``."""

    status: int
    told: dict[str, Any]


async def readiness(url: str) -> Readiness:
    """``url`` is what the process says when it starts."""
    async with httpx.AsyncClient(timeout=WITHIN_S) as client:
        answer = await client.get(f"{url}readyz")
    return Readiness(answer.status_code, answer.json())


async def page(url: str, name: str) -> str:
    """The text of another page. Raises where it is not there."""
    async with httpx.AsyncClient(timeout=WITHIN_S) as client:
        answer = await client.get(f"{url}{name}")
    return answer.raise_for_status().text
