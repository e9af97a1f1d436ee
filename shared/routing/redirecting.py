"""Where a conversation goes when its scope cannot serve it: the next fallback in line."""

from shared.routing.events import ConversationRedirected
from shared.routing.reach import can_take, somebody_there
from shared.routing.scope import EVERYONE, Scope
from shared.routing.state import Conversation
from shared.routing.vocabulary import RedirectReason
from shared.routing.workspace import Workspace


def rescue(workspace: Workspace) -> ConversationRedirected | None:
    """Owned conversations whose scope has ceased to exist get the next one in line."""
    for conversation_id in workspace.adrift:
        return redirected(workspace, workspace.conversations[conversation_id])
    return None


def redirected(workspace: Workspace, conversation: Conversation) -> ConversationRedirected | None:
    """The next scope for a conversation that has none that works, or none if it is to hold."""
    gone = _gone(workspace, conversation.home_scope)
    if gone is None:
        return fallback(workspace, conversation, "group_disabled")
    entry_point_id = conversation.entry_point_id
    known = entry_point_id in workspace.entry_points
    to = Scope(entry_point=entry_point_id) if known else EVERYONE
    return ConversationRedirected(conversation.conversation_id, to, gone)


def fallback(
    workspace: Workspace, conversation: Conversation, reason: RedirectReason
) -> ConversationRedirected | None:
    """The next target of the entry point that can take it; each is tried once.

    Where policy moves on from those with nobody online, a target with somebody comes first, and
    one without is none if that is the reason: it would be out of the frying pan into the fire.
    """
    entry_point = workspace.entry_points.get(conversation.entry_point_id)
    if entry_point is None:
        return None
    targets = entry_point.fallback[conversation.fallbacks_tried :]
    fit = [target for target in targets if can_take(workspace, target)]
    if workspace.policy_for(conversation).fallback_when_nobody_online:
        attended = [target for target in fit if somebody_there(workspace, target)]
        fit = attended or ([] if reason == "nobody_online" else fit)
    return ConversationRedirected(conversation.conversation_id, fit[0], reason) if fit else None


def overflow(workspace: Workspace, conversation: Conversation) -> ConversationRedirected | None:
    """A fallback although the scope exists: out of hours, or nobody there."""
    reason = _overflowing(workspace, conversation)
    return None if reason is None else fallback(workspace, conversation, reason)


def crowded_out(workspace: Workspace, conversation: Conversation) -> ConversationRedirected | None:
    """A fallback for what would have to wait where as many wait already as policy lets."""
    if conversation.hold is not None or not _may_overflow(conversation):
        return None
    limit = workspace.policy_for(conversation).max_waiting
    waiting = len(workspace.lines.get(workspace.audience_of(conversation.scope), ()))
    return fallback(workspace, conversation, "max_waiting") if 0 < limit <= waiting else None


def _may_overflow(conversation: Conversation) -> bool:
    """Not where a person, or the visitor, chose the scope."""
    entered = conversation.scope.entry_point is not None or conversation.fallbacks_tried > 0
    return entered and not conversation.missed


def _overflowing(workspace: Workspace, conversation: Conversation) -> RedirectReason | None:
    if not _may_overflow(conversation):
        return None
    if is_out_of_hours(workspace, conversation):
        return "out_of_hours"
    policy = workspace.policy_for(conversation)
    audience = workspace.audience_of(conversation.scope)
    if policy.fallback_when_nobody_online and not workspace.somebody_online(audience):
        return "nobody_online"
    return None


def is_out_of_hours(workspace: Workspace, conversation: Conversation) -> bool:
    """Whether its entry point, which it is still for, is closed."""
    entry_point_id = conversation.scope.entry_point
    if entry_point_id is None:
        return False
    entry_point = workspace.entry_points.get(entry_point_id)
    return entry_point is not None and entry_point.closed


def _gone(workspace: Workspace, scope: Scope) -> RedirectReason | None:
    if scope.group is not None and scope.group not in workspace.groups:
        return "group_deleted"
    if scope.entry_point is not None and scope.entry_point not in workspace.entry_points:
        return "entry_point_removed"
    return None
