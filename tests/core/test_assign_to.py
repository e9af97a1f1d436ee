"""Where the policy gives conversations to those who are away as well."""

import pytest

from shared.routing.events import Actor
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    Steps,
    Story,
    desk,
    event,
    logged_in,
    online,
    opened,
    policy,
    registered,
    step,
)

PRESENCE = Actor("service", "presence")
ANY = policy(assign_to="any")

AWAY: dict[str, Steps] = {
    "offline": step(ANA, "set_status", status="offline"),
    "logged out": step(ANA, "log_out", session_id="ana-1"),
    "idle": step(PRESENCE, "operator_idle", operator_id="ana"),
    "disconnected": step(PRESENCE, "session_lapsed", operator_id="ana", session_id="ana-1"),
    "off shift": step(PRESENCE, "shift_ended", operator_id="ana"),
}


@pytest.mark.parametrize("how", AWAY)
def test_ro16_being_away_does_not_exclude(story: Story, how: str) -> None:
    story.given(desk(ana=1), ANY, AWAY[how])
    story.opens("c1").then_among_others(
        event("conversation_assigned", operator_id="ana", reason="routed", pool_size=1)
    )


@pytest.mark.parametrize("how", AWAY)
def test_ro16_online_is_the_default_and_being_away_excludes(story: Story, how: str) -> None:
    story.given(desk(ana=1), AWAY[how], opened("c1"))
    assert story.owner("c1") is None


def test_ro16_who_never_logged_in_is_away_too(story: Story) -> None:
    story.given(desk(), registered("ana", "support"), ANY, opened("c1"))
    assert story.owner("c1") == "ana"


def test_ro16_after_the_grace_still(story: Story) -> None:
    story.given(desk(ana=1), ANY, AWAY["disconnected"]).after(200).given(opened("c1"))
    assert story.status("ana") == ("offline", "disconnected")
    assert story.owner("c1") == "ana"


@pytest.mark.parametrize("status", ["busy", "invisible"])
def test_ro16_who_chose_not_to_be_routed_is_not(story: Story, status: str) -> None:
    story.given(desk(ana=1), ANY, step(ANA, "set_status", status=status), opened("c1"))
    assert story.owner("c1") is None


def test_ro16_everything_else_excludes_as_ever(story: Story) -> None:
    story.given(desk(), ANY, step(ADMIN, "define_role", role_id="reader", permissions={}))
    story.given(registered("ana", "support", capacity=0), registered("ben"))
    story.given(registered("cleo", "support", role_id="reader"), opened("c1", skills=["fr"]))
    assert story.owner("c1") is None
    story.given(registered("dan", "support"))
    assert story.reason("c1") == "skill_missing"
    story.given(step(ADMIN, "update_operator", operator_id="dan", skills=["fr"]))
    assert story.owner("c1") == "dan"


RANKINGS = ["most_free_slots", "highest_free_ratio", "fewest_open", "round_robin", "longest_idle"]


@pytest.mark.parametrize("ranking", RANKINGS)
def test_ro16_those_online_rank_first(story: Story, ranking: str) -> None:
    story.given(desk(), registered("ana", "support", capacity=90), online("ben", "support"))
    story.given(registered("cleo", "support", capacity=90), policy(ranking=ranking), ANY)
    story.given(opened("c1", "c2", "c3", "c4", "c5"))
    assert story.owned("ana", "ben", "cleo") == [0, 5, 0]
    story.given(opened("c6"))
    assert story.owner("c6") == "ana"


@pytest.mark.parametrize("ranking", RANKINGS)
def test_ro16_among_those_away_the_ranking_holds(story: Story, ranking: str) -> None:
    story.given(desk(), policy(ranking=ranking), ANY)
    story.given(registered("ana", "support", capacity=5), registered("ben", "support", capacity=5))
    story.given(opened("c1", "c2", "c3", "c4"))
    assert story.owned("ana", "ben") == [2, 2]


def test_ro16_coming_and_going_changes_the_rank_at_once(story: Story) -> None:
    story.given(desk(ana=5, ben=5), ANY, AWAY["logged out"], opened("c1"))
    story.given(logged_in("ana"), step(BEN, "log_out", session_id="ben-1"), opened("c2"))
    assert story.owners("c1", "c2") == ["ben", "ana"]


def test_ro16_all_full_is_the_reason_where_nobody_is_online(story: Story) -> None:
    story.given(desk(), registered("ana", "support", capacity=0), ANY, opened("c1"))
    assert story.reason("c1") == "all_full"


def test_ro16_ro10_room_of_somebody_away_releases_what_waits(story: Story) -> None:
    story.given(desk(), registered("ana", "support", capacity=0), ANY, opened("c1"))
    story.given(step(ADMIN, "update_operator", operator_id="ana", capacity=1))
    assert story.owner("c1") == "ana"


def test_ro16_set_while_it_waits_it_releases_what_waits(story: Story) -> None:
    story.given(desk(), registered("ana", "support"), opened("c1"))
    assert story.reason("c1") == "nobody_online"
    story.now(ANY).then_among_others(event("conversation_assigned", operator_id="ana"))


def test_ro16_one_group_may_have_it_and_another_not(story: Story) -> None:
    story.given(desk(), registered("ana", "support"))
    story.given(policy(group_id="support", assign_to="any"), policy(assign_to="online"))
    story.given(opened("c1"))
    assert story.owner("c1") == "ana"


def test_ro16_an_offer_stays_with_somebody_who_goes_away(story: Story) -> None:
    story.given(desk(ana=1), ANY, policy(delivery="offer"), opened("c1"))
    story.now(AWAY["logged out"]).never("offer_rescinded")
    assert story.conversation("c1").offer is not None


def test_ro16_affinity_finds_somebody_who_is_away(story: Story) -> None:
    visitor = Actor("visitor", "vera")
    opening = {"entry_point_id": "web"}
    story.given(desk(ana=5, ben=1), ANY)
    story.given(step(visitor, "open", conversation_id="v1", **opening))
    story.given(step(ANA, "close", conversation_id="v1"), AWAY["logged out"])
    story.given(step(visitor, "open", conversation_id="v2", **opening))
    assert story.owner("v2") == "ana"


@pytest.mark.parametrize("on_owner_offline", ["reassign_on_next_message", "reassign"])
def test_ro16_ow01_nothing_is_sent_from_one_who_is_away_to_the_next(
    story: Story, on_owner_offline: str
) -> None:
    story.given(desk(ana=9, ben=5), ANY, policy(on_owner_offline=on_owner_offline))
    story.given(opened("c1"), AWAY["logged out"])
    assert story.owner("c1") == ("ben" if on_owner_offline == "reassign" else "ana")
    story.given(step(BEN, "log_out", session_id="ben-1"), opened("c2"))
    owners = story.owners("c1", "c2")
    for its_id in ("c1", "c2"):
        story.given(step(Actor("visitor", f"visitor-{its_id}"), "write", conversation_id=its_id))
    assert story.owners("c1", "c2") == owners


def test_ro16_ow01_what_somebody_away_owns_goes_to_somebody_online(story: Story) -> None:
    story.given(desk(ana=9, ben=5), ANY, opened("c1"), AWAY["logged out"])
    assert story.owner("c1") == "ana"
    story.given(step(Actor("visitor", "visitor-c1"), "write", conversation_id="c1"))
    assert story.owner("c1") == "ben"
