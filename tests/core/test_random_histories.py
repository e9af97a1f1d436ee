"""Histories that nobody thought of, held against the reference after every single event."""

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from shared.routing.describe import state_hash
from shared.routing.events import Actor
from tests.core import random_commands as draw
from tests.core.proof import prove, restore
from tests.core.rule_wanderings import as_it_is
from tests.core.story import Step, entry_point, group, logged_in, registered
from tests.core.watched import WatchedStory

QUICK = settings(
    max_examples=250,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SOAK = settings(
    QUICK, max_examples=3_000, stateful_step_count=120, derandomize=False, print_blob=True
)


class Histories(RuleBasedStateMachine):
    """Anybody does anything, in any order, in a workspace that is open for business."""

    def __init__(self) -> None:
        super().__init__()
        self.story = WatchedStory()

    @initialize(
        capacities=st.lists(st.integers(0, 4), min_size=5, max_size=5),
        homes=st.lists(st.lists(draw.groups, max_size=2, unique=True), min_size=5, max_size=5),
        policy=draw.POLICY,
    )
    def open_for_business(
        self, capacities: list[int], homes: list[list[str]], policy: dict[str, Any]
    ) -> None:
        story = self.story
        story.given(group("red"), group("green"), group("blue"))
        story.given(entry_point("web", "red", "green", fallback=[{"group": "blue"}]))
        story.given(registered(draw.BOT, kind="bot", capacity=2))
        story.given(entry_point("phone", "green", weight=2))
        story.given(entry_point("app", first_responder=draw.BOT))
        self._try(
            Actor("admin", "root"),
            "set_policy",
            scope={"workspace": True},
            policy=policy,
        )
        for operator_id, capacity, groups in zip(draw.OPERATORS, capacities, homes, strict=True):
            story.given(registered(operator_id, *groups, capacity=capacity, skills=["fr"]))
            if capacity:
                story.given(logged_in(operator_id, "s1"))

    def _try(self, actor: Actor, name: str, /, **fields: Any) -> None:
        position = self.story.after(0).workspace.position
        self.story.when(actor, name, **fields)
        if self.story.refusal is not None:
            assert self.story.workspace.position == position

    @rule(drawn=draw.any_of(draw.SETTINGS, draw.admin))
    def settings_change(self, drawn: draw.Drawn) -> None:
        self._try(drawn[0], drawn[1], **drawn[2])

    @rule(drawn=draw.any_of(draw.STAFF, draw.admin))
    def staff_changes(self, drawn: draw.Drawn) -> None:
        self._try(drawn[0], drawn[1], **drawn[2])

    @rule(drawn=draw.any_of(draw.STATUS, draw.an_operator))
    def somebody_comes_or_goes(self, drawn: draw.Drawn) -> None:
        self._try(drawn[0], drawn[1], **drawn[2])

    @rule(drawn=draw.any_of(draw.PRESENCE, draw.presence))
    def presence_reports(self, drawn: draw.Drawn) -> None:
        self._try(drawn[0], drawn[1], **drawn[2])

    @rule(fields=draw.RULE)
    def a_rule_is_saved(self, fields: dict[str, Any]) -> None:
        self._try(Actor("admin", "root"), "save_rule", **fields)

    @rule(drawn=draw.any_of(draw.REPORTS, draw.evaluator))
    def the_evaluator_reports(self, drawn: draw.Drawn) -> None:
        self._try(drawn[0], drawn[1], **as_it_is(self.story, Step(*drawn)))

    @rule(number=draw.any_number, name=draw.answers)
    def somebody_answers_an_offer(self, number: int, name: str) -> None:
        offered = [c for c in self.story.workspace.conversations.values() if c.offer is not None]
        if offered:
            conversation = offered[number % len(offered)]
            offer = conversation.offer
            assert offer is not None
            fields = {} if name == "reply" else {"offer": offer.number}
            actor = Actor("operator", offer.operator_id)
            self._try(actor, name, conversation_id=conversation.conversation_id, **fields)

    @rule(drawn=draw.any_of(draw.HANDLING, draw.an_operator))
    def somebody_handles_a_conversation(self, drawn: draw.Drawn) -> None:
        self._try(drawn[0], drawn[1], **drawn[2])

    @rule(drawn=draw.any_of(draw.DIRECTING, draw.staff_or_admin))
    def somebody_directs_a_conversation(self, drawn: draw.Drawn) -> None:
        self._try(drawn[0], drawn[1], **drawn[2])

    @rule(drawn=draw.any_of(draw.VISITING, draw.a_visitor))
    def a_visitor_comes_back(self, drawn: draw.Drawn) -> None:
        self._try(drawn[0], drawn[1], **drawn[2])

    @rule(number=draw.any_number, name=draw.of_owners, to=draw.targets, mode=draw.modes)
    def an_owner_acts(self, number: int, name: str, to: dict[str, Any], mode: str) -> None:
        owned = [c for c in self.story.workspace.conversations.values() if c.owner is not None]
        if owned:
            conversation = owned[number % len(owned)]
            self._act(str(conversation.owner), name, conversation.conversation_id, to, mode)

    @rule(number=draw.any_number, operator_id=draw.operators, name=draw.of_others, to=draw.targets)
    def somebody_takes_part(
        self, number: int, operator_id: str, name: str, to: dict[str, Any]
    ) -> None:
        still_open = [c for c in self.story.workspace.conversations.values() if c.closed_at is None]
        if still_open:
            conversation = still_open[number % len(still_open)]
            self._act(operator_id, name, conversation.conversation_id, to)

    def _act(
        self,
        operator_id: str,
        name: str,
        conversation_id: str,
        to: dict[str, Any],
        mode: str = "direct",
    ) -> None:
        fields = {"to": to, "mode": mode} if name == "forward" else {}
        actor = Actor("operator", operator_id)
        self._try(actor, name, conversation_id=conversation_id, **fields)

    @rule(number=draw.any_number)
    def its_visitor_writes(self, number: int) -> None:
        everything = list(self.story.workspace.conversations.values())
        if everything:
            conversation = everything[number % len(everything)]
            visitor = Actor("visitor", conversation.visitor_id)
            self._try(visitor, "write", conversation_id=conversation.conversation_id)

    @rule(visitor=draw.a_visitor, fields=draw.OPENING)
    def a_visitor_asks(self, visitor: Actor, fields: dict[str, Any]) -> None:
        number = len(self.story.workspace.conversations)
        self._try(visitor, "open", conversation_id=f"c{number}", **fields)

    @rule(entry_point_id=draw.entry_points, visitor=draw.a_visitor)
    def another_visitor_asks(self, entry_point_id: str, visitor: Actor) -> None:
        self.a_visitor_asks(visitor, {"entry_point_id": entry_point_id})

    @rule(seconds=st.integers(1, 400))
    def time_passes(self, seconds: int) -> None:
        self.story.after(seconds)

    @rule()
    def it_is_restarted_from_its_tables(self) -> None:
        before = state_hash(self.story.workspace)
        self.story.workspace = restore(self.story.workspace)
        assert state_hash(self.story.workspace) == before

    @rule()
    def the_indexes_are_thrown_away(self) -> None:
        self.story.workspace.restore()

    @invariant()
    def it_is_at_rest_and_everything_is_right(self) -> None:
        self.story.check_rest()

    def teardown(self) -> None:
        prove(self.story.log, self.story.workspace)


def test_e08_ro11_random_histories_agree_with_the_reference() -> None:
    run_state_machine_as_test(Histories, settings=QUICK)


@pytest.mark.soak
def test_e08_ro11_random_histories_agree_with_the_reference_for_hours() -> None:
    run_state_machine_as_test(Histories, settings=SOAK)
