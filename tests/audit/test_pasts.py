"""A state from a snapshot says what the log folded from its beginning says, at any position."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from shared.audit import past as past_module
from shared.audit import snapshots
from shared.audit.past import Past, restored
from shared.audit.snapshots import Abridged, BadSnapshot, fold_key
from shared.ports.archive import SettledRow, Snapshot
from shared.routing.describe import state_hash
from shared.routing.following import Unfit
from shared.routing.ids import ContactId, ConversationId, Position, VisitorId
from shared.routing.workspace import Workspace
from tests.audit.archived import (
    ACME,
    Archived,
    Log,
    WithCommandIds,
    archived,
    folded_on,
    prove,
    step,
    whole_groups,
)
from tests.core.rule_wanderings import RULES
from tests.core.story import ADMIN, Step, Steps, Story, desk
from tests.core.story import step as told
from tests.core.test_cutting import Sliced, tell_to
from tests.core.wanderer import Wanderer, play
from tests.golden.record import golden
from tests.golden.stories import STORIES

SEEDS = range(8)
POSITIONS = 40
CHUNKS = range(1, 8)


def wandered(seed: int, steps: int = 150, *, sliced: bool = False) -> Log:
    story: Story = WithCommandIds()
    steps_told = Wanderer(seed).wander(story, steps)
    if sliced:
        story = tell_to(Sliced(), steps_told)
        story.after(0)
    return story.log


@pytest.mark.parametrize("name", STORIES)
async def test_au04_a_recorded_log_is_restored_as_it_was_folded(name: str, tmp_path: Path) -> None:
    log = golden(name)
    assert await prove(log, tmp_path, len(log), POSITIONS)


@pytest.mark.parametrize("seed", SEEDS)
async def test_au04_a_random_history_is_restored_as_it_was_folded(
    seed: int, tmp_path: Path
) -> None:
    await prove(wandered(seed), tmp_path / "whole", seed, POSITIONS)
    sliced = wandered(seed, sliced=True)
    await prove(sliced, tmp_path / "sliced", seed, POSITIONS, twice=True)


@pytest.mark.soak
@pytest.mark.parametrize("block", range(5))
async def test_hundreds_of_random_histories_are_restored_as_they_were_folded(
    block: int, tmp_path: Path
) -> None:
    for seed in range(block * 60, block * 60 + 60):
        log = wandered(seed, 300, sliced=bool(seed % 2))
        await prove(log, tmp_path / str(seed), seed, 2 * POSITIONS, twice=seed % 3 == 0)


@pytest.mark.parametrize("seed", SEEDS)
async def test_with_everything_put_in_the_hashes_are_equal(seed: int, tmp_path: Path) -> None:
    log = wandered(seed)
    whole = Workspace(workspace_id=ACME)
    compared = 0
    async with archived(log, tmp_path, every=30) as kept:
        for upto in range(40, len(log), 53):
            await kept.take(whole_groups(log, upto))
            for recorded in log[whole.position : upto]:
                step(whole, recorded)
            past = await restored(kept.archive, ACME, Position(upto), everything=True)
            if past is not None:
                compared += 1
                partial = await folded_on(past, log[past.workspace.position : upto])
                assert state_hash(partial) == state_hash(whole)
                assert list(partial.commands) == list(whole.commands)
                assert list(partial.closed) == list(whole.closed)
    assert compared > 3


# --- what could go wrong --------------------------------------------------------------------

RULE: Steps = told(
    ADMIN,
    "save_rule",
    rule_id="r",
    name="r",
    order=1,
    when={"always": True},
    then=[{"invite": {"message": "Hello"}}],
    frequency="once_per_visitor",
    enabled=True,
)
FIRED = Step(
    RULES,
    "rule_fired",
    {"visitor_id": "vera", "session_id": "v1", "rule_id": "r", "entry_point_id": "web"},
)


def rules_deleted() -> Story:
    """A rule is deleted, and another of its name fires in the same session, while nobody writes."""
    story = Story().given(desk(ana=1), RULE)
    play(story, FIRED)
    story.given(told(ADMIN, "delete_rule", rule_id="r"))
    story.given(told(ADMIN, "create_group", group_id="other", name="Other"), RULE)
    play(story, FIRED)
    return story.given(told(ADMIN, "create_group", group_id="third", name="Third"))


@pytest.mark.parametrize("chunk", CHUNKS)
async def test_rules_that_were_deleted_are_forgotten_by_those_who_are_away(
    chunk: int, tmp_path: Path
) -> None:
    log = rules_deleted().log
    fired = [type(one.envelope.data).__name__ for one in log].count("RuleFired")
    assert fired == 2
    await prove(log, tmp_path, chunk, len(log), chunk)


async def _prove_all(directory: Path) -> None:
    log = rules_deleted().log
    for chunk in CHUNKS:
        await prove(log, directory / f"rules-{chunk}", chunk, len(log), chunk)
    for seed in SEEDS:
        await prove(wandered(seed), directory / str(seed), seed, POSITIONS)


def nothing(*_: Any, **__: Any) -> None:
    """Does nothing."""


ABLATIONS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "ids in events are not looked for": (snapshots, "named_by", lambda _events: {}),
    "deleted rules are not forgotten": (Abridged, "_forget_rules", nothing),
    "whom a conversation belongs to is not looked for": (
        Abridged,
        "_hanging_on",
        lambda *_: iter(()),
    ),
    "what is put in comes last": (Abridged, "put_in_order", nothing),
}


@pytest.mark.parametrize("safeguard", ABLATIONS)
async def test_without_a_safeguard_some_state_differs(
    safeguard: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name, without = ABLATIONS[safeguard]
    monkeypatch.setattr(where, name, without)
    with pytest.raises((AssertionError, LookupError, Unfit)):
        await _prove_all(tmp_path)


async def test_with_every_safeguard_none_differs(tmp_path: Path) -> None:
    await _prove_all(tmp_path)


# --- what cannot be used --------------------------------------------------------------------


async def _spoil(kept: Archived, **changed: Any) -> Snapshot:
    """Put another head in place of the last one."""
    head = await kept.store.snapshots.latest(ACME, fold_key(), kept.log[-1].position)
    assert head is not None
    spoilt = Snapshot(head._replace(**changed), [b""], [])
    await kept.store.snapshots.add(ACME, fold_key(), spoilt)
    return spoilt


@pytest.mark.parametrize("changed", [{"body": b"nonsense"}, {"anchor": b"another log"}])
async def test_a_snapshot_that_does_not_fit_is_as_if_there_were_none(
    changed: dict[str, Any], tmp_path: Path
) -> None:
    log = golden("a_day")
    end = log[-1].position
    async with archived(log, tmp_path, every=50) as kept:
        await kept.take(end)
        assert await restored(kept.archive, ACME, end) is not None
        await _spoil(kept, **changed)
        assert await restored(kept.archive, ACME, end) is None
        assert await kept.keeping.begin() == 0
        assert await kept.store.snapshots.latest(ACME, fold_key(), end) is None
        await kept.take(end)
        assert await restored(kept.archive, ACME, end) is not None


async def test_a_snapshot_in_the_middle_of_a_group_is_not_begun_from(tmp_path: Path) -> None:
    log = golden("a_day")
    inside = next(one for one in log if one.envelope.first < one.position - 1)
    async with archived(log, tmp_path, every=1) as kept:
        await kept.keeping.begin()
        await kept.keeping.take(log[: inside.position - 1])
        assert await kept.store.snapshots.latest(ACME, fold_key(), inside.position) is not None
        assert await restored(kept.archive, ACME, inside.position) is None


async def test_something_settled_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    log = golden("a_day")
    end = log[-1].position
    async with archived(log, tmp_path, every=50) as kept:
        await kept.take(end)
        found = [
            row
            async for rows in kept.store.snapshots.all_settled(ACME, fold_key(), end)
            for row in rows
        ]
        past = await restored(kept.archive, ACME, end)
        assert past is not None
        spoilt = [row._replace(body=b"\xc1") for row in found]
        head = await kept.store.snapshots.latest(ACME, fold_key(), end)
        assert head is not None
        await kept.store.snapshots.add(ACME, fold_key(), Snapshot(head, [b""], spoilt))
        for row in found:
            with pytest.raises(BadSnapshot):
                await named_alone(past, row)


async def named_alone(past: Past, row: SettledRow) -> None:
    match row.kind:
        case "conversation":
            await past.name(conversations=[ConversationId(row.id)])
        case "visitor":
            await past.name(visitors=[VisitorId(row.id)])
        case "acquaintance":
            await past.name(contacts=[ContactId(row.id)])


FOLDED = {"fe2af510b881538e": "9d34969cfd7a6045"}
"""By ``fold_key``: what the recorded logs lead to, as it would be kept."""


def test_whoever_folds_in_another_way_calls_it_another_fold() -> None:
    """Where the digest differs, raise ``FOLD_REVISION``; with every new key note its digest here.

    Else states that an older release kept are taken for what the log leads to. Recording a log
    anew is no reason to raise it.
    """
    digest = sha256()
    for name in STORIES:
        folded = Workspace(workspace_id=ACME)
        for recorded in golden(name):
            step(folded, recorded)
        kept = Abridged(folded)
        digest.update(kept.head())
        for row in kept.settled():
            digest.update(row.body)
    assert {fold_key(): digest.hexdigest()[:16]} == FOLDED


async def test_of_another_fold_nothing_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = golden("a_day")
    end = log[-1].position
    async with archived(log, tmp_path, every=50) as kept:
        await kept.take(end)
        before = fold_key()
        for module in (snapshots, past_module):
            monkeypatch.setattr(module, "fold_key", lambda: "another")
        assert before != "another"
        assert await restored(kept.archive, ACME, end) is None
