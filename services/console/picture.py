"""A workspace at one moment, as the live page and the time machine show it."""

import asyncio
from collections.abc import Sequence

from services.console.asking import Denied, Engine, Fields, Told
from shared.audit.answers import MomentView
from shared.routing.ids import Position, UnixMs
from shared.routing.queries import Queue, Roster
from shared.routing.settings_views import WorkspaceView
from shared.routing.state import EntryPoint
from shared.routing.views import RosterEntry, View, WaitingView

ROWS_MAX = 100
"""Operators on one page."""
SHOWN_MAX = 50
"""Waiting conversations on one page."""


class Picture(View, frozen=True, kw_only=True):
    """Who is there, who waits and what stands open, at ``position``; ``at`` is Unix ms."""

    position: Position
    at: UnixMs
    operators: tuple[RosterEntry, ...]
    waiting: tuple[WaitingView, ...]
    waiting_total: int
    entry_points: tuple[EntryPoint, ...]
    policy_version: Position
    presence_stale: bool
    settings: WorkspaceView | None
    """Null before there was a workspace."""

    @property
    def routable(self) -> int:
        return sum(operator.routable for operator in self.operators)

    @property
    def free(self) -> int:
        """Free slots of those who may get conversations."""
        return sum(
            max(operator.capacity - operator.load, 0)
            for operator in self.operators
            if operator.routable
        )

    @property
    def longest_ms(self) -> int:
        return max((waiting.waited_ms for waiting in self.waiting), default=0)

    @property
    def roster(self) -> Sequence[RosterEntry]:
        """Those that a page has room for; where that is too little, whoever is there first."""
        if len(self.operators) <= ROWS_MAX:
            return self.operators
        there = sorted(
            self.operators, key=lambda one: (one.effective == "offline", not one.routable)
        )
        return there[:ROWS_MAX]

    @property
    def shown(self) -> Sequence[WaitingView]:
        """Those that a page has room for."""
        return self.waiting[:SHOWN_MAX]


async def picture_of(
    engine: Engine, workspace_id: str, min_position: int = 0, known: Picture | None = None
) -> Picture:
    """As it is now. Settings that are ``known`` are not asked for again. Raises ``Trouble``."""
    roster, queue, settings = await asyncio.gather(
        engine.ask(workspace_id, "roster", Roster, min_position=min_position),
        engine.ask(workspace_id, "queue", Queue, min_position=min_position),
        _settings(engine, workspace_id, min_position, known),
    )
    return _picture(roster, queue, settings)


async def picture_then(engine: Engine, workspace_id: str, moment: MomentView) -> Picture:
    """As it was at a moment. Raises ``Trouble``."""
    then = {"position": moment.position}
    try:
        return await _picture_at(engine, workspace_id, then)
    except Denied as denied:
        if denied.reason.code != "unknown_workspace":
            raise
        return _nothing_yet(moment)


def _nothing_yet(moment: MomentView) -> Picture:
    return Picture(
        position=moment.position,
        at=moment.at,
        operators=(),
        waiting=(),
        waiting_total=0,
        entry_points=(),
        policy_version=Position(0),
        presence_stale=False,
        settings=None,
    )


async def _picture_at(engine: Engine, workspace_id: str, then: Fields) -> Picture:
    roster, queue, settings = await asyncio.gather(
        engine.audit(workspace_id, "roster", Roster, then),
        engine.audit(workspace_id, "queue", Queue, then),
        engine.audit(workspace_id, "workspace", WorkspaceView, then),
    )
    return _picture(roster, queue, settings.result)


async def _settings(
    engine: Engine, workspace_id: str, min_position: int, known: Picture | None
) -> WorkspaceView:
    if known is not None and known.settings is not None:
        return known.settings
    told = await engine.ask(workspace_id, "workspace", WorkspaceView, min_position=min_position)
    return told.result


def _picture(roster: Told[Roster], queue: Told[Queue], settings: WorkspaceView) -> Picture:
    return Picture(
        position=min(roster.position, queue.position),
        at=max(roster.at, queue.at),
        operators=roster.result.operators,
        waiting=queue.result.waiting,
        waiting_total=queue.result.total,
        entry_points=settings.entry_points,
        policy_version=settings.policy_version,
        presence_stale=settings.presence_stale,
        settings=settings,
    )
