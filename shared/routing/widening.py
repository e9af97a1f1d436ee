"""What is added or dropped when a conversation has waited long enough."""

from shared.routing.events import ConversationWidened
from shared.routing.policy import WideningStep
from shared.routing.state import Conversation
from shared.routing.timers import widening_steps
from shared.routing.workspace import Workspace

PRIORITY_MAX = 9


def widened(workspace: Workspace) -> ConversationWidened | None:
    """The step that has fallen due for a conversation that still waits."""
    for conversation_id, number in workspace.widening.items():
        conversation = workspace.conversations[conversation_id]
        steps = widening_steps(workspace, conversation)
        step = steps[min(number, len(steps) - 1)] if steps else WideningStep(after_s=1)
        return _decided(workspace, conversation, number, step)
    return None


def _decided(
    workspace: Workspace, conversation: Conversation, number: int, step: WideningStep
) -> ConversationWidened:
    optional = conversation.optional_skills
    more = len(optional) if step.drop_optional_skills == "all" else step.drop_optional_skills
    dropped = min(conversation.optional_dropped + more, len(optional))
    return ConversationWidened(
        conversation_id=conversation.conversation_id,
        step=number,
        groups=tuple(group for group in step.add_groups if group in workspace.groups),
        everyone=step.add_everyone,
        skills_dropped=optional[len(optional) - dropped :],
        priority=min(conversation.priority + step.raise_priority, PRIORITY_MAX),
        policy_version=workspace.policy_version,
        alert_invisible=step.include_consenting_invisible,
    )
