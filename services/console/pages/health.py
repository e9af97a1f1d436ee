"""Health: who answers and how far behind, whether the log checks out, what could not be sent."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from services.console.asking import (
    ACTOR,
    Denied,
    Engine,
    Told,
    Trouble,
    unless_troubled,
)
from services.console.desk import desk_of, workspace_of
from services.console.watching import Hub
from shared.audit.answers import MomentView, StoredSeals
from shared.routing.ids import Position, UnixMs
from shared.routing.settings_views import WorkspaceView
from shared.routing.views import View

LETTERS_MAX = 50
SEALS_MAX = 100
LOOKED_BACK = (1_000, 30_000, 1_000_000_000)
"""Events before the head within which the last seal is looked for, one after the other."""
WITHIN_S = 4.0
"""Who answers later than that does not, for this page."""


class Letter(View, frozen=True, kw_only=True):
    """One dead letter, as the notifier tells of it."""

    id: str
    channel: str
    recipient: str
    position: Position
    at: UnixMs
    attempts: int
    died_at: UnixMs
    error: str


class Letters(View, frozen=True, kw_only=True):
    """A page of them; ``next`` if there are more."""

    dead_letters: tuple[Letter, ...]
    next: str | None


class Answering(NamedTuple):
    """One service: whether it answers, up to which position, and how long that took."""

    name: str
    took_ms: int
    answers: bool
    position: int | None = None
    note: str = ""


async def health(request: Request) -> Response:
    desk, workspace = desk_of(request), workspace_of(request)
    words = await desk.words(request)
    engine = desk.engine
    router, auditor, notifier, evaluator = await asyncio.gather(
        _asked("router", engine.ask(workspace, "workspace", WorkspaceView)),
        _asked("auditor", engine.audit(workspace, "moment", MomentView, within_s=WITHIN_S)),
        _asked("notifier", _letters(engine, workspace)),
        _asked("evaluator", _evaluator(engine, workspace)),
    )
    moment = auditor[1].result if isinstance(auditor[1], Told) else None
    letters = notifier[1].result if isinstance(notifier[1], Told) else None
    settings = router[1].result if isinstance(router[1], Told) else None
    services = [router[0], notifier[0], evaluator[0], auditor[0]]
    return await desk.page(
        request,
        "health.html",
        words=words,
        services=services,
        head=max((one.position or 0 for one in services), default=0),
        moment=moment,
        letters=letters,
        settings=settings,
        sealed=await _sealed(engine, workspace, moment),
        browsers=_browsers(desk.hub),
        connection=engine.bus.connection,
    )


def _browsers(hub: Hub | None) -> int:
    return hub.browsers if hub is not None else 0


async def _asked(name: str, asked: Awaitable[Told[Any]]) -> tuple[Answering, Told[Any] | Trouble]:
    """What came of a question, and how long it took."""
    begun = time.monotonic()
    told = await unless_troubled(asked)
    took_ms = round((time.monotonic() - begun) * 1_000)
    if isinstance(told, Told):
        return Answering(name, took_ms, answers=True, position=told.position or None), told
    if isinstance(told, Denied):  # it did answer
        return Answering(name, took_ms, answers=True, note=told.reason.code), told
    return Answering(name, took_ms, answers=False), told


async def _letters(engine: Engine, workspace: str) -> Told[Letters]:
    """The console speaks for an admin here: nobody else may ask."""
    fields: dict[str, Any] = {"as": {"admin": ACTOR}, "limit": LETTERS_MAX}
    return await engine.ask(workspace, "dead_letters", Letters, fields)


async def _evaluator(engine: Engine, workspace: str) -> Told[dict[str, Any]]:
    """A question about a rule that need not exist: that it is answered is what matters."""
    try:
        return await engine.ask(
            workspace, "why_not_fired", dict[str, Any], {"rule_id": ACTOR, "visitor_id": ACTOR}
        )
    except Denied as denied:
        if denied.reason.code != "unknown_rule":
            raise
        return Told(Position(0), UnixMs(0), {})


async def _sealed(engine: Engine, workspace: str, moment: MomentView | None) -> int | None:
    """Up to where the log is sealed; nothing if that cannot be told."""
    if moment is None:
        return None
    for back in LOOKED_BACK:
        after = max(moment.head - back, 0)
        told = await unless_troubled(_last_seal(engine, workspace, after))
        if isinstance(told, Trouble):
            return None
        if told or after == 0:
            return told
    return None


async def _last_seal(engine: Engine, workspace: str, after: int) -> int:
    """Up to where the last seal reaches that reaches beyond a position; 0 if none does."""
    upto, cursor = 0, after
    while True:
        told = await engine.audit(
            workspace,
            "seals",
            StoredSeals,
            {"after": cursor, "limit": SEALS_MAX},
            within_s=WITHIN_S,
        )
        upto = max((seal.upto for seal in told.result.seals), default=upto)
        if told.result.next is None:
            return upto
        cursor = told.result.next
