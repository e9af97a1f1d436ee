"""Commands of and about visitors: opening, writing, being known, being assigned ahead."""

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command, Refused
from shared.routing.decide.rights import require, require_to_receive, unknown
from shared.routing.decide.targets import refuse_entry_point, refuse_scope
from shared.routing.decide.verdict import NOTHING, Facts, Instruction, facts
from shared.routing.events import Fact
from shared.routing.ids import GroupId, VisitorId
from shared.routing.leaving import left_behind
from shared.routing.modes import mode_of
from shared.routing.opening import groups_open_to, opening_scope
from shared.routing.reopening import reopened
from shared.routing.scope import Scope
from shared.routing.state import NOTHING_PREPARED, Conversation, EntryPoint, Visitor
from shared.routing.vocabulary import AheadSource
from shared.routing.workspace import Workspace

DEFAULT_PRIORITY = 5


def _open(workspace: Workspace, command: c.Open, instruction: Instruction) -> Facts | Refused:
    visitor_id = instruction.acting_visitor()
    refusal = _refuse_again(workspace, command)
    if refusal is not None:
        return refusal
    entry_point = workspace.entry_points.get(command.entry_point_id)
    if entry_point is None:
        return unknown("entry_point", command.entry_point_id)
    visitor = workspace.visitors.get(visitor_id) or Visitor(visitor_id=visitor_id)
    refusal = _refuse_wishes(command, entry_point, instruction) or _refuse_choice(
        workspace, visitor, entry_point, command.group_id
    )
    if refusal is not None:
        return refusal
    prepared = visitor.prepared or NOTHING_PREPARED
    priority = DEFAULT_PRIORITY if prepared.priority is None else prepared.priority
    skills = tuple(dict.fromkeys((*_listed(command.skills), *prepared.skills)))
    scope, source = opening_scope(workspace, visitor, entry_point, command.group_id, skills)
    opened = e.ConversationOpened(
        conversation_id=command.conversation_id,
        visitor_id=visitor_id,
        contact_id=command.contact_id or visitor.contact_id,
        entry_point_id=command.entry_point_id,
        entry_mode=mode_of(workspace, entry_point, scope),
        scope=scope,
        scope_source=source,
        priority=priority if command.priority is UNSET else command.priority,
        skills=skills,
        optional_skills=_listed(command.optional_skills),
        weight=entry_point.weight,
        language=command.language,
        attributes=instruction.refs.get("attributes"),
    )
    tagged = _tagged(opened, prepared.tags)
    if command.contact_id is None or command.contact_id == visitor.contact_id:
        return facts(opened, *tagged)
    return facts(e.VisitorIdentified(visitor_id, command.contact_id), opened, *tagged)


def _tagged(opened: e.ConversationOpened, tags: tuple[str, ...]) -> tuple[Fact, ...]:
    """Visitors give no tags, rules do."""
    if not tags:
        return ()
    its_id, skills, optional = opened.conversation_id, opened.skills, opened.optional_skills
    return (e.ConversationChanged(its_id, opened.priority, skills, optional, tags),)


def _listed(skills: Any) -> tuple[str, ...]:
    return () if skills is UNSET else tuple(dict.fromkeys(skills))


def _refuse_again(workspace: Workspace, command: c.Open) -> Refused | None:
    known = workspace.conversations.get(command.conversation_id)
    if known is None:
        return None
    code = "already_closed" if known.state == "closed" else "already_open"
    state = "closed" if known.state == "closed" else "open"
    return Refused(code, f"there is a conversation {command.conversation_id}, and it is {state}")


def _refuse_wishes(
    command: c.Open, entry_point: EntryPoint, instruction: Instruction
) -> Refused | None:
    if instruction.actor.service is not None:
        return None
    for field in ("priority", "skills", "optional_skills"):
        if getattr(command, field) is not UNSET and field not in entry_point.visitor_may_set:
            return Refused(
                "not_allowed",
                f"visitors may not set {field} at {entry_point.entry_point_id}",
                {"field": field},
            )
    return None


def _refuse_choice(
    workspace: Workspace, visitor: Visitor, entry_point: EntryPoint, group_id: GroupId | None
) -> Refused | None:
    if group_id is None or group_id in groups_open_to(workspace, entry_point, visitor):
        return None
    return Refused(
        "group_not_offered",
        f"{entry_point.entry_point_id} does not offer the group {group_id}",
        {"group_id": group_id},
    )


def _write(workspace: Workspace, command: c.Write, instruction: Instruction) -> Facts | Refused:
    conversation = workspace.conversations.get(command.conversation_id)
    if conversation is None or conversation.visitor_id != instruction.acting_visitor():
        return unknown("conversation", command.conversation_id)
    wrote = e.VisitorWrote(command.conversation_id)
    if conversation.closed_at is None:
        return facts(wrote, *_retaken(workspace, conversation))
    policy = workspace.policy_of(conversation.home_scope, conversation.entry_point_id)
    if instruction.at - conversation.closed_at >= policy.reopen_window_s * 1_000:
        return Refused(
            "already_closed",
            f"{command.conversation_id} was closed too long ago to be taken up again",
            {"closed_at": conversation.closed_at, "reopen_window_s": policy.reopen_window_s},
        )
    return facts(reopened(workspace, conversation), wrote)


def _retaken(workspace: Workspace, conversation: Conversation) -> tuple[Fact, ...]:
    """The owner's slot that was freed while the visitor was silent is needed again."""
    if not conversation.slot_free or conversation.owner is None:
        return ()
    operator = workspace.operators[conversation.owner]
    excess = operator.free < conversation.weight
    return (e.SlotRetaken(conversation.conversation_id, operator.operator_id, excess),)


def _leave_page(
    workspace: Workspace, _command: c.LeavePage, instruction: Instruction
) -> Facts | Refused:
    visitor_id = instruction.acting_visitor()
    visitor = workspace.visitors.get(visitor_id)
    if visitor is None or visitor.away:
        return NOTHING
    return facts(e.VisitorLeft(visitor_id, due=None), *left_behind(workspace, visitor_id))


def _come_back(
    workspace: Workspace, _command: c.ComeBack, instruction: Instruction
) -> Facts | Refused:
    visitor_id = instruction.acting_visitor()
    visitor = workspace.visitors.get(visitor_id)
    if visitor is None or not visitor.away:
        return NOTHING
    return facts(e.VisitorBack(visitor_id))


def _identify(
    workspace: Workspace, command: c.Identify, instruction: Instruction
) -> Facts | Refused:
    visitor_id = instruction.acting_visitor()
    visitor = workspace.visitors.get(visitor_id)
    if visitor is not None and visitor.contact_id == command.contact_id:
        return NOTHING
    return facts(e.VisitorIdentified(visitor_id, command.contact_id))


# --- assigned ahead -------------------------------------------------------------------------


def _assign_visitor(
    workspace: Workspace, command: c.AssignVisitor, instruction: Instruction
) -> Facts | Refused:
    refusal = _refuse_assigner(workspace, command.visitor_id, instruction) or _refuse_ahead(
        workspace, command.to, instruction
    )
    if refusal is not None:
        return refusal
    source = _source(instruction)
    visitor = workspace.visitors.get(command.visitor_id)
    if visitor is not None and visitor.ahead.get(source) == command.to:
        return NOTHING
    return facts(e.VisitorAssigned(command.visitor_id, command.to, source))


def _unassign_visitor(
    workspace: Workspace, command: c.UnassignVisitor, instruction: Instruction
) -> Facts | Refused:
    refusal = _refuse_assigner(workspace, command.visitor_id, instruction)
    if refusal is not None:
        return refusal
    source = _source(instruction)
    visitor = workspace.visitors.get(command.visitor_id)
    if visitor is None or source not in visitor.ahead:
        return NOTHING
    return facts(e.VisitorUnassigned(command.visitor_id, source))


def _source(instruction: Instruction) -> AheadSource:
    return "visitor" if instruction.visitor_id is not None else "person"


def _refuse_assigner(
    workspace: Workspace, visitor_id: VisitorId, instruction: Instruction
) -> Refused | None:
    if instruction.visitor_id is not None and instruction.visitor_id != visitor_id:
        return Refused("not_allowed", "a visitor may assign itself only")
    if instruction.operator_id is not None:
        return require(workspace, instruction.operator_id, "conversations.unassigned: write")
    return None


def _refuse_ahead(workspace: Workspace, to: Scope, instruction: Instruction) -> Refused | None:
    """The target must exist; whether it can take the conversation is seen when that opens."""
    refusal = refuse_scope(workspace, to) or refuse_entry_point(to)
    if refusal is not None:
        return refusal
    visitor_id = instruction.visitor_id
    if visitor_id is not None and not _offered_anywhere(workspace, visitor_id, to):
        return Refused("group_not_offered", "visitors may choose a group that is offered to them")
    if to.operator is not None:
        return require_to_receive(workspace, workspace.operators[to.operator])
    return None


def _offered_anywhere(workspace: Workspace, visitor_id: VisitorId, to: Scope) -> bool:
    visitor = workspace.visitors.get(visitor_id)
    return to.group is not None and any(
        to.group in groups_open_to(workspace, entry_point, visitor)
        for entry_point in workspace.entry_points.values()
    )


DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = {
    c.Open: _open,
    c.Write: _write,
    c.LeavePage: _leave_page,
    c.ComeBack: _come_back,
    c.Identify: _identify,
    c.AssignVisitor: _assign_visitor,
    c.UnassignVisitor: _unassign_visitor,
}
