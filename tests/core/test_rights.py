"""Who may do what, and who may be given something."""

import pytest

from shared.routing.events import Actor
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    VERA,
    Story,
    desk,
    entry_point,
    event,
    group,
    online,
    opened,
    registered,
    role,
    step,
)

BOSS = Actor("operator", "boss")


@pytest.mark.parametrize(
    ("permissions", "missing"),
    [
        ({}, ["conversations.assigned: write", "conversations.unassigned: write"]),
        ({"assigned": "write", "unassigned": "read"}, ["conversations.unassigned: write"]),
        ({"assigned": "read", "unassigned": "write"}, ["conversations.assigned: write"]),
    ],
)
def test_gr05_receiving_needs_write_access_to_both(
    story: Story, permissions: dict[str, str], missing: list[str]
) -> None:
    story.given(desk(ben=1), role("reader", **permissions), opened("c1"))
    story.given(online("ana", "support", role_id="reader"), opened("c2"))
    assert story.owners("c1", "c2") == ["ben", None]
    story.when(BEN, "forward", conversation_id="c1", to={"operator": "ana"}).refused(
        "no_permission", operator_id="ana", missing=missing
    )
    story.when(BEN, "add_participant", conversation_id="c1", operator_id="ana").refused(
        "no_permission", missing=missing
    )
    story.when(ADMIN, "assign_visitor", visitor_id="vera", to={"operator": "ana"}).refused(
        "no_permission", missing=missing
    )


def test_gr05_f09_a_role_that_loses_access_is_passed_over_at_once(story: Story) -> None:
    story.given(role("helper", assigned="write", unassigned="write"), desk(ben=1))
    story.given(online("ana", "support", capacity=5, role_id="helper"), opened("c1"))
    assert story.owner("c1") == "ana"
    story.given(role("helper", assigned="write", unassigned="read"), opened("c2", "c3"))
    assert story.owners("c1", "c2", "c3") == ["ana", "ben", None]
    story.now(role("helper", assigned="write", unassigned="write")).then_among_others(
        event("conversation_assigned", conversation_id="c3", operator_id="ana")
    )


def test_gr05_a_participant_who_may_not_receive_does_not_inherit(story: Story) -> None:
    story.given(role("helper", assigned="write", unassigned="write"), desk(ben=1))
    story.given(opened("c1"), online("ana", role_id="helper"))
    story.given(step(ANA, "join", conversation_id="c1"))
    story.given(role("helper", assigned="read"))
    story.when(BEN, "leave", conversation_id="c1").never("conversation_assigned")
    assert story.owner("c1") is None


# --- what a role allows ---------------------------------------------------------------------


def test_gr06_unassigned_write_claims_and_replies_first(story: Story) -> None:
    story.given(desk(), opened("c1", "c2"), role("reader", unassigned="read", assigned="write"))
    story.given(online("ana", role_id="reader"), online("ben"))
    needed = ["conversations.unassigned: write"]
    for command in ("claim", "join", "reply", "close"):
        story.when(ANA, command, conversation_id="c1").refused("no_permission", missing=needed)
    story.when(ANA, "forward", conversation_id="c1", to={"everyone": True}).refused("no_permission")
    story.when(ANA, "assign_visitor", visitor_id="vera", to={"everyone": True}).refused(
        "no_permission", missing=needed
    )
    story.when(ANA, "unassign_visitor", visitor_id="vera").refused("no_permission")
    story.when(BEN, "claim", conversation_id="c1").then(
        event("conversation_claimed", operator_id="ben")
    )


def test_gr06_assigned_write_joins_and_replies_to_others(story: Story) -> None:
    story.given(desk(ben=1), opened("c1"), role("helper", assigned="write"), role("reader"))
    story.given(online("ana", role_id="reader"))
    needed = ["conversations.assigned: write"]
    story.when(ANA, "join", conversation_id="c1").refused("no_permission", missing=needed)
    story.when(ANA, "reply", conversation_id="c1").refused("no_permission", missing=needed)
    story.given(step(ADMIN, "update_operator", operator_id="ana", role_id="helper"))
    story.when(ANA, "join", conversation_id="c1").then(event("participant_joined"))


def test_gr06_assign_others_handles_what_is_not_ones_own(story: Story) -> None:
    story.given(desk(ben=1), opened("c1"), online("ana"), online("boss", role_id="manager"))
    needed = ["assign_others"]
    story.when(ANA, "forward", conversation_id="c1", to={"operator": "ana"}).refused(
        "no_permission", missing=needed
    )
    story.when(ANA, "close", conversation_id="c1").refused("no_permission", missing=needed)
    story.when(ANA, "set_conversation", conversation_id="c1", priority=9).refused("no_permission")
    story.when(ANA, "add_participant", conversation_id="c1", operator_id="boss").refused(
        "no_permission", missing=needed
    )
    story.when(BOSS, "set_conversation", conversation_id="c1", priority=9).then(
        event("conversation_changed", priority=9)
    )
    story.when(BOSS, "forward", conversation_id="c1", to={"operator": "ana"})
    assert story.owner("c1") == "ana"
    story.when(BOSS, "add_participant", conversation_id="c1", operator_id="ben").then(
        event("participant_joined", operator_id="ben", added_by="boss")
    )
    story.when(BOSS, "close", conversation_id="c1").then(event("conversation_closed"))
    story.when(BEN, "reopen", conversation_id="c1").refused("no_permission", missing=needed)


def test_gr06_forward_is_for_ones_own(story: Story) -> None:
    story.given(role("writer", assigned="write", unassigned="write"), desk(ben=1))
    story.given(online("ana", "support", role_id="writer", capacity=2), opened("c1"))
    story.when(ANA, "forward", conversation_id="c1", to={"operator": "ben"}).refused(
        "no_permission", missing=["forward"]
    )
    story.given(role("writer", assigned="write", unassigned="write", forward=True))
    story.when(ANA, "forward", conversation_id="c1", to={"operator": "ben"})
    assert story.owner("c1") == "ben"


def test_gr06_manage_is_for_everything_that_admins_do(story: Story) -> None:
    story.given(online("ana"), online("boss", role_id="manager"))
    story.when(ANA, "create_group", group_id="g", name="g").refused(
        "no_permission", missing=["manage"]
    )
    story.when(BOSS, "create_group", group_id="g", name="g").then(event("group_defined"))
    story.when(BOSS, "create_workspace", name="another").refused("not_allowed")
    story.when(ADMIN, "create_workspace", name="another").refused("workspace_exists")


def test_gr06_what_is_theirs_operators_may_always_answer(story: Story) -> None:
    story.given(role("helper", assigned="write", unassigned="write"), desk(), opened("c1", "c2"))
    story.given(online("ana", role_id="helper"))
    story.given(step(ANA, "claim", conversation_id="c1"), role("helper"))
    story.when(ANA, "reply", conversation_id="c1").then(event("operator_replied"))
    story.when(ANA, "set_conversation", conversation_id="c1", tags=["vip"])
    story.then(event("conversation_changed", tags=["vip"]))
    story.when(ANA, "close", conversation_id="c1").then(event("conversation_closed"))
    story.when(ANA, "reopen", conversation_id="c1").then(
        event("conversation_reopened", owner="ana")
    )


def test_gr06_each_kind_of_actor_has_its_commands(story: Story) -> None:
    story.given(desk(ana=1), opened("c1"))
    shop = Actor("service", "shop")
    story.when(VERA, "claim", conversation_id="c1").refused("not_allowed", allowed=["operator"])
    story.when(ADMIN, "claim", conversation_id="c1").refused("not_allowed")
    story.when(ANA, "write", conversation_id="c1").refused("not_allowed", allowed=["visitor"])
    story.when(shop, "close", conversation_id="c1").refused("not_allowed")
    story.when(VERA, "create_group", group_id="g", name="g").refused("not_allowed")
    story.when(BEN, "claim", conversation_id="c1").refused("unknown_operator", operator_id="ben")


def test_gr06_a_visitor_sees_and_sets_only_what_is_its_own(story: Story) -> None:
    story.given(desk(ana=1))
    mine = {"conversation_id": "c1", "entry_point_id": "web"}
    story.when(VERA, "open", **mine, priority=9).refused("not_allowed", field="priority")
    story.when(VERA, "open", **mine, skills=["fr"]).refused("not_allowed", field="skills")
    story.given(entry_point("web", "support", visitor_may_set=["priority"]))
    story.when(VERA, "open", **mine, priority=9, skills=[]).refused("not_allowed", field="skills")
    story.when(VERA, "open", **mine, priority=9)
    story.then_among_others(event("conversation_opened", priority=9))
    story.when(VERA, "open", **mine).refused("already_open")
    for command in ("write", "close"):
        story.when(Actor("visitor", "wim"), command, conversation_id="c1").refused(
            "unknown_conversation"
        )
    story.when(VERA, "close", conversation_id="c1").then_among_others(event("conversation_missed"))
    story.when(VERA, "close", conversation_id="c1")
    story.when(VERA, "open", **mine).refused("already_closed")
    story.when(VERA, "assign_visitor", visitor_id="wim", to={"everyone": True}).refused(
        "not_allowed"
    )


def test_gr06_a_back_end_may_set_for_a_visitor_what_that_one_may_not(story: Story) -> None:
    story.given(desk(ana=1, ben=0))
    story.given(step(ADMIN, "update_operator", operator_id="ana", skills=["fr"]))
    story.opens("c1", priority=9, skills=["fr", "fr"]).then(
        event("conversation_opened", priority=9, skills=["fr"]),
        event("conversation_assigned", operator_id="ana"),
    )


def test_gr06_a_role_in_use_or_built_in_is_not_deleted(story: Story) -> None:
    story.given(role("helper"), registered("ana", role_id="helper"))
    story.when(ADMIN, "delete_role", role_id="staff").refused("in_use")
    story.when(ADMIN, "delete_role", role_id="helper").refused("in_use", operator_ids=["ana"])
    story.given(step(ADMIN, "remove_operator", operator_id="ana"))
    story.when(ADMIN, "delete_role", role_id="helper").then(event("role_deleted"))
    story.when(ADMIN, "delete_role", role_id="helper").refused("unknown_role")
    story.when(ADMIN, "register_operator", operator_id="ben", role_id="helper").refused(
        "unknown_role"
    )


def test_gr06_nothing_happens_before_the_workspace_exists() -> None:
    story = Story()
    story.workspace = type(story.workspace)(workspace_id="acme")
    story.now(group("a")).refused("unknown_workspace")
