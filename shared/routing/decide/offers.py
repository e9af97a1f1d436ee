"""Answers to offers, and taking back a forward that nobody has accepted yet."""

from collections.abc import Callable
from typing import Any

from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command, Refused
from shared.routing.decide.conversations import find_open, not_involved
from shared.routing.decide.rights import unknown
from shared.routing.decide.verdict import Facts, Instruction, facts
from shared.routing.ids import OperatorId
from shared.routing.state import Conversation
from shared.routing.workspace import Workspace


def _accept(
    workspace: Workspace, command: c.AcceptOffer, instruction: Instruction
) -> Facts | Refused:
    operator_id = instruction.acting_operator()
    conversation = _offered(workspace, command, operator_id)
    if isinstance(conversation, Refused):
        return conversation
    return facts(accepted(conversation))


def accepted(conversation: Conversation) -> e.OfferAccepted:
    """The live offer is taken by whom it was made to."""
    offer = conversation.offer
    assert offer is not None
    return e.OfferAccepted(
        conversation.conversation_id, offer.operator_id, offer.number, conversation.owner
    )


def _decline(
    workspace: Workspace, command: c.DeclineOffer, instruction: Instruction
) -> Facts | Refused:
    operator_id = instruction.acting_operator()
    conversation = _offered(workspace, command, operator_id)
    if isinstance(conversation, Refused):
        return conversation
    return facts(
        e.OfferDeclined(
            conversation.conversation_id,
            operator_id,
            command.offer,
            command.reason,
            instruction.refs.get("text"),
        )
    )


def _offered(
    workspace: Workspace, command: c.AcceptOffer | c.DeclineOffer, operator_id: OperatorId
) -> Conversation | Refused:
    """The conversation, if exactly this offer is live and was made to this operator."""
    conversation = workspace.conversations.get(command.conversation_id)
    if conversation is None:
        return unknown("conversation", command.conversation_id)
    ended = conversation.offers_ended.get(command.offer)
    if ended is not None:
        text = f"offer {command.offer} of {command.conversation_id} has ended: {ended}"
        return Refused("offer_ended", text, {"how": ended})
    offer = conversation.offer
    if offer is None or offer.number != command.offer or offer.operator_id != operator_id:
        text = f"{command.conversation_id} is not offered to {operator_id} as {command.offer}"
        return Refused("no_offer", text, {"offer": command.offer})
    return conversation


def _recall(
    workspace: Workspace, command: c.RecallOffer, instruction: Instruction
) -> Facts | Refused:
    conversation = find_open(workspace, command)
    if isinstance(conversation, Refused):
        return conversation
    operator_id = instruction.acting_operator()
    if conversation.forward is None:
        text = f"no forward of {command.conversation_id} waits to be accepted"
        return Refused("no_offer", text)
    if conversation.forward.sender != operator_id:
        return not_involved(conversation, operator_id)
    return facts(e.ForwardRecalled(conversation.conversation_id, operator_id))


DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = {
    c.AcceptOffer: _accept,
    c.DeclineOffer: _decline,
    c.RecallOffer: _recall,
}
