"""Checkers: pure functions over what clients saw and what the log holds, to a list of breaches.

C1 nothing acknowledged is lost, C2 nothing happens twice, C3 the order of the log is the order of
the world, C4 one owner, C5 capacity, C6 eligibility, C9 the same state again, C10 the same
decisions again. Each is fed a broken history in ``test_checkers``: one that never failed proves
nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from services.router.personal import seal
from shared.routing.commands import COMMANDS, Refused
from shared.routing.decide import Instruction, decide
from shared.routing.events import ConversationAssigned, ConversationOffered
from shared.routing.evolve import evolve
from shared.routing.ids import Position, WorkspaceId
from shared.routing.replay import Replay
from shared.routing.state import CommandKey, command_key
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace
from tests.chaos.account import Account, Given
from tests.chaos.history import Attempt

Attempts = Sequence[Attempt]
Log = Sequence[Recorded]
Judge = Callable[[Account, Given], Iterator[str]]

SAYS_NOTHING_OF_EARLIER = frozenset({"overloaded", "unavailable", "no_responders"})
"""Refusals given without looking: this attempt did nothing, one before it may have."""


class Batch(NamedTuple):
    """The events of one command: where they begin and end."""

    first: Position
    last: Position


def batches_of(log: Log) -> dict[CommandKey, list[Batch]]:
    """The batches that each command left in the log; more than one is a fault."""
    found: defaultdict[CommandKey, dict[Position, Position]] = defaultdict(dict)
    for position, envelope in log:
        if envelope.cmd is not None and envelope.by is not None:
            found[command_key(envelope.by, envelope.cmd)][envelope.first] = position
    return {key: [Batch(*pair) for pair in places.items()] for key, places in found.items()}


def by_command(attempts: Attempts) -> dict[CommandKey, list[Attempt]]:
    """Attempts grouped by the command they try, in their order."""
    grouped: defaultdict[CommandKey, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        grouped[attempt.key].append(attempt)
    return grouped


# --- what clients were told, against the log ------------------------------------------------


def c1_no_loss(attempts: Attempts, log: Log, workspace_id: WorkspaceId) -> list[str]:
    """What was acknowledged is there; what left no trace changed nothing; nothing is uninvited."""
    batches, invoked = batches_of(log), by_command(attempts)
    breaches = [f"{key} is in the log and was never sent" for key in batches.keys() - invoked]
    traceless: list[Attempt] = []
    for attempt in attempts:
        if attempt.outcome != "ok":
            continue
        written = batches.get(attempt.key)
        if not written or _was_idle(attempt, written):
            traceless.append(attempt)
        elif attempt.position != written[0].last:
            breaches.append(f"{_told(attempt)}, and stands at {written[0]}")
    return [*breaches, *_not_idle(traceless, log, workspace_id)]


def _was_idle(attempt: Attempt, written: Sequence[Batch]) -> bool:
    """Answered before the command was carried out, as there was nothing to do yet: such an answer
    is not remembered, and the command sent again may find something to do."""
    return not attempt.repeated and attempt.position < written[0].first


def _not_idle(traceless: Attempts, log: Log, workspace_id: WorkspaceId) -> Iterator[str]:
    """Acknowledged without a trace: they must have had nothing to change where they were told."""
    told_at: defaultdict[Position, list[Attempt]] = defaultdict(list)
    for attempt in traceless:
        told_at[attempt.position].append(attempt)
    workspace = Workspace(workspace_id=workspace_id)
    for position, envelope in log:
        try:
            evolve(workspace, envelope)
        except (AssertionError, LookupError, ValueError) as misfit:
            yield f"position {position} does not fit what is before it: {misfit!r}"
            return
        for attempt in told_at.pop(position, ()):
            if not _changes_nothing(workspace, attempt):
                yield f"{_told(attempt)}, and is not in the log"
    for attempts in told_at.values():
        yield from (f"{_told(attempt)}, where the log does not reach" for attempt in attempts)


def _changes_nothing(workspace: Workspace, attempt: Attempt) -> bool:
    command = msgspec.convert(attempt.fields, COMMANDS[attempt.command])
    refs, _ = seal(command, attempt.actor, workspace.position)
    outcome = decide(workspace, command, Instruction(attempt.actor, attempt.at, refs))
    return not isinstance(outcome, Refused) and not outcome.events


def c2_exactly_once(attempts: Attempts, log: Log) -> list[str]:
    """A command is in the log at most once, refused never, and every answer names one place."""
    batches = batches_of(log)
    breaches = [f"{key} is in the log {len(b)} times: {b}" for key, b in batches.items() if b[1:]]
    for key, tries in by_command(attempts).items():
        if key not in batches:
            breaches += [f"{_told(t)} as repeated; there is no first" for t in tries if t.repeated]
            continue
        breaches += [f"{_told(t)}, and is in the log" for t in tries if _denied(t, tries)]
        done = [t for t in tries if t.outcome == "ok" and not _was_idle(t, batches[key])]
        positions = {t.position for t in done}
        if len(positions) > 1:
            breaches.append(f"{key} was acknowledged at {sorted(positions)}")
        if sum(not t.repeated for t in done) > 1:
            breaches.append(f"{key} was acknowledged twice as the first")
    return breaches


def _denied(attempt: Attempt, tries: Attempts) -> bool:
    """Whether the client was told for sure that nothing was done."""
    if attempt.outcome != "fail":
        return False
    return len(tries) == 1 or attempt.code not in SAYS_NOTHING_OF_EARLIER


def c3_order(attempts: Attempts, log: Log) -> list[str]:
    """Gapless, one batch after the other, and later than whatever was acknowledged before."""
    return [*_broken_log(log), *_out_of_order(attempts, batches_of(log))]


def _broken_log(log: Log) -> Iterator[str]:
    before: Recorded | None = None
    for expected, recorded in enumerate(log, start=1):
        position, envelope = recorded
        if position != expected:
            yield f"position {expected} is missing, {position} follows"
            return
        earlier = before.envelope if before is not None else None
        begins = envelope.first == position
        if not begins and (earlier is None or earlier.first != envelope.first):
            yield f"position {position} claims to belong to {envelope.first}"
        if earlier is not None and envelope.epoch < earlier.epoch:
            yield f"position {position}: epoch {envelope.epoch} after {earlier.epoch}"
        if earlier is not None and envelope.at < earlier.at:
            yield f"position {position}: time goes back"
        before = recorded


def _out_of_order(attempts: Attempts, batches: dict[CommandKey, list[Batch]]) -> Iterator[str]:
    """In real time: whatever is sent after an answer was had must not stand before it."""
    floor_of: dict[CommandKey, Position] = {}
    moments = [(attempt.invoked_ns, 0, attempt) for attempt in attempts]
    moments += [(attempt.ended_ns, 1, attempt) for attempt in attempts if attempt.outcome == "ok"]
    floor = Position(0)
    for _, ended, attempt in sorted(moments, key=lambda moment: moment[:2]):
        if not ended:
            floor_of.setdefault(attempt.key, floor)
            continue
        below = floor_of[attempt.key]
        written = batches.get(attempt.key)
        wrote = written is not None and not _was_idle(attempt, written)
        if attempt.position < below + wrote:
            yield f"{_told(attempt)}, and {below} had been answered before it was sent"
        floor = max(floor, attempt.position)


def _told(attempt: Attempt) -> str:
    who = f"{attempt.actor.kind} {attempt.actor.id}"
    verdict = f"{attempt.outcome} {attempt.code}".strip()
    return f"{attempt.command} {attempt.command_id} of {who} was {verdict} at {attempt.position}"


# --- what the log says by itself ------------------------------------------------------------


def c4_single_owner(log: Log) -> list[str]:
    """At each position every conversation has at most one owner."""
    account = Account()
    return [
        f"position {position}: {breach}"
        for position, envelope in log
        for breach in account.note(envelope.data)
    ]


def c5_capacity(log: Log) -> list[str]:
    """No automatic decision exceeds a capacity; whatever else does is marked."""
    return list(_judged(log, Account.overload))


def c6_eligibility(log: Log) -> list[str]:
    """Whoever was given a conversation could be given it, as of the position decided at."""
    return list(_judged(log, Account.unfitness))


def _judged(log: Log, judge: Judge) -> Iterator[str]:
    account = Account()
    for position, envelope in log:
        if isinstance(envelope.data, ConversationAssigned | ConversationOffered):
            for breach in judge(account, envelope.data):
                yield f"position {position}: {breach}"
        list(account.note(envelope.data))


def c9_c10_replay(log: Log, workspace_id: WorkspaceId) -> list[str]:
    """Every decision comes out again byte for byte, and every fact fits the state."""
    again = Replay(Workspace(workspace_id=workspace_id))
    for position, envelope in log:
        divergence = again.feed(position, envelope)
        if divergence is not None:
            return [f"position {position}: {divergence.what}: {divergence.expected}"]
    divergence = again.finish()
    if divergence is not None:
        return [f"at the end: {divergence.what}: {divergence.expected}"]
    return []
