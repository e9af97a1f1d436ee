"""The policies: what holds where nothing is set, who overrides whom, and what may be set."""

import json
from typing import Any, NamedTuple

import msgspec
import pytest

from shared.routing.commands import Refused
from shared.routing.ids import EntryPointId, GroupId, WorkspaceId
from shared.routing.policy import WORKSPACE_ONLY, Policy, PolicyPatch
from shared.routing.scope import Scope
from shared.wire.requests import decode_command
from shared.wire.subjects import Call
from tests.core.story import (
    ADMIN,
    ANA,
    Story,
    desk,
    entry_point,
    event,
    group,
    online,
    opened,
    policy,
    registered,
    step,
)


class Field(NamedTuple):
    """What holds by default, three other values, and what is not accepted, with its path."""

    default: Any
    others: tuple[Any, Any, Any]
    bad: dict[str, Any]


def choice(default: str, *others: str) -> Field:
    three = (*others, *others, *others)[:3]
    return Field(default, (three[0], three[1], three[2]), {"": "no_such_word"})


def seconds(default: int, *, most: int = 31_536_000) -> Field:
    """Nought means off, or at once."""
    return Field(default, (61, 120, most), {"": -1})


def delay(default: int) -> Field:
    return Field(default, (1, 61, 31_536_000), {"": 0})


def flag(default: bool) -> Field:
    return Field(default, (not default, not default, not default), {"": "yes"})


SLOW = [{"after_s": 60, "action": "escalate_invisible"}]
STEPS = [{"after_s": 5, "raise_priority": 1}]
FIELDS = {
    "delivery": choice("auto", "offer", "broadcast", "manual"),
    "ranking": choice("most_free_slots", "round_robin", "fewest_open", "longest_idle"),
    "assign_to": choice("online", "any"),
    "offer_timeout_s": delay(30),
    "decline_backoff_s": delay(15),
    "rounds_max": Field(3, (1, 2, 100), {"": 0}),
    "unresponsive_after": Field(3, (0, 1, 9), {"": -1}),
    "affinity": choice("prefer", "off", "wait"),
    "affinity_wait_s": delay(60),
    "on_slow": Field(
        SLOW,
        ([], [{"after_s": 1, "action": "notify"}], [{"after_s": 9, "action": "reassign"}]),
        {
            "[0].action": [{"after_s": 1, "action": "shout"}],
            "[0].after_s": [{"after_s": 0, "action": "notify"}],
            "[1].after_s": [*SLOW, {"action": "notify"}],
            "[1].loud": [*SLOW, {"after_s": 1, "action": "notify", "loud": True}],
        },
    ),
    "widening": Field(
        [],
        (STEPS, [*STEPS, *STEPS], [{"after_s": 1, "drop_optional_skills": "all"}]),
        {
            "[0].after_s": [{"raise_priority": 1}],
            "[0].raise_priority": [{"after_s": 1, "raise_priority": 10}],
            "[1].drop_optional_skills": [*STEPS, {"after_s": 1, "drop_optional_skills": "some"}],
            "[0].add_groups[0]": [{"after_s": 1, "add_groups": ["not an id"]}],
            "[0].add_group": [{"after_s": 1, "add_group": "a"}],
        },
    ),
    "queue_order": choice("aged", "strict"),
    "priority_head_start_s": seconds(120),
    "max_waiting": Field(0, (1, 2, 1_000_000), {"": -1}),
    "fallback_when_nobody_online": flag(default=False),
    "forward_mode": choice("direct", "offer"),
    "rule_mode": choice("first_match", "all_matches"),
    "on_owner_offline": choice("reassign_on_next_message", "keep", "reassign", "reassign_after"),
    "reassign_after_s": delay(300),
    "idle_owner_after_s": seconds(0),
    "disconnect_grace_s": seconds(150),
    "idle_timeout_s": seconds(900, most=3_600),
    "manual_offline": choice("allow", "deny"),
    "own_schedule": choice("allow", "deny"),
    "waiting_frees_slot_after_s": seconds(600),
    "wrap_up_s": seconds(0),
    "reopen_window_s": seconds(86_400),
    "missed_after_s": seconds(0),
    "missed_delivery": choice("offer", "manual", "auto"),
    "on_visitor_left": choice("park", "keep", "close"),
    "visitor_gone_after_s": seconds(0),
    "close_after_idle_s": seconds(0),
    "participants_use_slot": flag(default=False),
}
ANYWHERE = [name for name in FIELDS if name not in WORKSPACE_ONLY]
WEB = EntryPointId("web")


def at(story: Story, field: str, scope: Scope | None = None) -> Any:
    """What holds for conversations of ``scope`` (by default the entry point's) from the web."""
    held = story.workspace.policy_of(scope or Scope(entry_point=WEB), WEB)
    return json.loads(msgspec.json.encode(getattr(held, field)))


def test_every_policy_there_is_stands_in_this_table() -> None:
    assert set(FIELDS) == set(Policy.__struct_fields__) == set(PolicyPatch.__struct_fields__)
    assert set(WORKSPACE_ONLY) < set(FIELDS)


# --- what holds -----------------------------------------------------------------------------


@pytest.mark.parametrize("field", FIELDS)
def test_a_policy_that_nobody_set_holds_by_default(story: Story, field: str) -> None:
    story.given(desk())
    assert at(story, field) == FIELDS[field].default


@pytest.mark.parametrize("field", ANYWHERE)
def test_the_group_comes_before_the_entry_point_and_that_before_the_workspace(
    story: Story, field: str
) -> None:
    story.given(desk(), group("second"))
    default, (one, two, three), _ = FIELDS[field]
    story.given(policy(**{field: one}))
    assert at(story, field) == at(story, field, Scope(group=GroupId("second"))) == one
    story.given(policy(entry_point_id="web", **{field: two}))
    assert at(story, field) == at(story, field, Scope(group=GroupId("second"))) == two
    story.given(policy(group_id="support", **{field: three}))
    assert at(story, field) == at(story, field, Scope(group=GroupId("support"))) == three
    assert at(story, field, Scope(everyone=True)) == two
    story.given(policy(group_id="support", **{field: None}))
    assert at(story, field) == two
    story.given(step(ADMIN, "clear_policy", scope={"entry_point": "web"}))
    assert at(story, field) == one
    story.given(policy(**{field: None}))
    assert at(story, field) == default


@pytest.mark.parametrize("field", WORKSPACE_ONLY)
def test_some_hold_for_the_whole_workspace_only(story: Story, field: str) -> None:
    story.given(desk())
    default, (one, two, _), _ = FIELDS[field]
    story.given(policy(**{field: two}))
    assert at(story, field) == two
    for scope in ({"group": "support"}, {"entry_point": "web"}):
        story.when(ADMIN, "set_policy", scope=scope, policy={field: one})
        story.refused("invalid_policy", path=f"policy.{field}")
        story.when(ADMIN, "set_policy", scope=scope, policy={field: None})
        story.refused("invalid_policy", path=f"policy.{field}")
    story.given(policy(**{field: None}))
    assert at(story, field) == default


def test_of_several_groups_behind_an_entry_point_none_speaks_for_all(story: Story) -> None:
    story.given(group("a"), group("b"), entry_point("web", "a", "b"))
    story.given(policy(group_id="a", delivery="manual"), policy(group_id="b", delivery="manual"))
    assert at(story, "delivery") == "auto"
    story.given(entry_point("web", "b"))
    assert at(story, "delivery") == "manual"


def test_for_one_operator_the_home_scopes_policy_holds(story: Story) -> None:
    story.given(desk(ana=1), online("ben"), policy(group_id="support", wrap_up_s=60))
    story.given(opened("c1"), step(ANA, "forward", conversation_id="c1", to={"operator": "ben"}))
    assert story.workspace.policy_for(story.conversation("c1")).wrap_up_s == 60


def test_fields_are_looked_up_one_by_one(story: Story) -> None:
    story.given(desk(), policy(delivery="offer", ranking="fewest_open"))
    story.given(policy(group_id="support", delivery="manual"))
    assert (at(story, "delivery"), at(story, "ranking")) == ("manual", "fewest_open")


def test_what_is_not_named_stays(story: Story) -> None:
    story.given(desk(), policy(delivery="offer"), policy(ranking="fewest_open"))
    assert (at(story, "delivery"), at(story, "ranking")) == ("offer", "fewest_open")
    story.given(step(ADMIN, "clear_policy", scope={"workspace": True}))
    assert (at(story, "delivery"), at(story, "ranking")) == ("auto", "most_free_slots")


@pytest.mark.parametrize("field", FIELDS)
def test_setting_what_is_set_or_taking_back_what_is_not_writes_nothing(
    story: Story, field: str
) -> None:
    story.given(desk(), policy(**{field: FIELDS[field].others[0]}))
    story.now(policy(**{field: FIELDS[field].others[0]})).then()
    story.given(policy(**{field: None}))
    story.now(policy(**{field: None})).then()


def test_a_group_that_is_deleted_takes_its_policy_along(story: Story) -> None:
    story.given(desk(), group("x"), policy(group_id="x", delivery="manual"))
    story.given(step(ADMIN, "delete_group", group_id="x"), group("x"))
    assert at(story, "delivery", Scope(group=GroupId("x"))) == "auto"
    story.given(policy(entry_point_id="web", delivery="manual"))
    story.given(step(ADMIN, "remove_entry_point", entry_point_id="web"))
    story.given(entry_point("web", "support"))
    assert at(story, "delivery") == "auto"


# --- what may be set ------------------------------------------------------------------------


def over_the_wire(content: object, scope: object) -> Any:
    call = Call("cmd", WorkspaceId("acme"), "admin", "root", "set_policy")
    return decode_command(call, json.dumps({"scope": scope, "policy": content}).encode(), {})


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_right_comes_through(field: str) -> None:
    for value in (FIELDS[field].default, *FIELDS[field].others, None):
        read = over_the_wire({field: value}, {"workspace": True})
        assert not isinstance(read, Refused), read


@pytest.mark.parametrize(
    ("field", "where"), [(field, where) for field in FIELDS for where in FIELDS[field].bad]
)
def test_what_is_wrong_is_refused_with_the_path_of_the_fault(field: str, where: str) -> None:
    refused = over_the_wire({field: FIELDS[field].bad[where]}, {"workspace": True})
    assert isinstance(refused, Refused)
    assert refused.code == "invalid_policy"
    assert refused.detail["path"] == f"policy.{field}{where}"


@pytest.mark.parametrize("field", FIELDS)
def test_another_type_altogether_is_refused(field: str) -> None:
    refused = over_the_wire({field: {"x": 1}}, {"workspace": True})
    assert (refused.code, refused.detail["path"]) == ("invalid_policy", f"policy.{field}")


def test_a_policy_that_does_not_exist_is_refused() -> None:
    refused = over_the_wire({"delivary": "auto"}, {"workspace": True})
    assert (refused.code, refused.detail["path"]) == ("invalid_policy", "policy.delivary")


@pytest.mark.parametrize("scope", [{}, {"workspace": True, "group": "a"}, {"operator": "ana"}])
def test_a_policy_is_set_at_one_place(scope: dict[str, Any]) -> None:
    assert isinstance(over_the_wire({"delivery": "auto"}, scope), Refused)


def test_places_must_exist(story: Story) -> None:
    story.now(policy(group_id="x", delivery="auto")).refused("unknown_group")
    story.now(policy(entry_point_id="x", delivery="auto")).refused("unknown_entry_point")
    story.when(ADMIN, "clear_policy", scope={"group": "x"}).refused("unknown_group")


@pytest.mark.parametrize("seconds", [1, 59])
def test_st05_an_idle_time_is_a_minute_at_least(story: Story, seconds: int) -> None:
    story.now(policy(idle_timeout_s=seconds))
    story.refused("invalid_policy", path="policy.idle_timeout_s")
    story.given(policy(idle_timeout_s=60), policy(idle_timeout_s=0))


def test_ro12_a_step_names_groups_that_exist(story: Story) -> None:
    steps = [{"after_s": 1}, {"after_s": 2, "add_groups": ["x"]}]
    story.given(desk()).now(policy(widening=steps))
    story.refused("invalid_policy", path="policy.widening[1].add_groups", group_id="x")


# --- in the log, and for what waits -----------------------------------------------------------


def test_au01_each_decision_names_the_version_it_was_made_by(story: Story) -> None:
    story.given(desk(ana=2), policy(on_slow=[], widening=[{"after_s": 9, "raise_priority": 1}]))
    versions = [story.workspace.position]
    story.given(opened("c1"), policy(group_id="support", delivery="offer"))
    versions.append(story.workspace.position)
    story.given(opened("c2", "c3")).after(9)
    told = {
        name: [told["policy_version"] for told in story.told(name)]
        for name in ("conversation_assigned", "conversation_offered", "conversation_queued")
    }
    assert told == {
        "conversation_assigned": versions[:1],
        "conversation_offered": versions[1:],
        "conversation_queued": versions[1:],
    }
    assert story.told("conversation_widened")[0]["policy_version"] == versions[1]


def test_ro10_a_delivery_that_changes_holds_for_what_waits(story: Story) -> None:
    story.given(desk(ana=9), policy(delivery="manual"), opened("c1"))
    story.now(policy(delivery="broadcast")).then_among_others(
        event("conversation_queued", hold="broadcast"),
        event("conversation_broadcast", operator_ids=["ana"]),
    )
    story.now(policy(delivery="offer")).then_among_others(
        event("conversation_offered", operator_id="ana")
    )
    story.now(policy(delivery="auto")).then(event("policy_set"))
    story.when(ANA, "decline_offer", conversation_id="c1", offer=1)
    story.given(online("ben", "support"))
    assert story.owner("c1") == "ben"


def test_ro03_a_ranking_that_changes_holds_for_what_waits(story: Story) -> None:
    story.given(desk(), policy(delivery="manual"), online("ana", "support", capacity=2))
    story.given(online("ben", "support", capacity=9), opened("c1"))
    story.given(policy(ranking="longest_idle"), policy(delivery="auto"))
    assert story.owner("c1") == "ana"


def test_ro09_strict_bands_come_before_any_age(story: Story) -> None:
    story.given(desk(ana=1), policy(queue_order="strict", on_slow=[]), opened("now", "old"))
    story.after(86_400).given(opened("new", priority=6), opened("high", priority=9))
    story.given(opened("next", priority=6), opened("low", priority=4))
    places = [story.place(c) for c in ("high", "new", "next", "old", "low")]
    assert places == [1, 2, 3, 4, 5]
    served = []
    for _ in range(5):
        (mine,) = story.operator("ana").owned
        story.given(step(ANA, "close", conversation_id=mine))
        served += list(story.operator("ana").owned)
    assert served == ["high", "new", "next", "old", "low"]


def test_ro09_aged_nothing_starves(story: Story) -> None:
    story.given(desk(ana=1), policy(on_slow=[]), opened("now"), opened("old", priority=4))
    story.after(121).given(opened("new", priority=5))
    story.given(step(ANA, "close", conversation_id="now"))
    assert story.owners("old", "new") == ["ana", None]


@pytest.mark.parametrize(("head_start", "first"), [(0, "old"), (60, "new"), (120, "new")])
def test_ro09_the_head_start_is_so_much_a_level(story: Story, head_start: int, first: str) -> None:
    story.given(desk(ana=1), policy(priority_head_start_s=head_start, on_slow=[]))
    story.given(opened("now", "old")).after(100).given(opened("new", priority=7))
    story.given(step(ANA, "close", conversation_id="now"))
    assert story.owner(first) == "ana"


def test_ro09_an_order_that_changes_holds_for_what_waits(story: Story) -> None:
    story.given(desk(ana=1), policy(on_slow=[]), opened("now", "old")).after(3_600)
    story.given(opened("new", priority=6))
    assert [story.place("old"), story.place("new")] == [1, 2]
    story.given(policy(queue_order="strict"))
    assert [story.place("old"), story.place("new")] == [2, 1]
    story.given(policy(queue_order=None), policy(priority_head_start_s=3_601))
    assert [story.place("old"), story.place("new")] == [2, 1]


def test_c09_a_limit_set_at_the_group_holds_for_what_comes(story: Story) -> None:
    story.given(desk(), registered("ana", "support"), group("second"))
    story.given(entry_point("web", "support", fallback=[{"group": "second"}]), opened("c1", "c2"))
    story.given(policy(group_id="support", max_waiting=2), opened("c3"))
    assert [story.scope(c) for c in ("c2", "c3")] == [{"entry_point": "web"}, {"group": "second"}]
