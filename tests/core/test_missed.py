"""Conversations that nobody answered: kept once, behind all live ones, until they are closed."""

import pytest

from shared.routing.events import Actor
from shared.routing.notify import notifications
from tests.core.phrases import accepts, asked, offering
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    Steps,
    Story,
    desk,
    event,
    group,
    online,
    opened,
    policy,
    registered,
    step,
)


def gives_up(conversation_id: str) -> Steps:
    return step(visitor(conversation_id), "close", conversation_id=conversation_id)


def writes(conversation_id: str) -> Steps:
    return step(visitor(conversation_id), "write", conversation_id=conversation_id)


def visitor(conversation_id: str) -> Actor:
    return Actor("visitor", f"visitor-{conversation_id}")


def quietly(delivery: str = "manual", missed_after_s: int = 0) -> Steps:
    """Missed ones are delivered like this; nobody is called because of slow answers."""
    return policy(on_slow=[], missed_delivery=delivery, missed_after_s=missed_after_s)


# --- when it is missed ----------------------------------------------------------------------


def test_tm04_closed_by_the_visitor_without_an_answer_it_waits_instead(story: Story) -> None:
    story.given(quietly(), desk(ana=1), opened("c1")).after(20)
    story.now(gives_up("c1")).then(
        event("conversation_missed", conversation_id="c1", owner="ana", due=None),
        event("conversation_queued", hold="parked_missed", reason="parked_missed"),
    )
    c1 = story.conversation("c1")
    assert (c1.state, c1.missed, c1.owner, c1.closed_at) == ("waiting", True, None, None)
    assert story.load("ana") == 0


@pytest.mark.parametrize("thanks", [True, False])
def test_tm04_an_answer_makes_the_difference_whoever_had_the_last_word(
    story: Story, thanks: bool
) -> None:
    story.given(quietly(), desk(ana=1), opened("c1"), step(ANA, "reply", conversation_id="c1"))
    if thanks:
        story.given(writes("c1"))
    story.given(gives_up("c1"))
    assert story.conversation("c1").state == "closed"


def test_tm04_opened_again_it_takes_another_answer(story: Story) -> None:
    story.given(quietly(), desk(ana=1), opened("c1"), step(ANA, "reply", conversation_id="c1"))
    story.given(step(ANA, "close", conversation_id="c1"), writes("c1"))
    story.now(gives_up("c1")).then_among_others(event("conversation_missed", owner="ana"))


@pytest.mark.parametrize("owned", [True, False])
def test_tm04_or_after_so_long_owned_or_not(story: Story, owned: bool) -> None:
    story.given(quietly(missed_after_s=600), desk(ana=int(owned)), opened("c1"))
    story.after(599).then()
    story.after(1).then(
        event("conversation_missed", owner="ana" if owned else None, due=story.at),
        event("conversation_queued", hold="parked_missed"),
    )
    story.after(86_400).then()


def test_tm04_counted_from_the_oldest_message(story: Story) -> None:
    story.given(quietly(missed_after_s=600), desk(ana=1), opened("c1")).after(300)
    story.given(writes("c1")).after(299).then()
    story.after(1).then_among_others(event("conversation_missed"))


def test_tm04_over_once_somebody_replied(story: Story) -> None:
    story.given(quietly(missed_after_s=600), desk(ana=1), opened("c1")).after(500)
    story.given(step(ANA, "reply", conversation_id="c1"), writes("c1")).after(601)
    assert not story.told("conversation_missed")


def test_tm04_a_forward_is_no_answer(story: Story) -> None:
    story.given(quietly(missed_after_s=600), desk(ana=1), group("x"), online("ben", "x"))
    story.given(opened("c1", "c2")).after(300)
    story.given(step(ANA, "forward", conversation_id="c1", to={"group": "x"}))
    assert story.owner("c1") == "ben"
    story.now(gives_up("c1")).then_among_others(event("conversation_missed", owner="ben"))
    story.given(step(ADMIN, "forward", conversation_id="c2", to={"group": "x"})).after(300)
    story.then_among_others(event("conversation_missed", conversation_id="c2", owner="ben"))


def test_tm04_a_colleagues_close_is_none_of_it(story: Story) -> None:
    story.given(quietly(), desk(ana=1), opened("c1"), step(ANA, "close", conversation_id="c1"))
    assert story.conversation("c1").state == "closed"
    assert not story.told("conversation_missed")


def test_tm04_what_is_being_offered_is_rescinded(story: Story) -> None:
    story.given(quietly(), offering(ana=1), opened("c1"))
    story.now(gives_up("c1")).then(
        event("conversation_missed", owner=None),
        event("offer_rescinded", operator_id="ana", reason="closed"),
        event("conversation_queued", hold="parked_missed"),
    )
    assert story.load("ana") == 0


def test_tm04_a_forward_on_offer_is_off(story: Story) -> None:
    story.given(quietly(), desk(ana=1), online("ben"), opened("c1"))
    story.given(step(ANA, "forward", conversation_id="c1", to={"operator": "ben"}, mode="offer"))
    story.given(gives_up("c1"))
    assert story.conversation("c1").forward is None
    assert story.load("ben") == 0


def test_tm04_the_owner_sees_that_it_was_missed(story: Story) -> None:
    story.given(quietly(), desk(ana=1), opened("c1")).now(gives_up("c1"))
    told = [n for one in story.last for n in notifications(story.workspace, one.envelope)]
    assert [(n.recipient.id, n.alert) for n in told if n.type == "missed"] == [("ana", False)]


# --- how it waits ---------------------------------------------------------------------------


@pytest.mark.parametrize("strict", [True, False])
def test_tm04_it_waits_behind_all_live_ones(story: Story, strict: bool) -> None:
    story.given(quietly("auto"), desk(ana=0), opened("c1", priority=9)).after(3_600)
    story.given(policy(queue_order="strict" if strict else "aged"))
    story.given(gives_up("c1"), opened("c2", priority=0), opened("c3", "c4"), gives_up("c3"))
    assert [story.place(its_id) for its_id in ("c4", "c2", "c1", "c3")] == [1, 2, 3, 4]
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=2))
    assert story.owners("c1", "c2", "c3", "c4") == [None, "ana", None, "ana"]
    story.given(opened("c5"), step(ADMIN, "update_operator", operator_id="ana", capacity=4))
    assert story.owners("c1", "c3", "c5") == ["ana", None, "ana"]


def test_tm04_unless_told_otherwise_it_is_offered(story: Story) -> None:
    story.given(policy(on_slow=[]), desk(ana=0), opened("c1"), gives_up("c1"))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1))
    assert asked(story, "c1") == ("ana", 1)
    story.given(accepts("ana", "c1"))
    assert story.owner("c1") == "ana"
    assert story.conversation("c1").missed


def test_tm04_or_given_at_once(story: Story) -> None:
    story.given(quietly("auto"), desk(ana=1, ben=1), opened("c1"))
    story.now(gives_up("c1")).then(
        event("conversation_missed", owner="ana"),
        event("conversation_assigned", operator_id="ben"),
    )


def test_tm04_or_parked_until_somebody_takes_it(story: Story) -> None:
    story.given(quietly("manual"), desk(ana=1), opened("c1"), gives_up("c1"), online("ben"))
    assert story.reason("c1") == "parked_missed"
    story.given(online("cleo", "support")).after(86_400)
    assert story.owner("c1") is None
    story.when(BEN, "claim", conversation_id="c1").then(event("conversation_claimed"))
    story.when(BEN, "release", conversation_id="c1").then_among_others(
        event("conversation_queued", hold="parked_missed")
    )


def test_tm04_it_waits_in_its_home_scope(story: Story) -> None:
    story.given(quietly(), desk(), registered("ana"), online("ben"), opened("c1"))
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"operator": "ben"}))
    story.given(gives_up("c1"))
    assert (story.owner("c1"), story.scope("c1")) == (None, {"entry_point": "web"})


def test_tm04_neither_hours_nor_a_visitor_who_is_away_hold_it(story: Story) -> None:
    story.given(quietly("auto"), desk(ana=0), opened("c1"), gives_up("c1"))
    story.given(step(visitor("c1"), "visitor_left"))
    story.given(step(Actor("service", "presence"), "shift_ended", entry_point_id="web"))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1))
    assert story.owner("c1") == "ana"


# --- and how it ends ------------------------------------------------------------------------


def test_tm04_a_second_close_by_the_visitor_closes_it(story: Story) -> None:
    story.given(quietly(), desk(ana=1), opened("c1"), gives_up("c1"))
    story.now(gives_up("c1")).then(event("conversation_closed", owner=None))


@pytest.mark.parametrize("who", ["operator", "admin"])
def test_tm04_so_does_an_operator_or_an_admin(story: Story, who: str) -> None:
    story.given(quietly(), desk(ana=1), opened("c1"), gives_up("c1"))
    story.when(ANA if who == "operator" else ADMIN, "close", conversation_id="c1").then(
        event("conversation_closed")
    )


def test_tm04_nothing_else_does(story: Story) -> None:
    story.given(quietly(missed_after_s=60), desk(ana=1))
    story.given(policy(close_after_idle_s=600, on_visitor_left="close"))
    story.given(opened("c1")).after(60).given(writes("c1"), step(visitor("c1"), "visitor_left"))
    story.after(86_400)
    assert story.conversation("c1").state == "waiting"


def test_tm04_it_is_missed_once(story: Story) -> None:
    story.given(quietly("auto", missed_after_s=60), desk(ana=1), opened("c1")).after(60)
    assert story.owner("c1") == "ana"
    story.given(writes("c1")).after(86_400)
    story.given(step(ANA, "reply", conversation_id="c1"), writes("c1")).after(86_400)
    assert len(story.told("conversation_missed")) == 1
    story.now(gives_up("c1")).then(event("conversation_closed"))


def test_tm04_opened_again_it_is_live_again(story: Story) -> None:
    story.given(quietly(), desk(ana=1), opened("c1"), gives_up("c1"), gives_up("c1"))
    story.given(writes("c1"))
    assert (story.owner("c1"), story.conversation("c1").missed) == ("ana", False)
    story.now(gives_up("c1")).then_among_others(event("conversation_missed"))


def test_tm04_its_owner_keeps_the_slot_until_there_is_an_answer(story: Story) -> None:
    story.given(quietly("auto"), desk(ana=1), opened("c1"), gives_up("c1")).after(86_400)
    assert (story.owner("c1"), story.load("ana")) == ("ana", 1)
    story.given(step(ANA, "reply", conversation_id="c1")).after(600)
    assert (story.owner("c1"), story.load("ana")) == ("ana", 0)
