"""Who owns a conversation and who takes part: the moves that several events share."""

from msgspec.structs import replace

from shared.routing import timers
from shared.routing.ids import OperatorId
from shared.routing.scope import Scope
from shared.routing.state import Conversation, Operator
from shared.routing.vocabulary import OfferEnd, RescindReason, ReturnReason
from shared.routing.workspace import Workspace

OFFERS_REMEMBERED_MAX = 50
_OF_WAITING = (timers.BACK_OFF, timers.WIDEN, timers.AFFINITY)
_OF_OWNER = (timers.QUIET, timers.OWNER)


# --- taking and giving back -----------------------------------------------------------------


def own(workspace: Workspace, conversation: Conversation, operator_id: OperatorId) -> None:
    """``operator_id`` is the owner from here on."""
    operator = workspace.operators[operator_id]
    workspace.leaves_queue(conversation)
    stops_waiting(workspace, conversation)
    conversation.state = "assigned"
    conversation.owner = operator_id
    if operator_id in conversation.participants:
        drop_participant(workspace, conversation, operator)
    operator.owned[conversation.conversation_id] = None
    operator.last_assigned = workspace.position
    operator.idle_since = workspace.position
    change_load(workspace, operator, conversation.weight)
    if conversation.unanswered_since is None and not conversation.missed:
        timers.await_visitor(workspace, conversation)
    if operator.kind == "human":
        visitor = workspace.visitors[conversation.visitor_id]
        visitor.last_operator = operator_id
        if conversation.contact_id is not None:
            workspace.acquaintances[conversation.contact_id] = operator_id
        workspace.met(conversation)


def stops_waiting(workspace: Workspace, conversation: Conversation) -> None:
    """Whatever was there for its waiting is over: hold, exclusions, rounds, reach."""
    its_id = conversation.conversation_id
    conversation.handover = False
    conversation.fresh = False
    conversation.hold = None
    conversation.told = {}
    conversation.reach = ()
    conversation.optional_dropped = 0
    conversation.round = 0
    conversation.back_off_until = None
    conversation.affinity_over = False
    conversation.widening_step = 0
    workspace.widening.pop(its_id, None)
    timers.end(workspace, _OF_WAITING, its_id)
    forgive(workspace, conversation)


def disown(workspace: Workspace, conversation: Conversation) -> None:
    """The owner is out; the conversation has none, and is not yet in any queue."""
    assert conversation.owner is not None
    operator = workspace.operators[conversation.owner]
    conversation.last_owner = conversation.owner
    conversation.owner = None
    conversation.owner_away = False
    conversation.fresh = operator.kind == "bot"
    conversation.state = "waiting"
    conversation.waits_since = workspace.at
    del operator.owned[conversation.conversation_id]
    operator.idle_since = workspace.position
    freed = 0 if conversation.slot_free else conversation.weight
    conversation.slot_free = False
    change_load(workspace, operator, -freed)
    timers.end(workspace, _OF_OWNER, conversation.conversation_id)
    workspace.owner_checks.pop(conversation.conversation_id, None)
    drop_forward(workspace, conversation)


def put_back(workspace: Workspace, conversation: Conversation) -> None:
    """The owner is out, and the conversation waits in its home scope."""
    owner = conversation.owner
    assert owner is not None
    disown(workspace, conversation)
    exclude(workspace, conversation, owner)
    conversation.scope = conversation.home_scope
    workspace.waits(conversation)


def change_load(workspace: Workspace, operator: Operator, by: int) -> None:
    operator.load += by
    workspace.load_changed(operator)


# --- exclusions -----------------------------------------------------------------------------


def exclude(workspace: Workspace, conversation: Conversation, operator_id: OperatorId) -> None:
    """Do not ask this operator again for the time being."""
    if operator_id not in conversation.declined:
        conversation.declined = (*conversation.declined, operator_id)
    declined = workspace.declined_by.setdefault(operator_id, {})
    declined[conversation.conversation_id] = None


def forgive(workspace: Workspace, conversation: Conversation) -> None:
    """Everybody may be asked again."""
    for operator_id in conversation.declined:
        workspace.declined_by[operator_id].pop(conversation.conversation_id, None)
    conversation.declined = ()


def ask_again(workspace: Workspace, operator_id: OperatorId) -> None:
    """The operator may be asked again for everything he was excluded from."""
    for conversation_id in workspace.declined_by.pop(operator_id, {}):
        conversation = workspace.conversations[conversation_id]
        conversation.declined = tuple(o for o in conversation.declined if o != operator_id)
        if conversation.state == "waiting":
            workspace.waits(conversation)


# --- participants ---------------------------------------------------------------------------


def drop_participant(workspace: Workspace, conversation: Conversation, operator: Operator) -> None:
    if conversation.state == "waiting":
        workspace.waits(conversation)  # participants are not asked: it changes its lane
    uses_slot = conversation.participants.pop(operator.operator_id, False)
    operator.takes_part.pop(conversation.conversation_id, None)
    if uses_slot:
        change_load(workspace, operator, -conversation.weight)


def drop_participants(workspace: Workspace, conversation: Conversation) -> None:
    """Their slots are free and nothing is theirs any more; who they were stays on record."""
    for operator_id, uses_slot in conversation.participants.items():
        operator = workspace.operators[operator_id]
        operator.takes_part.pop(conversation.conversation_id, None)
        if uses_slot:
            conversation.participants[operator_id] = False
            change_load(workspace, operator, -conversation.weight)


# --- scopes ---------------------------------------------------------------------------------


def set_scope(conversation: Conversation, scope: Scope) -> None:
    conversation.scope = scope
    conversation.hold = None
    conversation.told = {}
    conversation.fallbacks_tried = 0
    conversation.reach = ()
    conversation.optional_dropped = 0
    conversation.widening_step = 0
    if scope.operator is None:
        conversation.home_scope = scope


# --- offers ---------------------------------------------------------------------------------


def end_offer(workspace: Workspace, conversation: Conversation, how: OfferEnd) -> None:
    """The live offer is over and its slot free."""
    offer = conversation.offer
    assert offer is not None
    conversation.offer = None
    ended = conversation.offers_ended
    ended[offer.number] = how
    if len(ended) > OFFERS_REMEMBERED_MAX:
        del ended[next(iter(ended))]
    workspace.rescinding.pop(conversation.conversation_id, None)
    workspace.cancel_timer(timers.name(timers.OFFER, conversation.conversation_id))
    operator = workspace.operators[offer.operator_id]
    operator.offered.pop(conversation.conversation_id, None)
    change_load(workspace, operator, -conversation.weight)


def overtake_offer(workspace: Workspace, conversation: Conversation, reason: RescindReason) -> None:
    """The live offer, if any, is to be rescinded; the decision to do so follows."""
    if conversation.offer is not None:
        workspace.rescinding.setdefault(conversation.conversation_id, reason)


def call_off(workspace: Workspace, conversation: Conversation, reason: ReturnReason) -> None:
    """A forward on offer is to go back to its sender, whoever is being asked."""
    assert conversation.forward is not None
    conversation.forward = replace(conversation.forward, over=reason)
    overtake_offer(workspace, conversation, "recalled" if reason == "recalled" else "unavailable")
    workspace.forwarding[conversation.conversation_id] = None


def drop_forward(workspace: Workspace, conversation: Conversation) -> None:
    """A forward on offer is off, without anybody being told that it came back."""
    if conversation.forward is None:
        return
    conversation.forward = None
    workspace.forwarding.pop(conversation.conversation_id, None)
    workspace.cancel_timer(timers.name(timers.FORWARD, conversation.conversation_id))
    overtake_offer(workspace, conversation, "forwarded")
