"""Deciding for one workspace: a job in, a unit out, the speculative state in between.

No waiting, no sending and no storing: what comes out may still be lost, and then this state is
thrown away as a whole.
"""

from collections.abc import Sequence
from typing import cast

import msgspec

from services.router.personal import seal
from services.router.settled import Settled
from services.router.stamps import Stamps
from services.router.units import Answer, Job, Unit
from shared.ports import Clock, Erasure, StoredRow, VaultRow
from shared.routing.commands import (
    ConversationCommand,
    DeleteRule,
    FireRule,
    LogIn,
    LogOut,
    Refused,
    SetStatus,
)
from shared.routing.decide import Instruction, decide
from shared.routing.events import (
    ConversationAssigned,
    ConversationClaimed,
    OfferAccepted,
    PresenceFresh,
    PresenceStale,
    SubjectErased,
)
from shared.routing.ids import OperatorId, Position, UnixMs
from shared.routing.queries import answer
from shared.routing.state import SeenCommand
from shared.routing.transaction import (
    Recorded,
    Stamp,
    adopt_revision,
    advance,
    record,
    repeat_of,
)
from shared.routing.views import (
    ConversationView,
    View,
    conversation_view,
    for_visitor,
    status_view,
)
from shared.routing.vocabulary import NotFired
from shared.routing.workspace import Workspace
from shared.runtime.failpoints import FAILPOINTS
from shared.wire.log_codec import encode_event
from shared.wire.queries import QueryRequest
from shared.wire.requests import CommandRequest

_GIVES_OWNER = (ConversationAssigned, OfferAccepted, ConversationClaimed)


class ConversationResult(View, frozen=True, kw_only=True):
    """The answer to every command about one conversation."""

    conversation: ConversationView
    warnings: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET


class FiringResult(View, frozen=True, kw_only=True):
    """The answer to a report that a rule holds: whether it did something, else why not."""

    fired: bool
    why_not: NotFired | msgspec.UnsetType = msgspec.UNSET


class Decider:
    """The state of one workspace, ahead of its log by what is not committed yet."""

    def __init__(self, workspace: Workspace, clock: Clock, epoch: int, settled: Settled) -> None:
        self.workspace = workspace
        self.settled = settled
        """What of it is not in memory: whoever hands over a job sees that what it names is."""
        self._stamps = Stamps(clock, workspace.at)
        self._epoch = epoch

    @property
    def position(self) -> Position:
        return self.workspace.position

    def wake(self) -> Unit | None:
        """Adopt the present rules and apply due timers; none if there was nothing to do.

        After it the state is at rest, also where it was just loaded: queries need the lines.
        """
        at = self._stamps.next()
        stamp = Stamp(at, self._epoch)
        recorded = [
            *adopt_revision(self.workspace, stamp),
            *record(self.workspace, (), stamp),
            *advance(self.workspace, at, self._epoch),
        ]
        return self._unit(None, None, recorded) if recorded else None

    def note_presence(self, *, stale: bool) -> Unit | None:
        """Note that nothing is heard of the presence service, or that it is heard again.

        On change only, so it may be told as often as one likes; and not before it matters, which
        is when some human is signed in.
        """
        if stale == self.workspace.presence_stale or (stale and not self._somebody_signed_in()):
            return None
        at = self._stamps.next()
        stamp = Stamp(at, self._epoch)
        fact = PresenceStale() if stale else PresenceFresh()
        recorded = [
            *advance(self.workspace, at, self._epoch),
            *record(self.workspace, (fact,), stamp),
        ]
        return self._unit(None, None, recorded)

    def _somebody_signed_in(self) -> bool:
        operators = self.workspace.operators.values()
        return any(operator.kind == "human" and operator.sessions for operator in operators)

    def due_in_ms(self) -> int | None:
        """How long until the next timer is due; 0 if one is overdue, none without timers."""
        due = self.workspace.next_due()
        if due is None:
            return None
        return max(due.due - self._stamps.next(), 0)

    def take(self, job: Job) -> Unit:
        """Decide on the job as of now, after everything that has fallen due before it."""
        at = self._stamps.next()
        recorded = list(advance(self.workspace, at, self._epoch))
        asked = job.asked
        if isinstance(asked, QueryRequest):
            return self._unit(job, self._answer(asked, at), recorded)
        stamp = _stamp(asked, at, self._epoch)
        early = self._settled(asked, stamp)
        if early is not None:
            return self._unit(job, early, recorded, sign=early.repeated)
        return self._execute(job, asked, stamp, recorded)

    def _answer(self, asked: QueryRequest, at: UnixMs) -> Answer:
        position = self.position
        if asked.expires_at is not None and asked.expires_at < at:
            return self._expired(asked.expires_at, at)
        if asked.min_position > position:
            text = f"position {asked.min_position} is not in the log; it ends at {position}"
            return Answer(position, at, Refused("unavailable", text))
        return Answer(position, at, answer(self.workspace, asked.question, asked.by, at))

    def _settled(self, asked: CommandRequest, stamp: Stamp) -> Answer | None:
        """The answer to a command that came before or came too late, in this order.

        ``expired`` says that nothing was done, so it is nothing to tell whoever asks again about
        something that was.
        """
        at = stamp.at
        seen = repeat_of(self.workspace, stamp)
        if isinstance(seen, SeenCommand):
            return Answer(seen.position, seen.at, self._result(asked), repeated=True)
        if seen is not None:
            return Answer(self.position, at, seen)
        if asked.expires_at is not None and asked.expires_at < at:
            return self._expired(asked.expires_at, at)
        return None

    def _expired(self, expires_at: UnixMs, at: UnixMs) -> Answer:
        text = f"this expired {at - expires_at} ms ago"
        return Answer(self.position, at, Refused("expired", text))

    def _execute(
        self, job: Job, asked: CommandRequest, stamp: Stamp, recorded: list[Recorded]
    ) -> Unit:
        at = stamp.at
        FAILPOINTS.passing("before_decide")
        refs, vault = seal(asked.command, asked.by, Position(self.position + 1))
        outcome = decide(self.workspace, asked.command, Instruction(asked.by, at, refs))
        if isinstance(outcome, Refused):
            return self._unit(job, Answer(self.position, at, outcome), recorded)
        if outcome.events:
            recorded.extend(record(self.workspace, outcome.events, stamp))
            if isinstance(asked.command, DeleteRule):
                self.settled.note(recorded)
        FAILPOINTS.passing("after_decide")
        told = Answer(self.position, at, self._result(asked, outcome.warnings))
        if outcome.events:
            return self._unit(job, told, recorded, vault)
        return self._unit(job, told, recorded, sign=True)

    def _result(self, asked: CommandRequest, warnings: tuple[str, ...] = ()) -> View | None:
        command = asked.command
        if isinstance(command, LogIn | LogOut | SetStatus):
            return status_view(self.workspace.operators[OperatorId(asked.by.id)])
        if isinstance(command, ConversationCommand):
            conversation = self.workspace.conversations[command.conversation_id]
            view = conversation_view(self.workspace, conversation)
            visiting = asked.by.kind == "visitor"
            return ConversationResult(
                conversation=for_visitor(view) if visiting else view,
                warnings=warnings or msgspec.UNSET,
            )
        if isinstance(command, FireRule):
            why_not = cast("NotFired", warnings[0]) if warnings else msgspec.UNSET
            return FiringResult(fired=not warnings, why_not=why_not)
        return None

    def _unit(
        self,
        job: Job | None,
        answer: Answer | None,
        recorded: Sequence[Recorded],
        vault: Sequence[VaultRow] = (),
        *,
        sign: bool = False,
    ) -> Unit:
        rows: list[StoredRow] = []
        erase: list[Erasure] = []
        waits: list[int] = []
        for position, envelope in recorded:
            rows.append(StoredRow(position, *encode_event(envelope)))
            event = envelope.data
            if isinstance(event, _GIVES_OWNER):
                conversation = self.workspace.conversations[event.conversation_id]
                waits.append(envelope.at - conversation.waits_since)
            elif isinstance(event, SubjectErased):  # what the vault loses with it
                erase.extend(Erasure(subject, position) for subject in event.subjects)
        return Unit(job, answer, rows, vault, sign, erase, waits)


def _stamp(asked: CommandRequest, at: UnixMs, epoch: int) -> Stamp:
    request = asked.request if asked.command_id is not None else None
    return Stamp(at, epoch, asked.by, asked.command_id, request, asked.trace)
