"""What random histories brought to light, each told again as short as it can be."""

from shared.routing.events import Actor
from tests.core.phrases import PRESENCE, accepts, asked, idle, lapsed, offering, on_offer
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
    policy,
    registered,
    role,
    step,
)


def test_of04_choosing_online_again_ends_being_unresponsive(story: Story) -> None:
    story.given(offering(rules={"unresponsive_after": 1}, ana=1), opened("c")).after(30)
    assert story.status("ana") == ("busy", "unresponsive")
    story.when(ANA, "set_status", status="online")
    assert story.status("ana") == ("online", "chosen")


def test_fw05_ro03_forwards_on_offer_take_turns_where_they_go(story: Story) -> None:
    story.given(policy(ranking="round_robin"), desk(ana=9), group("second"))
    story.given(online("ben", "second"), online("cleo", "second"), opened("one", "two", "three"))
    second = {"group": "second"}
    told = []
    for conversation_id in ("one", "two", "three"):
        story.given(on_offer("ana", conversation_id, second))
        told.append(asked(story, conversation_id))
    assert told == [("ben", 1), ("cleo", 1), ("ben", 1)]


def test_fw05_whoever_is_named_was_not_ranked(story: Story) -> None:
    story.given(policy(ranking="round_robin"), desk(ana=2), group("second"))
    story.given(online("ben", "second"), opened("c"))
    story.now(on_offer("ana", "c", {"operator": "ben"})).then_among_others(
        event("conversation_offered", reason="directed", ranking=None, key=[], pool_size=1)
    )


def test_fw05_a_forward_to_a_group_that_is_deleted_comes_back(story: Story) -> None:
    story.given(desk(ana=2), group("second"), online("ben", "second"), opened("c"))
    story.given(on_offer("ana", "c", {"group": "second"}))
    story.when(ADMIN, "delete_group", group_id="second").then_among_others(
        event("offer_rescinded", conversation_id="c", reason="unavailable"),
        event("forward_returned", sender="ana", reason="nobody_reachable", kept=True),
    )
    assert (story.owner("c"), story.scope("c")) == ("ana", {"entry_point": "web"})


def test_fw05_ro16_only_who_is_online_is_asked_though_others_could_be_given_it(
    story: Story,
) -> None:
    story.given(policy(assign_to="any"), desk(ana=2), group("second"))
    story.given(registered("aaron", "second"), online("ben", "second"), opened("c"))
    story.given(on_offer("ana", "c", {"group": "second"}))
    assert asked(story, "c") == ("ben", 1)
    story.when(BEN, "log_out", session_id="ben-1").then_among_others(
        event("offer_rescinded", operator_id="ben", reason="unavailable"),
        event("forward_returned", reason="nobody_reachable", kept=True),
    )


def test_fw05_fw02_whoever_may_no_longer_receive_is_not_asked_again(story: Story) -> None:
    story.given(role("helper", assigned="write", unassigned="write"), desk(ana=2))
    story.given(online("ben", role_id="helper"), opened("c"))
    story.given(on_offer("ana", "c", {"operator": "ben"}))
    permissions = {"conversations.assigned": "write", "conversations.unassigned": "read"}
    story.when(ADMIN, "define_role", role_id="helper", permissions=permissions).then(
        event("role_defined"),
        event("offer_rescinded", operator_id="ben", reason="unavailable"),
        event("forward_returned", sender="ana", reason="nobody_reachable"),
    )


def test_tm06_ro13_what_is_parked_does_not_overflow_before_its_visitor_is_back(
    story: Story,
) -> None:
    story.given(group("support"), registered("dan"))
    story.given(entry_point("web", "support", fallback=[{"operator": "dan"}]))
    story.given(step(PRESENCE, "shift_ended", entry_point_id="web"), opened("c"))
    visitor = Actor("visitor", story.conversation("c").visitor_id)
    story.given(step(visitor, "visitor_left"), logged_in("dan"))
    assert (story.owner("c"), story.scope("c")) == (None, {"entry_point": "web"})
    story.given(step(visitor, "visitor_back"))
    assert story.owner("c") == "dan"


def test_fw05_ro14_a_bot_that_was_asked_by_name_stays_asked(story: Story) -> None:
    story.given(registered("robot", kind="bot"), desk(ana=2), opened("c"))
    story.given(on_offer("ana", "c", {"operator": "robot"}), policy(rounds_max=2))
    assert asked(story, "c") == ("robot", 1)
    story.given(step(ADMIN, "update_operator", operator_id="robot", capacity=7))
    assert asked(story, "c") == ("robot", 1)
    story.given(accepts("robot", "c"))
    assert story.owner("c") == "robot"


def test_of04_ro16_who_does_not_answer_is_not_asked_while_away_either(story: Story) -> None:
    story.given(offering(rules={"unresponsive_after": 1, "assign_to": "any"}, ana=2))
    story.given(opened("c")).after(30).given(idle("ana"), opened("d"))
    assert story.status("ana") == ("offline", "idle")
    assert asked(story, "d") is None
    story.given(step(ANA, "set_status", status="online"))
    assert asked(story, "d") == ("ana", 1)


def test_gr08_what_is_offered_when_its_entry_point_goes_has_a_home_again(story: Story) -> None:
    story.given(offering(ana=1), opened("c"))
    story.when(ADMIN, "remove_entry_point", entry_point_id="web")
    assert story.scope("c") == {"everyone": True}
    story.given(accepts("ana", "c"))
    assert story.owner("c") == "ana"


def test_tm03_whoever_is_registered_again_was_not_alerted(story: Story) -> None:
    story.given(desk(ana=1), online("ben", "support"))
    story.given(step(BEN, "set_preferences", reachable_when_slow=True))
    story.given(step(BEN, "set_status", status="invisible"), opened("c")).after(60)
    assert list(story.conversation("c").escalated) == ["ben"]
    story.given(step(ADMIN, "remove_operator", operator_id="ben"))
    story.given(online("ben", "support"))
    story.when(BEN, "claim", conversation_id="c").refused("already_owned", owner="ana")


def test_fw11_an_heir_who_held_a_slot_already_is_not_in_excess(story: Story) -> None:
    story.given(policy(participants_use_slot=True), desk(ana=2, ben=1), opened("c"))
    story.given(step(BEN, "join", conversation_id="c"))
    assert story.load("ben") == 1
    story.when(ANA, "leave", conversation_id="c").then_among_others(
        event("conversation_assigned", operator_id="ben", reason="handed_over", excess=False)
    )
    assert story.load("ben") == 1


def test_tm05_the_slot_of_its_own_wrap_up_is_no_excess(story: Story) -> None:
    story.given(policy(wrap_up_s=60), desk(ana=1), opened("c"), opened("d"))
    story.given(step(ADMIN, "forward", conversation_id="d", to={"operator": "ana"}))
    story.given(step(ANA, "close", conversation_id="c"))
    assert story.load("ana") == 2
    story.given(step(ADMIN, "reopen", conversation_id="c"))
    assert story.owner("c") == "ana"


def test_ow01_st04_logging_out_counts_though_another_device_fell_silent(story: Story) -> None:
    story.given(policy(on_owner_offline="reassign"), desk(ana=1), logged_in("ana", "phone"))
    story.given(opened("c"), online("cleo", "support"), lapsed("ana", "phone"))
    story.when(ANA, "log_out", session_id="ana-1")
    assert story.status("ana") == ("offline", "logout")
    assert story.owner("c") == "cleo"
