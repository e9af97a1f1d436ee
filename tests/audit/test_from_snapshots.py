"""Answers that begin from a snapshot are those that the log gives, folded from its beginning."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from shared.audit.answering import answer
from shared.audit.history import History
from shared.audit.past import Past
from shared.ports.archive import Archive, SettledKey, SettledRow, SnapshotHead
from shared.routing.events import Actor
from shared.routing.ids import Position, WorkspaceId
from shared.routing.questions import Question
from shared.wire.audit import AUDIT_QUESTIONS
from tests.audit.archived import ACME, Archived, archived
from tests.core.story import Story
from tests.core.wanderer import Wanderer

BEN = Actor("operator", "ben")
WRONG = b"no snapshot at all"


def questions(story: Story, draw: Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """Some of each, about conversations and moments drawn by lot."""
    conversations = sorted(story.workspace.conversations)
    visitors = sorted(story.workspace.visitors)
    for _ in range(12):
        moment = draw.choice([{}, {"position": draw.randint(1, len(story.log))}])
        about = {"conversation_id": draw.choice(conversations)}
        yield "explain", about
        yield "why_not", {**about, "operator_id": "ben", **moment}
        yield "why_waiting", {**about, **moment}
        yield "timeline", about
        yield "conversation", {**about, **moment}
        yield "visitor", {"visitor_id": draw.choice(visitors), **moment}
        for plain in ("roster", "queue", "workspace"):
            yield plain, moment
        yield "inbox", {"view": "all", "state": draw.choice(["closed", "assigned"]), **moment}
        first = draw.randint(0, len(story.log))
        yield "find", {"from": {"position": first}, "pattern": "waited", "over_s": 0}
        yield "diff", {"from": {"position": first}, "to": moment}


async def said(history: History, name: str, fields: dict[str, Any]) -> bytes:
    question: Question = msgspec.convert(fields, AUDIT_QUESTIONS[name])
    return msgspec.json.encode(await answer(history, question, BEN))


async def alone(kept: Archived) -> History:
    """The same log with nothing beside it."""
    history = History(kept.archive, ACME)
    history.distrust_snapshots()
    return history


@pytest.mark.parametrize("seed", range(5))
async def test_au04_answers_from_snapshots_are_those_of_the_log(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []
    began = Past.at.__func__  # type: ignore[attr-defined]

    async def counted(cls: Any, *arguments: Any) -> Past | None:
        past: Past | None = await began(cls, *arguments)
        begun.append(past is not None)
        return past

    monkeypatch.setattr(Past, "at", classmethod(counted))
    story = Story()
    Wanderer(seed).wander(story, 150)
    async with archived(story.log, tmp_path, every=25) as kept:
        await kept.take(Position(len(story.log)))
        plain, quick = await alone(kept), History(kept.archive, ACME)
        for name, fields in questions(story, Random(seed)):
            assert await said(quick, name, fields) == await said(plain, name, fields), (
                name,
                fields,
            )
    assert sum(begun) > 10


class Spoilt:
    """Snapshots of which one part cannot be read."""

    def __init__(self, kept: Archived, *, heads: bool) -> None:
        self._kept = kept.archive.snapshots
        self._heads = heads

    async def latest(
        self, workspace_id: WorkspaceId, fold: str, upto: Position
    ) -> SnapshotHead | None:
        head = await self._kept.latest(workspace_id, fold, upto)
        return head._replace(body=WRONG) if head is not None and self._heads else head

    async def settled(
        self, workspace_id: WorkspaceId, fold: str, upto: Position, keys: list[SettledKey]
    ) -> list[SettledRow]:
        rows = await self._kept.settled(workspace_id, fold, upto, keys)
        return [row._replace(body=WRONG) for row in rows]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kept, name)


@pytest.mark.parametrize("heads", [True, False])
async def test_au04_snapshots_that_cannot_be_read_are_done_without(
    heads: bool, tmp_path: Path
) -> None:
    story = Story()
    Wanderer(3).wander(story, 150)
    async with archived(story.log, tmp_path, every=25) as kept:
        await kept.take(Position(len(story.log)))
        spoilt: Any = Spoilt(kept, heads=heads)
        quick = History(Archive(kept.archive.log, spoilt, kept.archive.seals), ACME)
        plain = await alone(kept)
        for name, fields in questions(story, Random(3)):
            assert await said(quick, name, fields) == await said(plain, name, fields)
