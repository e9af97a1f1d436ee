"""What is under way at the end of the day: people who wait, each for a reason of his own."""

from functools import partial

from services.cli.sample.play import Play, visitor
from services.cli.sample.shop import (
    ADMIN,
    BILLING,
    FRENCH,
    HELP,
    REPAIRS,
    SECOND_LEVEL,
    SHOP_FR,
    SITE,
)
from services.cli.sample.visitors import Visitors, Wish
from shared.routing import commands as c
from shared.routing.ids import EntryPointId, UnixMs, VisitorId
from shared.routing.scope import Scope

_FRESH_S = (175, 140, 110, 85, 60, 35, 15)
"""So long before the end somebody comes whom somebody may take."""


class LeftOpen:
    """Plans the last minutes before ``ends``."""

    def __init__(self, play: Play, visitors: Visitors, ends: UnixMs) -> None:
        self._play = play
        self._visitors = visitors
        self._ends = ends

    def plan(self) -> None:
        for number, before_s in enumerate(_FRESH_S):
            entry = SITE if number % 2 else HELP
            self._opens(before_s, entry, Wish())
        nobody_can = Wish(skills=(REPAIRS,))
        self._opens(400, HELP, nobody_can)
        puzzling = self._opens(320, HELP, Wish())
        forwarded_at = self._ends - 250_000
        self._play.at(forwarded_at, partial(self._goes_to_second_level, puzzling))
        leaves = self._opens(240, HELP, nobody_can)
        self._play.at(self._ends - 120_000, partial(self._play.do, visitor(leaves), c.LeavePage()))
        self._opens(95, HELP, Wish(group_id=BILLING))
        self._opens(70, SHOP_FR, Wish(skills=(FRENCH,)))

    def _opens(self, before_s: int, entry: EntryPointId, wish: Wish) -> VisitorId:
        who = self._visitors.somebody_new()
        self._play.at(self._ends - before_s * 1_000, partial(self._opened, entry, wish, who))
        return who

    def _opened(self, entry: EntryPointId, wish: Wish, who: VisitorId, at: UnixMs) -> None:
        if wish == Wish() and self._play.colleague() is None:
            return  # enough wait because everybody is full
        opened = self._visitors.opens(who, entry, wish, at)
        if opened is not None and REPAIRS in wish.skills:
            self._play.untouchable[opened] = None

    def _goes_to_second_level(self, who: VisitorId, at: UnixMs) -> None:
        """Where it is told to those who are there, if any are."""
        for conversation_id in self._play.workspace.visitors[who].conversations:
            self._play.untouchable[conversation_id] = None
            to = Scope(group=SECOND_LEVEL)
            forward = c.Forward(conversation_id=conversation_id, to=to, mode="direct")
            self._play.do(ADMIN, forward, at)
