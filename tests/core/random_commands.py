"""Strategies for every command there is, over a handful of ids, so that they meet."""

from typing import Any

from hypothesis import strategies as st

from shared.routing.events import Actor
from tests.core.story import ADMIN

OPERATORS = ["ana", "ben", "cleo", "dan", "eve"]
GROUPS = ["red", "green", "blue"]
ENTRY_POINTS = ["web", "app", "phone"]
VISITORS = ["vera", "wim", "xenia"]
SKILLS = ["fr", "it"]
ROLES = ["staff", "staff", "manager", "helper"]
RANKINGS = ["most_free_slots", "highest_free_ratio", "fewest_open", "round_robin", "longest_idle"]
DELIVERIES = ["auto", "auto", "offer", "offer", "broadcast", "manual"]
SLOW_ACTIONS = ["notify", "escalate_invisible", "reassign", "message_visitor"]
BOT = "bot"

CHOICES: dict[str, list[Any]] = {
    "delivery": DELIVERIES,
    "ranking": RANKINGS,
    "assign_to": ["online", "online", "any"],
    "offer_timeout_s": [10, 30],
    "decline_backoff_s": [5, 15],
    "rounds_max": [1, 2, 3],
    "affinity": ["off", "prefer", "wait"],
    "affinity_wait_s": [10, 60],
    "queue_order": ["aged", "strict"],
    "priority_head_start_s": [0, 30, 120],
    "max_waiting": [0, 1, 2],
    "fallback_when_nobody_online": [False, True],
    "forward_mode": ["direct", "offer"],
    "on_owner_offline": ["reassign_on_next_message", "keep", "reassign", "reassign_after"],
    "reassign_after_s": [30, 300],
    "idle_owner_after_s": [0, 20],
    "waiting_frees_slot_after_s": [0, 20, 600],
    "wrap_up_s": [0, 15],
    "reopen_window_s": [0, 60, 86_400],
    "missed_after_s": [0, 0, 40],
    "missed_delivery": ["offer", "manual", "auto"],
    "on_visitor_left": ["park", "keep", "close"],
    "visitor_gone_after_s": [0, 0, 45],
    "close_after_idle_s": [0, 0, 400],
    "participants_use_slot": [False, True],
}
"""Values of policies that may be set anywhere; ``null`` takes one back."""

WORKSPACE_CHOICES: dict[str, list[Any]] = {
    "unresponsive_after": [0, 1, 2],
    "disconnect_grace_s": [10, 60],
    "manual_offline": ["allow", "allow", "deny"],
}

Drawn = tuple[Actor, str, dict[str, Any]]
Fields = st.SearchStrategy[dict[str, Any]]

operators = st.sampled_from(OPERATORS)
groups = st.sampled_from(GROUPS)
entry_points = st.sampled_from(ENTRY_POINTS)
visitors = st.sampled_from(VISITORS)
skills = st.lists(st.sampled_from(SKILLS), max_size=2, unique=True)
any_number = st.integers(0, 59)
of_owners = st.sampled_from(
    ["leave", "release", "close", "close", "reply", "forward", "recall_offer"]
)
answers = st.sampled_from(
    ["accept_offer", "accept_offer", "decline_offer", "decline_offer", "reply"]
)
of_others = st.sampled_from(["claim", "join", "join", "leave", "reply", "forward"])
conversations = st.integers(0, 11).map(lambda number: f"c{number}")
"""Some of these exist; the machine opens them in this order."""

targets = st.one_of(
    st.builds(lambda its_id: {"operator": its_id}, operators),
    st.builds(lambda its_id: {"group": its_id}, groups),
    st.just({"everyone": True}),
)
modes = st.sampled_from(["direct", "offer"])
access = st.sampled_from(["write", "write", "write", "read", "off"])
names = st.just("n")


def fields(**optional_too: Any) -> Fields:
    """Mandatory fields; those that end in an underscore may be left out."""
    mandatory = {k: v for k, v in optional_too.items() if not k.endswith("_")}
    optional = {k.removesuffix("_"): v for k, v in optional_too.items() if k.endswith("_")}
    return st.fixed_dictionaries(mandatory, optional=optional)


seconds = st.sampled_from([5, 20, 60])
SLOW_STEP = fields(after_s=seconds, action=st.sampled_from(SLOW_ACTIONS))
WIDENING_STEP = fields(
    after_s=seconds,
    add_groups_=st.lists(groups, max_size=2, unique=True),
    add_everyone_=st.booleans(),
    drop_optional_skills_=st.sampled_from([0, 1, "all"]),
    include_consenting_invisible_=st.booleans(),
    raise_priority_=st.integers(0, 3),
)
_CHOSEN = {
    f"{field}_": st.sampled_from([*values, None])
    for field, values in (CHOICES | WORKSPACE_CHOICES).items()
}
POLICY = fields(
    on_slow_=st.lists(SLOW_STEP, max_size=3),
    widening_=st.lists(WIDENING_STEP, max_size=3),
    **_CHOSEN,
)
PLACES = st.one_of(
    st.just({"workspace": True}),
    st.builds(lambda its_id: {"group": its_id}, groups),
    st.builds(lambda its_id: {"entry_point": its_id}, entry_points),
)
ENTRY_POINT = fields(
    entry_point_id=entry_points,
    name=names,
    groups=st.one_of(st.lists(groups, min_size=1, max_size=3, unique=True), st.just("everyone")),
    fallback_=st.lists(targets, max_size=3),
    offline_display_=st.sampled_from(["messenger", "hidden"]),
    ask_group_=st.one_of(st.booleans(), st.lists(groups, max_size=2)),
    weight_=st.integers(1, 3),
    first_responder_=st.sampled_from([BOT, None]),
)
OPERATOR = fields(
    operator_id=operators,
    role_id_=st.sampled_from(ROLES),
    capacity_=st.integers(0, 4),
    skills_=skills,
)
SETTINGS: dict[str, Fields] = {
    "set_policy": fields(scope=PLACES, policy=POLICY),
    "clear_policy": fields(scope=PLACES),
    "define_role": st.builds(
        lambda assigned, unassigned: {
            "role_id": "helper",
            "permissions": {
                "conversations.assigned": assigned,
                "conversations.unassigned": unassigned,
            },
        },
        access,
        access,
    ),
    "delete_role": fields(role_id=st.just("helper")),
    "create_group": groups.map(lambda its_id: {"group_id": its_id, "name": its_id}),
    "update_group": fields(group_id=groups, enabled=st.booleans(), public_=st.booleans()),
    "delete_group": fields(group_id=groups),
    "define_entry_point": ENTRY_POINT,
    "remove_entry_point": fields(entry_point_id=entry_points),
    "delete_rule": fields(rule_id=st.sampled_from(["r1", "r2"])),
}
STAFF: dict[str, Fields] = {
    "register_operator": OPERATOR,
    "update_operator": OPERATOR,
    "remove_operator": fields(operator_id=operators),
    "log_out_operator": fields(operator_id=operators),
    "join_group": fields(operator_id=operators, group_id=groups),
    "leave_group": fields(operator_id=operators, group_id=groups),
}
STATUS: dict[str, Fields] = {
    "log_in": fields(session_id=st.sampled_from(["s1", "s2"])),
    "log_out": fields(session_id=st.sampled_from(["s1", "s2"])),
    "set_status": fields(
        status=st.sampled_from(["online", "online", "busy", "invisible", "offline"]),
        for_s_=st.integers(1, 300),
    ),
    "set_preferences": fields(reachable_when_slow=st.booleans()),
}
PRESENCE: dict[str, Fields] = {
    "session_lapsed": fields(operator_id=operators, session_id=st.just("s1")),
    "session_returned": fields(operator_id=operators, session_id=st.just("s1")),
    "operator_idle": fields(operator_id=operators),
    "operator_active": fields(operator_id=operators),
    "shift_started": st.one_of(fields(operator_id=operators), fields(entry_point_id=entry_points)),
    "shift_ended": st.one_of(fields(operator_id=operators), fields(entry_point_id=entry_points)),
}
rule_ids = st.sampled_from(["r1", "r2"])
sessions = st.sampled_from(["v1", "v2"])
ACTION = st.one_of(
    targets.map(lambda to: {"assign": to}),
    st.just({"invite": {"message": "Hello"}}),
    st.lists(groups, min_size=1, max_size=2).map(lambda ids: {"ask_group": ids}),
    st.integers(0, 9).map(lambda number: {"set_priority": number}),
    st.sampled_from(SKILLS).map(lambda skill: {"require_skill": skill}),
    st.just({"add_tag": "seen"}),
)
RULE = fields(
    rule_id=rule_ids,
    name=names,
    order=st.just(1),
    when=st.just({"always": True}),
    then=st.lists(ACTION, min_size=1, max_size=3),
    enabled=st.sampled_from([True, True, False]),
    frequency_=st.sampled_from(["always", "once_per_session", "once_per_visitor"]),
    override_=st.booleans(),
    only_when_live_=st.booleans(),
)
REPORTS: dict[str, Fields] = {
    "rule_fired": fields(
        rule_id=rule_ids, visitor_id=visitors, session_id=sessions, entry_point_id=entry_points
    ),
    "visitor_session_ended": fields(visitor_id=visitors, session_id=sessions),
    "visitor_seen": fields(visitor_id=visitors),
}
HANDLING: dict[str, Fields] = {
    "claim": fields(conversation_id=conversations),
    "join": fields(conversation_id=conversations),
    "leave": fields(conversation_id=conversations),
    "release": fields(conversation_id=conversations),
    "reply": fields(conversation_id=conversations),
    "add_participant": fields(conversation_id=conversations, operator_id=operators),
    "remove_participant": fields(conversation_id=conversations, operator_id=operators),
}
DIRECTING: dict[str, Fields] = {
    "forward": fields(conversation_id=conversations, to=targets, mode_=modes),
    "set_conversation": fields(
        conversation_id=conversations,
        priority_=st.integers(0, 9),
        skills_=skills,
        optional_skills_=skills,
    ),
    "close": fields(conversation_id=conversations),
    "reopen": fields(conversation_id=conversations),
    "assign_visitor": fields(visitor_id=visitors, to=targets),
    "unassign_visitor": fields(visitor_id=visitors),
}
VISITING: dict[str, Fields] = {
    "write": fields(conversation_id=conversations),
    "close": fields(conversation_id=conversations),
    "visitor_left": fields(),
    "visitor_back": fields(),
    "identify": fields(contact_id=st.sampled_from(["k1", "k2"])),
    "assign_visitor": fields(visitor_id=visitors, to=targets),
    "unassign_visitor": fields(visitor_id=visitors),
}
OPENING = fields(
    entry_point_id=entry_points,
    priority_=st.integers(0, 9),
    skills_=skills,
    optional_skills_=skills,
    group_id_=groups,
    contact_id_=st.sampled_from(["k1", "k2"]),
)


def any_of(table: dict[str, Fields], actors: st.SearchStrategy[Actor]) -> st.SearchStrategy[Drawn]:
    """One command out of ``table`` by one of ``actors``."""
    return st.one_of([st.tuples(actors, st.just(name), content) for name, content in table.items()])


admin = st.just(ADMIN)
evaluator = st.just(Actor("service", "rules"))
presence = st.just(Actor("service", "presence"))
an_operator = operators.map(lambda its_id: Actor("operator", its_id))
a_visitor = visitors.map(lambda its_id: Actor("visitor", its_id, service="shop"))
staff_or_admin = st.one_of(an_operator, admin)
