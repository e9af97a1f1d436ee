"""Commands on one conversation: taking it, answering, leaving, changing, ending."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command, ConversationCommand, Refused
from shared.routing.decide.rights import (
    involved,
    require,
    require_to_handle,
    unknown,
)
from shared.routing.decide.verdict import NOTHING, Facts, Instruction, facts
from shared.routing.ids import OperatorId
from shared.routing.leaving import ended_by_visitor
from shared.routing.reopening import reopened
from shared.routing.state import Conversation
from shared.routing.workspace import Workspace


def find_open(workspace: Workspace, command: ConversationCommand) -> Conversation | Refused:
    """The conversation, if it exists and is not closed."""
    conversation = workspace.conversations.get(command.conversation_id)
    if conversation is None:
        return unknown("conversation", command.conversation_id)
    if conversation.state == "closed":
        return Refused(
            "already_closed", f"the conversation {conversation.conversation_id} is closed"
        )
    return conversation


def not_involved(conversation: Conversation, operator_id: OperatorId) -> Refused:
    return Refused(
        "not_involved",
        f"{operator_id} has no part in {conversation.conversation_id}",
        {"owner": conversation.owner},
    )


# --- taking it ------------------------------------------------------------------------------


def _claim(workspace: Workspace, command: c.Claim, instruction: Instruction) -> Facts | Refused:
    conversation = find_open(workspace, command)
    if isinstance(conversation, Refused):
        return conversation
    operator_id = instruction.acting_operator()
    if conversation.owner == operator_id:
        return NOTHING
    return _taken(workspace, conversation, operator_id) or _owned_by_another(conversation)


def _owned_by_another(conversation: Conversation) -> Refused:
    return Refused(
        "already_owned",
        f"{conversation.owner} owns {conversation.conversation_id}",
        {"owner": conversation.owner},
    )


def _taken(
    workspace: Workspace, conversation: Conversation, operator_id: OperatorId
) -> Facts | Refused | None:
    """It becomes his: by accepting what he is offered, by escalation, or because it is nobody's.

    None where it is somebody else's and stays so.
    """
    offer = conversation.offer
    if offer is not None and offer.operator_id == operator_id:
        return facts(
            e.OfferAccepted(
                conversation.conversation_id, operator_id, offer.number, conversation.owner
            )
        )
    if conversation.owner is not None and operator_id not in conversation.escalated:
        return None
    if operator_id not in conversation.escalated and not involved(conversation, operator_id):
        refusal = require(workspace, operator_id, "conversations.unassigned: write")
        if refusal is not None:
            return refusal
    return facts(
        e.ConversationClaimed(
            conversation.conversation_id, operator_id, previous_owner=conversation.owner
        )
    )


def _join(workspace: Workspace, command: c.Join, instruction: Instruction) -> Facts | Refused:
    conversation = find_open(workspace, command)
    if isinstance(conversation, Refused):
        return conversation
    operator_id = instruction.acting_operator()
    if conversation.owner == operator_id:
        return NOTHING
    if conversation.owner is None:
        return _taken(workspace, conversation, operator_id) or NOTHING
    if involved(conversation, operator_id):
        return NOTHING
    refusal = require(workspace, operator_id, "conversations.assigned: write")
    return refusal or facts(joined(workspace, conversation, operator_id))


def joined(
    workspace: Workspace,
    conversation: Conversation,
    operator_id: OperatorId,
    added_by: OperatorId | None = None,
) -> e.ParticipantJoined:
    """The operator takes part, with or without a slot as policy has it."""
    uses_slot = workspace.policy_for(conversation).participants_use_slot
    return e.ParticipantJoined(conversation.conversation_id, operator_id, added_by, uses_slot)


def _reply(workspace: Workspace, command: c.Reply, instruction: Instruction) -> Facts | Refused:
    conversation = find_open(workspace, command)
    if isinstance(conversation, Refused):
        return conversation
    operator_id = instruction.acting_operator()
    reply = e.OperatorReplied(conversation.conversation_id, operator_id, command.channel)
    if conversation.owner == operator_id:
        return facts(reply)
    taken = _taken(workspace, conversation, operator_id)
    if isinstance(taken, Refused):
        return taken
    if taken is not None:
        return facts(*taken.events, reply)
    if involved(conversation, operator_id):
        return facts(reply)
    refusal = require(workspace, operator_id, "conversations.assigned: write")
    return refusal or facts(joined(workspace, conversation, operator_id), reply)


# --- leaving it -----------------------------------------------------------------------------


def _leave(workspace: Workspace, command: c.Leave, instruction: Instruction) -> Facts | Refused:
    conversation = find_open(workspace, command)
    if isinstance(conversation, Refused):
        return conversation
    operator_id = instruction.acting_operator()
    if conversation.owner == operator_id:
        return facts(e.OwnerLeft(conversation.conversation_id, operator_id))
    if operator_id in conversation.participants:
        return facts(e.ParticipantLeft(conversation.conversation_id, operator_id))
    return not_involved(conversation, operator_id)


def _release(workspace: Workspace, command: c.Release, instruction: Instruction) -> Facts | Refused:
    conversation = find_open(workspace, command)
    if isinstance(conversation, Refused):
        return conversation
    operator_id = instruction.acting_operator()
    if conversation.owner != operator_id:
        return not_involved(conversation, operator_id)
    return facts(e.ConversationReleased(conversation.conversation_id, operator_id))


# --- changing and ending it -----------------------------------------------------------------


def _set_conversation(
    workspace: Workspace, command: c.SetConversation, instruction: Instruction
) -> Facts | Refused:
    conversation = find_open(workspace, command)
    if isinstance(conversation, Refused):
        return conversation
    refusal = require_to_handle(workspace, conversation, instruction)
    if refusal is not None:
        return refusal
    changes = {
        name: _without_repeats(value)
        for name in ("priority", "skills", "optional_skills", "tags")
        if (value := getattr(command, name)) is not UNSET
    }
    if all(getattr(conversation, name) == value for name, value in changes.items()):
        return NOTHING
    return facts(
        e.ConversationChanged(
            conversation_id=conversation.conversation_id,
            priority=changes.get("priority", conversation.priority),
            skills=changes.get("skills", conversation.skills),
            optional_skills=changes.get("optional_skills", conversation.optional_skills),
            tags=changes.get("tags", conversation.tags),
        )
    )


def _without_repeats(value: Any) -> Any:
    return tuple(dict.fromkeys(value)) if isinstance(value, tuple) else value


def _close(workspace: Workspace, command: c.Close, instruction: Instruction) -> Facts | Refused:
    conversation = find_open(workspace, command)
    if isinstance(conversation, Refused):
        return conversation
    text = instruction.refs.get("text")
    if instruction.visitor_id is not None:
        if conversation.visitor_id != instruction.visitor_id:
            return unknown("conversation", command.conversation_id)
        return facts(ended_by_visitor(conversation, command.reason, text))
    refusal = require_to_handle(workspace, conversation, instruction)
    if refusal is not None:
        return refusal
    return facts(
        e.ConversationClosed(
            conversation_id=conversation.conversation_id,
            owner=conversation.owner,
            reason=command.reason,
            text=text,
        )
    )


def _reopen(workspace: Workspace, command: c.Reopen, instruction: Instruction) -> Facts | Refused:
    conversation = workspace.conversations.get(command.conversation_id)
    if conversation is None:
        return unknown("conversation", command.conversation_id)
    if conversation.state != "closed":
        return Refused("already_open", f"the conversation {conversation.conversation_id} is open")
    operator_id = instruction.operator_id
    if operator_id is not None and operator_id == conversation.last_owner:
        return facts(reopened(workspace, conversation, owner=operator_id))
    if operator_id is not None:
        refusal = require(workspace, operator_id, "assign_others")
        if refusal is not None:
            return refusal
    return facts(reopened(workspace, conversation))


DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = {
    c.Claim: _claim,
    c.Join: _join,
    c.Reply: _reply,
    c.Leave: _leave,
    c.Release: _release,
    c.SetConversation: _set_conversation,
    c.Close: _close,
    c.Reopen: _reopen,
}
