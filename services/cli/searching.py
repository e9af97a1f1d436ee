"""Looking through a stretch of a log for a pattern, piece by piece until enough is found."""

from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from services.cli.past import Past, Told, as_fields, merged
from shared.audit.answers import Found, Match, MomentView
from shared.routing.ids import ConversationId, Position, UnixMs
from shared.wire.audit import NOW, Moment

PAGE_MAX = 1_000
"""Conversations of one answer."""


class Stretch(NamedTuple):
    """From one moment to another, as somebody means it."""

    since: Moment = Moment(position=0)
    until: Moment = NOW


class Waited(NamedTuple):
    """When the longest wait of a conversation began, and when it ended or the stretch did."""

    since: UnixMs
    until: UnixMs


class Search(NamedTuple):
    """What was found, and when each of these waited, by conversation."""

    told: Told[Found]
    waits: dict[ConversationId, Waited]


async def length(past: Past, stretch: Stretch) -> int:
    """How many events there are to look through. Raises as ``Past`` does, and ``ValueError`` where
    the stretch ends before it begins."""
    begin, end = [
        (await past.ask("moment", as_fields(moment), MomentView)).result for moment in stretch
    ]
    since, until = (stretch.since.at or begin.at, stretch.until.at or end.at)
    if until < since:
        clock = await past.clock()
        ends = f"from {clock.named(since)} to {clock.named(until)}"
        raise ValueError(f"the stretch would end before it begins: {ends}")
    return max(end.position - begin.position, 0)


async def search(
    past: Past,
    fields: dict[str, object],
    stretch: Stretch,
    limit: int,
    progress: Callable[[int], None],
) -> Search:
    """Ask on until ``limit`` conversations are found or the stretch is over.

    ``progress`` is told how many events more were looked at. Raises as ``Past`` does.
    """
    ends: dict[ConversationId, UnixMs] = {}
    asking = {**fields, "to": as_fields(stretch.until), "limit": PAGE_MAX}
    told: Told[Found] | None = None
    since: dict[str, object] = as_fields(stretch.since)
    while told is None or (told.result.next is not None and len(told.result.matches) < limit):
        if told is not None:
            since = {"position": told.result.next}
        piece = await past.ask("find", {**asking, "from": since}, Found)
        progress(piece.result.looked_to - piece.result.looked_from)
        found = piece.result
        ends |= await _still_waiting(past, found, stretch.until)
        first = replace(found, matches=()) if told is None else told.result
        told = merged(piece, _together(first, found))
    told = merged(told, _cut(told.result, limit))
    return Search(told, await _waits(past, told.result, ends))


def _cut(found: Found, limit: int) -> Found:
    """The first so many. Several may show at one position: where some of those are left out, it is
    looked at again by whoever goes on."""
    if len(found.matches) <= limit:
        return found
    kept, left = found.matches[:limit], found.matches[limit:]
    onward = min(kept[-1].position, min(match.position for match in left) - 1)
    return replace(found, matches=kept, looked_to=Position(onward), next=Position(onward))


def _together(first: Found, second: Found) -> Found:
    """Two pieces as one. What shows in both is told once, where it waited for longer."""
    matches: dict[ConversationId, Match] = {}
    for match in (*first.matches, *second.matches):
        before = matches.pop(match.conversation_id, None)
        matches[match.conversation_id] = match if before is None else _both(before, match)
    return replace(second, looked_from=first.looked_from, matches=tuple(matches.values()))


def _both(before: Match, after: Match) -> Match:
    owners = [*before.owners]
    owners += after.owners[1:] if owners[-1:] == [*after.owners[:1]] else after.owners
    whole = before.waited_to is not None  # else it went on, and the later piece counts it whole
    longer = before if whole and before.waited_ms > after.waited_ms else after
    return replace(
        longer,
        position=after.position,
        at=after.at,
        owners=tuple(owners),
        times=max(before.times, after.times),
    )


async def _still_waiting(past: Past, found: Found, until: Moment) -> dict[ConversationId, UnixMs]:
    """Up to when those waited that did so to the end of this piece."""
    waiting = [m for m in found.matches if m.waited_from is not None and m.waited_to is None]
    if not waiting:
        return {}
    reached = UnixMs(max(await past.stamp(found.looked_to), until.at or 0))
    return {match.conversation_id: reached for match in waiting}


async def _waits(
    past: Past, found: Found, ends: dict[ConversationId, UnixMs]
) -> dict[ConversationId, Waited]:
    waits = {}
    for match in found.matches:
        if match.waited_from is not None:
            ended = ends.get(match.conversation_id, UnixMs(0))
            if match.waited_to is not None:
                ended = await past.stamp(match.waited_to)
            waits[match.conversation_id] = Waited(UnixMs(ended - match.waited_ms), ended)
    return waits
