"""What a broker says to whoever connects, before anybody has said who he is."""

import asyncio
from urllib.parse import urlsplit

import msgspec

GREETS_WITHIN_S = 5
PORT = 4222
_INFO = b"INFO "


class Greeting(msgspec.Struct, frozen=True):
    """Of the broker's first words, what tells how well it is guarded."""

    auth_required: bool = False
    tls_required: bool = False
    version: str = ""


def hosts_in(url: str) -> list[tuple[str, int]]:
    """Host and port of each address; there may be several, with commas. Raises ``ValueError``."""
    parts = [urlsplit(one) for one in url.split(",")]
    return [(part.hostname or "", part.port or PORT) for part in parts]


async def greeting_of(host: str, port: int) -> Greeting:
    """Raises ``OSError`` where nobody greets, or nobody who speaks NATS."""
    try:
        async with asyncio.timeout(GREETS_WITHIN_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                line = await reader.readline()
            finally:
                writer.close()
        if not line.startswith(_INFO):
            raise ConnectionError(f"{host}:{port} does not greet as a NATS server does")
        return msgspec.json.decode(line.removeprefix(_INFO), type=Greeting)
    except (TimeoutError, ValueError) as error:
        raise ConnectionError(f"{host}:{port} did not greet: {error!r}") from error


async def is_listening(host: str, port: int) -> bool:
    """Whether anybody takes connections there."""
    try:
        async with asyncio.timeout(GREETS_WITHIN_S):
            _, writer = await asyncio.open_connection(host, port)
    except (TimeoutError, OSError):
        return False
    writer.close()
    return True
