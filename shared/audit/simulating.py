"""What other policies would have decided for a stretch of the log: a report, and nothing else.

Nothing is applied, written or proposed. The stretch is played twice on copies of the state at its
beginning: under the policies that held (``baseline``) and under the changes (``simulated``). The
two are to be compared with each other: whatever comes of playing rather than of the changes is in
both. How far the baseline is from what was recorded says how much the report is worth.
"""

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable, Sequence
from typing import Literal

import msgspec

from shared.audit.changes import Change
from shared.audit.outcomes import WAIT_BOUNDS_MS, Outcome, Waited
from shared.audit.playing import ASSUMED_ACCEPT_MS, ASSUMED_CLAIM_MS, Play, Tally
from shared.audit.script import Reading, Script
from shared.audit.watching import Watched, frozen, thawed
from shared.routing.events import Envelope
from shared.routing.ids import ConversationId, Position, UnixMs
from shared.routing.revision import REVISION
from shared.routing.workspace import Workspace

EVENTS_MAX = 2_000_000
DIFFERENCES_MAX = 1_000
_STEPS_AT_ONCE = 200

Placed = tuple[Position, Envelope]

AssumptionCode = Literal[
    "visitors_as_recorded",
    "presence_as_recorded",
    "changes_outlive",
    "rules_as_recorded",
    "work_takes_as_long",
    "owner_must_be_there",
    "acts_left_out",
    "acts_not_reached",
    "offers_as_recorded",
    "offers_accepted_after",
    "claimed_after",
    "answered_after",
    "closed_after",
    "nobody_known_to_answer",
    "present_rules",
    "commands_not_understood",
]


class Assumption(msgspec.Struct, frozen=True):
    """What had to be taken for granted, by a code that never changes, and its numbers."""

    code: AssumptionCode
    numbers: dict[str, int] = {}


class Stretch(msgspec.Struct, frozen=True):
    """``after`` is the position before the first event, ``upto`` that of the last."""

    after: Position
    upto: Position
    begins_at: UnixMs
    ends_at: UnixMs
    events: int


class Run(msgspec.Struct, frozen=True):
    """What came of one way through the stretch. ``tally`` is null for what was recorded."""

    outcome: Outcome
    tally: Tally | None = None


class Difference(msgspec.Struct, frozen=True):
    """One conversation for which not all three say the same; null where it did not wait."""

    conversation_id: ConversationId
    recorded: Waited | None
    baseline: Waited | None
    simulated: Waited | None


class Simulation(msgspec.Struct, frozen=True):
    """The report. ``differences`` are those between ``baseline`` and ``simulated``, in the order
    of their ids, at most ``DIFFERENCES_MAX`` of ``differences_total``; ``artefacts`` those between
    ``recorded`` and ``baseline``, which the changes have nothing to do with.
    """

    stretch: Stretch
    changes: tuple[Change, ...]
    assumptions: tuple[Assumption, ...]
    recorded: Run
    baseline: Run
    simulated: Run
    differences_total: int
    differences: tuple[Difference, ...]
    artefacts_total: int
    artefacts: tuple[Difference, ...]
    wait_bounds_ms: tuple[int, ...] = WAIT_BOUNDS_MS


class TooLong(ValueError):
    """There is more to be played than one report may hold in memory."""


class WithinGroup(ValueError):
    """The stretch begins among events that belong together; ``after`` is where it may begin."""

    def __init__(self, after: Position) -> None:
        super().__init__(f"a stretch begins with a whole group of events: after {after}")
        self.after = after


def _silent(_events: int) -> None:
    """Nobody wants to know how far it is."""


async def simulate(
    workspace: Workspace,
    events: AsyncIterable[Placed],
    changes: Sequence[Change],
    progress: Callable[[int], None] = _silent,
) -> Simulation:
    """Play ``events``, which follow on ``workspace``, as they were and under ``changes``.

    ``workspace`` is only read. ``progress`` is told how many events were dealt with since it was
    told last; there are three passes, so that it adds up to three times their number. Raises
    ``BadChange`` for a change that cannot be made, ``WithinGroup`` and ``TooLong``.
    """
    placed = [one async for one in _bounded(events)]
    kept = _frozen(workspace, placed)
    read = await _read(thawed(kept), placed, progress)
    script = read.script
    share = max(len(placed) // max(len(script.happenings), 1), 1)
    baseline = Play(thawed(kept), script)
    await _run(baseline, lambda steps: progress(steps * share))
    simulated = Play(thawed(kept), script, changes)
    await _run(simulated, lambda steps: progress(steps * share))
    return _report(kept, read, baseline, simulated, tuple(changes))


async def _bounded(events: AsyncIterable[Placed]) -> AsyncIterable[Placed]:
    count = 0
    async for one in events:
        count += 1
        if count > EVENTS_MAX:
            raise TooLong(f"more than {EVENTS_MAX} events: choose a shorter stretch")
        yield one


def _frozen(workspace: Workspace, placed: Sequence[Placed]) -> bytes:
    """The state at the beginning, with what the stretch needs of it."""
    if placed and placed[0][1].first != placed[0][0]:
        raise WithinGroup(Position(placed[0][1].first - 1))
    needed: dict[ConversationId, None] = {
        getattr(envelope.data, "conversation_id", ConversationId("")): None
        for _, envelope in placed
    }
    return frozen(workspace, needed)


async def _read(
    workspace: Watched, placed: Iterable[Placed], progress: Callable[[int], None]
) -> Reading:
    reading = Reading(workspace)
    for number, (position, envelope) in enumerate(placed, start=1):
        reading.feed(position, envelope)
        if number % _STEPS_AT_ONCE == 0:
            progress(_STEPS_AT_ONCE)
            await asyncio.sleep(0)
    reading.finish()
    return reading


async def _run(play: Play, progress: Callable[[int], None]) -> None:
    for number, _ in enumerate(play.run(), start=1):
        if number % _STEPS_AT_ONCE == 0:
            progress(_STEPS_AT_ONCE)
            await asyncio.sleep(0)


# --- the report -----------------------------------------------------------------------------


def _report(
    kept: bytes, read: Reading, baseline: Play, simulated: Play, changes: tuple[Change, ...]
) -> Simulation:
    script, begun = read.script, thawed(kept)
    ends_at = script.ends_at
    fared = [meter.waited(ends_at) for meter in (read.meter, baseline.meter, simulated.meter)]
    differences = _differences(fared, 1, 2)
    artefacts = _differences(fared, 0, 1)
    return Simulation(
        stretch=Stretch(begun.position, script.ends_position, begun.at, ends_at, script.events),
        changes=changes,
        assumptions=tuple(_assumptions(script, simulated.tally, changes)),
        recorded=Run(read.meter.outcome(ends_at)),
        baseline=Run(baseline.meter.outcome(ends_at), baseline.tally),
        simulated=Run(simulated.meter.outcome(ends_at), simulated.tally),
        differences_total=len(differences),
        differences=tuple(differences[:DIFFERENCES_MAX]),
        artefacts_total=len(artefacts),
        artefacts=tuple(artefacts[:DIFFERENCES_MAX]),
    )


def _differences(
    fared: Sequence[dict[ConversationId, Waited]], one: int, other: int
) -> list[Difference]:
    everything = sorted({*fared[one], *fared[other]})
    return [
        Difference(its_id, *(way.get(its_id) for way in fared))
        for its_id in everything
        if fared[one].get(its_id) != fared[other].get(its_id)
    ]


def _assumptions(script: Script, tally: Tally, changes: Sequence[Change]) -> Iterable[Assumption]:
    """Those that always hold, and of the others those that were needed."""
    yield Assumption("visitors_as_recorded", {"opened": script.opened, "wrote": script.wrote})
    yield Assumption("presence_as_recorded")
    if changes:
        yield Assumption("changes_outlive", {"changes": len(changes)})
    if script.rules_fired:
        yield Assumption("rules_as_recorded", {"fired": script.rules_fired})
    yield Assumption("work_takes_as_long", {"acts": tally.acts})
    yield from _on_offers(script, tally)
    yield from _on_what_nobody_did(script, tally)
    left_out = sum(tally.left_out.values())
    counted: dict[AssumptionCode, int] = {
        "owner_must_be_there": tally.put_off,
        "acts_left_out": left_out,
        "acts_not_reached": tally.not_reached,
        "commands_not_understood": script.unknown,
    }
    for code, count in counted.items():
        if count:
            yield Assumption(code, {"acts": count})
    if script.other_revision:
        numbers = {"decisions": script.other_revision, "revision": REVISION}
        yield Assumption("present_rules", numbers)


def _on_offers(script: Script, tally: Tally) -> Iterable[Assumption]:
    typical = script.typical
    if tally.offers_answered:
        yield Assumption("offers_as_recorded", {"offers": tally.offers_answered})
    if tally.offers_supposed:
        numbers = _after(typical.accept_ms, ASSUMED_ACCEPT_MS)
        yield Assumption("offers_accepted_after", {"offers": tally.offers_supposed, **numbers})


def _on_what_nobody_did(script: Script, tally: Tally) -> Iterable[Assumption]:
    typical = script.typical
    if tally.claims_supposed:
        numbers = _after(typical.claim_ms, ASSUMED_CLAIM_MS)
        yield Assumption("claimed_after", {"claims": tally.claims_supposed, **numbers})
    if tally.replies_supposed and typical.reply_ms is not None:
        numbers = {"replies": tally.replies_supposed, "after_ms": typical.reply_ms}
        yield Assumption("answered_after", numbers)
    if tally.closes_supposed and typical.handling_ms is not None:
        numbers = {"closes": tally.closes_supposed, "after_ms": typical.handling_ms}
        yield Assumption("closed_after", numbers)
    if typical.handling_ms is None:
        yield Assumption("nobody_known_to_answer")


def _after(measured_ms: int | None, assumed_ms: int) -> dict[str, int]:
    """How long, and whether that was measured in the stretch."""
    if measured_ms is None:
        return {"after_ms": assumed_ms, "measured": 0}
    return {"after_ms": measured_ms, "measured": 1}
