"""A second opinion on rules, from the events alone: whether each might fire, and what it left."""

from collections.abc import Iterator
from typing import Any

from shared.routing import events as e
from shared.routing.ids import EntryPointId, Position, RuleId, SessionId, VisitorId
from shared.routing.scope import Scope
from shared.routing.state import Tables
from shared.routing.transaction import Recorded
from tests.core import plainly
from tests.core.reference import Reference

MOVES = (e.ConversationForwarded, e.ConversationReleased, e.OwnerLeft, e.ConversationReassigned)


class RuleLedger:
    """Notes every event after it was applied; raises AssertionError where one cannot be."""

    def __init__(self) -> None:
        self.rules: dict[RuleId, tuple[Position, e.RuleSaved]] = {}
        self.sessions: dict[tuple[VisitorId, RuleId], set[SessionId]] = {}
        """In which each rule did what counts, by visitor."""
        self.present: dict[VisitorId, SessionId] = {}
        self.assigned: dict[VisitorId, Scope] = {}
        self.prepared: dict[VisitorId, e.VisitorPrepared] = {}
        self.asked: dict[tuple[VisitorId, EntryPointId], set[str]] = {}

    def note(self, tables: Tables, reference: Reference, recorded: Recorded) -> None:
        by, event = recorded.envelope.by, recorded.envelope.data
        reported = by is not None and by.id == "rules"
        assert not (reported and isinstance(event, MOVES)), "rules move nothing that runs"
        match event:
            case e.RuleSaved():
                self.rules[event.rule_id] = (recorded.position, event)
            case e.RuleDeleted():
                del self.rules[event.rule_id]
                for key in [key for key in self.sessions if key[1] == event.rule_id]:
                    del self.sessions[key]
            case e.RuleFired():
                self._fired(event)
            case e.VisitorInvited():
                self._invited(tables, event)
            case e.ConversationOpened():
                self._opened(tables, reference, event)
            case _:
                self._arranged(event)

    def check_rest(self, tables: Tables) -> None:
        """What is arranged is what was arranged last, and nothing else."""
        for visitor_id, visitor in tables.visitors.items():
            assert visitor.ahead.get("rule") == self.assigned.get(visitor_id)
            prepared = self.prepared.get(visitor_id)
            assert (visitor.prepared is None) is (prepared is None)
            for entry_point_id, groups in visitor.asked.items():
                assert set(groups) == self.asked[visitor_id, entry_point_id]

    # --- what fires -------------------------------------------------------------------------

    def _fired(self, event: e.RuleFired) -> None:
        version, rule = self.rules[event.rule_id]
        assert event.version == version, "it fires as it was once"
        assert rule.enabled
        before = self.sessions.setdefault((event.visitor_id, event.rule_id), set())
        assert rule.frequency != "once_per_visitor" or not before
        assert rule.frequency != "once_per_session" or event.session_id not in before
        left = [*self._left(event.visitor_id)]
        former = self.present.get(event.visitor_id, event.session_id)
        assert not left or former == event.session_id, "of another session"
        self.present[event.visitor_id] = event.session_id
        if all(action.invite is None for action in rule.then):
            before.add(event.session_id)

    def _left(self, visitor_id: VisitorId) -> Iterator[Any]:
        """Whatever rules arranged for the visitor."""
        yield from [scope for its_id, scope in self.assigned.items() if its_id == visitor_id]
        yield from [one for its_id, one in self.prepared.items() if its_id == visitor_id]
        yield from [groups for key, groups in self.asked.items() if key[0] == visitor_id]

    def _invited(self, tables: Tables, event: e.VisitorInvited) -> None:
        _, rule = self.rules[event.rule_id]
        assert event.message in [action.invite for action in rule.then]
        session = self.present[event.visitor_id]
        self.sessions[event.visitor_id, event.rule_id].add(session)
        visitor = tables.visitors[event.visitor_id]
        assert not visitor.conversations, "it talks to somebody"
        if rule.only_when_live:
            entry_point = tables.entry_points[event.entry_point_id]
            places = [Scope(entry_point=event.entry_point_id), *visitor.ahead.values()]
            assert any(plainly.is_attended(tables, one) for one in (*places, *entry_point.fallback))

    # --- what it leaves ---------------------------------------------------------------------

    def _arranged(self, event: e.Event) -> None:
        match event:
            case e.VisitorAssigned(source="rule"):
                self.assigned[event.visitor_id] = event.to
            case e.VisitorPrepared():
                self.prepared[event.visitor_id] = event
            case e.VisitorAsked():
                key = (event.visitor_id, event.entry_point_id)
                self.asked.setdefault(key, set()).update(event.groups)
            case e.VisitorSessionEnded():
                assert self.present.pop(event.visitor_id) == event.session_id
                assert [*self._left(event.visitor_id)], "there was nothing to end"
                self.assigned.pop(event.visitor_id, None)
                self.prepared.pop(event.visitor_id, None)
                for key in [key for key in self.asked if key[0] == event.visitor_id]:
                    del self.asked[key]
            case _:
                pass

    def _opened(self, tables: Tables, reference: Reference, opened: e.ConversationOpened) -> None:
        prepared = self.prepared.get(opened.visitor_id)
        if prepared is not None:
            assert set(prepared.skills) <= set(opened.skills)
        if opened.scope_source != "rule":
            return
        assert opened.scope == self.assigned[opened.visitor_id]
        assert plainly.can_take(tables, opened.scope)
        named = opened.scope.operator
        if named is not None:
            operator = tables.operators[named]
            assert reference.room(tables, named) >= opened.weight, "a rule fills nobody up"
            assert set(opened.skills) <= set(operator.skills)
            assert operator.effective == "online" or not plainly.is_connected(operator)
