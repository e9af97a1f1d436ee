"""Visitors: assigned ahead, known or anonymous, and coming back to what was closed."""

from typing import Any

import pytest

from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    VERA,
    WIM,
    Step,
    Steps,
    Story,
    desk,
    entry_point,
    event,
    group,
    online,
    opened,
    policy,
    registered,
    role,
    step,
)


def vera_opens(conversation_id: str, **fields: Any) -> Steps:
    wishes = {"conversation_id": conversation_id, "entry_point_id": "web", **fields}
    return (Step(VERA, "open", wishes),)


def ahead(to: dict[str, Any]) -> Steps:
    return step(ADMIN, "assign_visitor", visitor_id="vera", to=to)


def test_fw12_a_person_assigns_a_visitor_ahead(story: Story) -> None:
    story.given(desk(ana=9), online("ben", capacity=0))
    story.now(ahead({"operator": "ben"})).then(
        event("visitor_assigned", visitor_id="vera", to={"operator": "ben"}, source="person")
    )
    story.now(ahead({"operator": "ben"})).then()
    story.now(vera_opens("c1")).then(
        event("conversation_opened", scope={"operator": "ben"}, scope_source="person"),
        event("conversation_assigned", operator_id="ben", reason="directed", excess=True),
    )


def test_fw12_it_holds_until_it_is_used(story: Story) -> None:
    story.given(desk(ana=9), online("ben"), ahead({"operator": "ben"}))
    story.given(vera_opens("c1"), vera_opens("c2"))
    assert story.owners("c1", "c2") == ["ben", "ana"]


def test_fw12_or_until_it_is_undone(story: Story) -> None:
    story.given(desk(ana=9), online("ben"), ahead({"operator": "ben"}))
    story.when(ANA, "unassign_visitor", visitor_id="vera").then(
        event("visitor_unassigned", visitor_id="vera", source="person")
    )
    story.when(ANA, "unassign_visitor", visitor_id="vera").then()
    story.given(vera_opens("c1"))
    assert story.owner("c1") == "ana"


def test_fw12_a_person_comes_before_the_visitors_choice(story: Story) -> None:
    story.given(group("a"), group("b"), entry_point("web", "a", "b", ask_group=True))
    story.given(online("ana", "a"), online("ben", "b"), online("cleo"))
    story.given(step(VERA, "assign_visitor", visitor_id="vera", to={"group": "b"}))
    story.given(ahead({"operator": "cleo"}))
    story.now(vera_opens("c1", group_id="a")).then_among_others(
        event("conversation_opened", scope={"operator": "cleo"}, scope_source="person")
    )


def test_fw12_the_visitors_choice_comes_before_the_entry_point(story: Story) -> None:
    story.given(group("a"), group("b"), entry_point("web", "a", "b", ask_group=True))
    story.given(online("ana", "a", capacity=9), online("ben", "b"))
    story.when(VERA, "assign_visitor", visitor_id="vera", to={"group": "b"}).then(
        event("visitor_assigned", source="visitor")
    )
    story.now(vera_opens("c1")).then_among_others(
        event("conversation_opened", scope={"group": "b"}, scope_source="visitor")
    )


def test_fw12_a_visitor_chooses_for_itself_and_among_what_is_offered(story: Story) -> None:
    story.given(group("a"), group("b"), entry_point("web", "a", ask_group=True), online("ana"))
    for to in ({"group": "b"}, {"operator": "ana"}, {"everyone": True}):
        story.when(VERA, "assign_visitor", visitor_id="vera", to=to).refused("group_not_offered")
    story.when(VERA, "assign_visitor", visitor_id="wim", to={"group": "a"}).refused("not_allowed")
    story.when(VERA, "unassign_visitor", visitor_id="wim").refused("not_allowed")
    story.when(ADMIN, "assign_visitor", visitor_id="vera", to={"entry_point": "web"}).refused(
        "malformed"
    )
    story.when(ADMIN, "assign_visitor", visitor_id="vera", to={"group": "no"}).refused(
        "unknown_group"
    )


def test_fw12_it_moves_no_running_conversation(story: Story) -> None:
    story.given(desk(ana=1), online("ben"), vera_opens("c1"), vera_opens("c2"))
    story.given(ahead({"operator": "ben"}))
    assert story.owners("c1", "c2") == ["ana", None]


@pytest.mark.parametrize("target", ["offline", "no permission", "disabled", "deleted"])
def test_fw12_a_target_that_is_gone_gives_way_and_the_reason_is_recorded(
    story: Story, target: str
) -> None:
    story.given(desk(ana=1), group("x"), role("r", assigned="write", unassigned="write"))
    story.given(online("ben", role_id="r"))
    story.given(ahead({"operator": "ben"} if target[0] in "on" else {"group": "x"}))
    change = {
        "offline": step(BEN, "log_out", session_id="ben-1"),
        "no permission": role("r"),
        "disabled": step(ADMIN, "update_group", group_id="x", enabled=False),
        "deleted": step(ADMIN, "delete_group", group_id="x"),
    }
    story.given(change[target])
    story.now(vera_opens("c1")).then_among_others(
        event(
            "conversation_opened", scope={"entry_point": "web"}, scope_source="target_unavailable"
        ),
        event("conversation_assigned", operator_id="ana"),
    )


def test_fw12_a_group_assigned_ahead_is_waited_for(story: Story) -> None:
    story.given(desk(ana=1), group("x"), registered("ben", "x"), ahead({"group": "x"}))
    story.given(vera_opens("c1"))
    assert story.owner("c1") is None
    story.given(step(BEN, "log_in", session_id="s"))
    assert story.owner("c1") == "ben"


def test_au09_who_a_visitor_is_stands_in_the_log_as_an_id_only(story: Story) -> None:
    story.given(desk(ana=1))
    story.now(vera_opens("c1", attributes={"mail": "vera@example.org"}, contact_id="k7")).then(
        event("visitor_identified", visitor_id="vera", contact_id="k7"),
        event("conversation_opened", contact_id="k7"),
        event("conversation_assigned"),
    )
    attributes = story.conversation("c1").attributes
    assert attributes is not None
    assert "example.org" not in attributes
    story.when(ADMIN, "register_operator", operator_id="eve", name="Eve Adams", email="e@a.org")
    (registered_as,) = (told for told in story.told("operator_registered") if told["name"])
    assert "Eve" not in registered_as["name"]
    assert "a.org" not in registered_as["email"]


def test_au09_an_anonymous_visitor_becomes_known_in_all_that_is_open(story: Story) -> None:
    story.given(desk(ana=5), vera_opens("c1"), vera_opens("c2"))
    story.given(step(ANA, "close", conversation_id="c1"))
    story.when(VERA, "identify", contact_id="k7").then(event("visitor_identified"))
    story.when(VERA, "identify", contact_id="k7").then()
    contacts = [story.conversation(its_id).contact_id for its_id in ("c1", "c2")]
    assert contacts == [None, "k7"]
    story.given(vera_opens("c3"))
    assert story.conversation("c3").contact_id == "k7"


# --- coming back ----------------------------------------------------------------------------


def test_tm05_closing_frees_the_slot_at_once(story: Story) -> None:
    story.given(desk(ana=1), vera_opens("c1"), opened("c2"))
    story.given(step(ANA, "reply", conversation_id="c1"))
    story.when(VERA, "close", conversation_id="c1", reason="solved", text="thanks").then(
        event("conversation_closed", owner="ana", reason="solved"),
        event("conversation_assigned", conversation_id="c2", operator_id="ana"),
    )


def test_tm05_writing_again_goes_back_to_the_last_owner(story: Story) -> None:
    story.given(desk(ana=2, ben=1), vera_opens("c1"), opened("c2"))
    assert story.owner("c1") == "ana"
    story.given(step(ANA, "close", conversation_id="c1")).after(60)
    story.when(VERA, "write", conversation_id="c1").then(
        event("conversation_reopened", owner="ana", scope={"entry_point": "web"}),
        event("visitor_wrote", conversation_id="c1"),
    )
    assert story.load("ana") == len(story.operator("ana").owned)


def test_tm05_one_slot_of_excess_is_allowed_and_not_two(story: Story) -> None:
    story.given(desk(ana=1), vera_opens("c1"), vera_opens("c2"))
    story.given(step(ANA, "close", conversation_id="c1"), step(ANA, "close", conversation_id="c2"))
    story.given(opened("c3"))
    story.given(step(VERA, "write", conversation_id="c1"))
    assert story.owners("c1", "c3") == ["ana", "ana"]
    story.when(VERA, "write", conversation_id="c2").then(
        event("conversation_reopened", owner=None, scope={"entry_point": "web"}),
        event("visitor_wrote"),
        event("conversation_queued", reason="all_full"),
    )


@pytest.mark.parametrize("gone", ["offline", "busy", "removed", "not permitted"])
def test_tm05_else_it_is_routed_as_new_in_the_entry_points_scope(story: Story, gone: str) -> None:
    story.given(desk(ben=1), role("r", assigned="write", unassigned="write"), group("x"))
    story.given(online("ana", "x", role_id="r"), vera_opens("c1"))
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"group": "x"}))
    story.given(step(ANA, "close", conversation_id="c1"))
    story.given(
        {
            "offline": step(ANA, "log_out", session_id="ana-1"),
            "busy": step(ANA, "set_status", status="busy"),
            "removed": step(ADMIN, "remove_operator", operator_id="ana"),
            "not permitted": role("r"),
        }[gone]
    ).after(60)
    story.when(VERA, "write", conversation_id="c1").then(
        event("conversation_reopened", owner=None, scope={"entry_point": "web"}),
        event("visitor_wrote"),
        event("conversation_assigned", operator_id="ben", reason="routed"),
    )
    assert story.conversation("c1").queued_at == story.at


def test_tm05_with_its_last_owner_it_keeps_its_home_scope(story: Story) -> None:
    story.given(desk(ben=1), group("x"), online("ana", "x"), vera_opens("c1"))
    story.given(step(BEN, "forward", conversation_id="c1", to={"group": "x"}))
    story.given(step(ANA, "close", conversation_id="c1"))
    story.given(step(VERA, "write", conversation_id="c1"))
    assert (story.owner("c1"), story.scope("c1")) == ("ana", {"group": "x"})


@pytest.mark.parametrize(("window_s", "waited_s", "open_again"), [(60, 59, True), (60, 61, False)])
def test_tm05_only_within_the_window(
    story: Story, window_s: int, waited_s: int, open_again: bool
) -> None:
    story.given(desk(ana=1), policy(reopen_window_s=window_s), vera_opens("c1"))
    story.given(step(ANA, "close", conversation_id="c1")).after(waited_s)
    story.when(VERA, "write", conversation_id="c1")
    assert (story.conversation("c1").state != "closed") is open_again
    if not open_again:
        story.refused("already_closed", reopen_window_s=window_s)


def test_tm05_a_window_of_nought_is_none(story: Story) -> None:
    story.given(desk(ana=1), policy(reopen_window_s=0), vera_opens("c1"))
    story.given(step(ANA, "close", conversation_id="c1"))
    story.when(VERA, "write", conversation_id="c1").refused("already_closed")


def test_tm05_the_last_owner_may_open_it_again_and_owns_it(story: Story) -> None:
    story.given(desk(ana=1, ben=0), vera_opens("c1"))
    story.when(ANA, "reopen", conversation_id="c1").refused("already_open")
    story.given(step(ANA, "close", conversation_id="c1"), step(ANA, "set_status", status="busy"))
    story.given(opened("c2"))
    story.when(ANA, "reopen", conversation_id="c1").then(
        event("conversation_reopened", owner="ana")
    )
    story.when(ANA, "reopen", conversation_id="c9").refused("unknown_conversation")


def test_tm05_others_need_to_assign_others_and_it_is_routed(story: Story) -> None:
    story.given(desk(ana=1, ben=0), vera_opens("c1"), step(ANA, "close", conversation_id="c1"))
    story.when(BEN, "reopen", conversation_id="c1").refused("no_permission")
    story.given(step(ANA, "set_status", status="busy"))
    story.when(ADMIN, "reopen", conversation_id="c1").then(
        event("conversation_reopened", owner=None), event("conversation_queued")
    )


def test_tm05_participants_of_before_are_not_in_it_again(story: Story) -> None:
    story.given(desk(ana=1), online("ben"), vera_opens("c1"))
    story.given(step(BEN, "join", conversation_id="c1"), step(ANA, "close", conversation_id="c1"))
    story.given(step(VERA, "write", conversation_id="c1"))
    assert story.participants("c1") == []
    assert not story.operator("ben").takes_part


def test_tm05_where_the_entry_point_is_gone_everyone_is_asked(story: Story) -> None:
    story.given(desk(ana=1), entry_point("app"), online("ben"), vera_opens("c1"))
    story.given(step(ANA, "close", conversation_id="c1"), step(ANA, "set_status", status="busy"))
    story.given(step(ADMIN, "remove_entry_point", entry_point_id="web"))
    story.when(VERA, "write", conversation_id="c1").then_among_others(
        event("conversation_reopened", scope={"everyone": True}),
        event("conversation_assigned", operator_id="ben"),
    )


def test_tm05_nobody_writes_to_what_is_not_theirs(story: Story) -> None:
    story.given(desk(ana=1), vera_opens("c1"))
    story.when(WIM, "write", conversation_id="c1").refused("unknown_conversation")
    story.when(VERA, "write", conversation_id="c1").then(event("visitor_wrote"))
