"""A broker as a child of this process that is started again should it die."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from shared.adapters.nats_server import EmbeddedNats, NatsServerError

log = structlog.get_logger()

LOOK_EVERY_S = 0.5
PAUSE_MAX_S = 5.0
"""Between two tries to start it; each pause is twice the last, from ``LOOK_EVERY_S`` on."""


@contextlib.asynccontextmanager
async def broker(directory: Path, port: int) -> "AsyncIterator[tuple[str, asyncio.Task[None]]]":
    """Its address, and the task that keeps it running. Raises ``NatsServerError``."""
    server = EmbeddedNats(directory, port)
    url = server.start()
    watching = asyncio.create_task(keep_running(server), name="nats-server")
    try:
        yield url, watching
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        server.stop()


async def keep_running(server: EmbeddedNats) -> None:
    """Start the broker again whenever it has died: it holds nothing that the log does not hold."""
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        if not server.running:
            log.error("nats_server_died")
            await _start_again(server)


async def _start_again(server: EmbeddedNats) -> None:
    """Try until it runs. The same reason is told once, however often it stands in the way."""
    words, pause_s = "", LOOK_EVERY_S
    while True:
        try:
            await server.start_again()
        except (NatsServerError, OSError) as error:
            if str(error) != words:
                words = str(error)
                log.error("nats_server_not_started", reason=error)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)
        else:
            return
