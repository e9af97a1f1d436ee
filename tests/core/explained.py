"""A story whose every decision was explained the moment before, and every suggestion tried."""

from typing import Any

import msgspec

from shared.routing import events as e
from shared.routing.commands import Refused
from shared.routing.events import Actor
from shared.routing.explain import Explanation, candidates, explain
from shared.routing.ids import ConversationId
from shared.routing.rehearsal import copy_of
from shared.routing.relief import Change, why_waiting
from shared.routing.state import Conversation
from shared.routing.transaction import Recorded
from tests.core.story import ADMIN, Story

PRESENCE = Actor("service", "presence")
_EVERY = 7
"""Suggestions are tried after every so many steps."""


class ExplainedStory(Story):
    """Explains what waits after each event; what is decided next must be what was said."""

    def __init__(self, *, suggestions: bool = False) -> None:
        self.said: dict[ConversationId, Explanation] = {}
        self.explained: dict[str, int] = {}
        self.tries_suggestions = suggestions
        self.suggested: dict[str, int] = {}
        self.steps = 0
        super().__init__()

    def saw(self, recorded: Recorded) -> None:
        event = recorded.envelope.data
        if isinstance(event, e.ConversationAssigned | e.ConversationOffered):
            self._check(event)
        self.said = {
            its_id: explain(self.workspace, conversation)
            for its_id, conversation in self.workspace.conversations.items()
            if conversation.state == "waiting"
        }

    def _check(self, event: e.ConversationAssigned | e.ConversationOffered) -> None:
        said = self.said.get(event.conversation_id)
        if said is None:
            return  # the offer of a forward: it has an owner and does not wait
        self.explained[event.reason] = self.explained.get(event.reason, 0) + 1
        assert said.chosen == event.operator_id
        assert said.reason == event.reason
        assert said.tie_break == event.tie_break
        if event.ranking is None:
            return
        assert said.ranking == event.ranking
        keys = {one.operator_id: one.key for one in said.candidates}
        assert keys[event.operator_id] == event.key
        if event.reason == "routed":
            assert said.candidates[0].operator_id == event.operator_id

    def when(self, actor: Actor, name: str, /, *, cmd: str | None = None, **fields: Any) -> Story:
        super().when(actor, name, cmd=cmd, **fields)
        self._check_rest()
        return self

    def _check_rest(self) -> None:
        self.steps += 1
        for conversation in list(self.workspace.conversations.values()):
            if conversation.state == "waiting":
                assert explain(self.workspace, conversation).chosen is None
                if conversation.hold in ("auto", "offer"):
                    told = candidates(self.workspace, conversation)
                    assert all(one.exclusions for one in told), told
                if self.tries_suggestions and self.steps % _EVERY == 0:
                    self._try_suggestions(conversation)

    def _try_suggestions(self, conversation: Conversation) -> None:
        for change in why_waiting(self.workspace, conversation).changes:
            self.suggested[change.what] = self.suggested.get(change.what, 0) + 1
            after = follow(self, conversation, change)
            assert after.conversation(conversation.conversation_id).state != "waiting", change


def follow(story: Story, conversation: Conversation, change: Change) -> Story:
    """Another story that goes on from here with this one change, in commands of the wire."""
    after = Story()
    after.workspace = copy_of(story.workspace)
    after.at = story.workspace.at
    for actor, name, fields in _commands(after, conversation, change):
        after.when(actor, name, **fields)
        assert not isinstance(after.refusal, Refused), (change, after.refusal)
    return after


Told = tuple[Actor, str, dict[str, Any]]


def _commands(story: Story, conversation: Conversation, change: Change) -> list[Told]:
    its_id = {"conversation_id": conversation.conversation_id}
    who = change.operator_id or ""
    him = {"operator_id": who}
    match change.what:
        case "slot":
            capacity = story.operator(who).capacity + 1
            return [(ADMIN, "update_operator", {**him, "capacity": capacity})]
        case "online":
            return _online(story, who)
        case "ask_again":
            himself = Actor("operator", who)
            return [(himself, "set_status", {"status": s}) for s in ("busy", "online")]
        case "visitor_back":
            return [(Actor("visitor", conversation.visitor_id), "visitor_back", {})]
        case "skill":
            kept = {
                name: [s for s in getattr(conversation, name) if s != change.skill]
                for name in ("skills", "optional_skills")
            }
            return [(ADMIN, "set_conversation", {**its_id, **kept})]
        case "membership":
            return [(ADMIN, "join_group", {**him, "group_id": change.group_id})]
        case "permission":
            return [(ADMIN, "update_operator", {**him, "role_id": "staff"})]
        case "group_enabled":
            return [(ADMIN, "update_group", {"group_id": change.group_id, "enabled": True})]
        case "hours":
            return [(PRESENCE, "shift_started", {"entry_point_id": change.entry_point_id})]
        case "policy":
            scope = {"group": change.group_id, "entry_point": change.entry_point_id}
            place: dict[str, Any] = {name: its for name, its in scope.items() if its}
            setting = {change.field: change.value}
            fields = {"scope": place or {"workspace": True}, "policy": setting}
            return [(ADMIN, "set_policy", msgspec.to_builtins(fields))]


def _online(story: Story, operator_id: str) -> list[Told]:
    operator = story.operator(operator_id)
    himself = Actor("operator", operator_id)
    steps: list[Told] = []
    if operator.off_shift:
        steps.append((PRESENCE, "shift_started", {"operator_id": operator_id}))
    if not operator.connected or operator.idle or operator.grace_over:
        steps.append((himself, "log_in", {"session_id": "new"}))
    if operator.chosen != "online" or operator.unresponsive:
        steps.append((himself, "set_status", {"status": "online"}))
    return steps
