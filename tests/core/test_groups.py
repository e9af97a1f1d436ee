"""Groups, entry points, and what deleting or disabling them does to conversations."""

import pytest

from shared.routing.events import Actor
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    Story,
    desk,
    entry_point,
    event,
    group,
    logged_in,
    online,
    opened,
    registered,
    role,
    step,
)


def test_gr01_groups_are_created_renamed_disabled_and_deleted(story: Story) -> None:
    story.when(ADMIN, "create_group", group_id="g", name="Verkauf", description="wir").then(
        event("group_defined", group_id="g", name="Verkauf", name_key="verkauf", enabled=True)
    )
    story.when(ADMIN, "update_group", group_id="g", name="Sales", enabled=False).then(
        event("group_defined", name="Sales", description="wir", enabled=False)
    )
    story.when(ADMIN, "update_group", group_id="g", name="Sales").then()
    story.when(ADMIN, "delete_group", group_id="g").then(event("group_deleted", group_id="g"))
    story.when(ADMIN, "delete_group", group_id="g").refused("unknown_group", group_id="g")
    story.when(ADMIN, "update_group", group_id="g").refused("unknown_group")


def test_gr01_names_are_unique_whatever_the_case(story: Story) -> None:
    story.given(group("a", name="Straße"), group("b", name="Sales"))
    story.when(ADMIN, "create_group", group_id="c", name="STRASSE").refused("group_name_taken")
    story.when(ADMIN, "update_group", group_id="b", name=" straße ").refused(
        "group_name_taken", group_id="a"
    )
    story.when(ADMIN, "update_group", group_id="b", name="SALES").then(event("group_defined"))
    story.when(ADMIN, "create_group", group_id="a", name="Other").refused("already_exists")


def test_gr01_the_last_group_of_an_entry_point_cannot_be_deleted(story: Story) -> None:
    story.given(group("a"), group("b"), entry_point("web", "a", "b"))
    story.when(ADMIN, "delete_group", group_id="a").then(event("group_deleted"))
    story.when(ADMIN, "delete_group", group_id="b").refused("in_use", entry_point_id="web")


def test_gr02_joining_and_leaving_say_who_did_it(story: Story) -> None:
    boss = Actor("operator", "boss")
    story.given(group("a"), group("b"), registered("ana", "a"))
    story.given(registered("boss", role_id="manager"))
    story.when(boss, "join_group", operator_id="ana", group_id="b").then(
        event("group_joined", operator_id="ana", group_id="b")
    )
    assert story.last[0].envelope.by == boss
    assert list(story.operator("ana").groups) == ["a", "b"]
    story.when(ADMIN, "join_group", operator_id="ana", group_id="b").then()
    story.when(ADMIN, "leave_group", operator_id="ana", group_id="a").then(event("group_left"))
    story.when(ADMIN, "leave_group", operator_id="ana", group_id="a").then()
    story.when(ADMIN, "join_group", operator_id="nobody", group_id="a").refused("unknown_operator")
    story.when(ADMIN, "join_group", operator_id="ana", group_id="no").refused("unknown_group")


def test_gr02_a_new_member_gets_what_waits(story: Story) -> None:
    story.given(desk(), online("ana"), opened("c1"))
    story.when(ADMIN, "join_group", operator_id="ana", group_id="support").then_among_others(
        event("conversation_assigned", conversation_id="c1", operator_id="ana")
    )


# --- entry points ---------------------------------------------------------------------------


def test_gr03_an_entry_point_brings_its_groups_as_scope(story: Story) -> None:
    story.given(group("a"), group("b"), group("c"), entry_point("web", "a", "b"))
    story.given(online("ana", "c"), opened("c1"))
    assert story.scope("c1") == {"entry_point": "web"}
    assert story.owner("c1") is None
    story.given(online("ben", "b"))
    assert story.owner("c1") == "ben"


def test_gr03_fallbacks_are_tried_in_order_and_each_once(story: Story) -> None:
    fallback = [{"group": "second"}, {"operator": "ben"}, {"group": "third"}]
    story.given(group("first"), group("second"), group("third"), registered("ben"))
    story.given(entry_point("web", "first", fallback=fallback), opened("c1"))
    story.when(ADMIN, "update_group", group_id="first", enabled=False).then_among_others(
        event("conversation_redirected", to={"group": "second"}, reason="group_disabled"),
        event("conversation_queued", reason="group_empty"),
    )
    story.when(ADMIN, "update_group", group_id="second", enabled=False).then_among_others(
        event("conversation_redirected", to={"group": "third"})
    )
    story.when(ADMIN, "update_group", group_id="second", enabled=True).never(
        "conversation_redirected"
    )
    story.when(ADMIN, "update_group", group_id="third", enabled=False).never(
        "conversation_redirected"
    )
    assert story.reason("c1") == "held"


def test_gr03_ro10_what_is_held_goes_to_a_fallback_operator_as_soon_as_he_may_have_it(
    story: Story,
) -> None:
    story.given(group("a", enabled=False), registered("ben"), role("helper", assigned="write"))
    story.given(registered("cleo", role_id="helper"), logged_in("cleo"))
    story.given(entry_point("web", "a", fallback=[{"operator": "ben"}]), opened("c1"))
    story.given(entry_point("app", "a", fallback=[{"operator": "cleo"}]))
    story.given(opened("c2", entry_point_id="app"))
    assert story.reasons("c1", "c2") == ["group_disabled", "group_disabled"]
    story.now(logged_in("ben")).then_among_others(
        event("conversation_redirected", conversation_id="c1", to={"operator": "ben"}),
        event("conversation_assigned", conversation_id="c1", operator_id="ben"),
    )
    story.given(role("helper", assigned="write", unassigned="write"))
    assert story.owner("c2") == "cleo"


def test_gr03_a_fallback_group_that_was_deleted_may_come_back(story: Story) -> None:
    story.given(group("a"), group("b"), entry_point("web", "a", fallback=[{"group": "b"}]))
    story.given(step(ADMIN, "delete_group", group_id="b"), opened("c1"))
    story.given(step(ADMIN, "update_group", group_id="a", enabled=False))
    assert story.reason("c1") == "group_disabled"
    story.now(group("b")).then_among_others(
        event("conversation_redirected", conversation_id="c1", to={"group": "b"})
    )


def test_gr03_members_who_are_offline_or_full_are_waited_for(story: Story) -> None:
    story.given(group("first"), group("second"), online("ben", "second"))
    story.given(entry_point("web", "first", fallback=[{"group": "second"}]))
    story.given(registered("ana", "first"))
    story.opens("c1").never("conversation_redirected")
    assert story.reason("c1") == "nobody_online"


def test_gr03_an_entry_point_keeps_what_is_not_mentioned(story: Story) -> None:
    story.given(group("a"), entry_point("web", "a", weight=3, offline_display="hidden"))
    story.when(ADMIN, "define_entry_point", entry_point_id="web", name="Shop").then(
        event("entry_point_defined", groups=["a"], weight=3, offline_display="hidden")
    )
    story.when(ADMIN, "define_entry_point", entry_point_id="web").then()
    story.when(ADMIN, "define_entry_point", entry_point_id="new").refused("malformed")
    story.when(ADMIN, "define_entry_point", entry_point_id="web", groups=["x"]).refused(
        "unknown_group", group_id="x"
    )


def test_gr03_what_was_deleted_stands_in_the_way_of_no_change(story: Story) -> None:
    story.given(group("a"), group("b"), registered("ben"))
    fallback = [{"group": "b"}, {"operator": "ben"}]
    story.given(entry_point("web", "a", fallback=fallback, ask_group=["a", "b"]))
    story.given(step(ADMIN, "delete_group", group_id="b"))
    story.given(step(ADMIN, "remove_operator", operator_id="ben"))
    story.when(ADMIN, "define_entry_point", entry_point_id="web", weight=2)
    story.then(event("entry_point_defined", weight=2))


def test_gr03_a_fallback_is_a_target_not_another_entry_point(story: Story) -> None:
    story.given(entry_point("web"))
    story.when(
        ADMIN,
        "define_entry_point",
        entry_point_id="app",
        name="app",
        groups="everyone",
        fallback=[{"entry_point": "web"}],
    ).refused("malformed")


def test_gr04_second_level_gets_only_what_is_meant_for_it(story: Story) -> None:
    story.given(desk(ana=1), group("experts"), online("ben", "experts", capacity=5))
    story.given(entry_point("app"))
    story.given(opened("c1", "c2"), opened("c3", entry_point_id="app"))
    assert story.owners("c1", "c2", "c3") == ["ana", None, None]
    story.when(ANA, "forward", conversation_id="c1", to={"group": "experts"})
    assert story.owner("c1") == "ben"
    story.when(ADMIN, "forward", conversation_id="c3", to={"operator": "ben"})
    assert story.owner("c3") == "ben"
    assert story.status("ben") == ("online", "chosen")


def test_gr04_everyone_is_first_level_and_those_in_no_group(story: Story) -> None:
    story.given(desk(ana=0), entry_point("app"), group("experts"), online("ben", "experts"))
    story.given(opened("c1", entry_point_id="app"))
    assert story.owner("c1") is None
    story.given(online("cleo"))
    assert story.owner("c1") == "cleo"


def test_gr04_without_any_bound_group_everyone_is_all(story: Story) -> None:
    story.given(entry_point("app"), group("experts"), online("ben", "experts"))
    story.given(opened("c1", entry_point_id="app"))
    assert story.owner("c1") == "ben"


# --- groups that go away --------------------------------------------------------------------


def test_gr07_what_runs_in_a_disabled_group_stays(story: Story) -> None:
    story.given(desk(ana=1), opened("c1", "c2"))
    story.when(ADMIN, "update_group", group_id="support", enabled=False).then(
        event("group_defined", enabled=False),
        event("entry_point_mode_changed", mode="messenger"),
    )
    assert story.owners("c1", "c2") == ["ana", None]
    assert story.reason("c2") == "group_disabled"


def test_gr07_what_waits_in_a_disabled_group_goes_to_the_fallback(story: Story) -> None:
    story.given(desk(), group("second"), online("ben", "second"))
    story.given(entry_point("web", "support", fallback=[{"group": "second"}]), opened("c1"))
    story.when(ADMIN, "update_group", group_id="support", enabled=False).then_among_others(
        event("conversation_redirected", conversation_id="c1", to={"group": "second"}),
        event("conversation_assigned", conversation_id="c1", operator_id="ben"),
    )


def test_gr07_a_disabled_group_is_no_target(story: Story) -> None:
    story.given(desk(ana=1), group("second", enabled=False), opened("c1"))
    story.when(ANA, "forward", conversation_id="c1", to={"group": "second"}).refused(
        "group_disabled", group_id="second"
    )
    assert story.owner("c1") == "ana"


def test_gr07_enabled_again_it_serves_what_was_held(story: Story) -> None:
    story.given(desk(ana=1), step(ADMIN, "update_group", group_id="support", enabled=False))
    story.opens("c1").then(
        event("conversation_opened", entry_mode="messenger"),
        event("conversation_queued", reason="group_disabled"),
    )
    story.when(ADMIN, "update_group", group_id="support", enabled=True).then_among_others(
        event("conversation_assigned", conversation_id="c1", operator_id="ana")
    )


def test_gr07_f14_of_several_groups_the_enabled_ones_serve(story: Story) -> None:
    story.given(group("a"), group("b"), entry_point("web", "a", "b"))
    story.given(online("ana", "a"), online("ben", "b"))
    story.given(step(ADMIN, "update_group", group_id="a", enabled=False), opened("c1"))
    assert story.owner("c1") == "ben"


def test_gr08_deleting_a_group_routes_what_waits_in_it_anew(story: Story) -> None:
    story.given(desk(ana=0), group("experts"), opened("c1"))
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"group": "experts"}))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1))
    assert story.owner("c1") is None
    story.when(ADMIN, "delete_group", group_id="experts").then_among_others(
        event("conversation_redirected", to={"entry_point": "web"}, reason="group_deleted"),
        event("conversation_assigned", conversation_id="c1", operator_id="ana"),
    )


def test_gr08_a_running_conversation_of_a_deleted_group_has_a_scope_again(story: Story) -> None:
    story.given(desk(ana=1), group("experts"), online("ben", "experts"), opened("c1"))
    story.given(step(ANA, "forward", conversation_id="c1", to={"group": "experts"}))
    story.when(ADMIN, "delete_group", group_id="experts").then_among_others(
        event("conversation_redirected", conversation_id="c1", to={"entry_point": "web"})
    )
    assert story.owner("c1") == "ben"
    story.given(step(BEN, "release", conversation_id="c1"))
    assert story.owner("c1") == "ana"


def test_gr08_removing_an_operator_routes_his_conversations_at_once(story: Story) -> None:
    story.given(desk(ana=2), opened("c1", "c2"), online("ben", "support", capacity=1))
    story.when(ADMIN, "remove_operator", operator_id="ana").then_among_others(
        event("operator_removed", operator_id="ana"),
        event("conversation_assigned", conversation_id="c1", operator_id="ben"),
        event("conversation_queued", conversation_id="c2", reason="all_full"),
    )
    story.when(ANA, "set_status", status="busy").refused("operator_removed")
    story.when(ADMIN, "update_operator", operator_id="ana").refused("operator_removed")


def test_gr08_the_conversation_of_a_removed_owner_goes_to_the_longest_participant(
    story: Story,
) -> None:
    story.given(desk(ana=1, ben=0, cleo=5), opened("c1"))
    assert story.owner("c1") == "cleo"
    story.given(step(ANA, "join", conversation_id="c1"), step(BEN, "join", conversation_id="c1"))
    story.when(ADMIN, "remove_operator", operator_id="cleo").then_among_others(
        event("conversation_assigned", operator_id="ana", reason="handed_over", excess=False)
    )
    story.when(ADMIN, "remove_operator", operator_id="ana").then_among_others(
        event("conversation_assigned", operator_id="ben", reason="handed_over", excess=True)
    )


def test_gr08_a_removed_operator_may_be_registered_again(story: Story) -> None:
    story.given(desk(ana=1), opened("c1"), step(ADMIN, "remove_operator", operator_id="ana"))
    story.when(ADMIN, "register_operator", operator_id="ana", capacity=2)
    story.then(event("operator_registered"))
    assert story.status("ana") == ("offline", "never_logged_in")
    assert story.load("ana") == 0
    story.when(ADMIN, "register_operator", operator_id="ana").refused("already_exists")
    story.given(step(ADMIN, "join_group", operator_id="ana", group_id="support"))
    story.given(step(ANA, "log_in", session_id="new"))
    assert story.owner("c1") == "ana"


def test_gr08_removing_an_entry_point_leaves_its_conversations_to_everyone(story: Story) -> None:
    story.given(desk(ana=1), opened("c1", "c2"))
    story.when(ADMIN, "remove_entry_point", entry_point_id="web").then_among_others(
        event("conversation_redirected", conversation_id="c1", to={"everyone": True}),
        event("conversation_redirected", conversation_id="c2", reason="entry_point_removed"),
    )
    assert story.owners("c1", "c2") == ["ana", None]
    story.given(step(ANA, "close", conversation_id="c1"))
    assert story.owner("c2") == "ana"
    story.when(ADMIN, "remove_entry_point", entry_point_id="web").refused("unknown_entry_point")
    story.opens("c3").refused("unknown_entry_point")


@pytest.mark.parametrize("members", [0, 1])
def test_f14_an_empty_or_unattended_group_has_no_candidates(story: Story, members: int) -> None:
    story.given(desk(), *(registered("ana", "support") for _ in range(members)))
    story.opens("c1").then(
        event("conversation_opened"),
        event("conversation_queued", pool_size=0, reason=["group_empty", "nobody_online"][members]),
    )


def test_w03_fallbacks_that_point_at_each_other_come_to_an_end(story: Story) -> None:
    story.given(group("a", enabled=False), group("b", enabled=False))
    story.given(entry_point("one", "a", fallback=[{"group": "b"}, {"group": "a"}]))
    story.given(entry_point("two", "b", fallback=[{"group": "a"}, {"group": "b"}]))
    story.given(opened("c1", entry_point_id="one"), opened("c2", entry_point_id="two"))
    flips = [("a", True), ("a", False), ("b", True), ("b", False)] * 3
    for group_id, enabled in flips:
        story.given(step(ADMIN, "update_group", group_id=group_id, enabled=enabled))
    redirects = [told["conversation_id"] for told in story.told("conversation_redirected")]
    assert redirects.count("c1") <= 2
    assert redirects.count("c2") <= 2
