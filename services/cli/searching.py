"""Looking through a stretch of a log for a pattern, piece by piece until enough is found."""

from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace

from services.cli.past import Past, Told, as_fields, merged
from shared.audit.answers import Found, Match, MomentView
from shared.routing.ids import ConversationId, UnixMs
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
    """How many events there are to look through. Raises as ``Past`` does."""
    ends = [
        (await past.ask("moment", as_fields(moment), MomentView)).result.position
        for moment in stretch
    ]
    return max(ends[1] - ends[0], 0)


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
    waits: dict[ConversationId, Waited] = {}
    asking = {**fields, "to": as_fields(stretch.until)}
    told: Told[Found] | None = None
    since: dict[str, object] = as_fields(stretch.since)
    while True:
        left = limit - (len(told.result.matches) if told is not None else 0)
        asking |= {"from": since, "limit": min(left, PAGE_MAX)}
        piece = await past.ask("find", asking, Found)
        progress(piece.result.looked_to - piece.result.looked_from)
        waits |= await _waits(past, piece.result, stretch.until)
        told = piece if told is None else merged(piece, _together(told.result, piece.result))
        if told.result.next is None or len(told.result.matches) >= limit:
            return Search(told, waits)
        since = {"position": told.result.next}


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


async def _waits(past: Past, found: Found, until: Moment) -> dict[ConversationId, Waited]:
    """When these waits were; those that go on do so until the piece ends."""
    reached = max(await past.stamp(found.looked_to), until.at or 0)
    waits = {}
    for match in found.matches:
        if match.waited_from is not None:
            ended = reached if match.waited_to is None else await past.stamp(match.waited_to)
            waits[match.conversation_id] = Waited(UnixMs(ended - match.waited_ms), UnixMs(ended))
    return waits
