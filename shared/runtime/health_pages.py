"""The pages for whoever watches over a process, by machine: ``/livez``, ``/readyz``
and ``/metrics``.

They are not for people on the net: nobody has to say who he is.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from shared.runtime.exposition import CONTENT_TYPE, exposed
from shared.runtime.health import Health
from shared.runtime.http_server import HttpServer

PORT_VARIABLE = "FERNAMT_HEALTH_PORT"


@contextlib.asynccontextmanager
async def health_pages(health: Health, host: str, port: int) -> AsyncIterator[str]:
    """Answer during the block, at the address that is yielded. ``OSError`` if it is taken."""
    server = HttpServer(_pages(health), host, port, who="health", variable=PORT_VARIABLE)
    serving = asyncio.create_task(server.run(), name="health pages")
    try:
        await server.ready.wait()
        yield server.url
    finally:
        server.stop()
        await serving


def _pages(health: Health) -> Starlette:
    async def livez(_request: Request) -> Response:
        """The loop turns, or nobody would answer. What else is wrong, no restart mends."""
        return PlainTextResponse("alive\n")

    async def readyz(_request: Request) -> Response:
        faults = await health.look()
        ready = not any(faults.values())
        told = {name: fault or "ok" for name, fault in faults.items()}
        return JSONResponse({"ready": ready, **told}, status_code=200 if ready else 503)

    async def metrics(_request: Request) -> Response:
        page = exposed(await health.figures())
        return Response(page, headers={"content-type": CONTENT_TYPE})

    pages = {"/livez": livez, "/readyz": readyz, "/metrics": metrics}
    return Starlette(routes=[Route(path, page) for path, page in pages.items()])
