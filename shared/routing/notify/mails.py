"""Which event calls for e-mails, and to whom: a function of the state and the event.

``mails`` is called with the state as it is right after the event, as ``notifications`` is. It knows
ids and references only; addresses and texts are looked up when a mail is sent.
"""

from typing import Literal

import msgspec

from shared.routing import events as e
from shared.routing.eligibility import atoms_of, is_member, may_receive
from shared.routing.events import Envelope
from shared.routing.ids import ConversationId, EntryPointId, OperatorId, Ref
from shared.routing.modes import mode_of
from shared.routing.state import Conversation, Operator
from shared.routing.workspace import Workspace

MailKind = Literal["missed", "offline"]
"""Its visitor got no answer, or wrote while nobody was there."""


_CALLS_FOR_MAILS = (e.ConversationMissed, e.ConversationOpened, e.ConversationReopened)


class Mail(msgspec.Struct, frozen=True, gc=False):
    """One e-mail to one operator. ``waited_ms`` is how long the visitor had been waiting."""

    kind: MailKind
    operator_id: OperatorId
    email: Ref
    conversation_id: ConversationId
    entry_point_id: EntryPointId
    waited_ms: int


def mails(workspace: Workspace, envelope: Envelope) -> list[Mail]:
    """The mails that the event just applied calls for: once per conversation and kind.

    A conversation that is reopened starts anew. Mails go to the operators of its scope who want
    them; where none there does, to those of the workspace.
    """
    event = envelope.data
    if not isinstance(event, _CALLS_FOR_MAILS):
        return []
    if isinstance(event, e.ConversationMissed):
        conversation = workspace.conversations[event.conversation_id]
        until = event.due if event.due is not None else envelope.at
        return _mails("missed", workspace, conversation, max(until - conversation.queued_at, 0))
    if isinstance(event, e.ConversationOpened):
        if event.entry_mode == "live":
            return []
    elif not _found_nobody(workspace, event, envelope):
        return []
    return _mails("offline", workspace, workspace.conversations[event.conversation_id], 0)


def _found_nobody(workspace: Workspace, event: e.ConversationReopened, envelope: Envelope) -> bool:
    """Whether a visitor took a conversation up again while nobody was there."""
    by_visitor = envelope.by is not None and envelope.by.kind == "visitor"
    if event.owner is not None or not by_visitor:
        return False
    entry_point = workspace.entry_points.get(
        workspace.conversations[event.conversation_id].entry_point_id
    )
    return entry_point is None or mode_of(workspace, entry_point, event.scope) != "live"


def _mails(
    kind: MailKind, workspace: Workspace, conversation: Conversation, waited_ms: int
) -> list[Mail]:
    return [
        Mail(
            kind,
            operator.operator_id,
            operator.email,
            conversation.conversation_id,
            conversation.entry_point_id,
            waited_ms,
        )
        for operator in _recipients(workspace, conversation)
        if operator.email is not None
    ]


def _recipients(workspace: Workspace, conversation: Conversation) -> list[Operator]:
    wanting = [operator for operator in workspace.operators.values() if wants(workspace, operator)]
    scope = conversation.scope
    if scope.operator is not None:
        inside = [operator for operator in wanting if operator.operator_id == scope.operator]
    else:
        audience = workspace.audience_of(scope)
        bound = workspace.bound_groups
        inside = [one for one in wanting if is_member(audience, atoms_of(one, bound))]
    return inside or wanting


def wants(workspace: Workspace, operator: Operator) -> bool:
    """Whether an operator asked for mails, can be written to, and may see what they say."""
    return (
        operator.email_missed
        and operator.email is not None
        and not operator.removed
        and operator.kind == "human"
        and may_receive(workspace.roles, operator)
    )
