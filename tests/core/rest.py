"""What must hold whenever nothing is left to decide, whatever happened before."""

from shared.routing.ids import ConversationId, OperatorId
from shared.routing.route import next_decision
from shared.routing.state import Conversation, Operator, Tables, Timer
from shared.routing.waiting import waiting_reason
from shared.routing.workspace import Workspace
from tests.core import plainly
from tests.core.reference import Look, Reference


def check_rest(
    workspace: Workspace, reference: Reference, looks: dict[ConversationId, Look]
) -> None:
    assert next_decision(workspace) is None
    for conversation in workspace.conversations.values():
        _check_conversation(workspace, reference, conversation, looks)
    for operator in workspace.operators.values():
        _check_operator(workspace, reference, operator)
    for entry_point in workspace.entry_points.values():
        assert entry_point.mode == plainly.mode_of(workspace, entry_point)
    for its_id, look in looks.items():
        _check_waiting(workspace, reference, workspace.conversations[its_id], look)
    _check_places(workspace, looks)
    check_timers(workspace, reference)
    _check_agenda(workspace)


# --- conversations --------------------------------------------------------------------------


def _check_conversation(
    tables: Tables,
    reference: Reference,
    conversation: Conversation,
    looks: dict[ConversationId, Look],
) -> None:
    its_id = conversation.conversation_id
    assert (conversation.state == "assigned") is (conversation.owner is not None)
    assert conversation.owner not in conversation.participants
    if conversation.state == "waiting":
        assert its_id in looks, "waits for nobody in particular"
        assert not conversation.handover
    assert set(conversation.declined) == reference.declined.get(its_id, set())
    assert conversation.unanswered_since == reference.unanswered.get(its_id)
    assert conversation.slot_free is (its_id in reference.freed)
    assert not (conversation.slot_free and conversation.unanswered_since), "a slot to take again"
    assert conversation.owner is None or not conversation.reach, "nobody else is reached any more"
    if conversation.state == "closed":
        assert conversation.closed_at is not None
        assert (conversation.offer, conversation.forward) == (None, None)
        return
    home = conversation.home_scope
    assert home.operator is None
    exists = home.group in tables.groups or home.entry_point in tables.entry_points
    assert home.everyone or exists, "its home is gone"
    _check_offer(tables, reference, conversation)


def _check_offer(tables: Tables, reference: Reference, conversation: Conversation) -> None:
    offer, forward = conversation.offer, conversation.forward
    live = reference.live.get(conversation.conversation_id)
    assert (live is None) is (offer is None)
    assert (conversation.state == "offered") is (offer is not None and forward is None)
    if offer is not None:
        assert live == (offer.operator_id, offer.number)
        policy = plainly.policy_for(tables, conversation)
        named = forward is not None and forward.to.operator is not None
        assert (
            plainly.is_askable(tables, offer.operator_id)
            if named
            else plainly.is_routable(tables, offer.operator_id, policy.assign_to)
        )
    if forward is not None:
        assert offer is not None, "a forward that asks nobody"
        assert forward.sender == conversation.owner
        assert forward.over is None


def _check_waiting(
    workspace: Workspace, reference: Reference, conversation: Conversation, look: Look
) -> None:
    its_id = conversation.conversation_id
    assert conversation.hold == look.hold
    left = plainly.overflows_to(workspace, conversation, look.line)
    assert not left, "a fallback could serve it"
    if look.hold in ("auto", "offer"):
        assert not look.eligible, "somebody eligible has room"
    if look.hold == "offer":
        again = reference.declined.get(its_id)
        over = reference.rounds.get(its_id, 0) >= look.policy.rounds_max
        assert over or not again or conversation.back_off_until is not None, "nobody is asked again"
    if look.hold == "broadcast":
        here = {m for m in look.members if plainly.is_routable(workspace, m)}
        assert here <= set(conversation.told), "somebody was not told"
    assert waiting_reason(workspace, conversation) == reference.reason_of(
        workspace, conversation, look
    )


def _check_places(workspace: Workspace, looks: dict[ConversationId, Look]) -> None:
    for its_id, look in looks.items():
        before = [o for o in looks.values() if o.line == look.line and o.order < look.order]
        assert workspace.place_in_line(workspace.conversations[its_id]) == len(before) + 1


# --- operators ------------------------------------------------------------------------------


def _check_operator(tables: Tables, reference: Reference, operator: Operator) -> None:
    operator_id = operator.operator_id
    everything = tables.conversations.items()
    owned = {i for i, c in everything if c.owner == operator_id}
    offered = {i for i, live in reference.live.items() if live.operator_id == operator_id}
    escalated = {i for i, c in everything if operator_id in c.escalated}
    takes_part = {i for i, c in everything if operator_id in c.participants and not c.closed_at}
    wrapping = {i for i, who in reference.wrapping.items() if who == operator_id}
    assert set(operator.owned) == owned
    assert set(operator.offered) == offered
    assert set(operator.escalated) == escalated
    assert set(operator.takes_part) == takes_part
    assert operator.last_assigned == reference.last_assigned.get(operator_id, 0)
    assert operator.idle_since == reference.idle_since.get(operator_id, 0)
    assert operator.missed_offers == reference.expired.get(operator_id, 0)
    assert (operator.effective, operator.cause) == plainly.status_of(operator)
    assert set(operator.lapsed) <= set(operator.sessions)
    if operator.removed:
        assert not owned | offered | takes_part
        assert not operator.groups
        return
    assert set(operator.wrap_ups) == wrapping
    assert operator.load == reference.load(tables, operator_id)


# --- timers ---------------------------------------------------------------------------------


def check_timers(tables: Tables, reference: Reference) -> None:
    """Those that must run do, and none is left for anything that ended."""
    expected: dict[str, int | None] = {}
    for operator in tables.operators.values():
        expected |= _of_operator(operator)
    for its_id in reference.wrapping:
        expected[f"wrap_up:{its_id}"] = None
    possible = dict(expected)
    for conversation in tables.conversations.values():
        if conversation.state != "closed":
            expected |= _of_conversation(conversation)
            possible |= _possible(tables, conversation)
    for visitor in tables.visitors.values():
        if visitor.conversations and not visitor.away:
            possible[f"gone:{visitor.visitor_id}"] = None
    _compare(tables.timers, expected, expected | possible)


def _compare(
    timers: dict[str, Timer], expected: dict[str, int | None], possible: dict[str, int | None]
) -> None:
    for timer_id, due in expected.items():
        assert timer_id in timers, "a timer is missing"
        assert due is None or timers[timer_id].due == due
    for timer_id, timer in timers.items():
        assert timer_id in possible, f"a timer is left over: {timer_id}"
        assert timer.timer_id == timer_id


def _of_operator(operator: Operator) -> dict[str, int | None]:
    its_id, timers = operator.operator_id, dict[str, int | None]()
    if operator.break_until is not None:
        timers[f"break:{its_id}"] = operator.break_until
    silent = bool(operator.sessions) and not plainly.is_connected(operator)
    if silent and not operator.logged_out and not operator.grace_over:
        timers[f"grace:{its_id}"] = None
    return timers


def _of_conversation(conversation: Conversation) -> dict[str, int | None]:
    its_id, timers = conversation.conversation_id, dict[str, int | None]()
    if conversation.offer is not None:
        timers[f"offer:{its_id}"] = conversation.offer.expires_at
    if conversation.forward is not None:
        timers[f"forward:{its_id}"] = conversation.forward.deadline
    if conversation.back_off_until is not None:
        timers[f"back_off:{its_id}"] = conversation.back_off_until
    if conversation.hold == "affinity_wait" and conversation.state == "waiting":
        timers[f"affinity:{its_id}"] = None
    return timers


def _possible(tables: Tables, conversation: Conversation) -> dict[str, int | None]:
    """Timers that policy may have asked for when their time began."""
    its_id = conversation.conversation_id
    names = ["unused", "affinity"] if conversation.hold == "affinity_wait" else ["unused"]
    if conversation.unanswered_since is not None:
        names += ["slow"] if conversation.slow_since is not None else []
        if not conversation.missed and not conversation.answered:
            names.append("missed")
    owner: OperatorId | None = conversation.owner
    if owner is None:
        names.append("widen")
    else:
        if tables.operators[owner].effective == "offline":
            names.append("owner")
        if conversation.unanswered_since is None and not conversation.slot_free:
            names.append("quiet")
    return {f"{name}:{its_id}": None for name in names}


def _check_agenda(workspace: Workspace) -> None:
    """Nothing is left that somebody should still look at."""
    left = [
        workspace.rescinding,
        workspace.forwarding,
        workspace.slow,
        workspace.widening,
        workspace.owner_checks,
        workspace.unanswering,
        workspace.adrift,
        workspace.undecided,
    ]
    assert not any(left)
