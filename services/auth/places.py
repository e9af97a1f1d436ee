"""Reading what the chat platform keeps for us: a file, or an https address."""

import asyncio
from pathlib import Path

import httpx

FETCH_WITHIN_S = 5
BYTES_MAX = 256 * 1024


async def content_of(place: str) -> bytes:
    """What is there now. Raises ``OSError``, ``ValueError`` or ``httpx.HTTPError``."""
    if place.startswith(("https://", "http://")):
        return await _fetched(place)
    return await asyncio.to_thread(Path(place).read_bytes)


async def _fetched(address: str) -> bytes:
    parts = httpx.URL(address)
    if parts.scheme != "https" and parts.host not in {"127.0.0.1", "localhost", "::1"}:
        raise ValueError("https is expected: whoever is in between could put in something else")
    async with (
        httpx.AsyncClient(timeout=FETCH_WITHIN_S) as client,
        client.stream("GET", address) as answer,
    ):
        answer.raise_for_status()
        content = b""
        async for some in answer.aiter_bytes():
            content += some
            if len(content) > BYTES_MAX:
                raise ValueError(f"more than {BYTES_MAX} bytes")
    return content
