"""Slots: freed by silence and by closing, held by wrap-ups and participants, retaken in excess."""

import pytest

from shared.routing.events import Actor
from tests.core.phrases import accepts, asked, offering
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
    online,
    opened,
    policy,
    step,
)


def replies(operator_id: str, *conversation_ids: str) -> Steps:
    actor = Actor("operator", operator_id)
    return tuple(s for c in conversation_ids for s in step(actor, "reply", conversation_id=c))


def writes(conversation_id: str) -> Steps:
    visitor = Actor("visitor", f"visitor-{conversation_id}")
    return step(visitor, "write", conversation_id=conversation_id)


def closes(operator_id: str, *conversation_ids: str) -> Steps:
    actor = Actor("operator", operator_id)
    return tuple(s for c in conversation_ids for s in step(actor, "close", conversation_id=c))


def quiet(**rules: object) -> Steps:
    return step(ADMIN, "set_policy", scope={"workspace": True}, policy={"on_slow": [], **rules})


# --- silence --------------------------------------------------------------------------------


def test_ro05_c06_a_silent_visitor_frees_the_slot_and_retakes_it_marked(story: Story) -> None:
    story.given(quiet(), desk(ana=1), opened("c1", "c2"), replies("ana", "c1"))
    story.after(599).then()
    story.after(1).then(
        event("slot_freed", conversation_id="c1", operator_id="ana", due=story.at),
        event("conversation_assigned", conversation_id="c2", operator_id="ana", excess=False),
    )
    assert story.load("ana") == 1
    story.now(writes("c1")).then(
        event("visitor_wrote"),
        event("slot_retaken", conversation_id="c1", operator_id="ana", excess=True),
    )
    assert (story.owner("c1"), story.load("ana"), story.operator("ana").capacity) == ("ana", 2, 1)
    story.given(opened("c3"), closes("ana", "c2"))
    assert (story.owner("c3"), story.load("ana")) == (None, 1)
    story.given(closes("ana", "c1"))
    assert (story.owner("c3"), story.load("ana")) == ("ana", 1)


def test_ro05_where_there_is_room_nothing_is_marked(story: Story) -> None:
    story.given(quiet(), desk(ana=2), opened("c1"), replies("ana", "c1")).after(600)
    story.now(writes("c1")).then(
        event("visitor_wrote"), event("slot_retaken", operator_id="ana", excess=False)
    )
    story.now(writes("c1")).then(event("visitor_wrote"))
    assert story.load("ana") == 1


def test_ro05_the_time_counts_from_the_last_reply(story: Story) -> None:
    story.given(quiet(waiting_frees_slot_after_s=60), desk(ana=1), opened("c1")).after(86_400)
    assert story.load("ana") == 1  # it is her turn
    story.given(replies("ana", "c1")).after(30).given(replies("ana", "c1")).after(59).then()
    story.after(1).then(event("slot_freed"))
    story.given(replies("ana", "c1")).after(86_400).then()


def test_ro05_a_message_in_time_stops_it(story: Story) -> None:
    story.given(quiet(), desk(ana=1), opened("c1"), replies("ana", "c1")).after(599)
    story.given(writes("c1")).after(86_400).then()


def test_ro05_nought_frees_nothing(story: Story) -> None:
    story.given(quiet(waiting_frees_slot_after_s=0), desk(ana=1), opened("c1"))
    story.given(replies("ana", "c1")).after(86_400).then()


@pytest.mark.parametrize("how", ["close", "forward", "leave", "release"])
def test_ro05_what_is_freed_already_is_not_freed_again(story: Story, how: str) -> None:
    story.given(quiet(), desk(ana=1), group("x"), opened("c1"), replies("ana", "c1")).after(600)
    to = {"to": {"group": "x"}} if how == "forward" else {}
    story.given(step(ANA, how, conversation_id="c1", **to))
    assert story.load("ana") == 0
    story.given(opened("c2", "c3"))
    assert story.owned("ana") == [1]


def test_ro05_whoever_gets_it_next_has_a_slot_less_until_it_is_silent_again(story: Story) -> None:
    story.given(quiet(), desk(ana=1), online("ben", capacity=1), opened("c1"))
    story.given(replies("ana", "c1")).after(600)
    story.given(step(ANA, "forward", conversation_id="c1", to={"operator": "ben"}))
    assert (story.load("ana"), story.load("ben")) == (0, 1)
    story.after(599).then()
    story.after(1).then(event("slot_freed", operator_id="ben"))


def test_ro05_weights_are_freed_and_retaken_whole(story: Story) -> None:
    story.given(quiet(), group("support"), entry_point("web", "support", weight=3))
    story.given(online("ana", "support", capacity=4), opened("c1"), replies("ana", "c1"))
    story.after(600)
    assert story.load("ana") == 0
    story.given(opened("c2"), writes("c1"))
    assert (story.load("ana"), story.owner("c2")) == (6, "ana")


def test_ro05_c04_a_lowered_capacity_counts_what_is_silent_when_it_speaks(story: Story) -> None:
    story.given(quiet(), desk(ana=3), opened("c1", "c2", "c3"), replies("ana", "c1", "c2"))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1)).after(600)
    assert (story.load("ana"), story.owned("ana")) == (1, [3])
    story.given(opened("c4"))
    assert story.owner("c4") is None
    story.given(writes("c1"), writes("c2"))
    assert (story.load("ana"), story.owned("ana"), story.owner("c4")) == (3, [3], None)


def test_ro05_by_hand_beyond_the_capacity_and_visibly(story: Story) -> None:
    story.given(quiet(), desk(ana=1, ben=0), opened("c1", "c2"))
    story.when(ADMIN, "forward", conversation_id="c2", to={"operator": "ana"}).then_among_others(
        event("conversation_assigned", operator_id="ana", reason="directed", excess=True)
    )
    story.given(opened("c3"), step(BEN, "claim", conversation_id="c3"))
    assert (story.load("ana"), story.load("ben")) == (2, 1)


# --- participants ---------------------------------------------------------------------------


@pytest.mark.parametrize("uses_slot", [True, False])
def test_fw09_g01_participants_use_a_slot_where_policy_says_so(
    story: Story, uses_slot: bool
) -> None:
    story.given(quiet(participants_use_slot=uses_slot), desk(ana=1, ben=1), opened("c1"))
    story.when(BEN, "join", conversation_id="c1").then(
        event("participant_joined", operator_id="ben", uses_slot=uses_slot)
    )
    assert (story.owner("c1"), story.load("ben")) == ("ana", int(uses_slot))
    story.given(opened("c2"))
    assert story.owner("c2") == (None if uses_slot else "ben")
    story.now(step(BEN, "leave", conversation_id="c1"))
    assert (story.owner("c1"), story.owner("c2")) == ("ana", "ben")
    assert story.load("ben") == 1


@pytest.mark.parametrize("end", ["close", "removed", "becomes owner", "forward"])
def test_fw09_their_slots_are_freed_with_whatever_ends_it(story: Story, end: str) -> None:
    story.given(quiet(participants_use_slot=True), desk(ana=2, ben=2), group("x"), opened("c1"))
    story.given(step(BEN, "join", conversation_id="c1"))
    story.given(
        {
            "close": closes("ana", "c1"),
            "removed": step(ANA, "remove_participant", conversation_id="c1", operator_id="ben"),
            "becomes owner": step(ANA, "leave", conversation_id="c1"),
            "forward": step(ANA, "forward", conversation_id="c1", to={"group": "x"}),
        }[end]
    )
    expected = {"close": (0, 0), "removed": (1, 0), "becomes owner": (0, 1), "forward": (0, 1)}
    assert (story.load("ana"), story.load("ben")) == expected[end]


def test_fw09_it_is_the_policy_of_the_moment_of_joining(story: Story) -> None:
    story.given(quiet(participants_use_slot=True), desk(ana=1, ben=5), online("cleo"))
    story.given(opened("c1"), step(CLEO, "join", conversation_id="c1"))
    story.given(quiet(participants_use_slot=False), closes("ben", "c1"))
    assert story.load("cleo") == 0


# --- wrap-up --------------------------------------------------------------------------------


def test_tm05_a_wrap_up_holds_the_slot_for_a_while(story: Story) -> None:
    story.given(quiet(wrap_up_s=30), desk(ana=1), opened("c1", "c2"), closes("ana", "c1"))
    assert (story.load("ana"), story.owner("c2")) == (1, None)
    story.after(29).then()
    story.after(1).then(
        event("wrap_up_ended", conversation_id="c1", operator_id="ana", due=story.at),
        event("conversation_assigned", conversation_id="c2", operator_id="ana"),
    )


def test_tm05_f12_somebody_in_wrap_up_delays_nobody(story: Story) -> None:
    story.given(quiet(wrap_up_s=30, ranking="fewest_open"), desk(ana=1, ben=1))
    story.given(opened("c1", "c2"), closes("ana", "c1"))
    story.given(opened("c3"), online("cleo", "support", capacity=1))
    assert story.owner("c3") == "cleo"
    story.after(30)
    story.given(opened("c4"))
    assert story.owner("c4") == "ana"


def test_tm05_nobody_wraps_up_what_nobody_had(story: Story) -> None:
    story.given(quiet(wrap_up_s=30), desk(), opened("c1"))
    story.given(step(ADMIN, "close", conversation_id="c1"))
    assert story.workspace.timers == {}


def test_tm05_whoever_opens_it_again_in_wrap_up_uses_one_slot(story: Story) -> None:
    story.given(quiet(wrap_up_s=30), desk(ana=2), opened("c1"), closes("ana", "c1"))
    story.given(writes("c1"))
    assert (story.owner("c1"), story.load("ana")) == ("ana", 1)
    story.after(60)
    assert story.load("ana") == 1


def test_tm05_a_wrap_up_is_over_when_it_is_opened_again(story: Story) -> None:
    story.given(quiet(wrap_up_s=30), desk(ana=1, ben=1), opened("c1"), closes("ana", "c1"))
    story.given(step(ANA, "set_status", status="busy"), writes("c1"))
    assert (story.owner("c1"), story.load("ana"), story.load("ben")) == ("ben", 0, 1)
    story.after(60)
    assert (story.load("ana"), story.load("ben")) == (0, 1)


def test_tm05_the_slots_of_all_who_had_a_part_are_free_at_once(story: Story) -> None:
    story.given(quiet(participants_use_slot=True), offering(ana=1, ben=1, cleo=1))
    story.given(opened("c1", "c2", "c3"), accepts("ana", "c1"))
    story.given(step(ADMIN, "close", conversation_id="c2"))
    story.given(step(BEN, "join", conversation_id="c1"), closes("ben", "c1"))
    assert [story.load(one) for one in ("ana", "ben", "cleo")] == [0, 0, 1]
    assert asked(story, "c3") == ("cleo", 1)


# --- taken up again -------------------------------------------------------------------------


def test_tm05_the_acquaintance_comes_first_when_it_is_routed_as_new(story: Story) -> None:
    story.given(quiet(), desk(ana=9, ben=1), group("x"), online("cleo", "x"), opened("c1"))
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"operator": "ben"}))
    story.given(closes("ben", "c1"), step(BEN, "set_status", status="busy"), writes("c1"))
    assert story.owner("c1") == "ana"
    story.given(closes("ana", "c1"), step(ANA, "set_status", status="busy"))
    story.given(step(BEN, "set_status", status="online")).after(60)
    story.now(writes("c1")).then_among_others(
        event("conversation_reopened", owner=None, scope={"entry_point": "web"}),
        event("conversation_assigned", operator_id="ben", reason="routed"),
    )


def test_tm05_full_by_more_than_one_he_is_not_asked_though_he_is_known(story: Story) -> None:
    story.given(quiet(), desk(ana=1, ben=1), opened("c1"), closes("ana", "c1"))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=0), writes("c1"))
    assert (story.owner("c1"), story.load("ana")) == ("ana", 1)
    story.given(closes("ana", "c1"), opened("c2"))
    story.given(step(ADMIN, "forward", conversation_id="c2", to={"operator": "ana"}), writes("c1"))
    assert (story.owner("c1"), story.load("ana"), story.load("ben")) == ("ben", 1, 1)


# --- a transfer, in figures -----------------------------------------------------------------


def test_w16_what_each_of_two_had_and_has_is_right_after_a_claim(story: Story) -> None:
    story.given(policy(wrap_up_s=30), desk(ana=1), online("ben", "support", capacity=2))
    story.given(step(BEN, "set_status", status="invisible"), opened("c1"))
    story.given(step(BEN, "set_preferences", reachable_when_slow=True)).after(60)
    before = story.operator("ana").idle_since
    story.given(step(BEN, "claim", conversation_id="c1"))
    assert (story.load("ana"), story.load("ben")) == (0, 1)
    assert story.operator("ana").idle_since > before
    assert story.operator("ben").last_assigned == story.workspace.position
    story.given(closes("ben", "c1"))
    assert (story.load("ana"), story.load("ben")) == (0, 1)  # only the last owner wraps up
    story.after(30)
    assert (story.load("ana"), story.load("ben")) == (0, 0)
