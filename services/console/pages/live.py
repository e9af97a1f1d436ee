"""The live page: who is there, who waits and why, and decisions as they fall."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from services.console.asking import Trouble, unless_troubled
from services.console.decisions import latest_decisions
from services.console.desk import desk_of, number_in, workspace_of
from services.console.picture import picture_of
from services.console.watching import TooMany

LINES_MAX = 30


async def live(request: Request) -> Response:
    desk, workspace = desk_of(request), workspace_of(request)
    words = await desk.words(request)
    picture = await picture_of(desk.engine, workspace)
    past = await unless_troubled(latest_decisions(desk.engine, workspace, 0))
    lines = () if isinstance(past, Trouble) else past[-LINES_MAX:]
    return await desk.page(
        request,
        "live.html",
        words=words,
        picture=picture,
        lines=lines,
        no_past=isinstance(past, Trouble),
        last=max((line.position for line in lines), default=picture.position),
    )


async def stream(request: Request) -> Response:
    """Server-sent events: the state, and decisions after the last that the browser has."""
    desk, workspace = desk_of(request), workspace_of(request)
    hub = desk.hub
    assert hub is not None
    words = await desk.words(request)
    last = request.headers.get("last-event-id", "")
    after = int(last) if last.isdecimal() and len(last) <= 16 else number_in(request, "after", 0)
    try:
        hub.refuse_more()
    except TooMany:
        return PlainTextResponse("Too many browsers watch.\n", 503, {"Retry-After": "30"})
    return StreamingResponse(
        hub.stream(workspace, after or 0, words),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
