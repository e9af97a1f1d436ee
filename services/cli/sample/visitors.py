"""What visitors do: come by the hour, open conversations, lose patience, come back another time."""

from collections import deque
from typing import NamedTuple

from msgspec import UNSET

from services.cli.sample.play import Play, operator, visitor
from services.cli.sample.shop import (
    BASKET_RULE,
    BILLING,
    CUSTOMS,
    FRENCH,
    FRENCH_RULE,
    HELP,
    OUTLET,
    PAGES,
    RULES,
    SALES,
    SHOP_FR,
    SITE,
)
from services.cli.sample.times import HOUR_MS, MINUTE_MS, hourly
from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands.fields import Attributes
from shared.routing.events import EventUnion
from shared.routing.ids import (
    ContactId,
    ConversationId,
    EntryPointId,
    GroupId,
    RuleId,
    SessionId,
    UnixMs,
    VisitorId,
)
from shared.routing.scope import Scope

KNOWN_MAX = 120
"""So many of those who were there last may come again."""
PLANTED = 17
"""The number of the visitor whose story is told by hand."""


class Wish(NamedTuple):
    """What a visitor opens, beside where."""

    group_id: GroupId | None = None
    skills: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    priority: int | None = None


class Visitors:
    """Come one after the other. ``scale`` times as many as the shop has by itself."""

    def __init__(self, play: Play, scale: int) -> None:
        self._play = play
        self._scale = scale
        self._visitors = 0
        self._conversations = 0
        self._known: deque[VisitorId] = deque(maxlen=KNOWN_MAX)

    def react(self, event: EventUnion, now: UnixMs) -> None:
        if isinstance(event, e.ConversationClosed) and self._play.happens(3):
            conversation_id = event.conversation_id
            self._play.after(now, 60, 1_200, lambda at: self._writes_on(conversation_id, at))

    def come(self, now: UnixMs) -> None:
        """Somebody comes, and somebody else after him."""
        self._play.at(now + self._pause_ms(now), self.come)
        entry = self._play.chance.randrange(100)
        if entry < 50:
            self._to_site(now)
        elif entry < 88:
            self._to_help(now)
        else:
            self._opens(self._somebody(), SHOP_FR, Wish(skills=(FRENCH,)), now)

    def _pause_ms(self, now: UnixMs) -> int:
        rate = hourly(now) * self._scale
        return max(int(self._play.chance.expovariate(rate) * HOUR_MS), 1)

    # --- who --------------------------------------------------------------------------------

    def somebody_new(self) -> VisitorId:
        self._visitors += 1
        if self._visitors == PLANTED:
            self._visitors += 1
        return VisitorId(f"v-{self._visitors}")

    def _somebody(self) -> VisitorId:
        """One in six was there before."""
        if self._known and self._play.happens(16):
            found = self._play.chance.choice(self._known)
            known = self._play.workspace.visitors.get(found)
            if known is None or not known.conversations:
                return found
        new = self.somebody_new()
        self._known.append(new)
        return new

    # --- where ------------------------------------------------------------------------------

    def _to_site(self, now: UnixMs) -> None:
        who, wish = self._somebody(), Wish()
        outlet = self._play.workspace.groups.get(OUTLET)
        if outlet is not None and outlet.enabled and self._play.happens(8):
            wish = Wish(group_id=OUTLET)
        if self._play.happens(4):
            self._assigned_ahead(who, now)
        if self._play.happens(25):
            self._sees(who, FRENCH_RULE, f"{PAGES}/fr/prix", now)
            self._play.after(now, 5, 40, lambda at: self._opens(who, SITE, wish, at))
        elif self._play.happens(12):
            self._sees(who, BASKET_RULE, f"{PAGES}/basket", now)
            self._play.after(now, 15, 60, lambda at: self._opens(who, SITE, wish, at))
        else:
            self._opens(who, SITE, wish, now)

    def _to_help(self, now: UnixMs) -> None:
        chance, wish = self._play.chance.randrange(100), Wish()
        if chance < 24:
            wish = Wish(group_id=BILLING)
        elif chance < 36 and not self._play.held:
            wish = Wish(skills=(CUSTOMS,))
        elif chance < 42:
            wish = Wish(optional=(CUSTOMS,))
        elif chance < 52:
            wish = Wish(priority=self._play.chance.choice((2, 7, 9)))
        self._opens(self._somebody(), HELP, wish, now)

    def _sees(self, who: VisitorId, rule_id: RuleId, page: str, now: UnixMs) -> None:
        """A page that fulfils a rule, as the trigger evaluator reports it.

        The session is over half an hour later.
        """
        session = SessionId(f"browser-{who}-{now // MINUTE_MS}")
        fire = c.FireRule(
            rule_id=rule_id,
            version=self._play.workspace.rules[rule_id].version,
            visitor_id=who,
            session_id=session,
            entry_point_id=SITE,
            held=("when",),
            page=page,
        )
        self._play.do(RULES, fire, now)
        end = c.EndVisitorSession(visitor_id=who, session_id=session)
        self._play.at(now + 30 * MINUTE_MS, lambda at: self._session_ends(end, at))

    def _session_ends(self, end: c.EndVisitorSession, at: UnixMs) -> None:
        self._play.do(RULES, end, at)

    def _assigned_ahead(self, who: VisitorId, now: UnixMs) -> None:
        colleague = self._play.colleague()
        if colleague is not None:
            assign = c.AssignVisitor(visitor_id=who, to=Scope(group=SALES))
            self._play.do(operator(colleague.operator_id), assign, now)

    # --- opening and waiting ----------------------------------------------------------------

    def _opens(self, who: VisitorId, entry: EntryPointId, wish: Wish, now: UnixMs) -> None:
        opened = self.opens(who, entry, wish, now)
        if opened is not None:
            self._play.after(now, 100, 300, lambda at: self._loses_patience(opened, who, at))

    def opens(
        self, who: VisitorId, entry: EntryPointId, wish: Wish, now: UnixMs, its_id: str = ""
    ) -> ConversationId | None:
        """The conversation, if it was opened."""
        if not its_id:
            self._conversations += 1
            if self._conversations == PLANTED:
                self._conversations += 1
            its_id = f"c-{self._conversations}"
        attributes: Attributes = {
            "page": f"{PAGES}/basket",
            "items": self._play.chance.randint(1, 9),
        }
        command = c.Open(
            conversation_id=ConversationId(its_id),
            entry_point_id=entry,
            group_id=wish.group_id,
            language="fr" if FRENCH in wish.skills else "de",
            contact_id=ContactId(f"contact-{who}") if self._play.happens(40) else None,
            attributes=attributes if self._play.happens(25) else None,
            priority=UNSET if wish.priority is None else wish.priority,
            skills=wish.skills or UNSET,
            optional_skills=wish.optional or UNSET,
        )
        return command.conversation_id if self._play.do(visitor(who), command, now) else None

    def _loses_patience(self, conversation_id: ConversationId, who: VisitorId, at: UnixMs) -> None:
        conversation = self._play.open(conversation_id)
        if conversation is None or conversation.owner is not None or self._play.happens(45):
            return
        if conversation_id in self._play.untouchable:
            return
        if self._play.happens(20):
            close = c.Close(conversation_id=conversation_id, reason="abandoned")
            self._play.do(visitor(who), close, at)
            return
        self._play.do(visitor(who), c.LeavePage(), at)
        if self._play.happens(65):
            self._play.after(at, 60, 420, lambda now: self._comes_back(who, now))

    def _comes_back(self, who: VisitorId, at: UnixMs) -> None:
        self._play.do(visitor(who), c.ComeBack(), at)

    def _writes_on(self, conversation_id: ConversationId, at: UnixMs) -> None:
        """On one that is closed: it is taken up again."""
        conversation = self._play.workspace.conversations.get(conversation_id)
        if conversation is not None and conversation.state == "closed":
            write = c.Write(conversation_id=conversation_id)
            self._play.do(visitor(conversation.visitor_id), write, at)
