"""The words of stories about rules: what is saved, and what the trigger evaluator reports."""

from typing import Any

from shared.routing.events import Actor
from shared.routing.ids import RuleId, VisitorId
from shared.routing.rules import Rule
from shared.routing.state import Visitor
from tests.core.story import ADMIN, Step, Steps, Story, desk, group, online, policy, step

RULES = Actor("service", "rules")

ON_FRENCH_PAGES: dict[str, Any] = {
    "field": "current_url",
    "op": "starts_with",
    "value": "https://example.org/fr/",
}
TO_FRENCH: dict[str, Any] = {"assign": {"group": "fr"}}
TO_BEN: dict[str, Any] = {"assign": {"operator": "ben"}}
HELLO: dict[str, Any] = {"invite": {"message": "May I help you?"}}
PREPARED: list[dict[str, Any]] = [
    {"set_priority": 8},
    {"add_tag": "vip"},
    {"require_skill": "fr"},
]


def rule(rule_id: str, *then: dict[str, Any], **settings: Any) -> Steps:
    """A rule that is enabled unless said otherwise."""
    fields = {"name": rule_id, "order": 1, "when": ON_FRENCH_PAGES, "then": then, "enabled": True}
    return step(ADMIN, "save_rule", rule_id=rule_id, **{**fields, **settings})


def saved(story: Story, rule_id: str) -> Rule:
    return story.workspace.rules[RuleId(rule_id)]


def visitor(story: Story, visitor_id: str = "vera") -> Visitor:
    return story.workspace.visitors[VisitorId(visitor_id)]


def fires(story: Story, rule_id: str, session_id: str = "s1", **fields: Any) -> Story:
    """The evaluator reports the rule as it is saved now, for Vera at the desk."""
    known = story.workspace.rules.get(RuleId(rule_id))
    told: dict[str, Any] = {
        "rule_id": rule_id,
        "version": known.version if known is not None else 1,
        "visitor_id": "vera",
        "session_id": session_id,
        "entry_point_id": "web",
        "held": ["when"],
    }
    return story.when(RULES, "rule_fired", **{**told, **fields})


def fired(story: Story, rule_id: str, session_id: str = "s1", **fields: Any) -> Story:
    """The same, and it did something."""
    fires(story, rule_id, session_id, **fields)
    assert story.refusal is None
    assert story.last
    return story


def does_nothing(story: Story, why_not: str) -> Story:
    """What was reported last is accepted and wrote nothing; the evaluator is told why."""
    story.then()
    assert story.warnings == (why_not,)
    return story


def seen() -> Steps:
    """Vera reads a page."""
    return step(RULES, "visitor_seen", visitor_id="vera")


def session_over(session_id: str = "s1") -> Steps:
    return step(RULES, "visitor_session_ended", visitor_id="vera", session_id=session_id)


def vera_opens(conversation_id: str, **fields: Any) -> Steps:
    wishes = {"conversation_id": conversation_id, "entry_point_id": "web", **fields}
    return (Step(Actor("visitor", "vera", service="shop"), "open", wishes),)


def shop(story: Story) -> Story:
    """Ana at the desk, Ben who speaks French behind it; nobody is alerted of slow answers."""
    story.given(policy(on_slow=[]), desk(ana=9), group("fr", names={"de": "Französisch"}))
    return story.given(online("ben", "fr", capacity=2))
