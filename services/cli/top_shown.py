"""What ``fernamt top`` shows: on a screen of any size, or printed once."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from rich.console import ConsoleDimensions, Group, RenderableType
from rich.layout import Layout
from rich.text import Text

from services.cli import words
from services.cli.event_words import said_of
from services.cli.moments import Clock, duration
from services.cli.roster import free_slots, may_get
from services.cli.tables import Cell, heading, table
from shared.routing.events import Decision
from shared.routing.ids import Position, UnixMs
from shared.routing.views import RosterEntry, WaitingView
from shared.routing.vocabulary import EffectiveStatus

WINDOW_MS: Final = 60_000
"""How far back decisions are counted, one column for each second."""
RATE_MS: Final = 10_000
"""Over so long the number a second is taken."""
LATEST: Final = 12
"""Decisions that are listed."""
SLOTS_DRAWN_MAX: Final = 10
"""More slots than that are a number."""
QUIET_MS: Final = 5_000
"""When nothing has happened for longer, that is said."""
WIDE: Final = 110
"""Columns from which operators and queue stand side by side."""

_ORDER: Sequence[EffectiveStatus] = ("online", "busy", "invisible", "offline")
_STYLES = {"online": "green", "busy": "yellow", "invisible": "magenta", "offline": "dim"}
_BARS = "▁▂▃▄▅▆▇█"


class Decided(NamedTuple):
    """One decision of the log."""

    position: Position
    at: UnixMs
    event: Decision


class Seen(NamedTuple):
    """A workspace as it is now, by this machine's clock."""

    now: UnixMs
    position: Position
    quiet_ms: int
    """Since the last event."""
    operators: Sequence[RosterEntry]
    waiting: Sequence[WaitingView]
    waiting_total: int
    decided: Sequence[Decided]
    """Those of the last minute, and the latest, oldest first."""
    complete: bool
    """Whether all of them are there: of a flood only the newest are read."""


def on_a_page(seen: Seen, clock: Clock) -> Iterator[RenderableType]:
    """Everything, one below the other."""
    yield _head(seen, clock)
    yield ""
    yield _operators(seen)
    yield ""
    yield _queue(seen)
    yield ""
    yield _latest(seen, clock)


def on_a_screen(seen: Seen, clock: Clock, size: ConsoleDimensions, trouble: str) -> Layout:
    """As much as there is room for."""
    latest = min(LATEST, max(size.height // 4, 3))
    middle = Layout(name="middle")
    parts = (Layout(_operators(seen)), Layout(_queue(seen)))
    if size.width >= WIDE:
        middle.split_row(*parts)
    else:
        middle.split_column(*parts)
    screen = Layout()
    screen.split_column(
        Layout(_head(seen, clock, trouble), size=6),
        middle,
        Layout(_latest(seen, clock, latest), size=latest + 2),
    )
    return screen


def _head(seen: Seen, clock: Clock, trouble: str = "") -> Group:
    free = free_slots(seen.operators)
    beside = f"{clock.named(seen.now)}, position {seen.position}"
    if seen.quiet_ms >= QUIET_MS:
        beside += f", nothing has happened for {duration(seen.quiet_ms)}"
    return Group(
        heading(f"{may_get(seen.operators)}, {words.counted(free, 'slot')} free"),
        Text(beside),
        Text(trouble, "red") if trouble else _rate(seen),
        Text(_sparks(seen), "cyan"),
    )


def _rate(seen: Seen) -> Text:
    recent = sum(one.at > seen.now - RATE_MS for one in seen.decided)
    text = f"{recent * 1_000 / RATE_MS:.1f} decisions a second"
    minute = sum(one.at > seen.now - WINDOW_MS for one in seen.decided)
    beside = f"{minute} in the last minute"
    return Text(f"{text}, {beside}" if seen.complete else f"at least {text}, {beside}")


def _sparks(seen: Seen) -> str:
    """A column for each second of the last minute, as high as the most of them needs."""
    counts = [0] * (WINDOW_MS // 1_000)
    for one in seen.decided:
        ago = (seen.now - one.at) // 1_000
        if 0 <= ago < len(counts):
            counts[-1 - ago] += 1
    most = max(counts)
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // most) if most else 0] for count in counts)


def _operators(seen: Seen) -> RenderableType:
    there = sorted(seen.operators, key=lambda one: (_ORDER.index(one.effective), one.operator_id))
    rows = [_operator(one, seen.now) for one in there]
    return table(("operator", "status", "for", "slots"), rows, right=("for",))


def _operator(one: RosterEntry, now: UnixMs) -> tuple[Cell, ...]:
    status = words.status(one.effective, one.cause)
    since = duration(now - one.since) if one.since else ""
    style = _STYLES[one.effective]
    return Text(one.operator_id, style), Text(status, style), since, _slots(one)


def _slots(one: RosterEntry) -> Text:
    if one.capacity > SLOTS_DRAWN_MAX or one.load > SLOTS_DRAWN_MAX:
        return Text(f"{one.load}/{one.capacity}")
    free = "□" * max(one.capacity - one.load, 0)
    return Text.assemble(("■" * one.load, "bold"), (free, "" if one.routable else "dim"))


def _queue(seen: Seen) -> RenderableType:
    if not seen.waiting_total:
        return Text("nobody waits", "dim")
    rows = [
        (
            one.conversation_id,
            duration(one.waited_ms + seen.quiet_ms),
            words.coded(words.WAITING, one.reason),
        )
        for one in sorted(seen.waiting, key=lambda one: -one.waited_ms)
    ]
    more = seen.waiting_total - len(rows)
    shown = table((f"{seen.waiting_total} waiting", "for", "why"), rows, right=("for",))
    return Group(shown, Text(f"and {more} more", "dim")) if more else shown


def _latest(seen: Seen, clock: Clock, rows_max: int = LATEST) -> RenderableType:
    """The newest on top."""
    rows = [
        (str(one.position), clock.beside(one.at, seen.now), _about(one.event), said_of(one.event))
        for one in reversed(seen.decided[-rows_max:])
    ]
    return table(("position", "time", "about", "decided"), rows, right=("position", "time"))


def _about(event: Decision) -> str:
    """The conversation that it is about; others say themselves what they are about."""
    return getattr(event, "conversation_id", "")
