"""One conversation: its facts, its waits, its timeline, and the why of each decision."""

import asyncio
import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.console.asking import Denied, Trouble, unless_troubled
from services.console.courses import Wait, waits_of
from services.console.desk import BadInput, Desk, desk_of, number_in, workspace_of
from shared.audit.answers import (
    ConversationsOf,
    Explained,
    Found,
    OpenedView,
    Timeline,
    WhyNotView,
    WhyWaitingView,
)
from shared.routing.ids import ID_PATTERN
from shared.routing.queries import Roster
from shared.routing.views import ConversationView

EVENTS_SHOWN = 200
FOUND_MAX = 20
"""Conversations of a visitor on one page; a link goes on before them."""
CANDIDATES_MAX = 100
"""Shown of one decision; those who were ranked come first."""


async def conversation(request: Request) -> Response:
    """The page of one conversation."""
    desk, workspace = desk_of(request), workspace_of(request)
    its_id = request.path_params["conversation"]
    after = number_in(request, "after", 0)
    words = await desk.words(request)
    told, roster = await asyncio.gather(
        desk.engine.audit(
            workspace,
            "timeline",
            Timeline,
            {"conversation_id": its_id, "after": after, "limit": EVENTS_SHOWN},
        ),
        unless_troubled(desk.engine.ask(workspace, "roster", Roster)),
    )
    return await desk.page(
        request,
        "conversation.html",
        words=words,
        conversation=told.result.conversation,
        events=told.result.events,
        next=told.result.next,
        after=after,
        waits=waits_of(told.result.events),
        operators=() if isinstance(roster, Trouble) else roster.result.operators,
        position=told.position,
        now=told.at,
        opened=number_in(request, "decision"),
    )


async def decision(request: Request) -> Response:
    """The candidate table of one decision."""
    desk, workspace = desk_of(request), workspace_of(request)
    its_id, position = request.path_params["conversation"], request.path_params["position"]
    told = await desk.engine.audit(
        workspace,
        "explain",
        Explained,
        {"conversation_id": its_id, "position": position, "limit": CANDIDATES_MAX},
    )
    return await desk.page(request, "explained.html", explained=told.result)


async def why_not(request: Request) -> Response:
    """Why one operator did not get it, as of a position."""
    desk, workspace = desk_of(request), workspace_of(request)
    operator_id = request.query_params.get("operator", "")
    if re.match(ID_PATTERN, operator_id) is None:
        raise BadInput("operator")
    told = await desk.engine.audit(
        workspace,
        "why_not",
        WhyNotView,
        {
            "operator_id": operator_id,
            "conversation_id": request.path_params["conversation"],
            "position": number_in(request, "position"),
        },
    )
    return await desk.page(
        request, "why_not.html", why=told.result, position=told.position, at=told.at
    )


async def why_waiting(request: Request) -> Response:
    """Why it waited as of a position, and what would have ended it."""
    desk, workspace = desk_of(request), workspace_of(request)
    fields = {
        "conversation_id": request.path_params["conversation"],
        "position": number_in(request, "position"),
    }
    told = await desk.engine.audit(workspace, "why_waiting", WhyWaitingView, fields)
    return await desk.page(
        request,
        "why_waiting.html",
        why=told.result,
        position=told.position,
        at=told.at,
        begun=number_in(request, "begun"),
        ended=number_in(request, "ended"),
    )


async def free_meanwhile(request: Request) -> Response:
    """Who was free between two positions, and what kept it away: it is looked for beside."""
    desk, workspace = desk_of(request), workspace_of(request)
    begun, ended = number_in(request, "begun", 1) or 1, number_in(request, "ended")
    fields = {
        "pattern": "any",
        "conversation_id": request.path_params["conversation"],
        "from": {"position": max(begun - 1, 0)},
        "to": {} if ended is None else {"position": ended},
    }
    told = await desk.engine.audit(workspace, "find", Found, fields)
    return await desk.page(request, "free.html", matches=told.result.matches)


class Hit(NamedTuple):
    """One conversation of a visitor, and the longest that it waited."""

    opened: OpenedView
    conversation: ConversationView
    longest: Wait | None


# --- searching ------------------------------------------------------------------------------


async def search(request: Request) -> Response:
    """A conversation of this name, else the conversations of the visitor of this name."""
    desk, workspace = desk_of(request), workspace_of(request)
    words = await desk.words(request)
    q = request.query_params.get("q", "").strip()
    found: Sequence[Hit] = ()
    earlier: int | None = None
    if re.match(ID_PATTERN, q) is not None:
        if await _is_conversation(desk, workspace, q):
            return RedirectResponse(f"/{workspace}/conversations/{quote(q)}", 303)
        found, earlier = await _of_visitor(desk, workspace, q, number_in(request, "before"))
    missing = not found and earlier is None
    return await desk.page(
        request,
        "search.html",
        words=words,
        q=q,
        found=found,
        earlier=earlier,
        status=404 if missing else 200,
    )


async def _is_conversation(desk: Desk, workspace: str, q: str) -> bool:
    try:
        await desk.engine.audit(workspace, "timeline", Timeline, {"conversation_id": q, "limit": 1})
    except Denied as denied:
        if denied.reason.code == "unknown_conversation":
            return False
        raise
    return True


async def _of_visitor(
    desk: Desk, workspace: str, q: str, before: int | None
) -> tuple[Sequence[Hit], int | None]:
    """What the visitor opened, and where to look further back."""
    fields = {"visitor_id": q, "before": before, "limit": FOUND_MAX}
    told = (await desk.engine.audit(workspace, "conversations_of", ConversationsOf, fields)).result
    found = await asyncio.gather(*(_found(desk, workspace, one) for one in told.conversations))
    return found, told.next


async def _found(desk: Desk, workspace: str, opened: OpenedView) -> Hit:
    fields = {"conversation_id": opened.conversation_id}
    timeline = (await desk.engine.audit(workspace, "timeline", Timeline, fields)).result
    longest = max(waits_of(timeline.events), key=lambda wait: wait.ms, default=None)
    return Hit(opened, timeline.conversation, longest)
