"""Decisions looked at again: who was chosen, who was not and why, and what something waited for."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from shared.audit.answers import Explained, Timeline, WhyNotView, WhyWaitingView
from shared.routing.events import (
    ConversationAssigned,
    ConversationOffered,
    ConversationQueued,
    Decision,
)
from shared.routing.ids import OperatorId
from shared.routing.relief import Change
from shared.routing.revision import REVISION
from shared.routing.transaction import Recorded
from tests.audit.kept import Past, past_of
from tests.core.story import ADMIN, ANA, BEN, Story, desk, group, online, opened, policy, step
from tests.core.wanderer import Wanderer


async def explained(past: Past, conversation_id: str, **fields: Any) -> Explained:
    return await past.ask(Explained, "explain", conversation_id=conversation_id, **fields)


# --- explain --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
async def test_au02_every_decision_comes_out_again_with_its_candidates(
    seed: int, tmp_path: Path
) -> None:
    """In any history: byte for byte, and whoever is ranked first got what was routed."""
    story = Story()
    Wanderer(seed).wander(story, 120)
    looked_at = 0
    async with past_of(story, tmp_path) as past:
        for recorded in story.log:
            event = recorded.envelope.data
            its_id = getattr(event, "conversation_id", None)
            if not isinstance(event, Decision) or its_id is None:
                continue
            told = await explained(past, its_id, position=recorded.position)
            assert told.remade is True
            assert told.expected is None
            assert told.decision.event == event
            assert told.cause.position == recorded.envelope.first
            candidates = {one.operator_id: one for one in told.candidates}
            if isinstance(event, ConversationAssigned | ConversationOffered):
                looked_at += 1
                assert told.chosen == event.operator_id
                if event.reason == "routed" and told.conversation.offer is None:
                    assert candidates[event.operator_id].exclusions == ()
                    assert candidates[event.operator_id].key == event.key
                if event.reason == "routed" and event.ranking is not None:
                    assert candidates[event.operator_id].verdict == "first"
            if isinstance(event, ConversationQueued):
                assert told.chosen is None
                assert told.waiting_reason == event.reason
                if event.hold in ("auto", "offer"):
                    assert all(one.exclusions for one in told.candidates)
    assert looked_at > 5


async def test_au02_all_exclusions_of_a_candidate_are_told(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1, ben=1), online("cleo"), opened("c0"))
    story.given(step(ANA, "set_status", status="busy"))
    story.given(step(ADMIN, "update_operator", operator_id="ben", skills=["fr"]))
    story.opens("c1", skills=["fr"])
    async with past_of(story, tmp_path) as past:
        told = await explained(past, "c1")
    excluded = {str(one.operator_id): one.exclusions for one in told.candidates}
    assert excluded["ana"] == ("busy", "at_capacity", "skill_missing")
    assert excluded["cleo"] == ("not_member", "skill_missing")
    lacking = {one.operator_id: one.missing_skills for one in told.candidates}
    assert lacking == {"ana": ("fr",), "ben": (), "cleo": ("fr",)}
    assert told.chosen == "ben"
    assert told.tie_break == "sole"
    assert (told.candidates[0].operator_id, told.candidates[0].verdict) == ("ben", "first")


async def test_au02_it_says_what_it_follows_from_and_under_which_policy(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1), opened("c1", "c2"))
    story.given(policy(ranking="longest_idle"))
    version = story.workspace.position
    story.given(step(ANA, "close", conversation_id="c1"))
    async with past_of(story, tmp_path) as past:
        told = await explained(past, "c2")
    assert told.cause.type == "conversation_closed.v1"
    assert told.cause.by == ANA
    assert told.policy_version == version
    assert told.ranking == "longest_idle"
    assert told.decided_at == told.decision.position - 1


async def test_au02_the_last_decision_by_a_time_is_meant_by_it(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1), opened("c1", "c2"))
    waiting = story.at
    story.after(10).given(step(ANA, "close", conversation_id="c1"))
    async with past_of(story, tmp_path) as past:
        assert (await explained(past, "c2")).chosen == "ana"
        then = await explained(past, "c2", at=waiting)
    assert then.decision.type == "conversation_queued.v1"
    assert then.waiting_reason == "all_full"


async def test_au02_a_decision_that_the_rules_do_not_come_to_is_shown_beside_theirs(
    tmp_path: Path,
) -> None:
    """A log that somebody wrote to by hand: ben instead of ana."""
    story = Story().given(desk(ana=2, ben=1)).opens("c1")
    position, written = story.log[-1]
    assert isinstance(written.data, ConversationAssigned)
    forged = replace(written, data=replace(written.data, operator_id=OperatorId("ben")))
    story.log[-1] = Recorded(position, forged)
    async with past_of(story, tmp_path) as past:
        told = await explained(past, "c1")
    assert told.remade is False
    assert told.chosen == "ben"
    assert isinstance(told.expected, ConversationAssigned)
    assert told.expected.operator_id == "ana"


async def test_au02_what_another_revision_decided_is_not_compared(tmp_path: Path) -> None:
    story = Story().given(desk(ana=2)).opens("c1")
    position, written = story.log[-1]
    story.log[-1] = Recorded(position, replace(written, rev=REVISION + 1))
    async with past_of(story, tmp_path) as past:
        told = await explained(past, "c1")
    assert told.remade is None
    assert told.expected is None
    assert told.chosen == "ana"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"conversation_id": "nobody"}, "unknown_conversation"),
        ({"conversation_id": "c1", "position": 3}, "malformed"),
        ({"conversation_id": "c1", "position": 999}, "unavailable"),
        ({"conversation_id": "c1", "at": 5}, "unknown_conversation"),
    ],
)
async def test_au02_what_cannot_be_explained_is_refused(
    fields: dict[str, object], code: str, tmp_path: Path
) -> None:
    story = Story().given(desk(ana=1), opened("c1"))
    async with past_of(story, tmp_path) as past:
        assert (await past.refused("explain", **fields)).code == code


# --- why not --------------------------------------------------------------------------------


async def test_au03_why_not_him_at_the_moment_of_the_decision(tmp_path: Path) -> None:
    story = Story().given(desk(ana=2, ben=1)).opens("c1")
    story.after(60).given(step(BEN, "set_status", status="busy"))
    async with past_of(story, tmp_path) as past:
        told = await past.ask(WhyNotView, "why_not", operator_id="ben", conversation_id="c1")
        assert told.exclusions == ()
        assert (told.behind, told.because) == ("ana", "routed")
        assert told.behind_key < told.key
        assert (told.operator.effective, told.operator.free) == ("online", 1)
        now = await past.ask(
            WhyNotView, "why_not", operator_id="ben", conversation_id="c1", at=story.at
        )
        assert now.exclusions == ("busy",)


async def test_au03_why_ana_was_free_and_did_not_get_it(tmp_path: Path) -> None:
    """Four minutes of waiting while somebody had a free slot, and what was in the way."""
    story = Story().given(
        desk(ana=2, ben=1), step(ADMIN, "update_operator", operator_id="ben", skills=["fr"])
    )
    story.given(opened("c0", skills=["fr"]))
    story.opens("c1", skills=["fr"])
    during = story.at
    story.after(240).given(step(BEN, "close", conversation_id="c0"))
    async with past_of(story, tmp_path) as past:
        told = await past.ask(
            WhyNotView, "why_not", operator_id="ana", conversation_id="c1", at=during + 60_000
        )
    assert (told.operator.routable, told.operator.free) == (True, 2)
    assert told.exclusions == ("skill_missing",)
    assert told.missing_skills == ("fr",)
    assert told.conversation.state == "waiting"


async def test_au03_his_own_is_told_as_his(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1)).opens("c1")
    async with past_of(story, tmp_path) as past:
        told = await past.ask(
            WhyNotView, "why_not", operator_id="ana", conversation_id="c1", at=story.at
        )
        assert told.owned
        unknown = await past.refused("why_not", operator_id="zoe", conversation_id="c1")
        assert unknown.code == "unknown_operator"


# --- why waiting ----------------------------------------------------------------------------


async def test_au03_why_it_waits_and_what_would_end_it(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1), opened("c1", "c2")).after(30)
    async with past_of(story, tmp_path) as past:
        told = await past.ask(WhyWaitingView, "why_waiting", conversation_id="c2")
    assert (told.reason, told.hold, told.place) == ("all_full", "auto", 1)
    assert Change("slot", OperatorId("ana")) in told.changes
    assert told.waited_ms == 0  # nothing has happened since: the log's time stands


async def test_au03_why_it_waited_before_it_was_served(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1), opened("c1", "c2"))
    story.after(30).given(step(ANA, "reply", conversation_id="c1"))
    story.after(30).given(step(ANA, "close", conversation_id="c1"))
    async with past_of(story, tmp_path) as past:
        told = await past.ask(WhyWaitingView, "why_waiting", conversation_id="c2")
        assert told.reason == "all_full"
        assert told.waited_ms == 60_000
        refusal = await past.refused("why_waiting", conversation_id="c2", at=story.at)
        assert refusal.code == "not_waiting"
        assert refusal.detail == {"state": "assigned"}


async def test_au03_what_never_waited_is_refused(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1)).opens("c1")
    async with past_of(story, tmp_path) as past:
        assert (await past.refused("why_waiting", conversation_id="c1")).code == "not_waiting"


# --- timeline -------------------------------------------------------------------------------


async def test_au04_a_timeline_in_pages(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1), group("vip"), opened("c1"))
    story.given(step(ANA, "reply", conversation_id="c1"), step(ANA, "close", conversation_id="c1"))
    async with past_of(story, tmp_path) as past:
        page = await past.ask(Timeline, "timeline", conversation_id="c1", limit=2)
        rest = await past.ask(Timeline, "timeline", conversation_id="c1", after=page.next)
    assert [(one.type, one.decision) for one in (*page.events, *rest.events)] == [
        ("conversation_opened.v1", False),
        ("conversation_assigned.v1", True),
        ("operator_replied.v1", False),
        ("conversation_closed.v1", False),
    ]
    assert page.conversation.state == "closed"
    assert rest.next is None
