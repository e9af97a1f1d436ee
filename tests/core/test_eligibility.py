"""Who may be given a conversation automatically, and why it waits when nobody may."""

from typing import Any

import pytest

from shared.routing import eligibility
from shared.routing.ids import ConversationId, OperatorId
from shared.routing.state import Conversation
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    Step,
    Steps,
    Story,
    desk,
    entry_point,
    event,
    group,
    logged_in,
    online,
    opened,
    policy,
    registered,
    role,
    step,
)


def reasons_against(story: Story, operator_id: str, conversation_id: str) -> tuple[str, ...]:
    """Every exclusion code that lies between the two, out of the same predicates as the pools."""
    workspace = story.workspace
    operator = workspace.operators[OperatorId(operator_id)]
    conversation: Conversation = workspace.conversations[ConversationId(conversation_id)]
    demand = workspace.demand_of(conversation)
    found: list[str] = []
    if not demand.audience:
        found.append("group_disabled")
    elif not eligibility.is_member(
        demand.audience, eligibility.atoms_of(operator, workspace.bound_groups)
    ):
        found.append("not_member")
    found += eligibility.unavailable(workspace.roles, operator)
    found += eligibility.unfit(operator, demand)
    found += eligibility.excluded(conversation, operator)
    return tuple(found)


AT_THE_DESK: Steps = group("support") + entry_point("web", "support")
NOT_ONLINE = logged_in("ana")
CASES: dict[str, tuple[tuple[Steps, ...], tuple[str, ...]]] = {
    "a member with room": ((online("ana", "support"),), ()),
    "somebody else": ((online("ana", "support"), group("x"), online("ben", "x")), ("not_member",)),
    "a role": ((role("r"), online("ben", "support", role_id="r")), ("no_permission",)),
    "full": ((online("ben", "support", capacity=0),), ("at_capacity",)),
    "gone home": ((registered("ben", "support"),), ("offline",)),
    "removed": (
        (online("ben", "support"), step(ADMIN, "remove_operator", operator_id="ben")),
        ("not_member", "removed"),
    ),
    "everything at once": (
        (role("r"), group("x"), registered("ben", "x", role_id="r", capacity=0)),
        ("not_member", "no_permission", "offline", "at_capacity"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_ro01_each_reason_against_somebody_has_its_code(story: Story, case: str) -> None:
    steps, codes = CASES[case]
    story.given(AT_THE_DESK, policy(delivery="manual"), opened("c1"), *steps)
    operator_id = "ben" if "ben" in story.workspace.operators else "ana"
    assert reasons_against(story, operator_id, "c1") == codes
    story.given(policy(delivery="auto"))
    assert (story.owner("c1") == operator_id) is (codes == ())


@pytest.mark.parametrize("status", ["busy", "invisible", "offline"])
def test_ro01_a_status_that_is_not_online_is_its_own_code(story: Story, status: str) -> None:
    story.given(desk(ana=1), step(ANA, "set_status", status=status), opened("c1"))
    assert reasons_against(story, "ana", "c1") == (status,)
    assert story.owner("c1") is None


def test_ro01_a_disabled_group_excludes_all_its_members(story: Story) -> None:
    story.given(desk(ana=1), step(ADMIN, "update_group", group_id="support", enabled=False))
    story.given(opened("c1"))
    assert reasons_against(story, "ana", "c1") == ("group_disabled",)


def test_ro01_missing_skills_exclude_and_count_once(story: Story) -> None:
    story.given(AT_THE_DESK, online("ana", "support", skills=["de"]))
    story.given(opened("c1", skills=["fr", "it"]), opened("c2", skills=["de"]))
    assert reasons_against(story, "ana", "c1") == ("skill_missing",)
    assert story.owners("c1", "c2") == [None, "ana"]


def test_ro01_who_gave_it_back_is_not_asked_again(story: Story) -> None:
    story.given(desk(ana=5), opened("c1"))
    story.when(ANA, "release", conversation_id="c1").then(
        event("conversation_released"), event("conversation_queued", reason="all_declined")
    )
    assert reasons_against(story, "ana", "c1") == ("declined",)
    story.when(ANA, "set_status", status="online").then()
    assert story.owner("c1") is None
    story.given(step(ANA, "set_status", status="busy"), step(ANA, "set_status", status="online"))
    assert story.owner("c1") == "ana"


def test_ro01_participants_are_not_asked_to_own_what_they_are_in(story: Story) -> None:
    story.given(desk(ana=5, ben=5), opened("c1"), step(ANA, "join", conversation_id="c1"))
    story.given(step(BEN, "join", conversation_id="c1"))
    owner, other = (ANA, BEN) if story.owner("c1") == "ana" else (BEN, ANA)
    story.given(step(owner, "release", conversation_id="c1"))
    assert reasons_against(story, owner.id, "c1") == ("declined",)
    assert reasons_against(story, other.id, "c1") == ("already_involved",)
    assert story.owner("c1") is None
    story.when(other, "leave", conversation_id="c1").then_among_others(
        event("conversation_assigned", operator_id=other.id)
    )


@pytest.mark.parametrize("change", ["leave_group", "remove_operator", "log_out_operator"])
def test_f09_who_lost_membership_is_not_chosen_a_moment_later(story: Story, change: str) -> None:
    story.given(desk(ana=5, ben=1))
    fields = {"operator_id": "ana"} | ({"group_id": "support"} if change == "leave_group" else {})
    story.given(step(ADMIN, change, **fields), opened("c1", "c2"))
    assert story.owners("c1", "c2") == ["ben", None]


# --- why it waits ---------------------------------------------------------------------------


WAITING: dict[str, tuple[tuple[Steps, ...], dict[str, Any]]] = {
    "nobody_online": ((registered("ana", "support"),), {}),
    "all_full": ((online("ana", "support", capacity=0),), {}),
    "skill_missing": ((online("ana", "support"),), {"skills": ["fr"]}),
    "group_empty": ((), {}),
    "group_disabled": ((step(ADMIN, "update_group", group_id="support", enabled=False),), {}),
    "manual": ((online("ana", "support"), policy(delivery="manual")), {}),
    "broadcast": ((online("ana", "support"), policy(delivery="broadcast")), {}),
}


@pytest.mark.parametrize("reason", WAITING)
def test_ro08_it_waits_and_the_reason_is_recorded(story: Story, reason: str) -> None:
    steps, fields = WAITING[reason]
    story.given(AT_THE_DESK, *steps)
    story.opens("c1", **fields).then_among_others(
        event("conversation_queued", conversation_id="c1", reason=reason)
    )
    assert story.reason("c1") == reason
    assert story.place("c1") == 1


def test_ro08_the_reason_told_is_that_of_now(story: Story) -> None:
    story.given(AT_THE_DESK, opened("c1"))
    assert story.reason("c1") == "group_empty"
    story.given(registered("ana", "support", capacity=0))
    assert story.reason("c1") == "nobody_online"
    story.given(logged_in("ana"))
    assert story.reason("c1") == "all_full"
    assert len(story.told("conversation_queued")) == 1


def test_ro08_held_when_no_enabled_group_and_no_fallback_is_left(story: Story) -> None:
    story.given(desk(), group("second"))
    story.given(entry_point("web", "support", fallback=[{"group": "second"}]), opened("c1"))
    story.given(step(ADMIN, "update_group", group_id="support", enabled=False))
    story.when(ADMIN, "update_group", group_id="second", enabled=False).then(event("group_defined"))
    assert story.reason("c1") == "held"


def test_ro08_all_declined_until_somebody_new_comes(story: Story) -> None:
    story.given(desk(ana=1), opened("c1"), step(ANA, "release", conversation_id="c1"))
    assert story.reason("c1") == "all_declined"
    story.given(online("ben", "support"))
    assert story.owner("c1") == "ben"


def test_ro08_a_conversation_that_nobody_may_have_is_never_given_away(story: Story) -> None:
    story.given(desk(ana=1), opened("c1", skills=["fr"]))
    story.after(30 * 86_400).then(event("conversation_slow"))
    assert story.conversation("c1").state == "waiting"
    assert story.conversation("c1").scope == story.conversation("c1").home_scope


# --- load and capacity ----------------------------------------------------------------------


def test_ro05_load_counts_entry_point_weights(story: Story) -> None:
    story.given(desk(ana=5), entry_point("phone", "support", weight=3))
    story.given(opened("c1", "c2", "c3", entry_point_id="phone"))
    assert story.owners("c1", "c2", "c3") == ["ana", None, None]
    assert story.load("ana") == 3
    story.given(opened("c4", "c5", "c6"))
    assert story.owners("c4", "c5", "c6") == ["ana", "ana", None]
    assert story.load("ana") == 5
    assert story.reasons("c2", "c6") == ["all_full", "all_full"]
    story.given(step(ANA, "close", conversation_id="c1"))
    assert story.owners("c2", "c3", "c6") == ["ana", None, None]


def test_ro05_a_weight_is_that_of_the_opening(story: Story) -> None:
    story.given(desk(ana=5), opened("c1"), entry_point("web", "support", weight=4), opened("c2"))
    assert story.owners("c1", "c2") == ["ana", "ana"]
    assert story.load("ana") == 5
    story.given(step(ANA, "close", conversation_id="c1"))
    assert story.load("ana") == 4


def test_ro05_c02_capacity_nought_gets_nothing_but_what_a_person_directs(story: Story) -> None:
    story.given(desk(ana=0), opened("c1", "c2", "c3"))
    assert story.owners("c1", "c2", "c3") == [None, None, None]
    story.when(ADMIN, "forward", conversation_id="c1", to={"operator": "ana"}).then_among_others(
        event("conversation_assigned", operator_id="ana", reason="directed", excess=True)
    )
    story.when(ANA, "claim", conversation_id="c2").then(event("conversation_claimed"))
    assert story.load("ana") == 2


def test_ro05_c04_lowering_takes_nothing_away_and_adds_nothing(story: Story) -> None:
    story.given(desk(ana=3), opened("c1", "c2", "c3"))
    story.when(ADMIN, "update_operator", operator_id="ana", capacity=1).then(
        event("operator_updated", capacity=1)
    )
    assert story.owned("ana") == [3]
    story.given(opened("c4"), step(ANA, "close", conversation_id="c1"))
    story.given(step(ANA, "close", conversation_id="c2"))
    assert story.owner("c4") is None
    story.given(step(ANA, "close", conversation_id="c3"))
    assert story.owner("c4") == "ana"


def test_c03_a_raised_limit_drains_the_queue_at_once(story: Story) -> None:
    story.given(desk(ana=1), opened("c1", "c2", "c3", "c4"))
    story.when(ADMIN, "update_operator", operator_id="ana", capacity=3).then(
        event("operator_updated"),
        event("conversation_assigned", conversation_id="c2"),
        event("conversation_assigned", conversation_id="c3"),
    )


@pytest.mark.parametrize(
    "change",
    [
        policy(ranking="fewest_open"),
        policy(group_id="support", reopen_window_s=60),
        entry_point("web", "support", weight=2),
        role("staff", assigned="write", unassigned="write"),
        step(ADMIN, "update_group", group_id="support", enabled=False),
        step(ADMIN, "update_operator", operator_id="ana", skills=["fr"]),
    ],
)
def test_c11_no_change_of_settings_resets_a_load(story: Story, change: tuple[Step, ...]) -> None:
    story.given(desk(ana=2), opened("c1", "c2", "c3"))
    story.now(change).never("conversation_assigned")
    assert story.load("ana") == 2
    assert story.owner("c3") is None
