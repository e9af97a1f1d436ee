"""What the log says about each decision, so that anybody can check it later."""

from shared.routing.ids import UnixMs
from tests.core.proof import replay
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    Story,
    as_told,
    desk,
    event,
    group,
    online,
    opened,
    policy,
    registered,
    step,
)


def test_au01_an_assignment_says_why_it_was_this_operator(story: Story) -> None:
    story.given(desk(ana=2, ben=3), policy(ranking="highest_free_ratio"))
    version = story.workspace.position
    story.opens("c1").then(
        event("conversation_opened"),
        event(
            "conversation_assigned",
            conversation_id="c1",
            operator_id="ben",
            reason="routed",
            decided_at=story.workspace.position - 1,
            policy_version=version,
            pool_size=2,
            ranking="highest_free_ratio",
            key=[-666_666_666, 0],
            tie_break="key",
            excess=False,
        ),
    )


def test_au01_the_pool_is_counted_before_skills_and_personal_exclusions(story: Story) -> None:
    story.given(desk(ana=1, ben=1, cleo=0), registered("dan", "support"))
    story.given(step(ADMIN, "update_operator", operator_id="ben", skills=["fr"]))
    story.opens("c1", skills=["fr"]).then_among_others(
        event("conversation_assigned", operator_id="ben", pool_size=2, tie_break="sole")
    )


def test_au01_so_does_having_to_wait(story: Story) -> None:
    story.given(desk(ana=1), policy(group_id="support", ranking="round_robin"))
    version = story.workspace.position
    story.opens("c1", skills=["fr"]).then(
        event("conversation_opened"),
        event(
            "conversation_queued",
            hold="auto",
            reason="skill_missing",
            decided_at=version + 1,
            policy_version=version,
            pool_size=1,
            ranking="round_robin",
        ),
    )


def test_au01_nobody_was_ranked_where_somebody_was_named(story: Story) -> None:
    story.given(desk(ana=1), online("ben"), opened("c1"))
    story.when(ANA, "forward", conversation_id="c1", to={"operator": "ben"}).then_among_others(
        event("conversation_assigned", ranking=None, key=[], tie_break=None, pool_size=1)
    )


def test_au01_each_change_of_a_policy_has_a_version(story: Story) -> None:
    story.given(desk(ana=5), opened("c1"), policy(ranking="fewest_open"), opened("c2"))
    story.given(step(ADMIN, "clear_policy", scope={"workspace": True}), opened("c3"))
    versions = [told["policy_version"] for told in story.told("conversation_assigned")]
    assert versions == sorted(set(versions))
    assert versions[-1] < story.workspace.position


def test_au01_a_redirection_says_what_was_wrong(story: Story) -> None:
    story.given(desk(), group("x"), opened("c1"))
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"group": "x"}))
    story.when(ADMIN, "delete_group", group_id="x").then_among_others(
        event("conversation_redirected", to={"entry_point": "web"}, reason="group_deleted")
    )


def test_au01_every_event_says_who_caused_it_and_what_with(story: Story) -> None:
    story.given(desk(ana=1, ben=1), opened("c1", "c2", "c3"))
    story.when(ANA, "close", conversation_id="c1", cmd="k1")
    (closed, assigned) = story.last
    assert closed.envelope.by == assigned.envelope.by == ANA
    assert closed.envelope.cmd == assigned.envelope.cmd == "k1"
    assert closed.envelope.request is not None
    assert assigned.envelope.request is None
    assert closed.envelope.first == assigned.envelope.first == closed.position
    assert closed.envelope.at == assigned.envelope.at == story.at


def test_au01_what_a_timer_caused_has_no_author(story: Story) -> None:
    story.given(desk(ana=1), step(ANA, "set_status", status="busy", for_s=60)).after(61)
    assert [recorded.envelope.by for recorded in story.last] == [None] * 3
    assert story.last[0].envelope.at == story.at


def test_tm01_timers_fire_once_in_order_before_any_later_command(story: Story) -> None:
    story.given(desk(ana=1, ben=1), opened("c1"))
    story.given(step(BEN, "set_status", status="invisible", for_s=90))
    story.given(step(ANA, "set_status", status="busy", for_s=30))
    began = story.at
    story.at = UnixMs(story.at + 3_600_000)
    story.when(ADMIN, "close", conversation_id="c1").then(event("conversation_closed"))
    ended = [
        (told["operator_id"], told["due"] - began) for told in story.told("status_break_ended")
    ]
    assert ended == [("ana", 30_000), ("ben", 90_000)]
    (*_, last, closed) = map(as_told, story.log)
    assert (last.name, closed.name) == ("operator_status_changed", "conversation_closed")
    story.after(3_600).then()


def test_e05_the_winner_of_every_assignment_is_found_again(story: Story) -> None:
    story.given(desk(ana=2, ben=2, cleo=2), opened(*(f"c{number}" for number in range(8))))
    story.given(step(ADMIN, "remove_operator", operator_id="cleo"))
    decided = story.told("conversation_assigned")
    assert len(decided) == 6
    again = replay(story.log)
    assert {its_id: one.owner for its_id, one in again.conversations.items()} == {
        its_id: one.owner for its_id, one in story.workspace.conversations.items()
    }


def test_au01_the_positions_of_a_conversation_are_its_timeline(story: Story) -> None:
    story.given(desk(ana=1), opened("c1", "c2"), step(ANA, "reply", conversation_id="c1"))
    story.given(step(ANA, "close", conversation_id="c1"))
    positions = story.conversation("c1").positions
    names = [story.log[position - 1].envelope.data.__class__.__name__ for position in positions]
    assert names == [
        "ConversationOpened",
        "ConversationAssigned",
        "OperatorReplied",
        "ConversationClosed",
    ]
