"""States of the past: what was so at a position or a time is what comes out of the log."""

from pathlib import Path
from typing import Any

import pytest

from shared.audit.answers import Diff, MomentView, StoredEvents
from shared.audit.state import about
from shared.routing.describe import state_hash
from shared.routing.ids import ConversationId, Position
from shared.routing.queries import ConversationAnswer, Inbox, Queue, Roster
from shared.routing.transaction import Recorded
from shared.wire.log_codec import encode_event
from tests.audit.kept import past_of
from tests.core.story import ADMIN, ANA, BEN, Story, desk, opened, policy, step
from tests.core.wanderer import Wanderer


class Remembering(Story):
    """Keeps the hash of the state after every event."""

    def __init__(self) -> None:
        self.hashes: list[str] = []
        super().__init__()

    def saw(self, recorded: Recorded) -> None:
        assert recorded.position == len(self.hashes) + 1
        self.hashes.append(state_hash(self.workspace))


@pytest.mark.parametrize("seed", range(4))
async def test_au04_the_state_at_any_position_is_what_it_was(seed: int, tmp_path: Path) -> None:
    story = Remembering()
    Wanderer(seed).wander(story, 60)
    async with past_of(story, tmp_path) as past:
        everywhere = range(1, len(story.log) + 1)
        forward = [await past.history.look(Position(p), state_hash) for p in everywhere]
        assert forward == story.hashes
        back = [await past.history.look(Position(p), state_hash) for p in (57, 31, 8, 1)]
        assert back == [story.hashes[p - 1] for p in (57, 31, 8, 1)]


async def test_au04_a_query_as_of_a_position_or_a_time(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1, ben=1), opened("c1", "c2", "c3"))
    before, then = story.workspace.position, story.at
    story.after(60).given(step(ANA, "close", conversation_id="c1"))
    story.after(60).given(step(BEN, "set_status", status="busy"))
    async with past_of(story, tmp_path) as past:
        moments: list[dict[str, Any]] = [{"position": before}, {"at": then}, {"at": then + 59_999}]
        for moment in moments:
            queue = await past.ask(Queue, "queue", **moment)
            assert [one.conversation_id for one in queue.waiting] == ["c3"]
            roster = await past.ask(Roster, "roster", **moment)
            assert [one.effective for one in roster.operators] == ["online", "online"]
        late = await past.ask(Queue, "queue", at=then + 59_999)
        assert late.waiting[0].waited_ms == 59_999
        now = await past.ask(Roster, "roster")
        assert [one.effective for one in now.operators] == ["online", "busy"]
        closed = await past.ask(ConversationAnswer, "conversation", conversation_id="c1")
        assert closed.conversation.state == "closed"


async def test_au04_before_the_first_event_there_was_nothing(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1))
    async with past_of(story, tmp_path) as past:
        assert (await past.refused("roster", position=0)).code == "unknown_workspace"
        assert (await past.refused("roster", at=story.at - 1)).code == "unknown_workspace"


async def test_au04_a_position_that_the_log_does_not_reach_is_named(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1))
    async with past_of(story, tmp_path) as past:
        refusal = await past.refused("queue", position=1_000)
        assert refusal.code == "unavailable"
        assert f"ends at position {len(story.log)}" in refusal.message


async def test_au04_an_inbox_is_what_its_operator_saw(tmp_path: Path) -> None:
    story = Story().given(desk(ana=2), opened("c1"))
    then = story.workspace.position
    story.given(step(ANA, "close", conversation_id="c1"), opened("c2"))
    async with past_of(story, tmp_path) as past:
        mine = await past.ask(Inbox, "inbox", view="mine", position=then, by=ANA)
        assert [one.conversation_id for one in mine.conversations] == ["c1"]
        mine = await past.ask(Inbox, "inbox", view="mine", by=ANA)
        assert [one.conversation_id for one in mine.conversations] == ["c2"]


async def test_au04_a_moment_is_told_with_the_reach_of_the_log(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1))
    began, middle = story.at, story.workspace.position
    story.after(90).given(opened("c1"))
    async with past_of(story, tmp_path) as past:
        told = await past.ask(MomentView, "moment", at=began + 1_000)
        assert (told.position, told.at) == (middle, began)
        assert (told.head, told.head_at, told.first_at) == (len(story.log), story.at, began)


def between(first: int, last: int | None) -> dict[str, Any]:
    return {"from": {"position": first}, "to": {} if last is None else {"position": last}}


async def test_au04_two_moments_are_compared(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1, ben=1), opened("c1", "c2"))
    first = story.workspace.position
    story.after(5).given(step(ANA, "close", conversation_id="c1"), opened("c3"))
    story.given(step(BEN, "set_status", status="invisible"), policy(ranking="fewest_open"))
    async with past_of(story, tmp_path) as past:
        told = await past.ask(Diff, "diff", **between(first, None))
    assert {one.operator_id for one in told.operators} == {"ben"}
    (ben,) = told.operators
    assert ben.before is not None
    assert ben.after is not None
    assert (ben.before.effective, ben.after.effective) == ("online", "invisible")
    states = {one.conversation_id: (one.before, one.after) for one in told.conversations}
    assert states.keys() == {"c1", "c3"}
    before, after = states[ConversationId("c1")]
    assert before is not None
    assert (before.owner, after.state) == ("ana", "closed")
    assert states[ConversationId("c3")][0] is None
    assert told.policy_changed


async def test_au04_nothing_is_different_from_itself(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1), opened("c1"))
    async with past_of(story, tmp_path) as past:
        told = await past.ask(Diff, "diff", **between(5, 5))
    assert (told.operators, told.conversations, told.entry_points) == ((), (), ())
    assert not told.policy_changed


async def test_au04_events_come_as_they_are_stored(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1), opened("c1"))
    async with past_of(story, tmp_path) as past:
        page = await past.ask(StoredEvents, "events", after=2, limit=3)
        rest = await past.ask(StoredEvents, "events", after=page.next, limit=1_000)
    stored = [encode_event(one.envelope) for one in story.log]
    got = [(one.topic, bytes(one.state)) for one in (*page.events, *rest.events)]
    assert got == stored[2:]
    assert [one.position for one in page.events] == [3, 4, 5]
    assert rest.next is None


async def test_au04_looking_changes_nothing(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1), opened("c1", "c2"))
    async with past_of(story, tmp_path) as past:
        head = Position(len(story.log))
        before = await past.history.look(head, state_hash)
        for name in ("why_waiting", "why_not", "explain"):
            fields: dict[str, Any] = {"operator_id": "ana"} if name == "why_not" else {}
            await past.say(name, conversation_id="c2", **fields)
        assert await past.history.look(head, state_hash, about(ConversationId("c2"))) == before
        assert before == state_hash(story.workspace)


async def test_au04_an_admin_needs_no_registration_to_look_back(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1), opened("c1"))
    async with past_of(story, tmp_path) as past:
        assert (await past.ask(Roster, "roster", by=ADMIN)).operators
