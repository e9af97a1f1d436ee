"""What an event changes in a workspace. No rules: it happened, whatever it is.

``evolve`` works in place; nobody outside sees a half-applied event.
"""

from shared.routing.events import Envelope
from shared.routing.evolve import (
    conversations,
    offers,
    operators,
    routing,
    settings,
    visitors,
)
from shared.routing.ids import Position
from shared.routing.state import CommandKey, SeenCommand, command_key
from shared.routing.workspace import Workspace

COMMANDS_MAX = 100_000
COMMANDS_KEPT_MS = 3_600_000
_APPLY = (
    settings.APPLY
    | operators.APPLY
    | visitors.APPLY
    | conversations.APPLY
    | routing.APPLY
    | offers.APPLY
)


def evolve(workspace: Workspace, envelope: Envelope) -> None:
    """Apply the event at the workspace's next position."""
    position = Position(workspace.position + 1)
    workspace.position = position
    workspace.at = envelope.at
    if envelope.cmd is not None and envelope.by is not None:
        _remember(workspace, command_key(envelope.by, envelope.cmd), envelope)
    event = envelope.data
    _APPLY[type(event)](workspace, event)
    conversation_id = getattr(event, "conversation_id", None)
    if conversation_id is not None:
        conversation = workspace.conversations.get(conversation_id)
        if conversation is not None:
            conversation.positions.append(position)


def _remember(workspace: Workspace, key: CommandKey, envelope: Envelope) -> None:
    """The command stands where its last event does: that position is what its caller was told."""
    seen = workspace.commands
    if envelope.request is None:
        known = seen.get(key)
        if known is not None:
            seen[key] = SeenCommand(workspace.position, known.at, known.request)
        return
    ages = workspace.commands_by_age
    if key not in seen:
        ages.append(key)
    seen[key] = SeenCommand(workspace.position, envelope.at, envelope.request)
    oldest = envelope.at - COMMANDS_KEPT_MS
    while len(seen) > COMMANDS_MAX or seen[ages.first].at < oldest:
        del seen[ages.first]
        ages.drop_first()
