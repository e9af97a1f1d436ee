"""The log of the sample shop, made anew from a seed: the same bytes for the same time and seed."""

import random
from collections.abc import Iterator

from services.cli.sample.attendance import Attendance
from services.cli.sample.changes import Changes, billing_is_short
from services.cli.sample.desks import Desks
from services.cli.sample.incident import HOUR, LASTS_MS, MINUTE, Incident
from services.cli.sample.left_open import LeftOpen
from services.cli.sample.play import Play
from services.cli.sample.shop import ADMIN, WORKSPACE, settings
from services.cli.sample.times import HOUR_MS, MINUTE_MS, latest
from services.cli.sample.visitors import Visitors
from services.cli.sample.writing import Writer, Written
from shared.routing.ids import UnixMs, WorkspaceId

SEED = 20_240_229
DAY_MS = 24 * HOUR_MS
LEAD_MS = 3 * HOUR_MS
"""The shop is set up so long before the first day begins: what takes its time in it, on a day of 25
hours too, then lies in the log as a whole."""
BATCH_ROWS = 1_000
FORGOTTEN_AFTER_MS = 2 * HOUR_MS
"""Longer than anybody in the play remembers a closed conversation."""


def generated(
    now: UnixMs,
    *,
    days: int = 1,
    scale: int = 1,
    seed: int = SEED,
    epoch: int = 1,
    workspace_id: WorkspaceId = WORKSPACE,
) -> Iterator[Written]:
    """The rows of ``days`` days up to ``now``, in batches that end with whole groups.

    A day has some 5,000 events; with ``scale`` times as many visitors it has about as many times
    more, as far as the staff keeps up. ``epoch`` is that of the lease under which it is appended.
    """
    chance = random.Random(seed)
    writer = Writer(workspace_id, epoch, chance)
    play = Play(writer, chance)
    begins = UnixMs(now - days * DAY_MS - LEAD_MS)
    _set_up(writer, begins)
    _plan(play, now, scale)
    while play.step(now):
        if writer.pending >= BATCH_ROWS:
            yield writer.take()
            if days > 1:
                writer.forget(UnixMs(writer.workspace.at - FORGOTTEN_AFTER_MS))
    writer.pass_until(now)
    if writer.pending:
        yield writer.take()


def _set_up(writer: Writer, at: UnixMs) -> None:
    for number, command in enumerate(settings()):
        refused = writer.do(ADMIN, command, UnixMs(at + number * 40))
        assert refused is None, refused
        if number == 0:
            writer.adopt_revision(UnixMs(at + 1))


def _plan(play: Play, now: UnixMs, scale: int) -> None:
    started = UnixMs(play.workspace.at + 1_000)
    before = UnixMs(now - LASTS_MS - 5 * MINUTE_MS)
    incident_at = latest(HOUR, MINUTE, before)
    calms = (
        (UnixMs(incident_at - 10 * MINUTE_MS), UnixMs(incident_at + LASTS_MS)),
        billing_is_short(before),
    )
    visitors, desks = Visitors(play, scale), Desks(play)
    play.listeners.extend((desks.react, visitors.react))
    Attendance(play, started, now, calms).plan()
    Changes(play, visitors, desks, started, before).plan()
    Incident(play, visitors, desks, incident_at).plan()
    LeftOpen(play, visitors, now).plan()
    play.at(started + 5_000, visitors.come)
