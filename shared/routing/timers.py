"""Timers that are part of the state: what each is called, when it is set, what it becomes.

A timer's name says what and for whom: ``offer:c-17``. Policies are looked up when a timer is set;
changing one later moves no timer that runs.
"""

from collections.abc import Callable, Iterable

from shared.routing import events as e
from shared.routing.agenda import CONTINUES
from shared.routing.events import Fact
from shared.routing.ids import ConversationId, OperatorId, UnixMs, VisitorId
from shared.routing.leaving import closed_unused, left_behind
from shared.routing.policy import SlowStep, WideningStep
from shared.routing.state import Conversation, Timer, Visitor
from shared.routing.workspace import Workspace

BREAK = "break"
GRACE = "grace"
OFFER = "offer"
FORWARD = "forward"
BACK_OFF = "back_off"
SLOW = "slow"
QUIET = "quiet"
OWNER = "owner"
WIDEN = "widen"
AFFINITY = "affinity"
MISSED = "missed"
WRAP_UP = "wrap_up"
GONE = "gone"
UNUSED = "unused"

OF_CONVERSATION = (
    OFFER,
    FORWARD,
    BACK_OFF,
    SLOW,
    QUIET,
    OWNER,
    WIDEN,
    AFFINITY,
    MISSED,
    UNUSED,
)
"""Timers that end with the conversation."""


def name(kind: str, subject: str) -> str:
    return f"{kind}:{subject}"


def facts_of(workspace: Workspace, timer: Timer) -> tuple[Fact, ...]:
    """What happened when ``timer`` fell due."""
    kind, _, subject = timer.timer_id.partition(":")
    if kind == GONE:
        visitor_id = VisitorId(subject)
        return (e.VisitorLeft(visitor_id, timer.due), *left_behind(workspace, visitor_id))
    if kind == UNUSED:
        conversation = workspace.conversations[ConversationId(subject)]
        unused = e.ConversationUnused(conversation.conversation_id, timer.due)
        return (unused, closed_unused(conversation))
    if kind == FORWARD:
        return _forward(workspace, subject, timer.due)
    return (_FACTS[kind](workspace, subject, timer.due),)


# --- setting --------------------------------------------------------------------------------


def slow_steps(workspace: Workspace, conversation: Conversation) -> tuple[SlowStep, ...]:
    steps = workspace.policy_for(conversation).on_slow
    return steps if len(steps) < 2 else tuple(sorted(steps, key=lambda step: step.after_s))


def widening_steps(workspace: Workspace, conversation: Conversation) -> tuple[WideningStep, ...]:
    steps = workspace.policy_for(conversation).widening
    return steps if len(steps) < 2 else tuple(sorted(steps, key=lambda step: step.after_s))


def await_reply(workspace: Workspace, conversation: Conversation) -> None:
    """The visitor said something: from now on somebody owes an answer."""
    its_id = conversation.conversation_id
    workspace.timers.pop(f"{QUIET}:{its_id}", None)
    if conversation.slow_since is None:
        conversation.slow_since = workspace.at
        conversation.slow_step = 0
        set_slow(workspace, conversation)
    if conversation.unanswered_since is None:
        conversation.unanswered_since = workspace.at
        policy = workspace.policy_for(conversation)
        if policy.missed_after_s and not conversation.answered and not conversation.missed:
            due = UnixMs(workspace.at + policy.missed_after_s * 1_000)
            workspace.set_timer(name(MISSED, its_id), due)
    set_unused(workspace, conversation)


def set_slow(workspace: Workspace, conversation: Conversation) -> None:
    """The next step of ``on_slow``, if there is one."""
    steps = slow_steps(workspace, conversation)
    since = conversation.slow_since
    if since is not None and conversation.slow_step < len(steps):
        due = UnixMs(since + steps[conversation.slow_step].after_s * 1_000)
        workspace.set_timer(name(SLOW, conversation.conversation_id), due)


def owe_nothing(workspace: Workspace, conversation: Conversation) -> None:
    """Somebody replied, or it is over."""
    conversation.unanswered_since = None
    workspace.timers.pop(f"{MISSED}:{conversation.conversation_id}", None)
    end_slow(workspace, conversation)


def end_slow(workspace: Workspace, conversation: Conversation) -> None:
    """Nobody is slow any more: it was answered, closed, or is for somebody else from here on."""
    its_id = conversation.conversation_id
    conversation.slow_since = None
    if conversation.escalated:
        end_escalation(workspace, conversation)
    workspace.slow.pop(its_id, None)
    workspace.timers.pop(f"{SLOW}:{its_id}", None)


def end_escalation(workspace: Workspace, conversation: Conversation) -> None:
    """Whoever was alerted cannot take it from its owner any more."""
    for operator_id in conversation.escalated:
        workspace.operators[operator_id].escalated.pop(conversation.conversation_id, None)
    conversation.escalated = ()


def await_visitor(workspace: Workspace, conversation: Conversation) -> None:
    """An operator replied, or got what was answered already: it is the visitor's turn."""
    freed_after_s = workspace.policy_for(conversation).waiting_frees_slot_after_s
    if freed_after_s and not conversation.slot_free:
        due = UnixMs(workspace.at + freed_after_s * 1_000)
        workspace.set_timer(name(QUIET, conversation.conversation_id), due)


def set_unused(workspace: Workspace, conversation: Conversation) -> None:
    """Somebody wrote: the conversation is in use. One that was missed is closed by people only."""
    close_after_s = workspace.policy_for(conversation).close_after_idle_s
    if close_after_s and not conversation.missed:
        due = UnixMs(workspace.at + close_after_s * 1_000)
        workspace.set_timer(name(UNUSED, conversation.conversation_id), due)


def see_visitor(workspace: Workspace, visitor: Visitor) -> None:
    """A sign of the visitor."""
    after_ms = gone_after_ms(workspace, visitor)
    if after_ms is not None:
        due = UnixMs(workspace.at + after_ms)
        workspace.set_timer(name(GONE, visitor.visitor_id), due)


def gone_after_ms(workspace: Workspace, visitor: Visitor) -> int | None:
    """Of the times that its open conversations give the visitor, the shortest."""
    shortest_s = 0
    for conversation_id in visitor.conversations:
        after_s = workspace.policy_for(
            workspace.conversations[conversation_id]
        ).visitor_gone_after_s
        if after_s and (not shortest_s or after_s < shortest_s):
            shortest_s = after_s
    return shortest_s * 1_000 or None


def set_widening(workspace: Workspace, conversation: Conversation) -> None:
    """The next step of ``widening``, if there is one."""
    steps = widening_steps(workspace, conversation)
    if conversation.widening_step < len(steps):
        after_ms = steps[conversation.widening_step].after_s * 1_000
        due = UnixMs(conversation.waits_since + after_ms)
        workspace.set_timer(name(WIDEN, conversation.conversation_id), due)


def end_all(workspace: Workspace, conversation: Conversation) -> None:
    """Nothing falls due for the conversation any more."""
    owe_nothing(workspace, conversation)
    end(workspace, OF_CONVERSATION, conversation.conversation_id)


def end(workspace: Workspace, kinds: Iterable[str], subject: str) -> None:
    """None of these falls due for it any more. Of what is done to a state, this is done most."""
    timers = workspace.timers
    for kind in kinds:
        timers.pop(f"{kind}:{subject}", None)


# --- falling due ----------------------------------------------------------------------------


def _break(workspace: Workspace, subject: str, due: UnixMs) -> Fact:
    operator = workspace.operators[OperatorId(subject)]
    assert operator.after_break is not None
    return e.StatusBreakEnded(operator.operator_id, operator.after_break, due)


def _grace(_workspace: Workspace, subject: str, due: UnixMs) -> Fact:
    return e.DisconnectGraceEnded(OperatorId(subject), due)


def _offer(workspace: Workspace, subject: str, due: UnixMs) -> Fact:
    conversation = workspace.conversations[ConversationId(subject)]
    offer = conversation.offer
    assert offer is not None
    operator = workspace.operators[offer.operator_id]
    return e.OfferExpired(
        conversation_id=conversation.conversation_id,
        operator_id=offer.operator_id,
        offer=offer.number,
        counted=operator.kind == "human" and operator.connected,
        due=due,
    )


def _forward(workspace: Workspace, subject: str, due: UnixMs) -> tuple[Fact, ...]:
    """With it the offer that is live just then, if any: both have the same deadline."""
    over = e.ForwardExpired(ConversationId(subject), due)
    live = workspace.conversations[ConversationId(subject)].offer is not None
    return (_offer(workspace, subject, due), over) if live else (over,)


def _back_off(_workspace: Workspace, subject: str, due: UnixMs) -> Fact:
    return e.BackOffEnded(ConversationId(subject), due)


def _slow(workspace: Workspace, subject: str, due: UnixMs) -> Fact:
    conversation = workspace.conversations[ConversationId(subject)]
    steps = slow_steps(workspace, conversation)
    step = min(conversation.slow_step, len(steps) - 1)
    action = steps[step].action if steps else "notify"
    return e.ConversationSlow(conversation.conversation_id, conversation.slow_step, action, due)


def _quiet(workspace: Workspace, subject: str, due: UnixMs) -> Fact:
    conversation = workspace.conversations[ConversationId(subject)]
    assert conversation.owner is not None
    return e.SlotFreed(conversation.conversation_id, conversation.owner, due)


def _owner(workspace: Workspace, subject: str, due: UnixMs) -> Fact:
    conversation = workspace.conversations[ConversationId(subject)]
    assert conversation.owner is not None
    return e.OwnerAwayTooLong(conversation.conversation_id, conversation.owner, due)


def _widen(workspace: Workspace, subject: str, due: UnixMs) -> Fact:
    conversation = workspace.conversations[ConversationId(subject)]
    return e.WideningDue(conversation.conversation_id, conversation.widening_step, due)


def _affinity(_workspace: Workspace, subject: str, due: UnixMs) -> Fact:
    return e.AffinityWaitEnded(ConversationId(subject), due)


def _missed(workspace: Workspace, subject: str, due: UnixMs) -> Fact:
    conversation = workspace.conversations[ConversationId(subject)]
    return e.ConversationMissed(conversation.conversation_id, conversation.owner, due)


def _wrap_up(workspace: Workspace, subject: str, due: UnixMs) -> Fact:
    conversation = workspace.conversations[ConversationId(subject)]
    assert conversation.last_owner is not None
    return e.WrapUpEnded(conversation.conversation_id, conversation.last_owner, due)


def _continues(_workspace: Workspace, _subject: str, due: UnixMs) -> Fact:
    return e.RoutingContinues(due)


_FACTS: dict[str, Callable[[Workspace, str, UnixMs], Fact]] = {
    BREAK: _break,
    GRACE: _grace,
    OFFER: _offer,
    BACK_OFF: _back_off,
    SLOW: _slow,
    QUIET: _quiet,
    OWNER: _owner,
    WIDEN: _widen,
    AFFINITY: _affinity,
    MISSED: _missed,
    WRAP_UP: _wrap_up,
    CONTINUES: _continues,
}
