"""What rules bring into the seeded histories: a few that meet, and reports of the evaluator."""

from collections.abc import Mapping
from random import Random
from typing import Any

from shared.routing.events import Actor
from shared.routing.ids import RuleId
from tests.core.random_commands import ENTRY_POINTS, GROUPS, OPERATORS, SKILLS, VISITORS
from tests.core.story import ADMIN, Step, Steps, Story

RULES = Actor("service", "rules")
RULE_IDS = ["r1", "r2", "r3", "r4"]
SESSIONS = ["v1", "v2"]
FREQUENCIES = ["always", "always", "once_per_session", "once_per_visitor"]


class RuleWanderings:
    """Draws by chances of its own, so that all else in a history stays what it is without rules."""

    def __init__(self, seed: int) -> None:
        self.random = Random(f"rules-{seed}")

    def opening(self) -> Steps:
        return tuple(self._saved(rule_id) for rule_id in RULE_IDS)

    def following(self, story: Story) -> Step | None:
        """Seldom one step: mostly that a rule fires; its version is that at the time."""
        if self.random.random() < 0.93:
            return None
        draw = self.random.random()
        if draw < 0.2:
            rule_id = self.random.choice(RULE_IDS)
            deleted = Step(ADMIN, "delete_rule", {"rule_id": rule_id})
            return deleted if self.random.random() < 0.2 else self._saved(rule_id)
        fields: dict[str, Any] = {"visitor_id": self.random.choice(VISITORS)}
        if draw < 0.5:
            awaited = [name for name in story.workspace.timers if name.startswith("gone:")]
            seen = self.random.choice(awaited).partition(":")[2] if awaited else "vera"
            return Step(RULES, "visitor_seen", {"visitor_id": seen})
        fields["session_id"] = self.random.choice(SESSIONS)
        if draw < 0.6:
            return Step(RULES, "visitor_session_ended", fields)
        fields["rule_id"] = self.random.choice(RULE_IDS)
        fields["entry_point_id"] = self.random.choice(ENTRY_POINTS)
        return Step(RULES, "rule_fired", fields)

    def _saved(self, rule_id: str) -> Step:
        one = self.random.choice
        actions: list[dict[str, Any]] = [
            {"assign": one([{"operator": one(OPERATORS)}, {"group": one(GROUPS)}])},
            {"invite": {"message": "Hello"}},
            {"ask_group": self.random.sample(GROUPS, 2)},
            {"set_priority": self.random.randint(0, 9)},
            {"require_skill": one(SKILLS)},
            {"add_tag": "seen"},
        ]
        then = self.random.sample(actions, self.random.randint(1, 3))
        fields = {"name": rule_id, "order": 1, "when": {"always": True}, "then": then}
        fields |= {"frequency": one(FREQUENCIES), "override": self.random.random() < 0.3}
        fields |= {"only_when_live": one([True, False]), "enabled": self.random.random() < 0.9}
        return Step(ADMIN, "save_rule", {"rule_id": rule_id, **fields})


def as_it_is(story: Story, step: Step) -> Mapping[str, Any]:
    """The fields of a step, a firing with the version of its rule."""
    if step.name != "rule_fired" or "version" in step.fields:
        return step.fields
    rule = story.workspace.rules.get(RuleId(step.fields["rule_id"]))
    return {**step.fields, "version": rule.version if rule is not None else 1}
