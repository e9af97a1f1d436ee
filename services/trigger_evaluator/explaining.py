"""Why a rule did not fire for a visitor, told from what is remembered of its last page views."""

from typing import Literal

from services.trigger_evaluator.compiling import CompiledRule
from services.trigger_evaluator.desk import Desk
from services.trigger_evaluator.judging import would_not
from services.trigger_evaluator.sighting import Now, Sighting, getter_of
from services.trigger_evaluator.visit import Page, Plain, Visit
from shared.routing.commands import FireRule, Refused
from shared.routing.conditions import walk
from shared.routing.decide.rights import unknown
from shared.routing.ids import EntryPointId, Position, RuleId, SessionId, UnixMs, VisitorId
from shared.routing.rules import Condition, Frequency, Op, Value
from shared.routing.scope import Scope
from shared.routing.state import Visitor
from shared.routing.views import View
from shared.routing.vocabulary import AheadSource, NotFired, RuleMode

Why = (
    Literal[
        "fired", "nothing_seen", "conditions", "other_rule_first", "person_first", "not_judged_yet"
    ]
    | NotFired
)
"""``conditions``: some do not hold. ``other_rule_first``: one that comes before it fired for the
view. ``person_first``: what it assigns does not count beside what a person chose. The others are
what the router says to a report: ``fired_before`` is the frequency."""


class ConditionSeen(View, frozen=True, kw_only=True):
    """One condition on a field: what it wants, what there was, and what came of it.

    ``doubt`` says why that cannot be compared: ``unknown``, ``not_a_number`` and so on.
    """

    path: str
    field: str
    op: Op | None
    wanted: Value | None
    actual: Plain
    held: bool
    doubt: str | None


class ViewSeen(View, frozen=True, kw_only=True):
    """A page view as it was last judged, ``seconds`` after the visitor had turned to the page."""

    url: str
    entry_point_id: EntryPointId
    at: UnixMs
    seconds: int
    pages_seen: int
    held: bool
    fired: tuple[RuleId, ...]
    """What fired for it."""
    why: Why
    conditions: tuple[ConditionSeen, ...]


class LastFiring(View, frozen=True, kw_only=True):
    position: Position
    at: UnixMs
    session_id: SessionId


class Before(View, frozen=True, kw_only=True):
    """Whom the visitor was assigned to by somebody who goes before rules."""

    by: AheadSource
    to: Scope


class WhyNotFired(View, frozen=True, kw_only=True):
    """``why`` is about the newest view, ``last_fired`` as far as that is remembered."""

    rule_id: RuleId
    version: Position
    enabled: bool
    frequency: Frequency
    rule_mode: RuleMode
    visitor_id: VisitorId
    session_id: SessionId | None
    why: Why
    last_fired: LastFiring | None
    assigned_before: Before | None
    views: tuple[ViewSeen, ...]


def why_not_fired(
    desk: Desk, visit: Visit | None, rule_id: RuleId, visitor_id: VisitorId, now: Now
) -> WhyNotFired | Refused:
    """The answer about the visitor's last ``visit``, the newest view first."""
    workspace = desk.known.workspace
    rule = desk.known.rule(rule_id)
    if rule is None:
        return unknown("rule", rule_id)
    visitor = workspace.visitors.get(visitor_id) or Visitor(visitor_id=visitor_id)
    before = _before(rule, visitor)
    views: tuple[ViewSeen, ...] = ()
    if visit is not None:
        views = tuple(_view_seen(desk, rule, visit, page, now) for page in reversed(visit.pages))
    last = desk.known.firings.get((visitor_id, rule_id))
    why = views[0].why if views else "nothing_seen" if rule.rule.enabled else "disabled"
    if before is not None and why in {"fired", "so_already"}:
        why = "person_first"
    return WhyNotFired(
        rule_id=rule_id,
        version=rule.rule.version,
        enabled=rule.rule.enabled,
        frequency=rule.rule.frequency,
        rule_mode=desk.known.rules().mode,
        visitor_id=visitor_id,
        session_id=visit.session_id if visit is not None else None,
        why=why,
        last_fired=None if last is None else LastFiring(**last._asdict()),
        assigned_before=before,
        views=views,
    )


def _before(rule: CompiledRule, visitor: Visitor) -> Before | None:
    if rule.rule.override or all(action.assign is None for action in rule.rule.then):
        return None
    sources: tuple[AheadSource, ...] = ("person", "visitor")
    for source in sources:
        if source in visitor.ahead:
            return Before(by=source, to=visitor.ahead[source])
    return None


def _view_seen(desk: Desk, rule: CompiledRule, visit: Visit, page: Page, now: Now) -> ViewSeen:
    ago_ms = now.elapsed_ms - (page.judged_ms or page.since_ms)
    then = Now(UnixMs(now.wall_ms - ago_ms), now.elapsed_ms - ago_ms)
    sighting = desk.judge.sighting(page, then)
    holds = desk.judge.holds(rule, sighting)
    return ViewSeen(
        url=page.url,
        entry_point_id=page.entry_point_id,
        at=UnixMs(now.wall_ms - (now.elapsed_ms - page.since_ms)),
        seconds=sighting.on_page_s,
        pages_seen=page.pages_seen,
        held=holds,
        fired=tuple(page.fired),
        why=_why(desk, rule, visit, page, now, holds=holds),
        conditions=tuple(
            _condition(path, node, rule, sighting)
            for path, node in walk(rule.rule.when)
            if node.field is not None
        ),
    )


def _why(desk: Desk, rule: CompiledRule, visit: Visit, page: Page, now: Now, *, holds: bool) -> Why:
    """The first reason that applies."""
    rule_id = rule.rule.rule_id
    if rule_id in page.fired:
        return "fired"
    if not rule.rule.enabled:
        return "disabled"
    if not holds:
        return "conditions"
    if rule_id in page.passed:
        return page.passed[rule_id]
    if page.settled and desk.known.rules().mode == "first_match":
        return "other_rule_first"
    command = FireRule(
        rule_id=rule_id,
        version=rule.rule.version,
        visitor_id=visit.key.visitor_id,
        session_id=visit.session_id,
        entry_point_id=page.entry_point_id,
    )
    return would_not(desk.known, command, now) or "not_judged_yet"


def _condition(path: str, node: Condition, rule: CompiledRule, sighting: Sighting) -> ConditionSeen:
    outcome = rule.tests[path](sighting)
    getter = getter_of(node.field or "")
    return ConditionSeen(
        path=path,
        field=node.field or "",
        op=node.op,
        wanted=node.value,
        actual=getter(sighting) if getter is not None else None,
        held=outcome is True,
        doubt=outcome if isinstance(outcome, str) else None,
    )
