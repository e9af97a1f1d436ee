"""What the log of one workspace says, as far as judging page views needs it."""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from services.trigger_evaluator.compiling import CompiledRule, RuleSet, compiled
from services.trigger_evaluator.sighting import Surroundings
from shared.routing import events as e
from shared.routing.events import Envelope, Event
from shared.routing.following import Following
from shared.routing.ids import Position, RuleId, SessionId, UnixMs, VisitorId, WorkspaceId
from shared.routing.workspace import Workspace

log = structlog.get_logger()

FIRINGS_MAX = 50_000
"""Of one workspace, of which it is still known when they were."""
Compile = Callable[..., CompiledRule]

_MOVES_PEOPLE: tuple[type[Event], ...] = (
    e.WorkspaceCreated,
    e.OperatorStatusChanged,
    e.OperatorRegistered,
    e.OperatorUpdated,
    e.OperatorRemoved,
    e.GroupJoined,
    e.GroupLeft,
    e.GroupDefined,
    e.GroupDeleted,
    e.RoleDefined,
    e.RoleDeleted,
    e.EntryPointDefined,
    e.EntryPointRemoved,
    e.HoursOpened,
    e.HoursClosed,
)
"""After these somebody else may be online, or something else open."""
_CHANGES_RULES: tuple[type[Event], ...] = (
    e.RuleSaved,
    e.RuleDeleted,
    e.PolicySet,
    e.WorkspaceCreated,
)


class Firing(NamedTuple):
    """When a rule fired for a visitor last."""

    position: Position
    at: UnixMs
    session_id: SessionId


class Knowledge:
    """A fold of the log with what follows from it for rules, brought up to date when asked for."""

    def __init__(self, workspace_id: WorkspaceId, compile_rule: Compile = compiled) -> None:
        self._following = Following(Workspace(workspace_id=workspace_id))
        self._compile = compile_rule
        self._compiled: dict[RuleId, CompiledRule] = {}
        self._rules: RuleSet | None = None
        self._around: Surroundings | None = None
        self._rules_changed_at: UnixMs | None = None
        self._arranged: dict[VisitorId, None] = {}
        self.firings: OrderedDict[tuple[VisitorId, RuleId], Firing] = OrderedDict()

    @property
    def workspace(self) -> Workspace:
        return self._following.workspace

    def feed(self, position: Position, envelope: Envelope) -> None:
        """Take the next event of the log. Raises ``Unfit``."""
        self._following.feed(position, envelope)
        event = envelope.data
        if isinstance(event, _MOVES_PEOPLE):
            self._around = None
        if isinstance(event, _CHANGES_RULES):
            self._rules = None
            self._rules_changed_at = self._rules_changed_at or envelope.at
        if isinstance(event, e.RuleFired):
            self._note(event, position, envelope.at)

    def rest(self) -> None:
        """After the last event there is for now."""
        self._following.rest()

    def take_rules_changed(self) -> UnixMs | None:
        """When the rules, or how many of them count, were first changed since this was asked."""
        changed_at, self._rules_changed_at = self._rules_changed_at, None
        return changed_at

    def take_arranged(self) -> list[VisitorId]:
        """The visitors for whom rules arranged something since this was asked last."""
        arranged, self._arranged = self._arranged, {}
        return list(arranged)

    def rules(self) -> RuleSet:
        if self._rules is None:
            mode = self.workspace.workspace_wide().rule_mode
            self._rules = RuleSet(self._all_compiled(), mode)
        return self._rules

    def rule(self, rule_id: RuleId) -> CompiledRule | None:
        """A rule, enabled or not."""
        if rule_id not in self.workspace.rules:
            return None
        self.rules()
        return self._compiled[rule_id]

    def around(self) -> Surroundings:
        if self._around is None:
            self._around = _surroundings(self.workspace)
        return self._around

    def _all_compiled(self) -> list[CompiledRule]:
        """Each version of a rule is compiled once."""
        before, self._compiled = self._compiled, {}
        for rule_id, rule in self.workspace.rules.items():
            known = before.get(rule_id)
            if known is None or known.rule.version != rule.version:
                known = self._compile(rule)
            self._compiled[rule_id] = known
        return list(self._compiled.values())

    def _note(self, event: e.RuleFired, position: Position, at: UnixMs) -> None:
        self._arranged[event.visitor_id] = None
        which = (event.visitor_id, event.rule_id)
        self.firings[which] = Firing(position, at, event.session_id)
        self.firings.move_to_end(which)
        if len(self.firings) > FIRINGS_MAX:
            self.firings.popitem(last=False)


def _surroundings(workspace: Workspace) -> Surroundings:
    counted = [standing for standing in workspace.standings.values() if standing.online]
    return Surroundings(
        zone=_zone(workspace.timezone),
        open={its_id: not point.closed for its_id, point in workspace.entry_points.items()},
        online=len(counted),
        online_in={
            group_id: sum(1 for standing in counted if group_id in standing.atoms)
            for group_id in workspace.groups
        },
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        log.warning("zone_unknown", zone=name)
        return ZoneInfo("UTC")
