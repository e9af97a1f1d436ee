"""Offers: made to one operator at a time, holding a slot, ending in exactly one of four ways."""

from itertools import pairwise

import pytest

from shared.routing.events import Actor
from tests.core.phrases import (
    accepts,
    asked,
    declines,
    directed,
    lapsed,
    offering,
    offers,
    returned,
)
from tests.core.story import (
    ADMIN,
    ANA,
    BEGINNING,
    BEN,
    CLEO,
    Story,
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


def ends(story: Story, conversation_id: str = "c1") -> list[tuple[str, int]]:
    """How each offer of the conversation ended, in order."""
    names = ("offer_accepted", "offer_declined", "offer_expired", "offer_rescinded")
    found = [(fields["offer"], name) for name in names for fields in story.told(name)]
    return [(name, number) for number, name in sorted(found)]


# --- what an offer is -----------------------------------------------------------------------


def test_of01_it_names_conversation_operator_number_and_deadline(story: Story) -> None:
    story.given(offering(ana=1))
    story.opens("c1").then(
        event("conversation_opened"),
        event(
            "conversation_offered",
            conversation_id="c1",
            operator_id="ana",
            offer=1,
            expires_at=BEGINNING + 30_000,
            reason="routed",
            ranking="most_free_slots",
            tie_break="sole",
            pool_size=1,
        ),
    )
    assert story.conversation("c1").state == "offered"
    assert story.owner("c1") is None
    assert asked(story, "c1") == ("ana", 1)


def test_of01_the_deadline_is_the_policy_of_its_scope(story: Story) -> None:
    story.given(offering(ana=2), policy(group_id="support", offer_timeout_s=12), opened("c1"))
    story.after(11).then()
    story.after(1).then_among_others(event("offer_expired", due=BEGINNING + 12_000))


def test_of01_a_changed_timeout_moves_no_deadline_that_runs(story: Story) -> None:
    story.given(offering(ana=2), opened("c1"), policy(offer_timeout_s=5), opened("c2"))
    story.after(5).then_among_others(event("offer_expired", conversation_id="c2"))
    assert asked(story, "c1") == ("ana", 1)


def test_of01_numbers_rise_for_each_conversation_by_itself(story: Story) -> None:
    story.given(offering(ana=9, ben=9), opened("c1", "c2"))
    assert {asked(story, "c1"), asked(story, "c2")} == {("ana", 1), ("ben", 1)}
    first = story.told("conversation_offered")[0]["operator_id"]
    story.given(declines(first, "c1"))
    number = [fields["offer"] for fields in story.told("conversation_offered")]
    assert number == [1, 1, 2]


def test_of01_numbers_go_on_after_a_reopening(story: Story) -> None:
    story.given(offering(ana=1), opened("c1"), accepts("ana", "c1"))
    story.given(step(ANA, "close", conversation_id="c1"), step(ANA, "log_out", session_id="ana-1"))
    story.given(step(Actor("visitor", "visitor-c1"), "write", conversation_id="c1"))
    story.given(logged_in("ana", "2"))
    assert asked(story, "c1") == ("ana", 2)


def test_of01_at_most_one_is_live_for_a_conversation(story: Story) -> None:
    story.given(offering(ana=1, ben=1, cleo=1), opened("c1"))
    for _ in range(4):
        story.after(30)
        live = {operator_id for operator_id in ("ana", "ben", "cleo") if story.load(operator_id)}
        offer = asked(story, "c1")
        assert live == ({offer[0]} if offer is not None else set())
    told = [f"{fields['offer']}" for fields in story.told("conversation_offered")]
    assert all(int(former) < int(later) for former, later in pairwise(told))


def test_of01_c07_it_holds_a_slot(story: Story) -> None:
    story.given(offering(ana=1, ben=1), opened("c1", "c2", "c3"))
    assert {asked(story, "c1"), asked(story, "c2")} == {("ana", 1), ("ben", 1)}
    assert (story.load("ana"), story.load("ben")) == (1, 1)
    assert story.reason("c3") == "all_full"


def test_of01_it_holds_as_many_slots_as_its_entry_point_weighs(story: Story) -> None:
    fields = {"name": "phone", "groups": ["support"], "weight": 3}
    story.given(offering(ana=4), step(ADMIN, "define_entry_point", entry_point_id="tel", **fields))
    story.given(opened("c1", entry_point_id="tel"), opened("c2", "c3"))
    assert story.load("ana") == 4
    assert story.reason("c3") == "all_full"
    story.given(accepts("ana", "c1"))
    assert story.load("ana") == 4
    story.given(declines("ana", "c2"))
    assert (story.load("ana"), asked(story, "c3")) == (4, ("ana", 1))


def test_of01_its_own_slot_never_counts_against_it(story: Story) -> None:
    story.given(offering(ana=1), opened("c1"))
    story.now(accepts("ana", "c1")).then(
        event("offer_accepted", conversation_id="c1", operator_id="ana", offer=1)
    )
    assert (story.owner("c1"), story.load("ana")) == ("ana", 1)


def test_of01_it_is_accepted_even_if_the_operator_was_filled_up_by_hand(story: Story) -> None:
    story.given(offering(ana=1), opened("c1"), policy(delivery="manual"), opened("c2"))
    story.given(directed("c2", "ana"), accepts("ana", "c1"))
    assert (story.owned("ana"), story.load("ana")) == ([2], 2)


def test_of01_r13_of_ten_that_wait_one_is_offered_and_nine_look_elsewhere(story: Story) -> None:
    names = [f"c{number}" for number in range(10)]
    story.given(offering(ben=0), registered("ana", "support", capacity=1), opened(*names))
    story.given(logged_in("ana"))
    assert [asked(story, its_id) for its_id in names] == [("ana", 1), *[None] * 9]
    story.given(step(ADMIN, "update_operator", operator_id="ben", capacity=5))
    assert [asked(story, its_id) for its_id in names[1:6]] == [("ben", 1)] * 5
    assert set(story.reasons(*names[6:])) == {"all_full"}


# --- how it ends ----------------------------------------------------------------------------


def test_of02_accepted_it_is_owned(story: Story) -> None:
    story.given(offering(ana=2), opened("c1"))
    story.now(accepts("ana", "c1")).then(event("offer_accepted", previous_owner=None))
    assert (story.owner("c1"), story.conversation("c1").state) == ("ana", "assigned")
    story.after(3_600).never("offer_expired")
    assert ends(story) == [("offer_accepted", 1)]


@pytest.mark.parametrize("command", ["reply", "claim", "join"])
def test_of02_replying_claiming_and_joining_accept(story: Story, command: str) -> None:
    story.given(offering(ana=1), opened("c1"))
    story.when(ANA, command, conversation_id="c1").then_among_others(
        event("offer_accepted", operator_id="ana", offer=1)
    )
    story.never("conversation_claimed")
    assert (story.owner("c1"), story.load("ana")) == ("ana", 1)


def test_of02_declined_it_goes_on_with_the_reason(story: Story) -> None:
    story.given(offering(ana=2, ben=1), opened("c1"))
    story.now(declines("ana", "c1", reason="wrong_skill", text="no French")).then(
        event("offer_declined", operator_id="ana", offer=1, reason="wrong_skill"),
        event("conversation_offered", operator_id="ben", offer=2),
    )
    (declined,) = story.told("offer_declined")
    assert "French" not in (declined["text"] or "")
    assert story.load("ana") == 0


def test_of02_o01_expired_it_goes_on(story: Story) -> None:
    story.given(offering(ana=2, ben=1), opened("c1"))
    story.after(29).then()
    story.after(1).then(
        event("offer_expired", operator_id="ana", offer=1, counted=True, due=BEGINNING + 30_000),
        event("conversation_offered", operator_id="ben", offer=2, expires_at=BEGINNING + 60_000),
    )
    assert story.load("ana") == 0


def test_of02_an_answer_at_the_deadline_is_too_late(story: Story) -> None:
    story.given(offering(ana=1), opened("c1")).after(30)
    story.now(accepts("ana", "c1")).refused("offer_ended", how="expired")


def test_of02_closed_by_the_visitor_or_a_colleague_it_is_rescinded(story: Story) -> None:
    story.given(offering(ana=2), opened("c1"))
    story.when(ADMIN, "close", conversation_id="c1").then(
        event("conversation_closed", owner=None),
        event("offer_rescinded", operator_id="ana", offer=1, reason="closed"),
    )
    assert story.load("ana") == 0
    assert story.conversation("c1").state == "closed"


def test_of02_closed_unanswered_by_the_visitor_it_is_rescinded_and_offered_as_missed(
    story: Story,
) -> None:
    story.given(offering(ana=2), opened("c1"))
    story.when(Actor("visitor", "visitor-c1"), "close", conversation_id="c1").then(
        event("conversation_missed", owner=None),
        event("offer_rescinded", offer=1, reason="closed"),
        event("conversation_offered", offer=2),
    )


def test_of02_forwarded_it_is_rescinded(story: Story) -> None:
    story.given(offering(ana=2), group("x"), online("ben", "x"), opened("c1"))
    story.when(ADMIN, "forward", conversation_id="c1", to={"group": "x"}).then(
        event("conversation_forwarded", previous_owner=None),
        event("offer_rescinded", operator_id="ana", reason="forwarded"),
        event("conversation_offered", operator_id="ben", offer=2),
    )
    assert story.load("ana") == 0


def test_of02_r07_claimed_by_another_the_slot_is_free_at_once(story: Story) -> None:
    story.given(offering(ana=1), online("ben"), opened("c1", "c2"))
    story.when(BEN, "claim", conversation_id="c1").then(
        event("conversation_claimed", conversation_id="c1", operator_id="ben"),
        event("offer_rescinded", conversation_id="c1", operator_id="ana", reason="claimed"),
        event("conversation_offered", conversation_id="c2", operator_id="ana"),
    )
    assert (story.owner("c1"), story.conversation("c1").state) == ("ben", "assigned")
    story.now(accepts("ana", "c1")).refused("offer_ended", how="rescinded")


def test_of02_answered_first_by_another_it_is_rescinded(story: Story) -> None:
    story.given(offering(ana=1), online("ben"), opened("c1"))
    story.when(BEN, "reply", conversation_id="c1").then_among_others(
        event("offer_rescinded", reason="claimed")
    )
    assert story.owner("c1") == "ben"


@pytest.mark.parametrize(
    ("actor", "command", "fields"),
    [
        (ANA, "set_status", {"status": "busy"}),
        (ANA, "set_status", {"status": "invisible"}),
        (ANA, "set_status", {"status": "offline"}),
        (ANA, "log_out", {"session_id": "ana-1"}),
        (ADMIN, "log_out_operator", {"operator_id": "ana"}),
        (ADMIN, "remove_operator", {"operator_id": "ana"}),
        (ADMIN, "update_operator", {"operator_id": "ana", "role_id": "reader"}),
        (Actor("service", "presence"), "operator_idle", {"operator_id": "ana"}),
        (Actor("service", "presence"), "shift_ended", {"operator_id": "ana"}),
        (
            Actor("service", "presence"),
            "session_lapsed",
            {"operator_id": "ana", "session_id": "ana-1"},
        ),
    ],
)
def test_of02_p10_no_longer_routable_the_next_one_is_asked(
    story: Story, actor: Actor, command: str, fields: dict[str, str]
) -> None:
    story.given(role("reader", assigned="read"), offering(ana=2, ben=1), opened("c1"))
    story.when(actor, command, **fields).then_among_others(
        event("offer_rescinded", operator_id="ana", offer=1, reason="unavailable"),
        event("conversation_offered", operator_id="ben", offer=2),
    )
    assert story.load("ana") == 0


def test_of02_what_was_rescinded_counts_as_no_refusal(story: Story) -> None:
    story.given(offering(ana=1), opened("c1"))
    story.given(step(ANA, "set_status", status="busy"), step(ANA, "set_status", status="online"))
    assert asked(story, "c1") == ("ana", 2)
    assert story.conversation("c1").round == 0


def test_of02_late_answers_learn_how_it_ended(story: Story) -> None:
    story.given(offering(ana=9, ben=8, cleo=1), opened("c1"))
    story.given(declines("ana", "c1")).after(30)
    story.now(accepts("ana", "c1", 1)).refused("offer_ended", how="declined")
    story.now(declines("ben", "c1", 2)).refused("offer_ended", how="expired")
    story.given(accepts("cleo", "c1", 3))
    story.now(accepts("cleo", "c1", 3)).refused("offer_ended", how="accepted")
    story.now(declines("cleo", "c1", 3)).refused("offer_ended", how="accepted")


def test_of02_what_was_never_offered_cannot_be_answered(story: Story) -> None:
    story.given(offering(ana=2, ben=1), opened("c1"))
    story.now(accepts("ana", "c1", 2)).refused("no_offer")
    story.now(accepts("ben", "c1", 1)).refused("no_offer")
    story.now(declines("ben", "c1", 1)).refused("no_offer")
    story.now(accepts("ana", "c2", 1)).refused("unknown_conversation")
    assert asked(story, "c1") == ("ana", 1)


def test_of02_answering_needs_no_permission(story: Story) -> None:
    story.given(role("taker", assigned="write", unassigned="write"))
    story.given(offering(), online("ana", "support", role_id="taker"), opened("c1"))
    story.given(accepts("ana", "c1"))
    assert story.owner("c1") == "ana"


def test_of02_each_of_many_ends_exactly_once(story: Story) -> None:
    story.given(offering(ana=9, ben=8, cleo=7), opened("c1")).after(30)
    story.given(declines("ben", "c1", 2), step(CLEO, "set_status", status="busy")).after(15)
    story.given(step(ANA, "reply", conversation_id="c1")).after(3_600)
    assert offers(story, "c1") == ["ana", "ben", "cleo", "ana"]
    assert ends(story) == [
        ("offer_expired", 1),
        ("offer_declined", 2),
        ("offer_rescinded", 3),
        ("offer_accepted", 4),
    ]


def test_p14_a_device_that_comes_back_is_asked_again_and_nothing_counts(story: Story) -> None:
    story.given(offering(ana=1), opened("c1"))
    story.now(lapsed("ana")).then_among_others(event("offer_rescinded", reason="unavailable"))
    story.after(60).never("offer_expired")
    story.now(returned("ana")).then(
        event("session_returned"), event("conversation_offered", operator_id="ana", offer=2)
    )
    assert story.operator("ana").missed_offers == 0


def test_of02_a_second_device_keeps_it_alive(story: Story) -> None:
    story.given(offering(ana=1), logged_in("ana", "phone"), opened("c1"))
    story.now(lapsed("ana")).then(event("session_lapsed"))
    assert asked(story, "c1") == ("ana", 1)
