"""``verify`` of a log that is longer than what it holds of it in memory."""

from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from shared.audit.shelf import Shelf
from shared.audit.verifying import Verified, verify
from shared.routing.describe import describe, state_hash
from shared.routing.replay import Replay
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace
from tests.audit.archived import ACME, WithCommandIds, archived
from tests.core.wanderer import Wanderer

SEEDS = range(6)


def wandered(seed: int, steps: int = 200) -> WithCommandIds:
    story = WithCommandIds()
    Wanderer(seed).wander(story, steps)
    return story


def shelved(log: Sequence[Recorded], put_away_events: int) -> tuple[str, int, int]:
    """Hash of the state, how many decisions came out again, how many conversations are held."""
    with closing(Shelf(Workspace(workspace_id=ACME), put_away_events)) as shelf:
        replay = Replay(shelf.workspace)
        for position, envelope in log:
            shelf.before(position, envelope)
            assert replay.feed(position, envelope) is None, position
        return shelf.state_hash(), replay.remade, len(shelf.workspace.conversations)


@pytest.mark.parametrize("seed", SEEDS)
def test_au05_what_was_put_away_changes_nothing(seed: int) -> None:
    story = wandered(seed)
    whole = shelved(story.log, 10**9)
    assert whole[0] == state_hash(story.workspace)
    assert shelved(story.log, 1)[:2] == whole[:2]


def test_what_is_settled_is_not_held() -> None:
    story = wandered(1, 600)
    assert shelved(story.log, 1)[2] < len(story.workspace.conversations) // 2


def test_au05_with_nothing_taken_back_it_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shelf, "_rows", lambda _shelf, _keys: iter(()))
    assert not all(agrees(seed) for seed in SEEDS)


def agrees(seed: int) -> bool:
    story = wandered(seed)
    try:
        return shelved(story.log, 1)[0] == state_hash(story.workspace)
    except AssertionError:
        return False


@pytest.mark.parametrize("seed", SEEDS)
async def test_au05_snapshots_are_compared_with_what_was_put_away(
    seed: int, tmp_path: Path
) -> None:
    story = wandered(seed, 150)
    async with archived(story.log, tmp_path / "data", 7) as one:
        await one.take(one.log[-1].position, 3)

        async def verified(put_away_events: int) -> Verified:
            return await verify(one.archive, ACME, put_away_events=put_away_events)

        found = await verified(1)
        assert found.findings == ()
        assert found == await verified(10**9)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_hash_is_that_of_the_description_in_one_piece(seed: int) -> None:
    workspace = wandered(seed).workspace
    whole = msgspec.json.encode(describe(workspace), order="sorted")
    assert state_hash(workspace) == sha256(whole).hexdigest()
