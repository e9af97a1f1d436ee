"""What visitors see at an entry point: whether somebody is there, and which groups to choose."""

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
    policy,
    registered,
    step,
)

# --- the mode -------------------------------------------------------------------------------


def test_gr09_live_while_somebody_in_scope_is_online_however_full(story: Story) -> None:
    story.given(desk(), entry_point("app", offline_display="hidden"))
    assert (story.mode("web"), story.mode("app")) == ("messenger", "hidden")
    story.given(online("ana", "support", capacity=0))
    assert (story.mode("web"), story.mode("app")) == ("live", "live")
    story.opens("c1").then_among_others(event("conversation_opened", entry_mode="live"))
    story.when(ANA, "set_status", status="busy").then_among_others(
        event("entry_point_mode_changed", entry_point_id="web", mode="messenger"),
        event("entry_point_mode_changed", entry_point_id="app", mode="hidden"),
    )


def test_gr09_hidden_still_accepts(story: Story) -> None:
    story.given(group("a"), entry_point("web", "a", offline_display="hidden"))
    story.opens("c1").then_among_others(event("conversation_opened", entry_mode="hidden"))


def test_gr09_those_who_may_not_receive_do_not_count(story: Story) -> None:
    story.given(desk(), step(ADMIN, "define_role", role_id="reader", permissions={}))
    story.given(online("ana", "support", role_id="reader"))
    assert story.mode("web") == "messenger"


def test_gr09_w14_a_fallback_that_would_serve_counts(story: Story) -> None:
    story.given(desk(), group("second"), online("ben", "second"))
    story.given(entry_point("web", "support", fallback=[{"group": "second"}]))
    assert story.mode("web") == "messenger"
    story.given(step(ADMIN, "update_group", group_id="support", enabled=False))
    assert story.mode("web") == "live"
    story.given(step(BEN, "set_status", status="busy"))
    assert story.mode("web") == "messenger"


def test_gr09_w14_an_operator_as_fallback_counts_as_soon_as_online(story: Story) -> None:
    story.given(desk(ana=1), registered("ben", "support"))
    story.given(entry_point("web", "support", fallback=[{"operator": "ben"}]))
    story.given(step(ADMIN, "update_group", group_id="support", enabled=False))
    assert story.mode("web") == "messenger"
    story.given(step(BEN, "log_in", session_id="s"))
    assert story.mode("web") == "live"
    story.given(step(BEN, "log_out", session_id="s"))
    assert story.mode("web") == "messenger"


def test_gr09_the_mode_recorded_is_that_of_the_visitors_own_scope(story: Story) -> None:
    story.given(group("a"), group("b"), entry_point("web", "a", "b", ask_group=True))
    story.given(online("ana", "a"))
    assert story.mode("web") == "live"
    story.opens("c1", group_id="b").then_among_others(
        event("conversation_opened", entry_mode="messenger", scope={"group": "b"})
    )


def test_gr09_every_change_of_the_mode_is_one_event(story: Story) -> None:
    story.given(desk(ana=1), online("ben", "support"))
    story.given(step(ANA, "set_status", status="busy"), step(BEN, "set_status", status="busy"))
    story.given(step(ANA, "set_status", status="online"))
    modes = [told["mode"] for told in story.told("entry_point_mode_changed")]
    assert modes == ["messenger", "live", "messenger", "live"]


# --- the visitor's choice -------------------------------------------------------------------


def test_gr10_visitors_choose_among_enabled_public_groups_bound_there(story: Story) -> None:
    story.given(group("a"), group("b"), group("inner", public=False), group("off", enabled=False))
    story.given(group("elsewhere"), online("ben", "b"))
    story.given(entry_point("web", "a", "b", "inner", "off", ask_group=True))
    for not_offered in ("inner", "off", "elsewhere", "unknown"):
        story.opens("c1", group_id=not_offered).refused("group_not_offered", group_id=not_offered)
    story.opens("c1", group_id="b").then(
        event("conversation_opened", scope={"group": "b"}, scope_source="visitor"),
        event("conversation_assigned", operator_id="ben"),
    )


def test_gr10_or_among_those_listed(story: Story) -> None:
    story.given(group("a"), group("inner", public=False), group("off", enabled=False))
    story.given(entry_point("web", "a", ask_group=["inner", "off"]))
    story.opens("c1", group_id="a").refused("group_not_offered")
    story.opens("c1", group_id="off").refused("group_not_offered")
    story.opens("c1", group_id="inner").then_among_others(
        event("conversation_opened", scope={"group": "inner"})
    )


def test_gr10_where_nothing_is_asked_nothing_is_chosen(story: Story) -> None:
    story.given(desk(ana=1))
    story.opens("c1", group_id="support").refused("group_not_offered")
    story.when(VERA, "assign_visitor", visitor_id="vera", to={"group": "support"}).refused(
        "group_not_offered"
    )


def test_gr10_a_policy_of_the_chosen_group_holds(story: Story) -> None:
    story.given(desk(ana=1), entry_point("web", "support", ask_group=True))
    story.given(policy(group_id="support", delivery="manual"))
    story.opens("c1", group_id="support").then_among_others(
        event("conversation_queued", hold="manual")
    )
