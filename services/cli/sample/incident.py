"""The planted incident: why did visitor v-17 wait four minutes at ten past two, with Ana free?

Because the conversation asked for a skill that Ana has not. Those who have it were full, until
one of them ended something.
"""

from services.cli.sample.desks import Desks
from services.cli.sample.play import Play, operator, visitor
from services.cli.sample.shop import ADMIN, ANA, CUSTOMS, HELP, STAFF
from services.cli.sample.visitors import PLANTED, Visitors, Wish
from shared.routing import commands as c
from shared.routing.ids import ConversationId, UnixMs, VisitorId

VISITOR = VisitorId(f"v-{PLANTED}")
CONVERSATION = ConversationId(f"c-{PLANTED}")
HOUR, MINUTE = 14, 10
"""When it begins, by the shop's clock."""
WAITS_MS = 241_000
LASTS_MS = 15 * 60_000
"""After that nobody has a part to play any more."""

_KEEP_TALKING_MS = 50_000
"""Less than what is slow, and than what frees the slot of a silent visitor."""
_FILLERS_MAX = 12
_ENDED_MAX = 6


class Incident:
    """Plans it around ``begins``, the moment at which the visitor opens the conversation."""

    def __init__(self, play: Play, visitors: Visitors, desks: Desks, begins: UnixMs) -> None:
        self._play = play
        self._visitors = visitors
        self._desks = desks
        self._begins = begins
        self._skilled = [each.operator_id for each in STAFF if CUSTOMS in each.skills]

    def plan(self) -> None:
        begins = self._begins
        self._play.at(begins - 12 * 60_000, self._ana_gets_more_room)
        self._play.at(begins - 4 * 60_000, self._everybody_is_there)
        self._play.at(begins - 30_000, self._skilled_are_full)
        self._play.at(begins, self._opens)
        self._play.at(begins + WAITS_MS, self._somebody_becomes_free)
        for at in range(begins - 40_000, begins + WAITS_MS - 5_000, _KEEP_TALKING_MS):
            self._play.at(at, self._goes_on)

    # --- before -----------------------------------------------------------------------------

    def _ana_gets_more_room(self, at: UnixMs) -> None:
        self._play.do(ADMIN, c.UpdateOperator(operator_id=ANA, capacity=5), at)

    def _everybody_is_there(self, at: UnixMs) -> None:
        for operator_id in (ANA, *self._skilled):
            self._desks.silent.pop(operator_id, None)
            self._play.do(operator(operator_id), c.SetStatus(status="online"), at)
        for operator_id in self._skilled:
            self._play.held[operator_id] = None

    def _skilled_are_full(self, at: UnixMs) -> None:
        """Others who need the skill come first."""
        for number in range(_FILLERS_MAX):
            if not self._has_room():
                return
            moment = UnixMs(at + number * 900)
            who = self._visitors.somebody_new()
            opened = self._visitors.opens(who, HELP, Wish(skills=(CUSTOMS,)), moment)
            if opened is not None:
                self._play.untouchable[opened] = None

    def _has_room(self) -> bool:
        return any(self._play.workspace.operators[each].free > 0 for each in self._skilled)

    def _opens(self, at: UnixMs) -> None:
        self._ana_is_free(at)
        self._play.untouchable[CONVERSATION] = None
        wish = Wish(skills=(CUSTOMS,))
        self._visitors.opens(VISITOR, HELP, wish, at, its_id=CONVERSATION)

    # --- meanwhile --------------------------------------------------------------------------

    def _goes_on(self, at: UnixMs) -> None:
        """What the skilled have goes on; Ana keeps a slot free, which helps nobody."""
        for operator_id in self._skilled:
            for conversation in self._play.owned_by(operator_id):
                its_id = conversation.conversation_id
                write = c.Write(conversation_id=its_id)
                self._play.do(visitor(conversation.visitor_id), write, at)
                self._play.do(operator(operator_id), c.Reply(conversation_id=its_id), at)
        self._ana_is_free(at)

    def _ana_is_free(self, at: UnixMs) -> None:
        for conversation in self._play.owned_by(ANA):
            if self._play.workspace.operators[ANA].free >= 2:
                return
            close = c.Close(conversation_id=conversation.conversation_id, reason="solved")
            self._play.do(operator(ANA), close, at)

    # --- and then ---------------------------------------------------------------------------

    def _somebody_becomes_free(self, at: UnixMs) -> None:
        self._play.held.clear()
        owned = [(who, each) for who in self._skilled for each in self._play.owned_by(who)]
        for number, (who, conversation) in enumerate(owned[:_ENDED_MAX]):
            waiting = self._play.workspace.conversations[CONVERSATION]
            if waiting.owner is not None:
                break
            close = c.Close(conversation_id=conversation.conversation_id, reason="solved")
            self._play.do(operator(who), close, UnixMs(at + number * 1_500))
        self._play.untouchable.clear()
