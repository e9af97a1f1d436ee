"""Why a conversation waits: of all that holds, what comes first in the order of the reasons."""

from typing import NamedTuple

from shared.routing.events import Actor
from tests.core.story import (
    ADMIN,
    ANA,
    Steps,
    Story,
    desk,
    entry_point,
    event,
    group,
    logged_in,
    opened,
    policy,
    registered,
    step,
)

PRESENCE = Actor("service", "presence")
VERA = Actor("visitor", "visitor-c1")


class Remedy(NamedTuple):
    """A reason, and what takes it away."""

    reason: str
    steps: Steps


ONE_BY_ONE = [
    Remedy("group_disabled", step(ADMIN, "update_group", group_id="support", enabled=True)),
    Remedy("group_empty", registered("ana", "support", capacity=0)),
    Remedy("nobody_online", logged_in("ana")),
    Remedy("all_full", step(ADMIN, "update_operator", operator_id="ana", capacity=1)),
    Remedy("skill_missing", step(ADMIN, "update_operator", operator_id="ana", skills=["fr"])),
    Remedy("out_of_hours", step(PRESENCE, "shift_started", entry_point_id="web")),
    Remedy("manual", policy(delivery="offer")),
    Remedy("visitor_away", step(VERA, "visitor_back")),
]


def test_ro08_with_everything_wrong_the_first_is_told_and_then_the_next(story: Story) -> None:
    story.given(desk(), step(ADMIN, "update_group", group_id="support", enabled=False))
    story.given(step(PRESENCE, "shift_ended", entry_point_id="web"), policy(on_slow=[]))
    story.given(policy(delivery="manual"), opened("c1", skills=["fr"]), step(VERA, "visitor_left"))
    for remedy in ONE_BY_ONE:
        assert story.reason("c1") == remedy.reason
        story.given(remedy.steps)
    assert story.conversation("c1").state == "offered"


def test_ro08_after_a_refusal_back_off_and_after_the_last_round_all_declined(story: Story) -> None:
    story.given(desk(ana=1), policy(delivery="offer", on_slow=[], rounds_max=2), opened("c1"))
    story.given(step(ANA, "decline_offer", conversation_id="c1", offer=1))
    assert story.reason("c1") == "back_off"
    story.after(15).given(step(ANA, "decline_offer", conversation_id="c1", offer=2))
    assert story.reason("c1") == "all_declined"


def test_ro08_who_is_broadcast_says_so_while_somebody_could_take_it(story: Story) -> None:
    story.given(desk(ana=1), policy(delivery="broadcast"), opened("c1"))
    assert story.reason("c1") == "broadcast"
    story.given(step(VERA, "visitor_left"))
    assert story.reason("c1") == "visitor_away"
    story.given(step(ANA, "set_status", status="busy"))
    assert story.reason("c1") == "nobody_online"


def test_ro08_held_is_having_tried_every_fallback(story: Story) -> None:
    second = {"group": "second"}
    story.given(desk(ana=1), group("second"), entry_point("web", "support", fallback=[second]))
    story.given(step(ADMIN, "update_group", group_id="second", enabled=False))
    story.given(step(ADMIN, "update_group", group_id="support", enabled=False), opened("c1"))
    assert story.reason("c1") == "group_disabled"
    story.given(step(ADMIN, "update_group", group_id="second", enabled=True))
    assert (story.scope("c1"), story.reason("c1")) == (second, "group_empty")
    story.given(step(ADMIN, "update_group", group_id="second", enabled=False))
    assert story.reason("c1") == "held"


def test_ro08_missed_and_parked_is_said_where_people_are_there(story: Story) -> None:
    story.given(desk(ana=0), policy(missed_delivery="manual", on_slow=[]), opened("c1"))
    story.given(step(VERA, "close", conversation_id="c1"))
    assert story.reason("c1") == "all_full"
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1))
    assert story.reason("c1") == "parked_missed"


def test_ro08_the_reason_recorded_is_the_one_told_then(story: Story) -> None:
    story.given(desk(), policy(delivery="manual"))
    story.opens("c1").then_among_others(
        event("conversation_queued", hold="manual", reason="group_empty")
    )
