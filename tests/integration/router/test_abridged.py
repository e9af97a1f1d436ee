"""A router without what is settled writes and says what one with everything does, to the byte."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from services.router import live, searching
from services.router.naming import Asked, named_in
from services.router.settled import Settled
from services.router.settled_keys import SettledKeys
from shared.audit.past import Past
from shared.audit.snapshots import Abridged
from shared.ports.archive import SettledKey, SettledRow
from shared.routing.ids import ConversationId, Position
from tests.integration.router.histories import (
    Script,
    emptied,
    everything_over,
    identified_meanwhile,
    named_meanwhile,
    play,
    reopened_meanwhile,
    rule_deleted,
    somebody_new,
    spoilt,
    wandering,
)

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
async def test_with_and_without_what_is_settled_the_same_is_decided(
    seed: int, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    twins = await play(store_url, seed, monkeypatch, wandering(seed, 250))
    assert twins.fetched > 10
    assert twins.gone > 10


def nothing(*_: Any, **__: Any) -> Any:
    """Does nothing."""
    return ()


def named_alone(self: Settled, asked: Asked) -> Sequence[SettledKey]:
    """What it names and is not there, whatever hangs on it."""
    if self.is_whole:
        return ()
    abridged, named = self._past.abridged, named_in(asked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Abridged, "_hanging_on", nothing)
        return abridged.lacking(named)


def as_it_comes(self: Abridged, rows: Iterable[SettledRow], since: Position) -> list[SettledKey]:
    """Let go of whatever has a row, as it may be."""
    gone: list[SettledKey] = []
    for row in rows:
        if self.table(row.kind).pop(row.id, None) is not None:
            self.workspace.closed.pop(ConversationId(row.id), None)
            gone.append((row.kind, row.id))
    self.since, self._looked_for = max(self.since, since), {}
    return gone


def touched_too(self: Settled, rows: Sequence[SettledRow], kept: Position) -> int:
    """Let go of what was named meanwhile as well."""
    self._touched = {}
    return LET_GO_OF(self, rows, kept)


def put_in_anyway(self: Any) -> bool:
    """Whatever happened since it was found."""
    self._settled.put(self._found)
    return True


async def seen_by_nobody(_self: Past, _position: Position) -> None:
    """Does not look."""


LET_GO_OF = Settled._let_go_of
ABLATIONS: dict[str, tuple[object, str, Callable[..., Any]]] = {
    "what is named is not fetched": (Settled, "lacking", nothing),
    "what hangs on it is not fetched": (Settled, "lacking", named_alone),
    "what is about more is not searched for": (live, "search_for", lambda *_: None),
    "searches are not made again": (searching._Closed, "put_in", put_in_anyway),
    "nor are those for an erasure": (searching._Hanging, "put_in", put_in_anyway),
    "rules that are deleted are not noted": (Settled, "note", nothing),
    "what differs from its row goes, too": (Abridged, "let_go_of", as_it_comes),
    "what was named meanwhile goes, too": (Settled, "_let_go_of", touched_too),
    "what came back comes last": (Abridged, "put_in_order", nothing),
    "what went is not known": (SettledKeys, "add", nothing),
    "nobody sees that the tables are empty": (Past, "see_that_it_is_kept", seen_by_nobody),
}


STORIES: dict[str, Script] = {
    "searches are not made again": reopened_meanwhile,
    "nor are those for an erasure": identified_meanwhile,
    "nobody sees that the tables are empty": emptied,
    "what cannot be read": spoilt,
    "nothing is read for somebody new": somebody_new,
    "what is over is not in memory": everything_over,
    "rules that are deleted are not noted": rule_deleted,
    "what was named meanwhile goes, too": named_meanwhile,
}
"""What seeds find too seldom."""


@pytest.mark.parametrize("story", STORIES)
async def test_in_what_seldom_happens_the_same_is_decided(
    story: str, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    twins = await play(store_url, 1, monkeypatch, STORIES[story], every=2)
    assert twins.gone > 0


async def play_some(safeguard: str, directory: Path, patch: pytest.MonkeyPatch) -> None:
    for seed in range(12):
        script = STORIES.get(safeguard) or wandering(seed, 250)
        every = 2 if safeguard in STORIES else 0
        await play(f"sqlite:///{directory}/{seed}", seed, patch, script, every)


@pytest.mark.parametrize("safeguard", ABLATIONS)
async def test_without_a_safeguard_some_decision_differs(
    safeguard: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name, without = ABLATIONS[safeguard]
    monkeypatch.setattr(where, name, without)
    with pytest.raises((AssertionError, LookupError)):
        await play_some(safeguard, tmp_path, monkeypatch)
