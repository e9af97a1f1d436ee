"""What the trigger evaluator reports: rules that a visitor's page view fulfils, and its sessions.

Whether a rule really fires is decided here, so that a report that comes twice, late or from two
evaluators does no harm: one that changes nothing writes nothing, and says why in its warnings.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command, Refused
from shared.routing.decide.rights import unknown
from shared.routing.decide.signs import sign_of
from shared.routing.decide.verdict import NOTHING, Facts, Instruction, facts
from shared.routing.events import Fact
from shared.routing.ids import SessionId
from shared.routing.modes import mode_of
from shared.routing.opening import opening_scope, skills_prepared, still_asked
from shared.routing.rules import Rule
from shared.routing.state import NOTHING_PREPARED, Conversation, EntryPoint, Prepared, Visitor
from shared.routing.vocabulary import AheadSource, NotFired
from shared.routing.workspace import Workspace

_CHOSEN_BY_PEOPLE: tuple[AheadSource, ...] = ("person", "visitor")


def _fire_rule(
    workspace: Workspace, command: c.FireRule, instruction: Instruction
) -> Facts | Refused:
    entry_point = workspace.entry_points.get(command.entry_point_id)
    if entry_point is None:
        return unknown("entry_point", command.entry_point_id)
    rule = workspace.rules.get(command.rule_id)
    if rule is None:
        return _not_fired("unknown_rule")
    visitor = workspace.visitors.get(command.visitor_id) or Visitor(visitor_id=command.visitor_id)
    why_not = _why_not(rule, command, visitor)
    if why_not is not None:
        return _not_fired(why_not)
    before, visitor = _in_session(visitor, command.session_id)
    effects = _effects(workspace, rule, visitor, entry_point)
    if not isinstance(effects, tuple):
        return _not_fired(effects)
    fired = e.RuleFired(
        rule_id=rule.rule_id,
        version=rule.version,
        visitor_id=visitor.visitor_id,
        session_id=command.session_id,
        entry_point_id=entry_point.entry_point_id,
        held=command.held,
        page=instruction.refs.get("page"),
    )
    return facts(*before, fired, *effects)


def _not_fired(why_not: NotFired) -> Facts:
    return Facts(warnings=(why_not,))


def _why_not(rule: Rule, command: c.FireRule, visitor: Visitor) -> NotFired | None:
    if rule.version != command.version:
        return "other_version"
    if not rule.enabled:
        return "disabled"
    if rule.frequency == "always" or rule.rule_id not in visitor.fired:
        return None
    again = rule.frequency == "once_per_session"
    if again and command.session_id not in visitor.fired[rule.rule_id]:
        return None
    return "fired_before"


def _in_session(visitor: Visitor, session_id: SessionId) -> tuple[tuple[Fact, ...], Visitor]:
    """What was arranged for another session is over first."""
    former = visitor.session
    if former is None or former == session_id or not _has_arrangements(visitor):
        return (), visitor
    ahead = {source: to for source, to in visitor.ahead.items() if source != "rule"}
    bare = msgspec.structs.replace(visitor, ahead=ahead, prepared=None, asked={})
    return (e.VisitorSessionEnded(visitor.visitor_id, former),), bare


def _has_arrangements(visitor: Visitor) -> bool:
    return "rule" in visitor.ahead or visitor.prepared is not None or bool(visitor.asked)


# --- what it does ---------------------------------------------------------------------------


def _effects(
    workspace: Workspace, rule: Rule, visitor: Visitor, entry_point: EntryPoint
) -> tuple[Fact, ...] | NotFired:
    """All facts that follow from the rule's actions, or why there are none."""
    assigned, visitor = _assigned(rule, visitor)
    asked = _asked(workspace, rule, visitor, entry_point)
    prepared, visitor = _prepared(workspace, rule, visitor)
    invited = _invited(workspace, rule, visitor, entry_point)
    done = (*assigned, *asked, *prepared)
    if isinstance(invited, tuple):
        done = (*done, *invited)
    elif not done:
        return invited
    return done or "so_already"


def _assigned(rule: Rule, visitor: Visitor) -> tuple[tuple[Fact, ...], Visitor]:
    """The facts, and the visitor as it is then: that tells who would answer an invitation."""
    to = next((action.assign for action in rule.then if action.assign is not None), None)
    if to is None:
        return (), visitor
    undone = [s for s in _CHOSEN_BY_PEOPLE if rule.override and s in visitor.ahead]
    done: list[Fact] = [e.VisitorUnassigned(visitor.visitor_id, source) for source in undone]
    if visitor.ahead.get("rule") != to:
        done.append(e.VisitorAssigned(visitor.visitor_id, to, "rule"))
    kept = {source: other for source, other in visitor.ahead.items() if source not in undone}
    return tuple(done), msgspec.structs.replace(visitor, ahead={**kept, "rule": to})


def _asked(
    workspace: Workspace, rule: Rule, visitor: Visitor, entry_point: EntryPoint
) -> tuple[Fact, ...]:
    """Groups that are disabled or no more are left out; the same question is not repeated."""
    wished = next((action.ask_group for action in rule.then if action.ask_group is not None), ())
    groups = still_asked(workspace, wished)
    known = visitor.asked.get(entry_point.entry_point_id, ())
    if not groups or (rule.frequency != "always" and all(g in known for g in groups)):
        return ()
    its_id = entry_point.entry_point_id
    return (e.VisitorAsked(visitor.visitor_id, its_id, rule.rule_id, groups),)


def _prepared(
    workspace: Workspace, rule: Rule, visitor: Visitor
) -> tuple[tuple[Fact, ...], Visitor]:
    """For what the visitor opens, and once for what it has open; people may change that again."""
    before = visitor.prepared or NOTHING_PREPARED
    given = _given(rule, before)
    if given == NOTHING_PREPARED:
        return (), visitor
    priority = before.priority if given.priority is None else given.priority
    after = Prepared(priority, before.tags + given.tags, before.skills + given.skills)
    prepared = e.VisitorPrepared(visitor.visitor_id, after.priority, after.tags, after.skills)
    opened = (workspace.conversations[its_id] for its_id in visitor.conversations)
    changed = [fact for conversation in opened for fact in _changed(conversation, given)]
    return (prepared, *changed), msgspec.structs.replace(visitor, prepared=after)


def _given(rule: Rule, before: Prepared) -> Prepared:
    """What the rule gives beyond what the visitor's conversations get already."""
    priority = next((a.set_priority for a in rule.then if a.set_priority is not None), None)
    tags = [action.add_tag for action in rule.then if action.add_tag is not None]
    skills = [action.require_skill for action in rule.then if action.require_skill is not None]
    return Prepared(
        priority if priority != before.priority else None,
        tuple(tag for tag in dict.fromkeys(tags) if tag not in before.tags),
        tuple(skill for skill in dict.fromkeys(skills) if skill not in before.skills),
    )


def _changed(conversation: Conversation, given: Prepared) -> tuple[Fact, ...]:
    priority = conversation.priority if given.priority is None else given.priority
    after = e.ConversationChanged(
        conversation_id=conversation.conversation_id,
        priority=priority,
        skills=tuple(dict.fromkeys((*conversation.skills, *given.skills))),
        optional_skills=conversation.optional_skills,
        tags=tuple(dict.fromkeys((*conversation.tags, *given.tags))),
    )
    before = (conversation.priority, conversation.skills, conversation.tags)
    return () if (after.priority, after.skills, after.tags) == before else (after,)


def _invited(
    workspace: Workspace, rule: Rule, visitor: Visitor, entry_point: EntryPoint
) -> tuple[Fact, ...] | NotFired:
    """Nobody is invited to talk who does, nor to where nobody would answer."""
    message = next((action.invite for action in rule.then if action.invite is not None), None)
    if message is None:
        return ()
    if visitor.conversations:
        return "in_conversation"
    if rule.only_when_live:
        scope, _ = opening_scope(workspace, visitor, entry_point, None, skills_prepared(visitor))
        if mode_of(workspace, entry_point, scope) != "live":
            return "not_live"
    its_id = entry_point.entry_point_id
    return (e.VisitorInvited(visitor.visitor_id, its_id, rule.rule_id, message),)


# --- sessions and signs ---------------------------------------------------------------------


def _end_session(
    workspace: Workspace, command: c.EndVisitorSession, _: Instruction
) -> Facts | Refused:
    visitor = workspace.visitors.get(command.visitor_id)
    if visitor is None or visitor.session != command.session_id or not _has_arrangements(visitor):
        return NOTHING
    return facts(e.VisitorSessionEnded(command.visitor_id, command.session_id))


def _see_visitor(
    workspace: Workspace, command: c.SeeVisitor, instruction: Instruction
) -> Facts | Refused:
    """The visitor reads pages."""
    visitor = workspace.visitors.get(command.visitor_id)
    return facts(*sign_of(workspace, visitor, instruction.at)) if visitor is not None else NOTHING


DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = {
    c.FireRule: _fire_rule,
    c.EndVisitorSession: _end_session,
    c.SeeVisitor: _see_visitor,
}
