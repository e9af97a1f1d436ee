"""What becomes of conversations whose owner is gone, and of those of people and places removed."""

from typing import Any

import pytest

from shared.routing.events import Actor
from shared.routing.notify import notifications
from tests.core.phrases import (
    accepts,
    active,
    declines,
    idle,
    lapsed,
    offering,
    returned,
    shift_ended,
)
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    CLEO,
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
    step,
)

GONE: dict[str, Steps] = {
    "chosen": step(ANA, "set_status", status="offline"),
    "logout": step(ANA, "log_out", session_id="ana-1"),
    "logged out by an admin": step(ADMIN, "log_out_operator", operator_id="ana"),
}
STILL_THERE: dict[str, Steps] = {
    "busy": step(ANA, "set_status", status="busy"),
    "invisible": step(ANA, "set_status", status="invisible"),
    "idle": idle("ana"),
    "shift end": shift_ended("ana"),
    "within the grace": lapsed("ana"),
}


def rule(on_owner_offline: str, **more: Any) -> Steps:
    """A policy about owners; nobody is called because of slow answers."""
    return policy(on_owner_offline=on_owner_offline, on_slow=[], **more)


def writes(conversation_id: str) -> Steps:
    visitor = Actor("visitor", f"visitor-{conversation_id}")
    return step(visitor, "write", conversation_id=conversation_id)


def told_visitor(story: Story) -> list[str]:
    """What the visitors were told by the last events of the story."""
    told = [n for one in story.last for n in notifications(story.workspace, one.envelope)]
    return [n.type for n in told if n.recipient.kind == "visitor"]


# --- each policy, and each way of being gone ------------------------------------------------


@pytest.mark.parametrize("how", GONE)
def test_ow01_p12_unless_told_otherwise_the_next_message_goes_to_another(
    story: Story, how: str
) -> None:
    story.given(desk(ana=2, ben=1), opened("c1")).given(GONE[how])
    assert story.owner("c1") == "ana"
    story.now(writes("c1")).then(
        event("visitor_wrote"),
        event("conversation_reassigned", operator_id="ana", reason="owner_offline"),
        event("conversation_assigned", operator_id="ben"),
    )
    story.now(writes("c1")).then(event("visitor_wrote"))


@pytest.mark.parametrize("how", GONE)
def test_ow01_reassign_takes_it_at_once(story: Story, how: str) -> None:
    story.given(rule("reassign"), desk(ana=2, ben=1), opened("c1"))
    story.now(GONE[how]).then_among_others(
        event("operator_status_changed", operator_id="ana", effective="offline"),
        event("conversation_reassigned", operator_id="ana", reason="owner_offline"),
        event("conversation_assigned", operator_id="ben"),
    )


@pytest.mark.parametrize("how", GONE)
def test_ow01_reassign_after_a_while(story: Story, how: str) -> None:
    story.given(rule("reassign_after", reassign_after_s=300), desk(ana=2, ben=1), opened("c1"))
    story.given(GONE[how], writes("c1")).after(299).then()
    story.after(1).then(
        event("owner_away_too_long", operator_id="ana", due=story.at),
        event("conversation_reassigned", operator_id="ana"),
        event("conversation_assigned", operator_id="ben"),
    )


@pytest.mark.parametrize("how", GONE)
def test_ow01_keep_keeps_it(story: Story, how: str) -> None:
    story.given(rule("keep"), desk(ana=2, ben=1), opened("c1")).given(GONE[how], writes("c1"))
    story.after(86_400).then()
    assert story.owner("c1") == "ana"


@pytest.mark.parametrize("how", STILL_THERE)
@pytest.mark.parametrize("which", ["reassign", "reassign_on_next_message", "reassign_after"])
def test_ow01_who_is_still_there_keeps_it(story: Story, which: str, how: str) -> None:
    story.given(rule(which, reassign_after_s=60), desk(ana=2, ben=1), opened("c1"))
    story.given(STILL_THERE[how], writes("c1")).after(120 if "grace" in how else 86_400)
    assert story.owner("c1") == "ana"


def test_ow01_p03_a_machine_that_dies_counts_when_the_grace_is_over(story: Story) -> None:
    story.given(rule("reassign"), desk(ana=2, ben=0, cleo=1), opened("c1"), lapsed("ana"))
    story.given(opened("c2"))
    assert story.owners("c1", "c2") == ["ana", "cleo"]  # nothing new, and nothing taken away
    story.after(149).then()
    story.given(step(CLEO, "close", conversation_id="c2")).after(1)
    story.then(
        event("disconnect_grace_ended", operator_id="ana"),
        event("operator_status_changed", effective="offline", cause="disconnected"),
        event("conversation_reassigned", conversation_id="c1", operator_id="ana"),
        event("conversation_assigned", conversation_id="c1", operator_id="cleo"),
    )


@pytest.mark.parametrize("which", ["reassign", "reassign_after", "reassign_on_next_message"])
def test_ow01_who_is_back_in_time_keeps_it(story: Story, which: str) -> None:
    story.given(rule(which, reassign_after_s=60), desk(ana=2, ben=1), opened("c1"))
    story.given(lapsed("ana")).after(149).given(returned("ana"), writes("c1")).after(3_600)
    assert story.owner("c1") == "ana"
    if which != "reassign":
        story.given(GONE["logout"]).after(59).given(logged_in("ana"), writes("c1")).after(3_600)
        assert story.owner("c1") == "ana"
        assert story.workspace.timers == {}


def test_ow01_the_time_runs_once_whatever_else_keeps_him_offline(story: Story) -> None:
    story.given(rule("reassign_after", reassign_after_s=300), desk(ana=2, ben=1), opened("c1"))
    story.given(GONE["chosen"]).after(100).given(lapsed("ana")).after(150)
    assert story.status("ana") == ("offline", "disconnected")
    story.after(49).then()
    story.after(1).then_among_others(event("owner_away_too_long"))


# --- idleness and shifts --------------------------------------------------------------------


def test_ow01_an_idle_owner_counts_as_gone_only_where_policy_says_after_what_time(
    story: Story,
) -> None:
    story.given(rule("reassign", idle_owner_after_s=120), desk(ana=2, ben=1), opened("c1"))
    story.given(idle("ana")).after(119).then()
    story.after(1).then(
        event("owner_away_too_long", operator_id="ana"),
        event("conversation_reassigned", operator_id="ana"),
        event("conversation_assigned", operator_id="ben"),
    )


def test_ow01_then_the_next_message_counts(story: Story) -> None:
    story.given(policy(idle_owner_after_s=120), desk(ana=2, ben=1), opened("c1"), idle("ana"))
    story.after(119).given(writes("c1"))
    story.after(1)
    assert story.owner("c1") == "ana"
    story.given(writes("c1"))
    assert story.owner("c1") == "ben"


def test_ow01_or_the_wait_comes_on_top(story: Story) -> None:
    story.given(rule("reassign_after", idle_owner_after_s=120, reassign_after_s=60))
    story.given(desk(ana=2, ben=1), opened("c1"), idle("ana")).after(179).then()
    story.after(1).then_among_others(event("conversation_reassigned", operator_id="ana"))


def test_ow01_an_idle_owner_who_stirs_keeps_it(story: Story) -> None:
    story.given(rule("reassign", idle_owner_after_s=120), desk(ana=2, ben=1), opened("c1"))
    story.given(idle("ana")).after(119).given(active("ana")).after(3_600)
    assert story.owner("c1") == "ana"


@pytest.mark.parametrize("how", GONE)
def test_ow01_who_left_before_the_shift_ended_is_gone_all_the_same(story: Story, how: str) -> None:
    story.given(desk(ana=2, ben=1), opened("c1")).given(GONE[how], shift_ended("ana"))
    story.given(writes("c1"))
    assert story.owner("c1") == "ben"


@pytest.mark.parametrize("how", GONE)
def test_ow01_and_who_leaves_after_it(story: Story, how: str) -> None:
    story.given(rule("reassign"), desk(ana=2, ben=1), opened("c1"), shift_ended("ana"))
    assert story.owner("c1") == "ana"
    story.given(GONE[how])
    assert story.owner("c1") == "ben"


# --- who gets it ----------------------------------------------------------------------------


def test_ow02_the_longest_assignable_human_participant_comes_first(story: Story) -> None:
    story.given(rule("reassign"), desk(ana=9, dan=2), online("bot", kind="bot", capacity=9))
    story.given(online("ben"), online("cleo", capacity=0), online("fay"), opened("c1"))
    for operator_id in ("bot", "ben", "cleo", "fay"):
        actor = Actor("operator", operator_id)
        story.given(step(actor, "join", conversation_id="c1"))
    story.given(step(BEN, "log_out", session_id="ben-1"), step(CLEO, "set_status", status="busy"))
    story.now(GONE["logout"]).then_among_others(
        event("conversation_reassigned", operator_id="ana"),
        event("conversation_assigned", operator_id="cleo", reason="handed_over", excess=True),
    )
    assert story.participants("c1") == ["bot", "ben", "fay"]


def test_ow02_else_it_is_routed_in_its_home_scope_at_its_old_age(story: Story) -> None:
    story.given(rule("reassign"), desk(ana=1, ben=0), group("x"), online("cleo", "x"))
    story.given(opened("c1")).after(100).given(opened("c2"))
    since = story.conversation("c1").queued_at
    story.given(step(ANA, "reply", conversation_id="c1")).after(100)
    story.now(GONE["logout"]).then_among_others(
        event("conversation_queued", conversation_id="c1", reason="all_full")
    )
    assert (story.conversation("c1").queued_at, story.scope("c1")) == (
        since,
        {"entry_point": "web"},
    )
    assert (story.place("c1"), story.place("c2")) == (1, 2)


def test_ow02_a_conversation_given_to_one_by_name_goes_home(story: Story) -> None:
    story.given(rule("reassign"), desk(ben=1), registered("ana"), logged_in("ana"), opened("c1"))
    story.given(step(BEN, "forward", conversation_id="c1", to={"operator": "ana"}))
    story.given(GONE["logout"])
    assert (story.owner("c1"), story.scope("c1")) == ("ben", {"entry_point": "web"})


def test_ow02_without_the_one_who_left_until_he_is_online_again(story: Story) -> None:
    story.given(rule("reassign"), desk(ana=1), opened("c1")).given(GONE["logout"])
    assert (story.owner("c1"), story.reason("c1")) == (None, "nobody_online")
    assert story.conversation("c1").declined == ("ana",)
    story.now(logged_in("ana")).then_among_others(
        event("operator_status_changed", effective="online"),
        event("conversation_assigned", conversation_id="c1", operator_id="ana"),
    )


def test_ow02_not_even_where_being_away_excludes_nobody(story: Story) -> None:
    story.given(rule("reassign", assign_to="any"), desk(ana=2, ben=1), opened("c1"))
    story.given(GONE["logout"])
    assert story.owner("c1") == "ben"
    story.given(step(BEN, "set_status", status="busy"), step(BEN, "release", conversation_id="c1"))
    assert story.owner("c1") == "ana"  # ben had it meanwhile, so she may be asked again


def test_ow02_the_visitor_is_told_once(story: Story) -> None:
    story.given(rule("reassign"), desk(ana=2, ben=1), opened("c1"))
    story.now(GONE["logout"])
    assert told_visitor(story) == ["reassigned", "operator_joined"]


def test_ow02_it_is_offered_where_things_are_offered(story: Story) -> None:
    story.given(offering(ana=2, ben=1), policy(on_owner_offline="reassign"), opened("c1"))
    story.given(accepts("ana", "c1"))
    story.now(GONE["logout"]).then_among_others(
        event("conversation_reassigned", conversation_id="c1", operator_id="ana"),
        event("conversation_offered", conversation_id="c1", operator_id="ben"),
    )


def test_ow02_each_of_many_goes_its_way(story: Story) -> None:
    story.given(rule("reassign"), desk(ana=9))
    story.given(opened("c1", "c2", "c3"), online("ben", "support", capacity=2))
    story.given(GONE["logout"])
    assert story.owners("c1", "c2", "c3") == ["ben", "ben", None]
    assert (story.load("ana"), story.load("ben")) == (0, 2)


# --- removed for good -----------------------------------------------------------------------


@pytest.mark.parametrize("which", ["keep", "reassign_after", "reassign_on_next_message"])
def test_gr08_a_removed_owner_is_replaced_whatever_is_said_of_absent_ones(
    story: Story, which: str
) -> None:
    story.given(rule(which), desk(ana=2, ben=1), opened("c1"), online("cleo"))
    story.given(step(CLEO, "join", conversation_id="c1"), opened("c2"))
    story.given(step(ADMIN, "remove_operator", operator_id="ana"))
    assert story.owners("c1", "c2") == ["cleo", "ben"]
    assert not story.workspace.timers


def test_gr08_nothing_holds_on_to_a_removed_operator(story: Story) -> None:
    story.given(policy(wrap_up_s=600, participants_use_slot=True), offering(ana=9))
    story.given(opened("c1", "c2"), accepts("ana", "c1"), step(ANA, "close", conversation_id="c1"))
    story.given(online("ben"), opened("c3"))
    story.given(step(BEN, "claim", conversation_id="c3"), step(ANA, "join", conversation_id="c3"))
    assert (story.load("ana"), story.participants("c3")) == (3, ["ana"])
    story.given(step(ADMIN, "remove_operator", operator_id="ana"))
    assert (story.load("ana"), story.participants("c3")) == (0, [])
    assert story.conversation("c2").offer is None
    story.given(registered("ana", "support")).after(3_600)
    assert story.load("ana") == 0


def test_gr08_whoever_was_alerted_and_removed_cannot_take_it_when_registered_again(
    story: Story,
) -> None:
    story.given(desk(ana=1), online("ben", "support"), opened("c1"))
    story.given(step(BEN, "set_status", status="invisible"))
    story.given(step(BEN, "set_preferences", reachable_when_slow=True)).after(60)
    story.given(step(ADMIN, "remove_operator", operator_id="ben"), online("ben"))
    story.when(BEN, "claim", conversation_id="c1").refused("already_owned")


def test_gr08_what_is_offered_in_a_deleted_group_goes_on_elsewhere(story: Story) -> None:
    story.given(policy(delivery="offer", on_slow=[]), group("x"), group("y"))
    story.given(entry_point("web", "x"), online("ana", "x"), online("ben", "y"), opened("c1"))
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"group": "y"}))
    story.now(step(ADMIN, "delete_group", group_id="y")).then_among_others(
        event("conversation_redirected", to={"entry_point": "web"}, reason="group_deleted"),
    )
    story.now(declines("ben", "c1", 2)).then_among_others(
        event("conversation_offered", conversation_id="c1", operator_id="ana"),
    )


def test_gr08_a_forward_on_offer_to_a_deleted_group_comes_back(story: Story) -> None:
    story.given(desk(ana=1), policy(on_slow=[]), group("x"), online("ben", "x"), opened("c1"))
    story.given(step(ANA, "forward", conversation_id="c1", to={"group": "x"}, mode="offer"))
    story.now(step(ADMIN, "delete_group", group_id="x")).then_among_others(
        event("offer_rescinded", operator_id="ben"),
        event("forward_returned", sender="ana", reason="nobody_reachable", kept=True),
    )
    assert (story.owner("c1"), story.scope("c1")) == ("ana", {"entry_point": "web"})


def test_gr08_an_entry_point_that_is_removed_leaves_no_offer_without_a_scope(story: Story) -> None:
    story.given(offering(ana=1), opened("c1"))
    story.given(step(ADMIN, "remove_entry_point", entry_point_id="web"))
    assert story.scope("c1") == {"everyone": True}
    assert story.conversation("c1").state == "offered"


def test_gr08_who_loses_the_permission_keeps_what_he_has(story: Story) -> None:
    story.given(desk(ana=2, ben=1), opened("c1"))
    story.given(step(ADMIN, "define_role", role_id="none", permissions={}))
    story.given(step(ADMIN, "update_operator", operator_id="ana", role_id="none"), opened("c2"))
    assert story.owners("c1", "c2") == ["ana", "ben"]
    story.given(step(ANA, "reply", conversation_id="c1"))


def test_gr08_an_offer_to_somebody_who_loses_the_permission_is_taken_back(story: Story) -> None:
    story.given(offering(ana=2, ben=1), opened("c1"))
    story.given(step(ADMIN, "define_role", role_id="none", permissions={}))
    story.when(ADMIN, "update_operator", operator_id="ana", role_id="none").then_among_others(
        event("offer_rescinded", operator_id="ana"),
        event("conversation_offered", operator_id="ben"),
    )
