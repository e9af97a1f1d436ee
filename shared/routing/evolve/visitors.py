"""How rules change, and what they arrange for visitors."""

from collections.abc import Callable
from typing import Any

from shared.routing import events as e
from shared.routing import timers
from shared.routing.events import Event
from shared.routing.ids import RuleId, SessionId, VisitorId
from shared.routing.rules import Rule
from shared.routing.state import Prepared, Visitor
from shared.routing.workspace import Workspace

SESSIONS_REMEMBERED = 8
"""Of each rule and visitor."""


def known_visitor(workspace: Workspace, visitor_id: VisitorId) -> Visitor:
    """The visitor, from now on one of those that are known."""
    visitor = workspace.visitors.get(visitor_id)
    if visitor is None:
        visitor = Visitor(visitor_id=visitor_id)
        workspace.visitors[visitor.visitor_id] = visitor
    return visitor


def _rule_saved(workspace: Workspace, event: e.RuleSaved) -> None:
    workspace.rules[event.rule_id] = Rule(
        rule_id=event.rule_id,
        version=workspace.position,
        name=event.name,
        order=event.order,
        enabled=event.enabled,
        when=event.when,
        then=event.then,
        frequency=event.frequency,
        override=event.override,
        only_when_live=event.only_when_live,
    )


def _rule_deleted(workspace: Workspace, event: e.RuleDeleted) -> None:
    """What it arranged stays until the visitors' sessions end; whom it fired for is forgotten."""
    del workspace.rules[event.rule_id]
    for visitor in workspace.visitors.values():
        visitor.fired.pop(event.rule_id, None)


def _rule_fired(workspace: Workspace, event: e.RuleFired) -> None:
    """A rule that invites counts as fired when the invitation goes out."""
    visitor = known_visitor(workspace, event.visitor_id)
    visitor.session = event.session_id
    if all(action.invite is None for action in workspace.rules[event.rule_id].then):
        _remember(visitor, event.rule_id, event.session_id)


def _visitor_invited(workspace: Workspace, event: e.VisitorInvited) -> None:
    visitor = known_visitor(workspace, event.visitor_id)
    assert visitor.session is not None
    _remember(visitor, event.rule_id, visitor.session)


def _remember(visitor: Visitor, rule_id: RuleId, session_id: SessionId) -> None:
    """Sessions may overlap: the last few are known, or a late report would fire a rule again."""
    before = [one for one in visitor.fired.get(rule_id, ()) if one != session_id]
    visitor.fired[rule_id] = (session_id, *before[: SESSIONS_REMEMBERED - 1])


def _visitor_asked(workspace: Workspace, event: e.VisitorAsked) -> None:
    asked = known_visitor(workspace, event.visitor_id).asked
    before = asked.get(event.entry_point_id, ())
    asked[event.entry_point_id] = tuple(dict.fromkeys((*before, *event.groups)))


def _visitor_prepared(workspace: Workspace, event: e.VisitorPrepared) -> None:
    visitor = known_visitor(workspace, event.visitor_id)
    visitor.prepared = Prepared(event.priority, event.tags, event.skills)


def _visitor_session_ended(workspace: Workspace, event: e.VisitorSessionEnded) -> None:
    visitor = known_visitor(workspace, event.visitor_id)
    visitor.ahead.pop("rule", None)
    visitor.prepared = None
    visitor.asked = {}
    visitor.session = None


def _visitor_seen(workspace: Workspace, event: e.VisitorSeen) -> None:
    timers.see_visitor(workspace, known_visitor(workspace, event.visitor_id))


APPLY: dict[type[Event], Callable[[Workspace, Any], None]] = {
    e.RuleSaved: _rule_saved,
    e.RuleDeleted: _rule_deleted,
    e.RuleFired: _rule_fired,
    e.VisitorInvited: _visitor_invited,
    e.VisitorAsked: _visitor_asked,
    e.VisitorPrepared: _visitor_prepared,
    e.VisitorSessionEnded: _visitor_session_ended,
    e.VisitorSeen: _visitor_seen,
}
