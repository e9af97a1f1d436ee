"""Stories kept as a log on disk, and questions about their past."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from shared.adapters.open_store import open_archive, open_store
from shared.audit.answering import AUDITOR, answer
from shared.audit.history import History
from shared.ports import Append, StoredRow
from shared.routing.commands import Refused
from shared.routing.events import Actor
from shared.routing.ids import UnixMs, WorkspaceId
from shared.routing.partition import PARTITIONS
from shared.routing.views import View
from shared.wire.audit import AUDIT_QUESTIONS
from shared.wire.log_codec import encode_event
from tests.core.story import ADMIN, BEN, Story, desk, online, opened, step

ACME = WorkspaceId("acme")
Shape = TypeVar("Shape", bound=View)


def four_minutes() -> Story:
    """c1 wants French, which only ben speaks; he is full for four minutes, ana is free."""
    story = Story().given(desk(ana=2, ben=1), online("cleo", capacity=3))
    story.given(step(ADMIN, "update_operator", operator_id="ben", skills=["fr"]))
    story.given(opened("c0", skills=["fr"]))
    story.after(60).opens("c1", skills=["fr"])
    story.after(240).given(step(BEN, "close", conversation_id="c0"))
    return story.after(60).given(step(BEN, "close", conversation_id="c1"))


async def keep(story: Story, directory: Path) -> None:
    """Write the story's log where a data directory of the embedded engine has it."""
    store = await open_store(f"sqlite:///{directory}")
    try:
        leases = dict(await store.leases.acquire("router", range(PARTITIONS)))
        rows = [StoredRow(one.position, *encode_event(one.envelope)) for one in story.log]
        await store.events.register_workspace(ACME, UnixMs(0))
        assert await store.events.append([Append(ACME, rows)], leases) == frozenset()
    finally:
        await store.close()


class Past:
    """The past of one story, asked in the words of the wire, by default by somebody who may see
    everything."""

    def __init__(self, history: History) -> None:
        self.history = history

    async def say(self, name: str, /, *, by: Actor = AUDITOR, **fields: Any) -> View | Refused:
        """Whatever a question is answered with."""
        question = msgspec.convert(fields, AUDIT_QUESTIONS[name])
        return (await answer(self.history, question, by)).result

    async def refused(self, name: str, /, **fields: Any) -> Refused:
        """The refusal of a question."""
        said = await self.say(name, **fields)
        assert isinstance(said, Refused), said
        return said

    async def ask(
        self, shape: type[Shape], name: str, /, *, by: Actor = AUDITOR, **fields: Any
    ) -> Shape:
        """The answer to a question."""
        said = await self.say(name, by=by, **fields)
        assert isinstance(said, shape), said
        return said


@contextlib.asynccontextmanager
async def past_of(story: Story, directory: Path) -> AsyncIterator[Past]:
    """The story's past, read from disk."""
    await keep(story, directory)
    archive = await open_archive(f"sqlite:///{directory}")
    try:
        yield Past(History(archive, ACME))
    finally:
        await archive.close()
