"""Simulations of a log on disk: read from a history, told of on the way, nothing written."""

import asyncio
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from shared.adapters.sqlite_reader import DATABASE_FILE
from shared.audit.changes import BadChange, read_changes
from shared.audit.history import History
from shared.audit.outcomes import WAIT_BOUNDS_MS, nearest_rank, summed_up
from shared.audit.simulating import PASSES, BadStretch, simulate
from shared.routing.ids import Position
from shared.wire.audit import Moment
from tests.audit.archived import ACME, archived
from tests.audit.kept import past_of
from tests.core.story import ANA, BEGINNING, BEN, Story, desk, online, opened, step
from tests.core.wanderer import Wanderer

CHANGE = b'{"scope": {"workspace": true}, "policy": {"ranking": "round_robin"}}'


def told() -> Story:
    """Two come at once, and one more a minute later."""
    story = Story().given(desk(ana=4, ben=2), opened("c1", "c2")).after(60)
    story.given(step(ANA, "reply", conversation_id="c1"), opened("c3"))
    return story.given(step(ANA, "close", conversation_id="c1"))


def fingerprint(directory: Path) -> dict[str, str]:
    """Of every file there; what readers share to find their way says nothing."""
    return {
        str(file.relative_to(directory)): sha256(file.read_bytes()).hexdigest()
        for file in sorted(directory.rglob("*"))
        if file.is_file() and not file.name.endswith("-shm")
    }


async def test_au06_a_log_is_simulated_and_stays_as_it_is(tmp_path: Path) -> None:
    async with past_of(told(), tmp_path) as past:
        before = fingerprint(tmp_path)
        head = await past.history.head()
        report = await simulate(past.history, Moment(position=0), Moment(), read_changes(CHANGE))
        assert DATABASE_FILE in before
        assert fingerprint(tmp_path) == before
        assert await past.history.head() == head
    assert report.artefacts_total == 0
    assert report.stretch.upto == head
    assert [one.conversation_id for one in report.differences] == ["c2", "c3"]


async def test_au06_a_stretch_is_named_by_position_or_time(tmp_path: Path) -> None:
    story = told()
    async with past_of(story, tmp_path) as past:
        since = Moment(at=BEGINNING + 59_999)
        report = await simulate(past.history, since, Moment(), read_changes(CHANGE))
        position = Moment(position=report.stretch.after)
        same = await simulate(past.history, position, Moment(), read_changes(CHANGE))
        for empty in (Moment(), position):
            with pytest.raises(BadStretch, match="no event lies after position"):
                await simulate(past.history, empty, position, read_changes(CHANGE))
    assert same == report
    assert (report.recorded.outcome.conversations, report.recorded.outcome.assigned) == (1, 1)
    assert report.stretch.events == len(story.log) - report.stretch.after


async def test_au06_a_stretch_may_be_named_within_a_group_of_events(tmp_path: Path) -> None:
    story = told()
    within = next(one for one in story.log if one.envelope.first != one.position > 20)
    async with past_of(story, tmp_path) as past:
        since = Moment(position=within.envelope.first)
        report = await simulate(past.history, since, Moment(), read_changes(CHANGE))
    assert report.stretch.after == within.position
    assert report.artefacts_total == 0


async def test_au06_it_says_how_far_it_is_and_lets_others_work(tmp_path: Path) -> None:
    told_of: list[tuple[int, int]] = []
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with past_of(told(), tmp_path) as past:
        beside = asyncio.create_task(others())
        report = await simulate(
            past.history,
            Moment(position=0),
            Moment(),
            read_changes(CHANGE),
            progress=lambda done, total: told_of.append((done, total)),
        )
        beside.cancel()
    total = PASSES * report.stretch.events
    assert {of for _, of in told_of} == {total}
    assert sum(done for done, _ in told_of) == total
    assert turns > PASSES


# --- from snapshots ---------------------------------------------------------------------------


async def test_au06_from_a_snapshot_acquaintances_are_known(tmp_path: Path) -> None:
    """Ben knows the contact from what was closed before; it comes back as another visitor."""
    story = Story().given(desk(ben=2), opened("c1", contact_id="k1"))
    story.given(step(BEN, "close", conversation_id="c1")).after(5)
    story.given(online("ana", "support", capacity=9))
    settled = Position(len(story.log))
    story.given(opened("c2", contact_id="k1"), opened("c3"))
    async with archived(story.log, tmp_path, every=1) as kept:
        await kept.take(settled)
        report = await simulate(
            History(kept.archive, ACME), Moment(position=settled), Moment(), read_changes(CHANGE)
        )
    assert report.artefacts_total == 0
    assert report.baseline.outcome == report.recorded.outcome
    assert [load.assignments for load in report.baseline.outcome.loads] == [1, 1]


@pytest.mark.parametrize("seed", range(3))
async def test_au06_from_a_snapshot_the_report_is_that_from_the_log(
    seed: int, tmp_path: Path
) -> None:
    story = Story()
    Wanderer(seed).wander(story, 200)
    since = Moment(position=len(story.log) // 2)
    async with archived(story.log, tmp_path, every=25) as kept:
        await kept.take(Position(len(story.log)))
        plain, quick = History(kept.archive, ACME), History(kept.archive, ACME)
        plain.distrust_snapshots()
        reports = [
            await simulate(history, since, Moment(), read_changes(CHANGE))
            for history in (plain, quick)
        ]
    assert reports[0].artefacts_total == 0
    assert msgspec.json.encode(reports[0]) == msgspec.json.encode(reports[1])


# --- what is supposed -------------------------------------------------------------------------

BAD = {
    "no JSON": (b"{", "malformed: the body is not one JSON object"),
    "a number": (b"1", "malformed"),
    "no scope": (b'{"policy": {}, "x": 1}', "unknown_field"),
    "another verb": (b'[{"close": {}}]', "there is no change close; there are: set_policy,"),
    "no such policy": (
        b'{"scope": {"workspace": true}, "policy": {"rank": 1}}',
        "invalid_policy: there is no field policy.rank",
    ),
    "no such value": (
        b'[{"scope": {"workspace": true}, "policy": {"ranking": "x"}}]',
        "invalid_policy: policy.ranking: one of fewest_open, highest_free_ratio,",
    ),
    "two scopes": (b'{"scope": {"workspace": true, "group": "a"}, "policy": {}}', "exactly one"),
    "a name": (
        b'{"update_operator": {"operator_id": "ana", "name": "Ana"}}',
        "name changes nothing in routing; there are: role_id, capacity, skills",
    ),
    "too many": (b"[" + b"{}," * 1_000 + b"{}]", "too_many: at most 1000 changes"),
}


@pytest.mark.parametrize("what", BAD)
def test_au06_what_cannot_be_supposed_is_refused_in_words(what: str) -> None:
    content, complaint = BAD[what]
    with pytest.raises(BadChange) as caught:
        read_changes(content)
    assert complaint in str(caught.value)
    assert str(caught.value).startswith("change ")


# --- measuring --------------------------------------------------------------------------------


def test_au06_percentiles_are_values_that_were_measured() -> None:
    assert [nearest_rank([1, 2, 3, 4], percent) for percent in (25, 50, 51, 99)] == [1, 2, 3, 4]
    assert nearest_rank([7], 50) == 7
    waits = summed_up([10, 1_000, 1_001, 4_000_000])
    assert (waits.p50_ms, waits.p90_ms, waits.max_ms) == (1_000, 4_000_000, 4_000_000)
    assert waits.mean_ms == 1_000_502
    assert waits.counts == (2, 1, *[0] * (len(WAIT_BOUNDS_MS) - 2), 1)
    assert sum(summed_up([]).counts) == 0
