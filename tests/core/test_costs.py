"""Deciding takes no more steps for thousands than for a few; counted, never timed."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.routing.events import Actor
from shared.routing.ids import Position
from tests.core.effort import Counted, effort
from tests.core.story import (
    ADMIN,
    ANA,
    Story,
    desk,
    entry_point,
    group,
    logged_in,
    online,
    opened,
    policy,
    registered,
    step,
)

FEW, MANY = 100, 10_000
A_LITTLE = 2.5
"""What a hundred times as many may cost at most; the logarithm doubles."""


def a_crowd(size: int, ranking: str) -> Story:
    """So many operators with room; each one's capacity counts how often it is compared."""
    story = Story().given(desk(), policy(ranking=ranking))
    for number in range(size):
        story.given(online(f"o{number:05}", "support", capacity=3 + number * 7 % 5))
    for operator in story.workspace.operators.values():
        operator.capacity = Counted(operator.capacity)
        operator.idle_since = Position(Counted(operator.idle_since))
    story.workspace.restore()
    story.given(opened("warm1"), step(ADMIN, "close", conversation_id="warm1"), opened("warm2"))
    return story


def a_queue(size: int, **needs: Any) -> Story:
    """So many conversations that wait, and Ana, who is busy with another."""
    story = Story().given(desk(ana=1), opened("now"))
    return story.given(opened(*(f"c{number}" for number in range(size)), **needs))


def grows(cost: Callable[[int], int], few: int, many: int) -> float:
    return cost(many) / cost(few)


@pytest.mark.parametrize(
    "ranking",
    ["most_free_slots", "highest_free_ratio", "fewest_open", "round_robin", "longest_idle"],
)
def test_choosing_among_many_operators_is_hardly_more_work(ranking: str) -> None:
    def cost(size: int) -> int:
        story = a_crowd(size, ranking)
        taken = effort(lambda: story.opens("c1"))
        assert story.conversation("c1").owner is not None
        assert (
            len(story.workspace.pool(story.workspace.demand_of(story.conversation("c1")))) == size
        )
        return taken

    assert grows(cost, FEW, MANY) < A_LITTLE


def test_somebody_coming_and_going_is_hardly_more_work_in_a_crowd() -> None:
    def cost(size: int) -> int:
        story = a_crowd(size, "most_free_slots")
        story.given(registered("zoe", "support"))
        taken = effort(lambda: story.now(logged_in("zoe")))
        assert story.status("zoe") == ("online", "chosen")
        return taken

    assert grows(cost, FEW, MANY) < A_LITTLE


def test_looking_whom_to_alert_is_hardly_more_work_in_a_crowd() -> None:
    def cost(size: int) -> int:
        story = a_crowd(size, "most_free_slots")
        story.given(registered("zoe", "support"), logged_in("zoe"))
        zoe = Actor("operator", "zoe")
        story.given(step(zoe, "set_preferences", reachable_when_slow=True))
        story.given(step(zoe, "set_status", status="invisible"))
        taken = effort(lambda: story.after(60))
        assert story.told("conversation_escalated")[-1]["operator_ids"] == ["zoe"]
        return taken

    assert grows(cost, FEW, MANY) < A_LITTLE


@pytest.mark.parametrize("name", ["log_in", "log_out"])
def test_q14_the_only_one_of_a_fallback_comes_and_goes_past_a_long_queue(name: str) -> None:
    def cost(size: int) -> int:
        story = Story().given(desk(ana=1), group("second"), registered("ben", "second"))
        fallback: list[dict[str, str]] = [{"group": "second"}, {"operator": "ben"}]
        story.given(entry_point("web", "support", fallback=fallback))
        story.given(opened("now", *(f"c{number}" for number in range(size))))
        ben = Actor("operator", "ben")
        if name == "log_out":
            story.given(logged_in("ben"))
        taken = effort(lambda: story.when(ben, name, session_id="ben-1"))
        assert story.told("operator_status_changed")[-1]["operator_id"] == "ben"
        return taken

    assert grows(cost, 10, MANY) < A_LITTLE


def test_q14_serving_a_long_queue_is_hardly_more_work() -> None:
    def cost(size: int) -> int:
        story = a_queue(size)
        taken = effort(lambda: story.when(ANA, "close", conversation_id="now"))
        assert story.owner("c0") == "ana"
        return taken

    assert grows(cost, 10, MANY) < A_LITTLE


def test_q14_passing_thousands_that_nobody_can_take_is_hardly_more_work() -> None:
    def cost(size: int) -> int:
        story = a_queue(size, skills=["fr"], priority=9)
        story.given(opened("last", priority=0))
        taken = effort(lambda: story.when(ANA, "close", conversation_id="now"))
        assert story.owners("c0", "last") == [None, "ana"]
        return taken

    assert grows(cost, 10, MANY) < A_LITTLE


def test_q14_passing_thousands_that_one_has_given_back_is_hardly_more_work() -> None:
    def cost(size: int) -> int:
        story = a_queue(0)
        for number in range(size):
            story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=2))
            story.given(opened(f"c{number}"), step(ANA, "release", conversation_id=f"c{number}"))
        story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1), opened("last"))
        taken = effort(lambda: story.when(ANA, "close", conversation_id="now"))
        assert story.owners("c0", "last") == [None, "ana"]
        return taken

    assert grows(cost, 10, MANY) < A_LITTLE


def test_q14_joining_a_long_queue_is_hardly_more_work() -> None:
    def cost(size: int) -> int:
        story = a_queue(size)
        taken = effort(lambda: story.opens("last"))
        assert story.place("last") == size + 1
        return taken

    assert grows(cost, 10, MANY) < A_LITTLE


def test_q14_offering_a_long_queue_to_the_next_is_hardly_more_work() -> None:
    def cost(size: int) -> int:
        story = Story().given(desk(ana=1, ben=1, cleo=1), policy(delivery="offer", on_slow=[]))
        story.given(opened(*(f"c{number}" for number in range(size + 3))))
        asked: dict[str, Any] = {"conversation_id": "c0", "offer": 1}
        taken = effort(lambda: story.when(ANA, "decline_offer", **asked))
        assert story.conversation("c3").offer is not None
        return taken

    assert grows(cost, 10, 2_000) < A_LITTLE


def test_q14_thousands_that_each_exclude_somebody_else_are_hardly_more_work() -> None:
    def cost(size: int) -> int:
        story = Story().given(desk(ana=0), policy(on_slow=[]))
        for number in range(size):
            story.given(online(f"o{number}", "support", capacity=0), opened(f"c{number}"))
            colleague = Actor("operator", f"o{number}")
            for name in ("claim", "release"):
                story.given(step(colleague, name, conversation_id=f"c{number}"))
        more: dict[str, Any] = {"operator_id": "ana", "capacity": 1}
        taken = effort(lambda: story.when(ADMIN, "update_operator", **more))
        assert story.owner("c0") == "ana"
        return taken

    assert grows(cost, 10, 1_000) < A_LITTLE


@pytest.mark.parametrize("name", ["update_operator", "close"])
def test_q14_thousands_that_each_ask_for_another_skill_are_hardly_more_work(name: str) -> None:
    def cost(size: int) -> int:
        story = Story().given(desk(ana=0), policy(on_slow=[]))
        story.given(opened(*(f"c{number}" for number in range(size))))
        for number in range(size):
            change = {"conversation_id": f"c{number}", "skills": [f"s{number}"]}
            story.given(step(ADMIN, "set_conversation", **change))
        story.given(opened("now", "next"))
        more: dict[str, Any] = {"operator_id": "ana", "capacity": 1}
        if name == "update_operator":
            return effort(lambda: story.when(ADMIN, name, **more))
        story.given(step(ADMIN, "update_operator", **more))
        taken = effort(lambda: story.when(ANA, "close", conversation_id="now"))
        assert story.owner("next") == "ana"
        return taken

    assert grows(cost, 10, 2_000) < A_LITTLE


def test_q14_thousands_that_wait_for_an_acquaintance_are_hardly_more_work() -> None:
    def cost(size: int) -> int:
        story = Story().given(desk(ana=1, ben=0), policy(affinity="wait", on_slow=[]))
        opening = {"entry_point_id": "web"}
        visitors = [Actor("visitor", f"v{number}") for number in range(size)]
        for visitor in visitors:
            story.given(step(visitor, "open", conversation_id=f"old-{visitor.id}", **opening))
            story.given(step(ANA, "close", conversation_id=f"old-{visitor.id}"))
        story.given(opened("now"))
        for visitor in visitors:
            story.given(step(visitor, "open", conversation_id=visitor.id, **opening))
        assert story.reason(f"v{size - 1}") == "all_full"
        taken = effort(lambda: story.when(ANA, "close", conversation_id="now"))
        assert story.owner("v0") == "ana"
        return taken

    assert grows(cost, 10, 2_000) < A_LITTLE


def test_an_arrival_is_told_of_waiting_broadcasts_in_steps_that_grow_with_their_number() -> None:
    def cost(size: int) -> int:
        story = Story().given(desk(), policy(delivery="broadcast"), group("x"))
        story.given(registered("ana", "support"))
        story.given(opened(*(f"c{number}" for number in range(size))))
        taken = effort(lambda: story.now(logged_in("ana")))
        assert len(story.told("conversation_broadcast")) == size
        return taken

    assert grows(cost, 20, 400) < 20 * A_LITTLE


def test_the_count_notices_a_walk_over_everybody() -> None:
    crowd = [Counted(number) for number in range(1_000)]
    assert effort(lambda: min(crowd)) > 900
    assert effort(lambda: walk(crowd)) > 900
    assert effort(lambda: crowd[0]) < 10


def walk(crowd: list[Counted]) -> int:
    steps = 0
    for _ in crowd:
        steps += 1
    return steps
