"""What other policies would have decided for a stretch of the log: a report, and nothing else.

Nothing is applied, written or proposed. The stretch is played twice on copies of the state at its
beginning: under the policies that held (``baseline``) and under the changes (``simulated``). The
two are to be compared with each other: whatever comes of playing rather than of the changes is in
both. How far the baseline is from what was recorded says how much the report is worth.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import msgspec

from shared.audit.changes import Change, as_read
from shared.audit.history import History
from shared.audit.outcomes import WAIT_BOUNDS_MS, Outcome, Waited
from shared.audit.playing import ASSUMED_ACCEPT_MS, ASSUMED_CLAIM_MS, Play
from shared.audit.script import Reading, Script
from shared.audit.state import Named
from shared.audit.tally import Tally
from shared.audit.watching import frozen, thawed
from shared.routing.events import Envelope
from shared.routing.ids import ContactId, ConversationId, Position, UnixMs, VisitorId
from shared.routing.revision import REVISION
from shared.routing.workspace import Workspace
from shared.wire.audit import Moment

EVENTS_MAX = 2_000_000
DIFFERENCES_MAX = 1_000
PASSES = 3
"""Over the recorded events, for the baseline, for the changes."""

_STEPS_AT_ONCE = 200

Placed = tuple[Position, Envelope]

AssumptionCode = Literal[
    "visitors_as_recorded",
    "presence_as_recorded",
    "changes_outlive",
    "rules_as_recorded",
    "visitors_keep_pace",
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
    """The report. ``differences`` are those between ``baseline`` and ``simulated``, first where
    the waits differ most, at most ``DIFFERENCES_MAX`` of ``differences_total``; ``artefacts`` those
    between ``recorded`` and ``baseline``, which the changes have nothing to do with.
    """

    stretch: Stretch
    changes: tuple[dict[str, Any], ...]
    assumptions: tuple[Assumption, ...]
    recorded: Run
    baseline: Run
    simulated: Run
    differences_total: int
    differences: tuple[Difference, ...]
    artefacts_total: int
    artefacts: tuple[Difference, ...]
    wait_bounds_ms: tuple[int, ...] = WAIT_BOUNDS_MS


class BadStretch(ValueError):
    """There is nothing that could be played, or more than one report may hold in memory."""


Progress = Callable[[int, int], None]


def _silent(_events: int, _total: int) -> None:
    """Nobody wants to know how far it is."""


async def simulate(
    history: History,
    since: Moment,
    until: Moment,
    changes: Sequence[Change],
    progress: Progress = _silent,
) -> Simulation:
    """Play what happened between two moments, as it was and under ``changes``.

    Each moment is taken at the end of the group of events that it lies in. ``progress`` is told
    what was dealt with since it was told last, and of how much in all. Raises ``BadChange`` for a
    change that cannot be made, ``BadStretch``, and as ``History`` does.
    """
    after, upto = [await history.rest_at(await history.position_of(m)) for m in (since, until)]
    if after >= upto:
        raise BadStretch(f"no event lies after position {after} and up to {upto}")
    if upto - after > EVENTS_MAX:
        raise BadStretch(f"{upto - after} events, at most {EVENTS_MAX}: choose a shorter stretch")
    placed: list[Placed] = []
    async for some in history.events(after, upto):
        placed += [(recorded.position, recorded.envelope) for recorded in some]
    whom = _named(placed)
    needed = dict.fromkeys(whom.conversations)
    kept = await history.look(after, lambda workspace: frozen(workspace, needed), whom)
    return await play_stretch(kept, placed, changes, progress)


def _named(placed: Sequence[Placed]) -> Named:
    """Whomever the stretch is about, whether or not they had anything open before."""
    conversations: dict[ConversationId, None] = {}
    visitors: dict[VisitorId, None] = {}
    contacts: dict[ContactId, None] = {}
    for _, envelope in placed:
        event = envelope.data
        conversations[getattr(event, "conversation_id", None) or ConversationId("")] = None
        visitors[getattr(event, "visitor_id", None) or VisitorId("")] = None
        contacts[getattr(event, "contact_id", None) or ContactId("")] = None
    return Named(tuple(conversations), tuple(visitors), contacts=tuple(contacts))


async def play_stretch(
    kept: bytes, placed: Sequence[Placed], changes: Sequence[Change], progress: Progress = _silent
) -> Simulation:
    """The same for events that follow on a ``frozen`` state at rest. Raises ``BadChange``."""
    total = PASSES * len(placed)
    reading = Reading(thawed(kept))
    await _read(reading, placed, lambda events: progress(events, total))
    baseline = Play(thawed(kept), reading.script)
    await _run(baseline, reading.script, lambda events: progress(events, total))
    simulated = Play(thawed(kept), reading.script, changes)
    await _run(simulated, reading.script, lambda events: progress(events, total))
    return _report(thawed(kept), reading, baseline, simulated, tuple(changes))


async def _read(
    reading: Reading, placed: Sequence[Placed], progress: Callable[[int], None]
) -> None:
    for start in range(0, len(placed), _STEPS_AT_ONCE):
        some = placed[start : start + _STEPS_AT_ONCE]
        for position, envelope in some:
            reading.feed(position, envelope)
        progress(len(some))
        await asyncio.sleep(0)
    reading.finish()


async def _run(play: Play, script: Script, progress: Callable[[int], None]) -> None:
    told = play.workspace.position
    for number, reached in enumerate(play.run(), start=1):
        if number % _STEPS_AT_ONCE == 0:
            progress(reached - told)
            told = reached
            await asyncio.sleep(0)
    progress(script.ends_position - told)


# --- the report -----------------------------------------------------------------------------


def _report(
    begun: Workspace, read: Reading, baseline: Play, simulated: Play, changes: tuple[Change, ...]
) -> Simulation:
    script = read.script
    begins_at, ends_at = script.begins_at, script.ends_at
    fared = [meter.waited(ends_at) for meter in (read.meter, baseline.meter, simulated.meter)]
    differences = _differences(fared, 1, 2)
    artefacts = _differences(fared, 0, 1)
    return Simulation(
        stretch=Stretch(begun.position, script.ends_position, begins_at, ends_at, script.events),
        changes=tuple(map(as_read, changes)),
        assumptions=tuple(_assumptions(script, simulated.tally, changes)),
        recorded=Run(read.meter.outcome(begins_at, ends_at)),
        baseline=Run(baseline.meter.outcome(begins_at, ends_at), baseline.tally),
        simulated=Run(simulated.meter.outcome(begins_at, ends_at), simulated.tally),
        differences_total=len(differences),
        differences=tuple(differences[:DIFFERENCES_MAX]),
        artefacts_total=len(artefacts),
        artefacts=tuple(artefacts[:DIFFERENCES_MAX]),
    )


def _differences(
    fared: Sequence[dict[ConversationId, Waited]], one: int, other: int
) -> list[Difference]:
    """What two of the three ways say differently; first where the waits differ most."""
    found = []
    for its_id in dict.fromkeys((*fared[one], *fared[other])):
        was, now = fared[one].get(its_id), fared[other].get(its_id)
        if was != now:
            by_ms = abs(_waited_ms(was) - _waited_ms(now))
            found.append((-by_ms, Difference(its_id, *(way.get(its_id) for way in fared))))
    found.sort(key=lambda one: (one[0], one[1].conversation_id))
    return [difference for _, difference in found]


def _waited_ms(waited: Waited | None) -> int:
    return waited.waited_ms if waited is not None else 0


def _assumptions(script: Script, tally: Tally, changes: Sequence[Change]) -> Iterable[Assumption]:
    """Those that always hold, and of the others those that were needed."""
    yield Assumption("visitors_as_recorded", {"opened": script.opened})
    yield Assumption("visitors_keep_pace", {"wrote": script.wrote})
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
