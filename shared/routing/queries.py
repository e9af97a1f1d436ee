"""Answers about the live state, as functions of it; reading never changes what is decided."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from shared.routing import questions as q
from shared.routing.commands import Refused
from shared.routing.decide.rights import involved, lacks, permissions_of, require, unknown
from shared.routing.events import Actor
from shared.routing.ids import ConversationId, OperatorId, Position, UnixMs, VisitorId
from shared.routing.modes import mode_of
from shared.routing.opening import groups_open_to, opening_scope, skills_prepared
from shared.routing.permissions import Permissions
from shared.routing.questions import Question
from shared.routing.queue import Order
from shared.routing.reach import somebody_there
from shared.routing.scope import Scope
from shared.routing.settings_views import WorkspaceView, workspace_view
from shared.routing.state import Conversation, EntryPoint, Visitor
from shared.routing.views import (
    AheadView,
    ConversationView,
    EntryPointView,
    GroupOffered,
    MeView,
    MyOffer,
    OperatorSettings,
    RosterEntry,
    View,
    VisitorView,
    WaitingView,
    WhyMine,
    conversation_view,
    for_visitor,
    operator_settings,
    roster_entry,
)
from shared.routing.waiting import waiting_reason
from shared.routing.workspace import Workspace

PLACES_MAX = 1_000
"""Waiting conversations told at a time by ``queue``; ``total`` counts all."""


class Roster(View, frozen=True, kw_only=True):
    operators: tuple[RosterEntry, ...]


class Operators(View, frozen=True, kw_only=True):
    operators: tuple[OperatorSettings, ...]


class Inbox(View, frozen=True, kw_only=True):
    """One page; ``next`` is null on the last one."""

    conversations: tuple[ConversationView, ...]
    next: str | None


class Queue(View, frozen=True, kw_only=True):
    waiting: tuple[WaitingView, ...]
    total: int


class ConversationAnswer(View, frozen=True, kw_only=True):
    """``positions`` name the events of its timeline; empty for visitors."""

    conversation: ConversationView
    positions: tuple[Position, ...]


class VisitorAnswer(View, frozen=True, kw_only=True):
    visitor: VisitorView


def answer(workspace: Workspace, question: Question, actor: Actor, at: UnixMs) -> View | Refused:
    """The answer as of the workspace's position, or why ``actor`` does not get it."""
    refusal = refuse_asker(workspace, question, actor)
    return refusal or _ANSWER[type(question)](workspace, question, actor, at)


def refuse_asker(workspace: Workspace, question: Question, actor: Actor) -> Refused | None:
    """Why somebody may not ask this of the workspace at all, if so."""
    if not workspace.created:
        return Refused("unknown_workspace", "there is no such workspace")
    if actor.kind not in question.allowed and not _manages(workspace, question, actor):
        kinds = " or ".join(question.allowed)
        return Refused("not_allowed", f"a {actor.kind} may not ask this; a {kinds} may")
    if actor.kind == "operator":
        operator = workspace.operators.get(OperatorId(actor.id))
        if operator is None or operator.removed:
            return unknown("operator", actor.id)
    return None


def _manages(workspace: Workspace, question: Question, actor: Actor) -> bool:
    if actor.kind != "operator" or "admin" not in question.allowed:
        return False
    operator = workspace.operators.get(OperatorId(actor.id))
    return operator is not None and permissions_of(workspace, operator).manage


def _rights(workspace: Workspace, actor: Actor) -> Permissions:
    if actor.kind != "operator":
        return Permissions(unassigned="write", assigned="write")
    return permissions_of(workspace, workspace.operators[OperatorId(actor.id)])


# --- people ---------------------------------------------------------------------------------


def _roster(
    workspace: Workspace, question: q.AskRoster, _actor: Actor, _at: UnixMs
) -> Roster | Refused:
    if question.group_id is not None and question.group_id not in workspace.groups:
        return unknown("group", question.group_id)
    operators = (
        operator
        for operator in workspace.operators.values()
        if not operator.removed
        and (question.group_id is None or question.group_id in operator.groups)
    )
    entries = sorted(map(roster_entry, operators), key=lambda entry: entry.operator_id)
    return Roster(operators=tuple(entries))


def _operators(
    workspace: Workspace, _question: q.AskOperators, _actor: Actor, _at: UnixMs
) -> Operators:
    present = (operator for operator in workspace.operators.values() if not operator.removed)
    settings = sorted(map(operator_settings, present), key=lambda entry: entry.operator_id)
    return Operators(operators=tuple(settings))


def _me(workspace: Workspace, _question: q.AskMe, actor: Actor, _at: UnixMs) -> MeView:
    operator = workspace.operators[OperatorId(actor.id)]
    return MeView(
        operator_id=operator.operator_id,
        chosen=operator.chosen,
        effective=operator.effective,
        cause=operator.cause,
        since=operator.since,
        break_until=operator.break_until,
        sessions=tuple(operator.sessions),
        offers=tuple(_my_offer(workspace, its_id) for its_id in operator.offered),
        reachable_when_slow=operator.reachable_when_slow,
        email_missed=operator.email_missed,
        idle_timeout_s=operator.idle_timeout_s,
        locale=operator.locale,
        schedule=operator.schedule,
        capacity=operator.capacity,
        load=operator.load,
        groups=tuple(sorted(operator.groups)),
        permissions=permissions_of(workspace, operator),
    )


def _my_offer(workspace: Workspace, conversation_id: ConversationId) -> MyOffer:
    offer = workspace.conversations[conversation_id].offer
    assert offer is not None
    return MyOffer(conversation_id=conversation_id, offer=offer.number, expires_at=offer.expires_at)


# --- conversations --------------------------------------------------------------------------


def _inbox(
    workspace: Workspace, question: q.AskInbox, actor: Actor, _at: UnixMs
) -> Inbox | Refused:
    operator_id = OperatorId(actor.id)
    refusal = _refuse_view(workspace, question, operator_id)
    if refusal is not None:
        return refusal
    is_listed = listed(workspace, question, actor)
    if is_listed is None:
        return Refused("malformed", "after: not the `next` of an earlier answer")
    page: list[ConversationView] = []
    after = 0
    for conversation in filter(is_listed, _in_view(workspace, question, operator_id)):
        if len(page) == question.limit:
            return Inbox(conversations=tuple(page), next=str(after))
        why = _why_mine(conversation, operator_id) if question.view == "mine" else None
        page.append(conversation_view(workspace, conversation, why))
        after = _place_in_list(conversation)
    return Inbox(conversations=tuple(page), next=None)


def listed(
    workspace: Workspace, question: q.AskInbox, actor: Actor
) -> Callable[[Conversation], bool] | None:
    """Which conversations of the view the page begins with; none if ``after`` cannot be read."""
    begin = question.after or "0"
    if not begin.isdecimal() or len(begin) > len(str(2**53)):
        return None
    after, rights, operator_id = int(begin), _rights(workspace, actor), OperatorId(actor.id)
    return lambda conversation: (
        _place_in_list(conversation) > after
        and _matches(question, conversation)
        and _may_read(rights, conversation, operator_id)
    )


def _refuse_view(
    workspace: Workspace, question: q.AskInbox, operator_id: OperatorId
) -> Refused | None:
    operator = workspace.operators[operator_id]
    rights = permissions_of(workspace, operator)
    if question.view == "unassigned" and rights.unassigned == "off":
        return lacks(operator, "conversations.unassigned: read")
    if question.view == "all" and rights.unassigned == "off" and rights.assigned == "off":
        return lacks(operator, "conversations.assigned: read")
    return None


def _place_in_list(conversation: Conversation) -> int:
    """Its place in the stable order of lists: open ones by arrival, closed ones by closing."""
    return conversation.closed_position or conversation.arrival


def _in_view(
    workspace: Workspace, question: q.AskInbox, operator_id: OperatorId
) -> Iterator[Conversation]:
    everybodys = workspace.closed if question.state == "closed" else workspace.open
    is_mine = question.view == "mine"
    ids: Iterable[ConversationId] = _mine(workspace, operator_id) if is_mine else everybodys
    for conversation_id in ids:
        conversation = workspace.conversations[conversation_id]
        if question.view != "unassigned" or conversation.owner is None:
            yield conversation


def _mine(workspace: Workspace, operator_id: OperatorId) -> list[ConversationId]:
    """Owned, taking part, offered, escalated and told of, by arrival."""
    operator = workspace.operators[operator_id]
    mine = dict(operator.owned) | operator.takes_part | operator.offered | operator.escalated
    for line in workspace.broadcasts.values():
        for order in line:
            if operator_id in workspace.conversations[order.conversation_id].told:
                mine[order.conversation_id] = None
    return sorted(mine, key=lambda its_id: workspace.conversations[its_id].arrival)


def _why_mine(conversation: Conversation, operator_id: OperatorId) -> WhyMine:
    if conversation.owner == operator_id:
        return "owner"
    if operator_id in conversation.participants:
        return "participant"
    if conversation.offer is not None and conversation.offer.operator_id == operator_id:
        return "offered"
    return "escalated" if operator_id in conversation.escalated else "broadcast"


def _matches(question: q.AskInbox, conversation: Conversation) -> bool:
    scope = conversation.scope
    return (
        (question.state is None or conversation.state == question.state)
        and (question.operator_id is None or conversation.owner == question.operator_id)
        and (question.group_id is None or scope.group == question.group_id)
        and (
            question.entry_point_id is None
            or conversation.entry_point_id == question.entry_point_id
        )
    )


def _may_read(rights: Permissions, conversation: Conversation, operator_id: OperatorId) -> bool:
    if involved(conversation, operator_id):
        return True
    if operator_id in conversation.told or operator_id in conversation.escalated:
        return True
    if conversation.offer is not None and conversation.offer.operator_id == operator_id:
        return True
    owned = conversation.state not in ("waiting", "offered")
    return (rights.assigned if owned else rights.unassigned) != "off"


def _queue(workspace: Workspace, question: q.AskQueue, actor: Actor, at: UnixMs) -> Queue | Refused:
    if question.group_id is not None and question.group_id not in workspace.groups:
        return unknown("group", question.group_id)
    if actor.kind == "operator" and _rights(workspace, actor).unassigned == "off":
        return lacks(workspace.operators[OperatorId(actor.id)], "conversations.unassigned: read")
    lines = [
        line
        for audience, line in workspace.lines.items()
        if question.group_id is None or question.group_id in audience
    ]
    first = sorted(pair for line in lines for pair in _numbered(line))[:PLACES_MAX]
    waiting = tuple(_waiting(workspace, order, place, at) for order, place in first)
    return Queue(waiting=waiting, total=sum(map(len, lines)))


def _numbered(line: Any) -> list[tuple[Order, int]]:
    return [(order, place) for place, order in enumerate(line[:PLACES_MAX], start=1)]


def _waiting(workspace: Workspace, order: Order, place: int, at: UnixMs) -> WaitingView:
    conversation = workspace.conversations[order.conversation_id]
    return WaitingView(
        conversation_id=conversation.conversation_id,
        place=place,
        waited_ms=max(at - conversation.queued_at, 0),
        reason=waiting_reason(workspace, conversation),
    )


def _conversation(
    workspace: Workspace, question: q.AskConversation, actor: Actor, _at: UnixMs
) -> ConversationAnswer | Refused:
    conversation = workspace.conversations.get(question.conversation_id)
    if conversation is None:
        return unknown("conversation", question.conversation_id)
    view = conversation_view(workspace, conversation)
    if actor.kind == "visitor":
        if conversation.visitor_id != actor.id:
            return unknown("conversation", question.conversation_id)
        return ConversationAnswer(conversation=for_visitor(view), positions=())
    if actor.kind == "operator":
        operator_id = OperatorId(actor.id)
        if not _may_read(_rights(workspace, actor), conversation, operator_id):
            kind = "unassigned" if conversation.state == "waiting" else "assigned"
            return lacks(workspace.operators[operator_id], f"conversations.{kind}: read")
    return ConversationAnswer(conversation=view, positions=tuple(conversation.positions))


# --- places ---------------------------------------------------------------------------------


def _entry_point(
    workspace: Workspace, question: q.AskEntryPoint, actor: Actor, _at: UnixMs
) -> EntryPointView | Refused:
    entry_point = workspace.entry_points.get(question.entry_point_id)
    if entry_point is None:
        return unknown("entry_point", question.entry_point_id)
    visitor = workspace.visitors.get(VisitorId(actor.id)) if actor.kind == "visitor" else None
    scope = _scope_for(workspace, entry_point, visitor)
    return EntryPointView(
        mode=mode_of(workspace, entry_point, scope),
        groups=tuple(
            GroupOffered(
                group_id=group_id,
                name=workspace.groups[group_id].name,
                names=workspace.groups[group_id].names,
                live=somebody_there(workspace, Scope(group=group_id)),
            )
            for group_id in groups_open_to(workspace, entry_point, visitor)
        ),
    )


def _scope_for(workspace: Workspace, entry_point: EntryPoint, visitor: Visitor | None) -> Scope:
    """Where the visitor's own conversation would go; where anybody's, if it is not known."""
    if visitor is None:
        return Scope(entry_point=entry_point.entry_point_id)
    return opening_scope(workspace, visitor, entry_point, None, skills_prepared(visitor))[0]


def _visitor(
    workspace: Workspace, question: q.AskVisitor, actor: Actor, _at: UnixMs
) -> VisitorAnswer | Refused:
    if actor.kind == "operator":
        needed = "conversations.unassigned: write"
        refusal = require(workspace, OperatorId(actor.id), needed)
        if refusal is not None:
            return refusal
    its_id = question.visitor_id
    visitor = workspace.visitors.get(its_id) or Visitor(visitor_id=its_id)
    ahead = tuple(AheadView(to=to, by=source) for source, to in visitor.ahead.items())
    return VisitorAnswer(
        visitor=VisitorView(
            visitor_id=visitor.visitor_id,
            contact_id=visitor.contact_id,
            assigned=ahead,
            conversations=tuple(visitor.conversations),
            session=visitor.session,
            fired=tuple(sorted(visitor.fired)),
            asked=dict(visitor.asked),
            prepared=visitor.prepared,
        )
    )


def _workspace(
    workspace: Workspace, _question: q.AskWorkspace, _actor: Actor, _at: UnixMs
) -> WorkspaceView:
    return workspace_view(workspace)


_ANSWER: dict[type[Question], Callable[[Workspace, Any, Actor, UnixMs], View | Refused]] = {
    q.AskRoster: _roster,
    q.AskOperators: _operators,
    q.AskMe: _me,
    q.AskInbox: _inbox,
    q.AskQueue: _queue,
    q.AskConversation: _conversation,
    q.AskEntryPoint: _entry_point,
    q.AskVisitor: _visitor,
    q.AskWorkspace: _workspace,
}
