"""Who is told what: the feeds of operators, visitors, the team and pages."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from tests.core.listening import Listening, heard_again
from tests.core.phrases import (
    BEN_ALONE,
    EXPERTS,
    accepts,
    declines,
    idle,
    lapsed,
    offering,
    on_offer,
    shift_ended,
)
from tests.core.proof import prove
from tests.core.story import (
    ADMIN,
    ANA,
    BEGINNING,
    BEN,
    CLEO,
    VERA,
    Steps,
    desk,
    group,
    online,
    opened,
    policy,
    registered,
    step,
)


@pytest.fixture
def story() -> Iterator[Listening]:
    """Whatever was told: numbers without gaps, the same again from the log, and rightly rung."""
    told = Listening()
    yield told
    prove(told.log, told.workspace)
    assert heard_again(told.log) == told.heard
    assert len({message.id for message in told.heard}) == len(told.heard)
    numbers = defaultdict(list)
    for message in told.heard:
        numbers[message.notification.recipient].append(message.seq)
    for recipient, seen in numbers.items():
        counted = recipient.kind in ("operator", "visitor")
        assert seen == (list(range(1, len(seen) + 1)) if counted else [None] * len(seen))


def about(message_type: str, /, *, alert: bool = False, **fields: Any) -> dict[str, Any]:
    """A message about the conversation c1."""
    rings = {"alert": True} if alert else {}
    return {"type": message_type, **rings, "conversation_id": "c1", **fields}


def changed(state: str) -> dict[str, Any]:
    return about("conversation_changed", state=state)


def opens(story: Listening) -> Listening:
    story.when(VERA, "open", conversation_id="c1", entry_point_id="web")
    return story


def anas(story: Listening, **capacities: int) -> Listening:
    """Ana owns c1 of the visitor vera; the others are experts."""
    story.given(policy(on_slow=[]), desk(ana=1), group("experts"))
    story.given(step(VERA, "open", conversation_id="c1", entry_point_id="web"))
    for operator_id, capacity in capacities.items():
        story.given(online(operator_id, "experts", capacity=capacity))
    return story


# --- it becomes theirs ----------------------------------------------------------------------


def test_no01_assigned_rings_and_the_visitor_and_the_team_hear_of_it(story: Listening) -> None:
    story.given(desk(ana=1))
    opens(story)
    assert story.told_to("ana") == [about("assigned", alert=True, reason="routed")]
    assert story.told_visitor("vera") == [about("operator_joined", alert=True, operator_id="ana")]
    assert story.told_team() == [changed("waiting"), changed("assigned")]


def test_no01_a_queued_visitor_hears_its_place(story: Listening) -> None:
    story.given(desk(ana=0), opened("c0"))
    opens(story)
    assert story.told_visitor("vera") == [about("queued", place=2)]
    assert story.told_to("ana") == []


def test_no01_offered_rings_and_says_until_when(story: Listening) -> None:
    story.given(offering(ana=1))
    opens(story)
    deadline = BEGINNING + 30_000
    assert story.told_to("ana") == [about("offered", alert=True, offer=1, expires_at=deadline)]
    assert story.told_visitor("vera") == []


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (accepts("ana", "c1"), "accepted"),
        (declines("ana", "c1"), "declined"),
        (step(ANA, "set_status", status="busy"), "rescinded"),
        (step(ADMIN, "close", conversation_id="c1"), "rescinded"),
        ((), "expired"),
    ],
)
def test_no01_every_end_of_an_offer_is_told_once_with_how(
    story: Listening, answer: Steps, how: str
) -> None:
    story.given(offering(ana=1), opened("c1"))
    if answer:
        story.now(answer)
    else:
        story.after(30)
    ends = [said for said in story.told_to("ana") if said["type"] == "offer_ended"]
    assert ends == [about("offer_ended", offer=1, how=how)]


def test_fw07_forwarded_names_the_sender_and_the_note(story: Listening) -> None:
    anas(story, ben=1)
    story.when(ANA, "forward", conversation_id="c1", to=BEN_ALONE, note="calls at five")
    note = story.conversation("c1").note
    assert story.told_to("ben") == [about("forwarded", alert=True, by="ana", note_ref=note)]
    assert story.told_to("ana") == [about("released", reason="forwarded")]
    assert story.told_visitor("vera") == [
        about("operator_left", operator_id="ana"),
        about("operator_joined", alert=True, operator_id="ben"),
    ]


@pytest.mark.parametrize("status", ["busy", "invisible"])
def test_fw07_no02_the_receiver_hears_of_it_in_any_case_and_without_a_ring(
    story: Listening, status: str
) -> None:
    anas(story, ben=1).given(step(BEN, "set_status", status=status))
    story.when(ANA, "forward", conversation_id="c1", to=BEN_ALONE)
    assert story.told_to("ben") == [about("forwarded", by="ana")]


def test_fw07_st03_a_lost_connection_turns_alerts_off(story: Listening) -> None:
    anas(story, ben=1).given(lapsed("ben"))
    story.when(ANA, "forward", conversation_id="c1", to=BEN_ALONE)
    assert story.told_to("ben") == [about("forwarded", by="ana")]


def test_fw07_a_group_that_is_told_of_it_rings_for_those_online(story: Listening) -> None:
    anas(story, ben=1, cleo=0).given(policy(group_id="experts", delivery="broadcast"))
    story.given(registered("dan", "experts"))
    story.when(ANA, "forward", conversation_id="c1", to=EXPERTS)
    waiting = about("queue_waiting", alert=True, why="broadcast")
    assert [story.told_to(its_id) for its_id in ("ben", "cleo", "dan")] == [[waiting]] * 2 + [[]]
    assert story.told_visitor("vera") == [
        about("operator_left", operator_id="ana"),
        about("queued", place=1),
    ]


def test_no01_whoever_comes_while_a_broadcast_waits_hears_of_it_once(story: Listening) -> None:
    story.given(policy(delivery="broadcast"), desk(), registered("ana", "support"), opened("c1"))
    story.when(ANA, "log_in", session_id="s")
    assert story.told_to("ana") == [about("queue_waiting", alert=True, why="broadcast")]
    story.given(step(ANA, "set_status", status="busy"))
    story.when(ANA, "set_status", status="online")
    assert story.told_to("ana") == []


def test_no01_a_visitors_choice_of_an_operator_is_no_forward(story: Listening) -> None:
    story.given(desk(ana=1, ben=1))
    story.given(step(ADMIN, "assign_visitor", visitor_id="vera", to=BEN_ALONE))
    opens(story)
    assert story.told_to("ben") == [about("assigned", alert=True, reason="directed")]


def test_no01_handed_over_to_a_participant(story: Listening) -> None:
    anas(story, ben=1).given(step(BEN, "join", conversation_id="c1"))
    story.when(ANA, "leave", conversation_id="c1")
    assert story.told_to("ana") == [about("released", reason="left")]
    assert story.told_to("ben") == [
        changed("waiting"),
        about("assigned", alert=True, reason="handed_over"),
    ]


def test_no01_back_with_the_last_owner(story: Listening) -> None:
    anas(story).given(step(ANA, "close", conversation_id="c1"))
    story.when(VERA, "write", conversation_id="c1")
    assert story.told_to("ana") == [
        about("assigned", alert=True, reason="reopened"),
        about("visitor_wrote", alert=True),
    ]
    story.given(step(ANA, "close", conversation_id="c1"))
    story.when(ANA, "reopen", conversation_id="c1")
    assert story.told_to("ana") == [changed("assigned")]


def test_no01_added_names_who_did_it(story: Listening) -> None:
    anas(story, ben=1)
    story.when(ANA, "add_participant", conversation_id="c1", operator_id="ben")
    assert story.told_to("ben") == [about("added", alert=True, by="ana")]
    assert story.told_to("ana") == [changed("assigned")]
    assert story.told_visitor("vera") == [about("operator_joined", alert=True, operator_id="ben")]


# --- forwards on offer ----------------------------------------------------------------------


def test_no01_a_forward_on_offer_names_its_sender(story: Listening) -> None:
    anas(story, ben=1)
    story.now(on_offer("ana", "c1", BEN_ALONE, note="rush"))
    (note,) = (fields["note"] for fields in story.told("forward_offered"))
    deadline = BEGINNING + 30_000
    assert story.told_to("ben") == [
        about("offered", alert=True, offer=1, expires_at=deadline, by="ana", note_ref=note)
    ]
    assert story.told_visitor("vera") == []


def test_no01_accepted_both_sides_and_the_visitor_hear_of_it(story: Listening) -> None:
    anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE))
    story.now(accepts("ben", "c1"))
    ended = about("offer_ended", offer=1, how="accepted")
    assert story.told_to("ben") == [ended, changed("assigned")]
    assert story.told_to("ana") == [about("released", reason="forwarded")]
    assert story.told_visitor("vera") == [
        about("operator_left", operator_id="ana"),
        about("operator_joined", alert=True, operator_id="ben"),
    ]


@pytest.mark.parametrize("reason", ["declined", "expired", "recalled", "nobody_reachable"])
def test_no01_w07_w08_returned_rings_with_the_reason(story: Listening, reason: str) -> None:
    anas(story, ben=1, cleo=1).given(step(CLEO, "join", conversation_id="c1"))
    story.given(on_offer("ana", "c1", BEN_ALONE))
    match reason:
        case "declined":
            story.now(declines("ben", "c1"))
        case "expired":
            story.after(30)
        case "recalled":
            story.when(ANA, "recall_offer", conversation_id="c1")
        case _:
            story.when(BEN, "log_out", session_id="ben-1")
    assert about("returned", alert=True, reason=reason) in story.told_to("ana")
    assert [said["type"] for said in story.told_to("ben")] == ["offer_ended"]
    assert story.told_to("cleo")[-1] == changed("assigned")
    assert story.told_visitor("vera") == []


def test_no01_a_sender_who_is_gone_hears_that_it_is_his_no_more(story: Listening) -> None:
    anas(story, ben=1).given(on_offer("ana", "c1", BEN_ALONE), idle("ana"))
    story.now(declines("ben", "c1"))
    assert story.told_to("ana")[-1] == about("released", reason="owner_offline")
    assert story.told_visitor("vera") == [
        about("operator_left", operator_id="ana"),
        about("queued", place=1),
    ]


# --- while it is theirs ---------------------------------------------------------------------


def test_no01_the_visitor_wrote_to_all_who_are_in_it(story: Listening) -> None:
    anas(story, ben=1).given(step(BEN, "join", conversation_id="c1"))
    story.given(step(BEN, "set_status", status="invisible"))
    story.when(VERA, "write", conversation_id="c1")
    assert story.told_to("ana") == [about("visitor_wrote", alert=True)]
    assert story.told_to("ben") == [about("visitor_wrote")]
    assert story.told_team() == []


@pytest.mark.parametrize(
    "absent",
    [step(ANA, "set_status", status="busy"), idle("ana"), lapsed("ana"), shift_ended("ana")],
)
def test_no02_only_the_effectively_online_are_rung(story: Listening, absent: Steps) -> None:
    anas(story).given(policy(on_owner_offline="keep"), absent)
    story.when(VERA, "write", conversation_id="c1")
    assert story.told_to("ana") == [about("visitor_wrote")]


def test_no01_no02_escalation_rings_for_the_invisible_who_agreed(story: Listening) -> None:
    story.given(desk(ana=1), online("ben", "support"), online("cleo", "support"))
    story.given(step(BEN, "set_preferences", reachable_when_slow=True))
    for actor in (BEN, CLEO):
        story.given(step(actor, "set_status", status="invisible"))
    opens(story).after(60)
    assert story.told_to("ben") == [about("escalated", alert=True)]
    assert story.told_to("cleo") == []


def test_no01_a_step_that_notifies_tells_those_in_it(story: Listening) -> None:
    anas(story).given(policy(on_slow=[{"after_s": 5, "action": "notify"}]))
    story.when(VERA, "write", conversation_id="c1")
    story.given(step(ANA, "reply", conversation_id="c1"))
    story.given(step(VERA, "write", conversation_id="c1")).after(5)
    assert story.told_to("ana") == [about("slow", alert=True)]
    assert story.told_visitor("vera") == []


def test_no01_a_notice_tells_the_visitor_that_it_takes_longer(story: Listening) -> None:
    story.given(policy(on_slow=[{"after_s": 5, "action": "message_visitor"}]), desk(ana=1))
    opens(story).after(5)
    assert story.told_visitor("vera") == [about("notice", alert=True, code="please_wait")]


def test_no01_a_changed_priority_shows_to_those_in_it(story: Listening) -> None:
    anas(story, ben=1).given(step(BEN, "join", conversation_id="c1"))
    story.when(ADMIN, "set_conversation", conversation_id="c1", priority=9)
    assert story.told_to("ana") == story.told_to("ben") == [changed("assigned")]
    assert story.told_visitor("vera") == []


# --- no longer theirs -----------------------------------------------------------------------


def test_no01_reassigned_the_visitor_hears_of_it_once(story: Listening) -> None:
    anas(story).given(policy(on_owner_offline="reassign"), online("ben", "support"))
    story.when(ANA, "log_out", session_id="ana-1")
    assert story.told_to("ana") == [about("released", reason="owner_offline")]
    assert story.told_to("ben") == [about("assigned", alert=True, reason="routed")]
    assert story.told_visitor("vera") == [
        about("operator_presence", operator_id="ana", shown="offline"),
        about("reassigned", operator_id="ana"),
        about("operator_joined", alert=True, operator_id="ben"),
    ]


def test_no01_missed_tells_the_one_who_had_it(story: Listening) -> None:
    anas(story)
    story.when(VERA, "close", conversation_id="c1")
    assert about("missed") in story.told_to("ana")


def test_no01_closed_is_told_to_all_who_were_in_it(story: Listening) -> None:
    anas(story, ben=1).given(step(BEN, "join", conversation_id="c1"))
    story.when(ADMIN, "close", conversation_id="c1", reason="solved")
    assert story.told_to("ana") == story.told_to("ben") == [changed("closed")]
    assert story.told_visitor("vera") == [about("closed", reason="solved")]


def test_no01_released_tells_everybody_concerned(story: Listening) -> None:
    anas(story, ben=1).given(step(BEN, "join", conversation_id="c1"))
    story.when(ANA, "release", conversation_id="c1")
    assert story.told_to("ana") == [about("released", reason="left")]
    assert story.told_to("ben")[0] == changed("waiting")
    assert story.told_visitor("vera")[0] == about("operator_left", operator_id="ana")


# --- the team, and pages --------------------------------------------------------------------


def test_no01_st11_every_change_of_a_status_goes_to_the_team_with_its_cause(
    story: Listening,
) -> None:
    story.given(desk(ana=1))
    story.now(idle("ana"))
    said = {"type": "status_changed", "operator_id": "ana", "effective": "offline", "cause": "idle"}
    assert story.told_team() == [said]
    page = {"type": "mode_changed", "entry_point_id": "web", "mode": "messenger"}
    assert story.told_page("web") == [page]


def test_no01_settings_are_told_to_nobody(story: Listening) -> None:
    story.given(desk(ana=1), opened("c1"))
    story.now(policy(ranking="longest_idle"))
    assert story.new == []
