"""Playing a script again on a copy of the workspace, with the very rules of the engine.

What happened in the world comes at its time. What was done with a conversation comes when its own
clock says so, for an owner by whoever has it then. Timers fire when they are due, or as late as
they did.
"""

from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

import msgspec

from shared.audit.changes import Change, Supposing
from shared.audit.outcomes import Meter
from shared.audit.script import Act, Answer, Happening, Script, touched_by
from shared.audit.tally import Tally
from shared.audit.watching import Clock, Clocks, Stage, Watched
from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command, Refused
from shared.routing.decide import Instruction, decide
from shared.routing.events import Actor, Fact
from shared.routing.ids import ConversationId, OperatorId, Position, UnixMs
from shared.routing.queue import excluded_from
from shared.routing.state import Conversation
from shared.routing.transaction import Recorded, Stamp, advance, record

ASSUMED_ACCEPT_MS = 5_000
ASSUMED_CLAIM_MS = 30_000
"""For a stretch in which nobody accepted or claimed anything."""

LOOKS_AGAIN_MS = 60_000
"""After how long an owner who is away, or somebody to claim, is looked for again."""

_LAST = Position(2**53)
"""What nobody did comes after all that somebody did at the same moment."""


class _Due(NamedTuple):
    """Something to come; ``turn`` and ``offer`` tell whether it still applies."""

    at: UnixMs
    position: Position
    serial: int
    conversation_id: ConversationId
    act: Act | None
    answer: Answer | None
    turn: int
    offer: int


class Play:
    """One run. ``workspace`` is a copy as of the beginning of the stretch; it is used up."""

    def __init__(self, workspace: Watched, script: Script, changes: Sequence[Change] = ()) -> None:
        self.workspace = workspace
        self.meter = Meter(workspace)
        self.tally = Tally()
        self._script = script
        self._supposing = Supposing(changes)
        self._clocks = Clocks(workspace, workspace.at)
        self._now = workspace.at
        self._ending = False
        self._coming: list[_Due] = []
        self._serial = 0
        self._turns: dict[ConversationId, int] = {}
        self._done: dict[tuple[ConversationId, Stage], int] = {}
        self._asked: dict[tuple[ConversationId, OperatorId], int] = {}
        self._put_off: dict[tuple[ConversationId, Position], None] = {}

    def run(self) -> Iterator[Position]:
        """From the beginning to the end; after each step it yields up to which position of the
        recorded log the world has come. Raises ``BadChange``.
        """
        reached = self.workspace.position
        self._follow(self._supposing.make(self.workspace))
        for conversation in list(self.workspace.conversations.values()):
            self._schedule(conversation.conversation_id)
            if conversation.offer is not None:
                self._offered(conversation)
        for happening in self._script.happenings:
            for _ in self._until(happening.at, happening.position):
                yield reached
            self._happen(happening)
            reached = happening.position
            yield reached
        self._ending = True
        for _ in self._until(self._script.ends_at, _LAST):
            yield reached
        self._supposing.finish()
        self._count_rest()

    def _until(self, at: UnixMs, position: Position) -> Iterator[None]:
        """Everything that comes before this moment: acts, answers and timers."""
        while True:
            due = self._next_due()
            acts_first = due is not None and due[:2] <= (at, position)
            upto = due.at if due is not None and acts_first else at
            if self._fire(upto):
                yield
            elif due is not None and acts_first:
                heappop(self._coming)
                self._come(due)
                yield
            else:
                return

    def _next_due(self) -> _Due | None:
        """The first of what is to come that still applies."""
        while self._coming and not self._applies(self._coming[0]):
            heappop(self._coming)
        return self._coming[0] if self._coming else None

    def _applies(self, due: _Due) -> bool:
        if due.answer is None:
            return due.turn == self._turns.get(due.conversation_id)
        offer = self.workspace.conversations[due.conversation_id].offer
        return offer is not None and offer.number == due.offer

    def _fire(self, upto: UnixMs) -> bool:
        """The timers that fall due next, if any does by then."""
        timer = self.workspace.next_due()
        if timer is None or timer.due > upto:
            return False
        fired_at = self._script.fired_at.get(timer.due)
        at = UnixMs(max(min(fired_at or timer.due, upto), self._now))
        if at == self._script.ends_at and fired_at is None and self._ending:
            return False  # it would have been the next thing in the log
        self._now = at
        self._follow(advance(self.workspace, self._now, epoch=0))
        return True

    # --- what happens -----------------------------------------------------------------------

    def _happen(self, happening: Happening) -> None:
        self._now = happening.at
        if happening.command is not None:
            assert happening.by is not None
            by = msgspec.structs.replace(happening.by, service="simulate")
            self._do(happening.command, by, happening.at)
            return
        supposed = map(self._supposing.outlive, happening.facts)
        facts = [fact for fact in supposed if fact is not None and self._fits(fact)]
        self._follow(record(self.workspace, facts, Stamp(happening.at, 0, by=happening.by)))
        if self._supposing.seen(happening.facts):
            self._follow(self._supposing.make(self.workspace))

    def _fits(self, fact: Fact) -> bool:
        """Whether it can happen here, too; most of what is no routing always can."""
        workspace = self.workspace
        match fact:
            case e.OperatorActive(operator_id=operator_id):
                return workspace.operators[operator_id].idle
            case e.VisitorBack(visitor_id=visitor_id):
                visitor = workspace.visitors.get(visitor_id)
                return visitor is not None and visitor.away
            case e.VisitorSeen(visitor_id=visitor_id):
                return visitor_id in workspace.visitors
            case e.GroupLeft(operator_id=operator_id, group_id=group_id):
                return group_id in workspace.operators[operator_id].groups
            case e.ConversationChanged(conversation_id=its_id):
                return its_id in workspace.open
            case _:
                return True

    def _come(self, due: _Due) -> None:
        self._now = due.at
        conversation = self.workspace.conversations[due.conversation_id]
        if due.answer is not None:
            self._answer(due, conversation, due.answer)
        else:
            self._act(due, conversation)

    def _do(self, command: Command, by: Actor, at: UnixMs, author: Actor | None = None) -> bool:
        """Have it decided; whoever acts in somebody's place gives no sign of life by that."""
        outcome = decide(self.workspace, command, Instruction(by, at))
        if isinstance(outcome, Refused):
            self._leave_out(outcome.code)
            return False
        facts: Iterable[Fact] = outcome.events
        if author is not None and author.id != by.id:
            facts = [fact for fact in facts if not isinstance(fact, e.OperatorActive)]
        self._follow(record(self.workspace, facts, Stamp(at, 0, by=by)))
        return True

    def _leave_out(self, code: str) -> None:
        self.tally.left_out[code] = self.tally.left_out.get(code, 0) + 1

    def _follow(self, events: Iterable[Recorded]) -> None:
        for recorded in events:
            self._note(recorded.envelope.data)

    def _note(self, event: e.Event) -> None:
        workspace = self.workspace
        touched = touched_by(workspace, event)
        self.meter.note(event, touched)
        turned = self._clocks.turned(workspace, touched)
        workspace.touched, workspace.loaded = {}, {}
        for conversation_id in turned:
            self._schedule(conversation_id)
        match event:
            case e.ConversationOffered(conversation_id=its_id):
                self._offered(workspace.conversations[its_id])
            case e.ConversationQueued(conversation_id=its_id, hold="manual" | "broadcast"):
                self._schedule(its_id)
            case _:
                pass

    # --- offers -----------------------------------------------------------------------------

    def _offered(self, conversation: Conversation) -> None:
        """Somebody is asked: he answers as he did, or as people usually do."""
        offer = conversation.offer
        assert offer is not None
        pair = (conversation.conversation_id, offer.operator_id)
        number = self._asked.get(pair, 0)
        self._asked[pair] = number + 1
        answers = self._script.answers.get(pair, [])
        answer = answers[number] if number < len(answers) else Answer(_LAST, 0, "unknown")
        if answer.how == "expired":
            return
        if answer.how == "unknown":
            usually_ms = self._script.typical.accept_ms
            more_ms = max(ASSUMED_ACCEPT_MS if usually_ms is None else usually_ms, 1)
            answer = Answer(_LAST, answer.after_ms + more_ms, "unknown")
        at = UnixMs(self._now + answer.after_ms)
        its_id = conversation.conversation_id
        self._push(at, answer.position, its_id, None, answer=answer, offer=offer.number)

    def _answer(self, due: _Due, conversation: Conversation, answer: Answer) -> None:
        offer = conversation.offer
        assert offer is not None
        its_id, number = conversation.conversation_id, offer.number
        command = answer.command
        if command is None:
            self.tally.offers_supposed += 1
            command = c.AcceptOffer(conversation_id=its_id, offer=number)
        else:
            self.tally.offers_answered += 1
            if isinstance(command, c.AcceptOffer | c.DeclineOffer):
                command = msgspec.structs.replace(command, offer=number)
        self._do(command, Actor("operator", offer.operator_id), due.at)

    # --- what people do ---------------------------------------------------------------------

    def _push(
        self,
        at: UnixMs,
        position: Position,
        conversation_id: ConversationId,
        act: Act | None,
        *,
        answer: Answer | None = None,
        offer: int = 0,
    ) -> None:
        self._serial += 1
        turn = self._turns.get(conversation_id, 0)
        due = _Due(at, position, self._serial, conversation_id, act, answer, turn, offer)
        heappush(self._coming, due)

    def _schedule(self, conversation_id: ConversationId) -> None:
        """What people do next with it, now that it stands where it stands."""
        self._turns[conversation_id] = self._turns.get(conversation_id, 0) + 1
        clock = self._clocks.of(conversation_id)
        now = self._now
        act = self._next_act(conversation_id, clock.stage)
        if act is not None:
            wait_ms = max(act.after_ms - clock.at(clock.stage, now), 0)
            self._push(UnixMs(now + wait_ms), act.position, conversation_id, act)
            return
        wait_ms_or_none = self._supposed_in(conversation_id, clock)
        if wait_ms_or_none is not None:
            self._push(UnixMs(now + wait_ms_or_none), _LAST, conversation_id, None)

    def _next_act(self, conversation_id: ConversationId, stage: Stage) -> Act | None:
        acts = self._script.acts.get(conversation_id, {}).get(stage, [])
        done = self._done.get((conversation_id, stage), 0)
        return acts[done] if done < len(acts) else None

    def _act(self, due: _Due, conversation: Conversation) -> None:
        act = due.act
        if act is None:
            self._suppose_act(due, conversation)
            return
        if self._is_away(conversation, act):
            self._put_off[due.conversation_id, act.position] = None
            self._push(UnixMs(due.at + LOOKS_AGAIN_MS), act.position, due.conversation_id, act)
            return
        key = (due.conversation_id, act.stage)
        self._done[key] = self._done.get(key, 0) + 1
        self.tally.acts += 1
        by = act.by or _owner_of(conversation)
        if isinstance(act.command, c.Leave) and act.by is not None and _owns(conversation, by):
            self._leave_out("owns_it_now")
        else:
            self._do(act.command, by, due.at, act.author)
        if self._turns[due.conversation_id] == due.turn:
            self._schedule(due.conversation_id)

    def _is_away(self, conversation: Conversation, act: Act | None) -> bool:
        """Whether somebody else than did it is to do it, and is not there."""
        owner = conversation.owner
        if owner is None or (act is not None and (act.by is not None or act.author.id == owner)):
            return False
        return self.workspace.operators[owner].effective == "offline"

    # --- what nobody did --------------------------------------------------------------------

    def _supposed_in(self, conversation_id: ConversationId, clock: Clock) -> int | None:
        """After how long people do what nobody did, in milliseconds; null: nothing is supposed."""
        conversation = self.workspace.conversations[conversation_id]
        typical, stage = self._script.typical, clock.stage
        after_ms: int | None = None
        if stage == "waiting" and conversation.hold in ("manual", "broadcast"):
            after_ms = ASSUMED_CLAIM_MS if typical.claim_ms is None else typical.claim_ms
        elif stage == "owned" and self._is_persons(conversation):
            after_ms = typical.handling_ms if conversation.answered else typical.reply_ms
        if after_ms is None:
            return None
        now_ms = clock.at(stage, self._now)
        known_ms = self._known_ms(conversation_id, stage)
        if stage == "owned":
            return max(known_ms + max(after_ms, 1) - now_ms, 1)
        return max(known_ms - now_ms, 0) + max(after_ms, 1)

    def _known_ms(self, conversation_id: ConversationId, stage: Stage) -> int:
        """For how long it is known what people did, and that they did nothing else."""
        if stage == "waiting" and conversation_id not in self._script.claimed:
            return 0
        known = self._script.known.get(conversation_id)
        return known.spent.get(stage, 0) if known is not None else 0

    def _is_persons(self, conversation: Conversation) -> bool:
        owner = conversation.owner
        return owner is not None and self.workspace.operators[owner].kind == "human"

    def _suppose_act(self, due: _Due, conversation: Conversation) -> None:
        its_id = due.conversation_id
        if conversation.owner is None:
            self._suppose_claim(due, conversation)
            return
        if self._is_away(conversation, None):
            self._push(UnixMs(due.at + LOOKS_AGAIN_MS), _LAST, its_id, None)
            return
        if conversation.answered:
            self.tally.closes_supposed += 1
            self._do(c.Close(conversation_id=its_id), _owner_of(conversation), due.at)
        else:
            self.tally.replies_supposed += 1
            self._do(c.Reply(conversation_id=its_id), _owner_of(conversation), due.at)
        if self._turns[its_id] == due.turn:
            self._schedule(its_id)

    def _suppose_claim(self, due: _Due, conversation: Conversation) -> None:
        """Whoever would be given it takes it, after those before it; or it waits on."""
        its_id = due.conversation_id
        while conversation.owner is None:
            first = self._first_to_claim(conversation)
            pool = self.workspace.pool(self.workspace.demand_of(first))
            choice = pool.choose(excluded_from(first))
            claim = c.Claim(conversation_id=first.conversation_id)
            if choice is None or not self._do(claim, Actor("operator", choice.operator_id), due.at):
                self._push(UnixMs(due.at + LOOKS_AGAIN_MS), _LAST, its_id, None)
                return
            self.tally.claims_supposed += 1

    def _first_to_claim(self, conversation: Conversation) -> Conversation:
        """Of those that wait beside it and that nobody is known to claim, the first in line."""
        workspace = self.workspace
        place = workspace.places.get(conversation.conversation_id)
        for order in workspace.lines[place.line] if place is not None else ():
            its_id = order.conversation_id
            by_hand = workspace.places[its_id].hold in ("manual", "broadcast")
            if by_hand and self._next_act(its_id, "waiting") is None:
                return workspace.conversations[its_id]
        return conversation

    def _count_rest(self) -> None:
        self.tally.put_off = len(self._put_off)
        for its_id, stages in self._script.acts.items():
            for stage, acts in stages.items():
                self.tally.not_reached += len(acts) - self._done.get((its_id, stage), 0)


def _owner_of(conversation: Conversation) -> Actor:
    assert conversation.owner is not None
    return Actor("operator", conversation.owner)


def _owns(conversation: Conversation, by: Actor) -> bool:
    return by.kind == "operator" and by.id == conversation.owner
