"""Why it was this operator, why not that one, and what a waiting conversation waits for."""

import pytest

from shared.routing.events import Actor
from shared.routing.explain import Explanation, candidates, explain, why_not
from shared.routing.ids import OperatorId
from shared.routing.relief import Change, WhyWaiting, why_waiting
from tests.core.explained import ExplainedStory
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
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
from tests.core.wanderer import Wanderer

PRESENCE = Actor("service", "presence")
SEEDS = range(25)
STEPS = 150


def said_of(story: Story, conversation_id: str) -> Explanation:
    return explain(story.workspace, story.conversation(conversation_id))


def excluded_by(story: Story, conversation_id: str) -> dict[str, tuple[str, ...]]:
    """Exclusions by operator."""
    conversation = story.conversation(conversation_id)
    return {one.operator_id: one.exclusions for one in candidates(story.workspace, conversation)}


def waiting_for(story: Story, conversation_id: str) -> WhyWaiting:
    return why_waiting(story.workspace, story.conversation(conversation_id))


def changes(story: Story, conversation_id: str) -> list[Change]:
    return list(waiting_for(story, conversation_id).changes)


# --- in any history -------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_au02_au03_explanations_agree_with_what_routing_does(seed: int) -> None:
    """Before each assignment the explanation names it; at rest nobody eligible was passed over."""
    Wanderer(seed).wander(ExplainedStory(), STEPS)


@pytest.mark.parametrize("seed", SEEDS)
def test_au03_no_suggestion_is_ever_wrong(seed: int) -> None:
    story = ExplainedStory(suggestions=True)
    Wanderer(1_000 + seed).wander(story, STEPS)
    assert story.suggested


def test_au02_au03_together_such_histories_see_the_usual_answers() -> None:
    explained: set[str] = set()
    suggested: set[str] = set()
    for seed in range(25):
        story = ExplainedStory(suggestions=True)
        Wanderer(2_000 + seed).wander(story, STEPS)
        explained |= set(story.explained)
        suggested |= set(story.suggested)
    assert explained >= {"routed", "affinity", "directed", "first_responder"}
    assert suggested >= {"slot", "online", "skill", "membership", "policy"}


# --- candidates -----------------------------------------------------------------------------


def test_au02_the_candidates_of_an_assignment_with_keys_and_tie_break(story: Story) -> None:
    story.given(desk(ana=2, ben=2, cleo=1), policy(delivery="manual"), registered("dan", "support"))
    story.given(online("eve", skills=["fr"]), opened("c1"))
    said = said_of(story, "c1")
    assert (said.chosen, said.ranking) == (None, "most_free_slots")
    told = [(one.operator_id, one.verdict, one.exclusions, one.key) for one in said.candidates]
    assert told == [
        ("ana", "first", (), (-2, 0)),
        ("ben", "eligible", (), (-2, 0)),
        ("cleo", "eligible", (), (-1, 0)),
        ("dan", "excluded", ("offline",), ()),
        ("eve", "excluded", ("not_member",), ()),
    ]


def test_au02_every_exclusion_is_named_not_only_the_first(story: Story) -> None:
    story.given(desk(ana=1), step(ADMIN, "define_role", role_id="reader", permissions={}))
    story.given(registered("ben", capacity=0, role_id="reader"), opened("c0"))
    story.given(opened("c1", skills=["fr"]))
    assert excluded_by(story, "c1") == {
        "ana": ("at_capacity", "skill_missing"),
        "ben": ("not_member", "no_permission", "offline", "at_capacity", "skill_missing"),
    }


def test_au02_a_removed_operator_and_a_disabled_group_are_named(story: Story) -> None:
    story.given(desk(ana=1, ben=1), step(ADMIN, "remove_operator", operator_id="ben"))
    story.given(step(ADMIN, "update_group", group_id="support", enabled=False), opened("c1"))
    assert excluded_by(story, "c1") == {"ana": ("group_disabled",), "ben": ("removed",)}


def test_au02_a_live_offer_does_not_count_against_whom_it_was_made_to(story: Story) -> None:
    story.given(desk(ana=1, ben=1), policy(delivery="offer", on_slow=[]), opened("c1"))
    assert story.conversation("c1").state == "offered"
    assert excluded_by(story, "c1") == {"ana": (), "ben": ()}
    story.given(step(ANA, "decline_offer", conversation_id="c1", offer=1))
    assert excluded_by(story, "c1") == {"ana": ("declined",), "ben": ()}


def test_au02_a_forward_on_offer_is_explained_by_where_it_goes(story: Story) -> None:
    story.given(desk(ana=1), group("experts"), online("ben", "experts"), online("cleo", "experts"))
    story.given(opened("c1"))
    to = {"to": {"group": "experts"}, "mode": "offer"}
    story.given(step(ANA, "forward", conversation_id="c1", **to))
    story.given(step(BEN, "decline_offer", conversation_id="c1", offer=1))
    assert excluded_by(story, "c1") == {
        "cleo": (),
        "ana": ("not_member", "already_involved"),
        "ben": ("declined",),
    }


def test_au02_what_is_for_one_operator_is_for_no_other(story: Story) -> None:
    story.given(desk(ana=1, ben=1), online("cleo", capacity=0), opened("c1"))
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"operator": "cleo"}))
    assert excluded_by(story, "c1") == {
        "cleo": (),
        "ana": ("not_member",),
        "ben": ("not_member",),
    }


def test_au02_bots_are_no_candidates(story: Story) -> None:
    story.given(desk(ana=1), registered("rob", "support", kind="bot"), opened("c1"))
    assert list(excluded_by(story, "c1")) == ["ana"]
    why = why_not(story.workspace, story.conversation("c1"), OperatorId("rob"))
    assert why.exclusions == ("not_member",)


# --- why not --------------------------------------------------------------------------------


def test_au03_why_not_names_the_exclusions(story: Story) -> None:
    story.given(desk(ana=1, ben=1), step(BEN, "set_status", status="busy"), opened("c1"))
    why = why_not(story.workspace, story.conversation("c1"), OperatorId("ben"))
    assert (why.exclusions, why.behind) == (("busy",), None)


def test_au03_why_not_names_who_came_before(story: Story) -> None:
    story.given(desk(ana=1, ben=3), policy(delivery="manual"), opened("c1"))
    why = why_not(story.workspace, story.conversation("c1"), OperatorId("ana"))
    assert (why.key, why.behind, why.behind_key) == ((-1, 0), "ben", (-3, 0))
    assert why.because == "routed"
    first = why_not(story.workspace, story.conversation("c1"), OperatorId("ben"))
    assert (first.exclusions, first.behind, first.because) == ((), None, None)


# --- why waiting ----------------------------------------------------------------------------


def test_au03_one_slot_is_the_smallest_change(story: Story) -> None:
    story.given(desk(ana=1, ben=1), opened("c0", "c1", "c2"), registered("cleo", "support"))
    assert waiting_for(story, "c2").reason == "all_full"
    assert changes(story, "c2") == [
        Change("slot", OperatorId("ana")),
        Change("slot", OperatorId("ben")),
        Change("online", OperatorId("cleo"), status="offline"),
    ]


def test_au03_a_slot_that_somebody_else_would_get_is_not_suggested(story: Story) -> None:
    story.given(desk(ana=1), registered("ben", "support", capacity=2), opened("c0", "c1", "c2"))
    story.given(opened("c3"))
    assert [change.what for change in changes(story, "c1")] == ["slot", "online"]
    assert changes(story, "c2") == [Change("online", OperatorId("ben"), status="offline")]
    assert changes(story, "c3") == []


@pytest.mark.parametrize(
    ("name", "fields", "status"),
    [
        ("session_lapsed", {"session_id": "ana-1"}, "disconnected"),
        ("operator_idle", {}, "idle"),
        ("shift_ended", {}, "off_shift"),
    ],
)
def test_au03_coming_online_whatever_keeps_somebody_from_it(
    story: Story, name: str, fields: dict[str, str], status: str
) -> None:
    story.given(desk(ana=1), step(PRESENCE, name, operator_id="ana", **fields), opened("c1"))
    (change,) = changes(story, "c1")
    assert (change.what, change.operator_id, change.status) == ("online", "ana", status)


def test_au03_one_skill_less(story: Story) -> None:
    story.given(desk(ana=1), step(ADMIN, "update_operator", operator_id="ana", skills=["de"]))
    story.given(opened("c1", skills=["de", "fr"]), opened("c2", skills=["it", "fr"]))
    assert changes(story, "c1") == [Change("skill", OperatorId("ana"), skill="fr")]
    assert changes(story, "c2") == []


def test_au03_one_membership_more(story: Story) -> None:
    story.given(desk(), online("ana"), opened("c1"))
    assert waiting_for(story, "c1").reason == "group_empty"
    (change,) = changes(story, "c1")
    assert (change.what, change.operator_id, change.group_id) == ("membership", "ana", "support")


def test_au03_the_role_of_the_staff(story: Story) -> None:
    story.given(desk(), step(ADMIN, "define_role", role_id="reader", permissions={}))
    story.given(online("ana", "support", role_id="reader"), opened("c1"))
    assert changes(story, "c1") == [Change("permission", OperatorId("ana"))]


def test_au03_who_gave_it_back_may_be_asked_again(story: Story) -> None:
    story.given(desk(ana=1), opened("c1"), step(ANA, "release", conversation_id="c1"))
    assert waiting_for(story, "c1").reason == "all_declined"
    assert changes(story, "c1") == [Change("ask_again", OperatorId("ana"))]


def test_au03_held_by_a_disabled_group(story: Story) -> None:
    story.given(desk(ana=1), step(ADMIN, "update_group", group_id="support", enabled=False))
    story.given(opened("c1"))
    (change,) = changes(story, "c1")
    assert (change.what, change.group_id) == ("group_enabled", "support")


def test_au03_held_by_the_hours(story: Story) -> None:
    story.given(desk(ana=1), step(PRESENCE, "shift_ended", entry_point_id="web"), opened("c1"))
    (change,) = changes(story, "c1")
    assert (change.what, change.entry_point_id) == ("hours", "web")


def test_au03_held_for_want_of_more_than_one_thing(story: Story) -> None:
    story.given(desk(), registered("ana", "support"))
    story.given(step(PRESENCE, "shift_ended", entry_point_id="web"), opened("c1"))
    assert changes(story, "c1") == []


@pytest.mark.parametrize("delivery", ["manual", "broadcast"])
def test_au03_held_by_the_delivery(story: Story, delivery: str) -> None:
    story.given(desk(ana=1), policy(delivery=delivery), opened("c1"))
    (change,) = changes(story, "c1")
    assert (change.what, change.group_id) == ("policy", "support")
    assert (change.field, change.value) == ("delivery", "auto")


def test_au03_held_because_the_visitor_left_or_was_missed(story: Story) -> None:
    story.given(desk(ana=1), opened("c0", "c1"), policy(missed_delivery="manual"))
    story.given(step(Actor("visitor", "visitor-c1"), "visitor_left"))
    story.given(step(ADMIN, "close", conversation_id="c0"))
    assert [change.what for change in changes(story, "c1")] == ["visitor_back"]
    story.given(step(Actor("visitor", "visitor-c1"), "close", conversation_id="c1"))
    (change,) = changes(story, "c1")
    assert (change.what, change.field, change.value) == ("policy", "missed_delivery", "auto")


def test_au03_waiting_for_an_acquaintance_ends_by_itself_or_by_the_policy(story: Story) -> None:
    visitor = Actor("visitor", "vera")
    story.given(desk(ana=1, ben=1), policy(affinity="wait", affinity_wait_s=60, on_slow=[]))
    story.given(step(visitor, "open", conversation_id="v0", entry_point_id="web"))
    story.given(step(ANA, "close", conversation_id="v0"))
    for its_id in ("v1", "v2"):
        story.given(step(visitor, "open", conversation_id=its_id, entry_point_id="web"))
    why = waiting_for(story, "v2")
    assert (why.hold, why.until) == ("affinity_wait", story.at + 60_000)
    assert [change.what for change in why.changes] == ["slot", "policy"]


def test_au03_backing_off_it_says_until_when(story: Story) -> None:
    story.given(desk(ana=1), policy(delivery="offer", on_slow=[]), opened("c1"))
    story.given(step(ANA, "decline_offer", conversation_id="c1", offer=1))
    why = waiting_for(story, "c1")
    assert (why.reason, why.until) == ("back_off", story.at + 15_000)


def test_au03_asking_changes_nothing(story: Story) -> None:
    story.given(desk(ana=1), registered("ben", "support"), opened("c0", "c1", "c2"))
    position, load = story.workspace.position, story.load("ana")
    changes(story, "c1")
    said_of(story, "c1")
    assert (story.workspace.position, story.load("ana")) == (position, load)
    story.given(logged_in("ben"), entry_point("app"))
    assert story.owner("c1") == "ben"
