"""Commands by which a person moves a conversation or brings colleagues in."""

from collections.abc import Callable
from typing import Any

from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command, Refused
from shared.routing.decide.conversations import find_open, joined, not_involved
from shared.routing.decide.rights import (
    holds,
    involved,
    lacks,
    permissions_of,
    require,
)
from shared.routing.decide.targets import find_operator, refuse_receiver, refuse_target
from shared.routing.decide.verdict import NOTHING, Facts, Instruction, facts
from shared.routing.forwards import next_to_ask
from shared.routing.ids import OperatorId, UnixMs
from shared.routing.scope import Scope
from shared.routing.state import Conversation
from shared.routing.status import not_routable
from shared.routing.vocabulary import ForwardMode
from shared.routing.workspace import Workspace

NOBODY_REACHABLE = "nobody_reachable"


def _forward(workspace: Workspace, command: c.Forward, instruction: Instruction) -> Facts | Refused:
    conversation = find_open(workspace, command)
    if isinstance(conversation, Refused):
        return conversation
    refusal = _refuse_sender(workspace, conversation, instruction) or refuse_target(
        workspace, command.to
    )
    if refusal is not None:
        return refusal
    mode = command.mode or workspace.policy_for(conversation).forward_mode
    if _is_there_already(conversation, command.to, mode):
        return NOTHING
    if mode == "offer" and conversation.owner is not None:
        return _forward_on_offer(workspace, conversation, command, instruction)
    event = e.ConversationForwarded(
        conversation_id=conversation.conversation_id,
        to=command.to,
        previous_owner=conversation.owner,
        note=instruction.refs.get("note"),
    )
    return Facts((event,), _remarks(workspace, command.to))


def _forward_on_offer(
    workspace: Workspace,
    conversation: Conversation,
    command: c.Forward,
    instruction: Instruction,
) -> Facts | Refused:
    """The owner keeps it until somebody accepts; nobody there to ask is a refusal."""
    refusal = _refuse_to_ask(workspace, conversation, command.to)
    if refusal is not None:
        return refusal
    assert conversation.owner is not None
    timeout_s = workspace.policy_of(
        conversation.home_scope if command.to.operator is not None else command.to,
        conversation.entry_point_id,
    ).offer_timeout_s
    return facts(
        e.ForwardOffered(
            conversation_id=conversation.conversation_id,
            to=command.to,
            sender=conversation.owner,
            deadline=UnixMs(instruction.at + timeout_s * 1_000),
            note=instruction.refs.get("note"),
        )
    )


def _refuse_to_ask(workspace: Workspace, conversation: Conversation, to: Scope) -> Refused | None:
    if to.operator is None:
        if next_to_ask(workspace, conversation, to, asked=()) is not None:
            return None
        return Refused(NOBODY_REACHABLE, "nobody there could accept it now")
    operator = workspace.operators[to.operator]
    if not_routable(operator) is not None:
        text = f"the operator {to.operator} is {operator.effective}, not online"
        return Refused("operator_offline", text, {"operator_id": to.operator})
    if operator.free < conversation.weight:
        text = f"the operator {to.operator} has no free slot"
        return Refused("at_capacity", text, {"operator_id": to.operator})
    return None


def _refuse_sender(
    workspace: Workspace, conversation: Conversation, instruction: Instruction
) -> Refused | None:
    operator_id = instruction.operator_id
    if operator_id is None:
        return None
    operator = workspace.operators[operator_id]
    permissions = permissions_of(workspace, operator)
    if conversation.owner is None:
        return require(workspace, operator_id, "conversations.unassigned: write")
    if holds(permissions, "assign_others"):
        return None
    if conversation.owner == operator_id:
        return None if permissions.forward else lacks(operator, "forward")
    return lacks(operator, "assign_others")


def _is_there_already(conversation: Conversation, to: Scope, mode: ForwardMode) -> bool:
    """Whether it is his or there; or offered there, unless it is to move at once after all."""
    forward = conversation.forward
    if forward is not None and forward.to == to:
        return mode == "offer"
    if to.operator is not None:
        return conversation.owner == to.operator
    return conversation.scope == to


def _remarks(workspace: Workspace, to: Scope) -> tuple[str, ...]:
    if to.operator is not None or workspace.somebody_online(workspace.audience_of(to)):
        return ()
    return (NOBODY_REACHABLE,)


# --- colleagues -----------------------------------------------------------------------------


def _add_participant(
    workspace: Workspace, command: c.AddParticipant, instruction: Instruction
) -> Facts | Refused:
    conversation = find_open(workspace, command)
    if isinstance(conversation, Refused):
        return conversation
    operator_id = instruction.acting_operator()
    refusal = _refuse_host(workspace, conversation, operator_id)
    if refusal is not None:
        return refusal
    colleague = find_operator(workspace, command.operator_id)
    if isinstance(colleague, Refused):
        return colleague
    if involved(conversation, command.operator_id):
        return NOTHING
    refusal = refuse_receiver(workspace, colleague)
    return refusal or facts(
        joined(workspace, conversation, command.operator_id, added_by=operator_id)
    )


def _remove_participant(
    workspace: Workspace, command: c.RemoveParticipant, instruction: Instruction
) -> Facts | Refused:
    conversation = find_open(workspace, command)
    if isinstance(conversation, Refused):
        return conversation
    operator_id = instruction.acting_operator()
    refusal = _refuse_host(workspace, conversation, operator_id)
    if refusal is not None:
        return refusal
    if command.operator_id not in conversation.participants:
        return not_involved(conversation, command.operator_id)
    return facts(e.ParticipantLeft(conversation.conversation_id, command.operator_id))


def _refuse_host(
    workspace: Workspace, conversation: Conversation, operator_id: OperatorId
) -> Refused | None:
    if involved(conversation, operator_id):
        return None
    return require(workspace, operator_id, "assign_others")


DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = {
    c.Forward: _forward,
    c.AddParticipant: _add_participant,
    c.RemoveParticipant: _remove_participant,
}
