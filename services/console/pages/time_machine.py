"""The time machine: a moment of the log, everything as it was then, and the steps from there."""

import asyncio
from collections.abc import Mapping
from typing import Literal, get_args

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.console.asking import Engine
from services.console.decisions import decisions_after
from services.console.desk import BadInput, desk_of, number_in, workspace_of
from services.console.moments import moment_in
from services.console.picture import picture_then
from services.console.wording import Words
from shared.audit.answers import MomentView, StoredEvents
from shared.routing.events import Decision, Envelope
from shared.wire.log_codec import UndecodableEvent, decode_event

By = Literal["event", "decision", "time"]
STEP_MS = 60_000
LOOKED_THROUGH = 500
"""Events among which the next decision is looked for, a page at a time."""
PAGE = 100


async def at(request: Request) -> Response:
    """The page; with ``fragment`` only what changes when one steps."""
    desk, workspace = desk_of(request), workspace_of(request)
    words = await desk.words(request)
    by = _by(request)
    moment = await _moment(request, desk.engine, workspace, words)
    picture, event = await asyncio.gather(
        picture_then(desk.engine, workspace, moment), _event_at(desk.engine, workspace, moment)
    )
    return await desk.page(
        request,
        "at.html",
        words=words,
        moment=moment,
        picture=picture,
        envelope=event,
        is_decision=event is not None and isinstance(event.data, Decision),
        by=by,
        kinds=get_args(By),
        step_ms=STEP_MS,
    )


async def step(request: Request) -> Response:
    """Go a step further, or some, and to the page of that moment."""
    desk, workspace = desk_of(request), workspace_of(request)
    by, count = _by(request), _count(request)
    position = number_in(request, "position", 0) or 0
    moment = (
        await desk.engine.audit(workspace, "moment", MomentView, {"position": position})
    ).result
    position = await _stepped(desk.engine, workspace, moment, by, count)
    return RedirectResponse(f"/{workspace}/at?position={position}&by={by}", 303)


async def _stepped(engine: Engine, workspace: str, moment: MomentView, by: By, count: int) -> int:
    match by:
        case "event":
            return min(max(moment.position + count, 0), moment.head)
        case "decision":
            position: int = moment.position
            if count == 0:  # the nearest there, or before
                return await _next_decision(engine, workspace, position + 1, -1, moment.head)
            for _ in range(abs(count)):
                position = await _next_decision(engine, workspace, position, count, moment.head)
            return position
        case "time":
            then = max(moment.at + count * STEP_MS, moment.first_at)
            if then >= moment.head_at:
                return moment.head
            return (
                await engine.audit(workspace, "moment", MomentView, {"at": then})
            ).result.position


async def _next_decision(
    engine: Engine, workspace: str, position: int, count: int, head: int
) -> int:
    """The nearest decision on that side; as far as was looked if there is none."""
    if count > 0:
        for after in range(position, min(position + LOOKED_THROUGH, head), PAGE):
            found = await decisions_after(engine, workspace, after, PAGE)
            if found:
                return found[0].position
        return min(position + LOOKED_THROUGH, head)
    upto = position - 1
    while upto > max(position - LOOKED_THROUGH, 0):
        after = max(upto - PAGE, 0)
        found = await decisions_after(engine, workspace, after, upto - after)
        if found:
            return found[-1].position
        upto = after
    return max(upto, 0)


async def _moment(request: Request, engine: Engine, workspace: str, words: Words) -> MomentView:
    """The moment that the address names; the head if it names none."""
    position, text = number_in(request, "position"), request.query_params.get("at", "").strip()
    fields: Mapping[str, object] = {"position": position}
    if text and position is None:
        head = (await engine.audit(workspace, "moment", MomentView)).result
        fields = moment_in(text, "at", words, head)
    return (await engine.audit(workspace, "moment", MomentView, fields)).result


async def _event_at(engine: Engine, workspace: str, moment: MomentView) -> Envelope | None:
    """The event that the moment follows; nothing before the first."""
    if moment.position == 0:
        return None
    after = moment.position - 1
    told = await engine.audit(workspace, "events", StoredEvents, {"after": after, "limit": 1})
    for stored in told.result.events:
        try:
            return decode_event(stored.topic, bytes(stored.state))
        except UndecodableEvent:
            return None
    return None


def _by(request: Request) -> By:
    text = request.query_params.get("by", "event")
    for by in get_args(By):
        if text == by:
            found: By = by
            return found
    raise BadInput("by")


def _count(request: Request) -> int:
    text = request.query_params.get("step", "1")
    if text.removeprefix("-").isdecimal() and len(text) <= 5:
        return max(min(int(text), 100), -100)
    raise BadInput("step")
