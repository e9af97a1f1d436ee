"""What questions about the past are answered with, shape by shape.

Times are Unix milliseconds, durations milliseconds. As the live queries' answers do, these hold ids
and words of the domain, never sentences: whoever shows them has a language of his own.
"""

from typing import Any, Literal

import msgspec

from shared.routing.events import Actor, EventUnion
from shared.routing.explain import Verdict
from shared.routing.ids import (
    CommandId,
    ConversationId,
    EntryPointId,
    GroupId,
    OperatorId,
    Position,
    UnixMs,
    VisitorId,
)
from shared.routing.relief import Change
from shared.routing.views import ConversationView, RosterEntry, View
from shared.routing.vocabulary import (
    AssignmentReason,
    EffectiveStatus,
    EntryMode,
    Exclusion,
    Hold,
    Ranking,
    StatusCause,
    TieBreak,
    WaitingReason,
)
from shared.wire.audit import Pattern


class EventView(View, frozen=True, kw_only=True):
    """One event of the log. ``first`` is the position of the first event of its group: what it
    follows from. ``decision``: the engine concluded it; else it happened. ``event`` holds its
    fields as they are stored, ``type`` among them. ``by`` and ``cmd`` are null where a timer
    caused it."""

    position: Position
    at: UnixMs
    type: str
    decision: bool
    first: Position
    rev: int
    epoch: int
    by: Actor | None
    cmd: CommandId | None
    event: EventUnion


class Timeline(View, frozen=True, kw_only=True):
    """The events of one conversation in their order; ``next`` is for ``after`` if there are more.

    ``conversation`` is how it stands after the last event of the log."""

    conversation: ConversationView
    events: tuple[EventView, ...]
    next: Position | None


class CandidateView(View, frozen=True, kw_only=True):
    """One operator as routing saw him for one conversation.

    ``verdict``: ``first`` in the ranking, ``eligible`` behind, or ``excluded``, by all of
    ``exclusions``. ``key`` is the place in the ranking, lower first: the rank, then the position of
    the last assignment. ``missing_skills`` are those asked for that he lacks.
    """

    operator_id: OperatorId
    verdict: Verdict
    exclusions: tuple[Exclusion, ...]
    key: tuple[int, ...]
    effective: EffectiveStatus
    cause: StatusCause
    load: int
    capacity: int
    missing_skills: tuple[str, ...]


class Explained(View, frozen=True, kw_only=True):
    """One decision about a conversation, with everybody who was looked at.

    ``cause`` is the event that the decision follows from. ``conversation`` and ``candidates`` are
    as they were when it was made, at position ``decided_at``. ``remade``: the decision was made
    again from that state and came out byte for byte; else ``expected`` is what came out, null if
    nothing did. Null where another revision of the rules decided: nothing was compared.
    ``chosen`` is null where it was to wait. ``ranking`` and ``tie_break`` are null where nobody was
    ranked. ``policy_version``: the position of the last change of a policy. ``looked_at`` counts
    all candidates: those who were ranked come first, the best before the others.
    """

    decision: EventView
    cause: EventView
    decided_at: Position
    chosen: OperatorId | None
    reason: AssignmentReason | None
    waiting_reason: WaitingReason | None
    ranking: Ranking | None
    key: tuple[int, ...]
    tie_break: TieBreak | None
    pool_size: int | None
    policy_version: Position
    presence_stale: bool
    conversation: ConversationView
    candidates: tuple[CandidateView, ...]
    looked_at: int
    remade: bool | None
    expected: EventUnion | None


class OperatorThen(View, frozen=True, kw_only=True):
    """What matters of one operator at one moment. ``free`` is the number of his free slots."""

    operator_id: OperatorId
    effective: EffectiveStatus
    cause: StatusCause
    connected: bool
    routable: bool
    load: int
    capacity: int
    free: int
    skills: tuple[str, ...]
    groups: tuple[GroupId, ...]


class WhyNotView(View, frozen=True, kw_only=True):
    """Why one operator did not get one conversation as of a moment.

    Without ``exclusions`` he was eligible; ``behind`` then names who came before him, if anybody,
    with ``behind_key``, and ``because`` what put that one first. ``owned``: it was his.
    """

    operator: OperatorThen
    conversation: ConversationView
    exclusions: tuple[Exclusion, ...]
    missing_skills: tuple[str, ...]
    key: tuple[int, ...]
    behind: OperatorId | None
    behind_key: tuple[int, ...]
    because: AssignmentReason | None
    owned: bool


class WhyWaitingView(View, frozen=True, kw_only=True):
    """Why a conversation waited as of a moment. ``changes`` are single changes that would have
    ended it, the least intrusive kind first, each tried out on a copy; ``until`` is when something
    would have fallen due for it by itself."""

    conversation: ConversationView
    waited_ms: int
    place: int | None
    reason: WaitingReason
    hold: Hold
    changes: tuple[Change, ...]
    until: UnixMs | None


class MomentView(View, frozen=True, kw_only=True):
    """A moment of the log: its last event and the stamp of that. ``first_at`` and ``head_at`` are
    the stamps of the log's first and last event."""

    position: Position
    at: UnixMs
    head: Position
    head_at: UnixMs
    first_at: UnixMs


class OperatorDiff(View, frozen=True, kw_only=True):
    """An operator who is different; null where he was not registered at that moment."""

    operator_id: OperatorId
    before: RosterEntry | None
    after: RosterEntry | None


class ConversationDiff(View, frozen=True, kw_only=True):
    """A conversation that is different; ``before`` is null if it was not there yet."""

    conversation_id: ConversationId
    before: ConversationView | None
    after: ConversationView


class EntryPointDiff(View, frozen=True, kw_only=True):
    """An entry point whose mode is different; null where it was not there."""

    entry_point_id: EntryPointId
    before: EntryMode | None
    after: EntryMode | None


class Diff(View, frozen=True, kw_only=True):
    """What is different between two moments. Of conversations those are told that were open at
    one of them: what was opened and closed in between is not. The totals count what there is, also
    beyond the limit. ``policy_changed``: some policy was set in between."""

    before: MomentView
    after: MomentView
    operators: tuple[OperatorDiff, ...]
    operators_total: int
    conversations: tuple[ConversationDiff, ...]
    conversations_total: int
    entry_points: tuple[EntryPointDiff, ...]
    policy_changed: bool


class FreeMeanwhile(View, frozen=True, kw_only=True):
    """Somebody who was routable and had a free slot while a conversation waited: first noticed at
    ``position``, and what kept it from him then; nothing if he was eligible and it was held."""

    operator_id: OperatorId
    position: Position
    at: UnixMs
    exclusions: tuple[Exclusion, ...]


class Match(View, frozen=True, kw_only=True):
    """A conversation that shows the pattern, as it looks within the stretch.

    ``position`` and ``at`` are those of the event that completes the pattern. ``waited_ms`` is its
    longest wait, from ``waited_from`` to ``waited_to`` (positions; the latter null if it still
    waits), for ``reasons``. ``times``: how often what is counted happened to it by then. ``free``
    names ten at most.
    """

    conversation_id: ConversationId
    visitor_id: VisitorId
    pattern: Pattern
    position: Position
    at: UnixMs
    waited_ms: int
    waited_from: Position | None
    waited_to: Position | None
    reasons: tuple[WaitingReason, ...]
    owners: tuple[OperatorId, ...]
    times: int
    free: tuple[FreeMeanwhile, ...]


class Found(View, frozen=True, kw_only=True):
    """What was found between two positions. ``next``: the stretch goes on after this position;
    null if it was looked through to its end. ``left_out``: so many more show at the position of the
    last one than fit into an answer."""

    matches: tuple[Match, ...]
    left_out: int
    looked_from: Position
    looked_to: Position
    next: Position | None


class OpenedView(View, frozen=True, kw_only=True):
    """A conversation that a visitor opened, with the event that says so."""

    conversation_id: ConversationId
    entry_point_id: EntryPointId
    position: Position
    at: UnixMs


class ConversationsOf(View, frozen=True, kw_only=True):
    """What a visitor opened, the latest first. ``next`` is for ``before`` if there may be more:
    the log was looked through back to there."""

    conversations: tuple[OpenedView, ...]
    next: Position | None


class StoredEvent(View, frozen=True, kw_only=True):
    """An event as it is stored: ``state`` are the very bytes, which are JSON."""

    position: Position
    topic: str
    state: msgspec.Raw


class StoredEvents(View, frozen=True, kw_only=True):
    """A page of the log; ``next`` is for ``after`` if there are more."""

    events: tuple[StoredEvent, ...]
    next: Position | None


class SealView(View, frozen=True, kw_only=True):
    """A seal under the events from ``first`` to ``upto``; bytes as hexadecimal digits."""

    first: Position
    upto: Position
    digests: str
    hash: str
    signature: str
    key: str


class StoredSeals(View, frozen=True, kw_only=True):
    """A page of seals; ``next`` is for ``after`` if there may be more."""

    seals: tuple[SealView, ...]
    next: Position | None


JobName = Literal["verify", "simulate"]
JobState = Literal["running", "done", "failed"]


class Begun(View, frozen=True, kw_only=True):
    """A job that was begun."""

    job_id: str


class JobView(View, frozen=True, kw_only=True):
    """How far a job has come: ``done`` of ``total`` events. ``result`` is what its question is
    answered with once it is ``done``, null before; ``error`` says why it ``failed``."""

    job_id: str
    question: JobName
    state: JobState
    done: int
    total: int
    result: Any
    error: str | None
