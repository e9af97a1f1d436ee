"""``fernamt find``: conversations with which something went wrong, and who was free meanwhile."""

import time
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.table import Table

from services.cli import words
from services.cli.moments import Clock, duration, read_seconds
from services.cli.options import DEFAULT_DATA, DataDir, LogFile, StoreUrl
from services.cli.past import (
    AsJson,
    Broker,
    Past,
    Where,
    WorkspaceName,
    Zone,
    as_fields,
    asked,
    print_answer,
)
from services.cli.progress_bar import progress_bar
from services.cli.searching import Search, Stretch, Waited, length, search
from services.cli.tables import Cell, facts, heading, table
from shared.audit.answers import FreeMeanwhile, Match, MomentView
from shared.routing.ids import UnixMs
from shared.wire.audit import Moment, Pattern

NOTHING_FOUND = 4
AROUND_MS = 10 * 60_000
"""What ``--around`` looks at before a time and after it."""
_SHOWN_MAX = 10
"""Of those who were free, for one conversation; the answer as JSON has all."""


def _typed(pattern: Pattern) -> str:
    return pattern.replace("_", "-")


def find(
    pattern: Annotated[
        str,
        typer.Argument(
            help="; ".join(f"{_typed(each)}: {said}" for each, said in words.PATTERNS.items())
        ),
    ] = "any",
    visitor: Annotated[str, typer.Option("--visitor", help="Only this visitor's.")] = "",
    operator: Annotated[
        str, typer.Option("--operator", help="Only what this one had, or was free for.")
    ] = "",
    conversation: Annotated[str, typer.Option("--conversation", help="Only this one.")] = "",
    since: Annotated[str, typer.Option("--from", help="From this time on, or @POSITION.")] = "",
    until: Annotated[str, typer.Option("--to", help="Up to this time, or @POSITION.")] = "",
    around: Annotated[
        str, typer.Option("--around", help="Ten minutes before this time to ten after it.")
    ] = "",
    over: Annotated[str, typer.Option("--over", help="A wait counts if it was longer.")] = "60s",
    within: Annotated[
        str, typer.Option("--within", help="owner-left: so soon after the assignment.")
    ] = "60s",
    more_than: Annotated[
        int, typer.Option("--more-than", min=0, help="reassigned, forwarded, refused: how often.")
    ] = 0,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=100_000, help="Conversations to find at most.")
    ] = 100,
    workspace: WorkspaceName = "",
    data: DataDir = DEFAULT_DATA,
    store: StoreUrl = "",
    log: LogFile = None,
    nats: Broker = "",
    zone: Zone = "",
    as_json: AsJson = False,
) -> None:
    """Find conversations of a stretch of the log that show a pattern.

    Says of each how long it waited, why, and who was free meanwhile and did not get it. Reads the
    log and writes nothing.

    Exit code 0: something was found. 4: nothing was. 1: the log is damaged. 2: it could not be
    asked so, or nothing could be read.
    """

    async def ask(past: Past) -> tuple[Search, Clock]:
        ids = {"visitor_id": visitor, "operator_id": operator, "conversation_id": conversation}
        named: dict[str, object] = {name: its_id for name, its_id in ids.items() if its_id}
        fields = _patterned(pattern, over, within) | {"more_than": more_than} | named
        stretch = await _stretch(past, since, until, around)
        with progress_bar("looking through the log", await length(past, stretch)) as progress:
            return await search(past, fields, stretch, limit, progress), await past.clock()

    found, clock = asked(Where(workspace, data, store, log, nats, zone), ask)
    print_answer(found.told, as_json, lambda: found_in_words(found, clock))
    if not found.told.result.matches:
        raise typer.Exit(NOTHING_FOUND)


def _patterned(pattern: str, over: str, within: str) -> dict[str, object]:
    return {
        "pattern": _pattern(pattern),
        "over_s": read_seconds(over),
        "within_s": read_seconds(within),
    }


def _pattern(text: str) -> Pattern:
    for known in words.PATTERNS:
        if text.replace("_", "-") == _typed(known):
            return known
    there_are = ", ".join(map(_typed, words.PATTERNS))
    raise ValueError(f"there is no pattern {text}; there are: {there_are}")


async def _stretch(past: Past, since: str, until: str, around: str) -> Stretch:
    if not around:
        begin = await past.moment(None, since, early=True) if since else Moment(position=0)
        return Stretch(begin, await past.moment(None, until, early=True))
    if since or until:
        raise ValueError("either --around or --from and --to")
    meant = await past.moment(None, around, early=True)
    middle = (await past.ask("moment", as_fields(meant), MomentView)).result.at
    middle = UnixMs(meant.at) if meant.at is not None else middle
    now = time.time_ns() // 1_000_000
    end = max(min(middle + AROUND_MS, now), middle)  # nothing waits in the future
    return Stretch(Moment(at=max(middle - AROUND_MS, 0)), Moment(at=end))


# --- in words -------------------------------------------------------------------------------


def found_in_words(found: Search, clock: Clock) -> Iterator[RenderableType]:
    """The answer for people."""
    result = found.told.result
    yield heading(f"{words.counted(len(result.matches), 'conversation')} found")
    yield (
        f"looked at positions {result.looked_from} to {result.looked_to}; times in {clock.zone.key}"
    )
    for match in result.matches:
        yield ""
        yield from _match(match, found.waits.get(match.conversation_id), clock)
    if result.next is not None:
        yield ""
        yield f"There may be more: a larger --limit, or --from @{result.next}"


def _match(match: Match, waited: Waited | None, clock: Clock) -> Iterator[RenderableType]:
    beside = f"{match.pattern}, {match.times} times" if match.times > 1 else match.pattern
    yield heading(f"{match.conversation_id} of {match.visitor_id}", beside)
    yield facts(_facts(match, waited, clock))
    if match.free:
        yield _free(match.free, waited, clock)
        first = match.free[0]
        asking = f"{first.operator_id} {match.conversation_id} --position {first.position}"
        yield f"more on that: fernamt why-not {asking}"


def _facts(match: Match, waited: Waited | None, clock: Clock) -> Iterator[tuple[str, Cell]]:
    if waited is None:
        yield "waited", "not at all"
    else:
        ended = clock.beside(waited.until, waited.since)
        how = f"and still did {ended}" if match.waited_to is None else f"to {ended}"
        place = "" if match.waited_to is None else f", position {match.waited_to}"
        since = clock.full(waited.since)
        yield "waited", f"{duration(match.waited_ms)}, from {since} {how}{place}"
    for reason in match.reasons:
        yield "because", words.coded(words.WAITING, reason)
    yield "owners", ", then ".join(match.owners) or "nobody"
    yield "shown by", f"position {match.position}, {clock.full(match.at)}"


def _free(free: tuple[FreeMeanwhile, ...], waited: Waited | None, clock: Clock) -> Table:
    """Who was free while it waited. Those come first whom it was for."""
    shown: list[tuple[str, ...]] = [
        (
            one.operator_id,
            clock.beside(one.at, waited.since if waited is not None else one.at),
            str(one.position),
            words.reasons(one.exclusions) or "nothing: it was held, or others came first",
        )
        for one in free[:_SHOWN_MAX]
    ]
    if len(free) > _SHOWN_MAX:
        shown.append((f"{len(free) - _SHOWN_MAX} more", "", "", ""))
    return table(
        ("free meanwhile", "seen", "position", "what was in the way"), shown, right=("position",)
    )
