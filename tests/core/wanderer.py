"""Long seeded histories that are mostly sensible: who acts usually has something to do with it.

Drawing each command blindly wastes most of them on refusals; here the next one is chosen with the
present state in view. The same seed tells the same history.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from shared.routing.events import Actor
from shared.routing.ids import OperatorId
from shared.routing.state import Conversation, Operator
from tests.core.random_commands import (
    BOT,
    CHOICES,
    ENTRY_POINTS,
    GROUPS,
    OPERATORS,
    RANKINGS,
    SKILLS,
    SLOW_ACTIONS,
    VISITORS,
    WORKSPACE_CHOICES,
)
from tests.core.rule_wanderings import RuleWanderings, as_it_is
from tests.core.story import (
    ADMIN,
    Step,
    Story,
    entry_point,
    group,
    logged_in,
    policy,
    registered,
    role,
    step,
)

_STAFF_CHANGES = ["join_group", "join_group", "leave_group", "update_operator", "update_operator"]
_STAFF_CHANGES += ["join_group", "remove_operator"]
_PRESENCE = Actor("service", "presence")
_REPORTS = ["session_lapsed", "session_lapsed", "session_returned", "operator_idle"]
_REPORTS += ["operator_active", "shift_ended", "shift_started"]

Told = Step | int
"""A command, or seconds that pass."""


class Wanderer:
    """Draws one step after the other."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.rules = RuleWanderings(seed)
        self._beside = Random(-seed)

    def wander(self, story: Story, steps: int) -> list[Told]:
        """Open for business, then take ``steps`` steps; what was told, to tell it again."""
        told: list[Told] = []
        for opening in self.opening():
            told.append(opening)
            play(story, opening)
        for _ in range(steps):
            several: list[Told] = [self.following(story)]
            if self._beside.random() < 0.1:
                several.append(arranged(self._beside, story))
            for following in several:
                told.append(following)
                play(story, following)
        return told

    def opening(self) -> Sequence[Step]:
        fallback = [{"group": "blue"}, {"operator": self._one(OPERATORS)}]
        steps = group("red") + group("green") + group("blue")
        steps += role("helper", assigned="write", unassigned="write", forward=True)
        steps += entry_point("web", "red", "green", fallback=fallback, ask_group=True)
        steps += entry_point("phone", "green", weight=2, fallback=fallback[1:])
        steps += registered(BOT, kind="bot", capacity=3)
        steps += entry_point("app", first_responder=BOT)
        steps += policy(ranking=self._one(RANKINGS), delivery=self._one(["auto", "offer"]))
        for _ in range(5):
            steps += (self._change_policy(),)
        for operator_id in OPERATORS:
            capacity, skills = self._one([0, 1, 1, 2, 3, 4, 5]), self._some(SKILLS)
            settings = {"capacity": capacity, "skills": skills, "role_id": self._role()}
            steps += registered(operator_id, *self._some(GROUPS), **settings)
        if self.random.random() < 0.3:
            steps += step(ADMIN, "update_group", group_id="green", enabled=False)
        for operator_id in self.random.sample(OPERATORS, 4):
            steps += logged_in(operator_id, "s1")
        for operator_id in self._some(OPERATORS):
            wish = {"reachable_when_slow": True}
            steps += step(Actor("operator", operator_id), "set_preferences", **wish)
        hidden = Actor("operator", self._one(OPERATORS))
        steps += step(hidden, "set_status", status="invisible")
        return steps + self.rules.opening()

    def following(self, story: Story) -> Told:
        by_rules = self.rules.following(story)
        if by_rules is not None:
            return by_rules
        draw = self.random.randrange(100)
        if draw < 12:
            return self.random.choice([1, 5, 15, 30, 60, 120, 300])
        if draw < 28:
            return self._open(story)
        if draw < 42:
            return self._answer_offer(story)
        if draw < 64:
            return self._handle(story)
        if draw < 72:
            return self._direct(story)
        if draw < 80:
            return self._come_or_go(story)
        if draw < 86:
            return self._report(story)
        if draw < 92:
            return self._change_staff(story)
        return self._change_settings(story)

    # --- one kind each ----------------------------------------------------------------------

    def _open(self, story: Story) -> Step:
        fields: dict[str, Any] = {
            "conversation_id": f"c{len(story.workspace.conversations)}",
            "entry_point_id": self._one(ENTRY_POINTS),
        }
        if self.random.random() < 0.4:
            fields["priority"] = self.random.randint(0, 9)
        if self.random.random() < 0.3:
            fields["skills"] = self._some(SKILLS)
        if self.random.random() < 0.3:
            fields["optional_skills"] = self._some(SKILLS)
        if self.random.random() < 0.2:
            fields["contact_id"] = self._one(["k1", "k2"])
        if self.random.random() < 0.2:
            fields["group_id"] = self._one(GROUPS)
        return Step(Actor("visitor", self._one(VISITORS), service="shop"), "open", fields)

    def _answer_offer(self, story: Story) -> Told:
        """By whoever is asked, now and then by the sender, seldom for an offer that is gone."""
        offered = [c for c in story.workspace.conversations.values() if c.offer is not None]
        if not offered:
            return self._handle(story)
        conversation = self.random.choice(offered)
        offer = conversation.offer
        assert offer is not None
        fields: dict[str, Any] = {"conversation_id": conversation.conversation_id}
        name = self._one(["accept_offer"] * 3 + ["decline_offer"] * 3 + ["reply", "wait"])
        if conversation.owner is not None and self.random.random() < 0.3:
            return Step(Actor("operator", conversation.owner), "recall_offer", fields)
        if name == "wait":
            return max(1, (offer.expires_at - story.at) // 1_000)
        if name != "reply":
            fields["offer"] = offer.number - (self.random.random() < 0.1)
            fields["offer"] = max(1, fields["offer"])
        return Step(Actor("operator", offer.operator_id), name, fields)

    def _report(self, story: Story) -> Step:
        """What the presence service sees, and visitors who come and go."""
        draw = self.random.random()
        if draw < 0.25:
            visitor = Actor("visitor", self._one(VISITORS))
            return Step(visitor, self._one(["visitor_left", "visitor_left", "visitor_back"]), {})
        if draw < 0.5:
            points = story.workspace.entry_points.values()
            closed = [point.entry_point_id for point in points if point.closed]
            name = "shift_started" if closed else "shift_ended"
            its_id = self._one(closed or ENTRY_POINTS)
            return Step(_PRESENCE, name, {"entry_point_id": its_id})
        operator = self._staff(story, asked=False)
        name = self._one(_REPORTS)
        if operator.off_shift and self.random.random() < 0.7:
            name = "shift_started"
        fields: dict[str, Any] = {"operator_id": operator.operator_id}
        if name == "session_lapsed":
            fields["session_id"] = self._one(list(operator.sessions) or ["s1"])
        elif name == "session_returned":
            fields["session_id"] = self._one(list(operator.lapsed) or ["s1"])
        return Step(_PRESENCE, name, fields)

    def _handle(self, story: Story) -> Step:
        """By somebody in the conversation, or by a colleague who is about to be."""
        silent = [one for one in story.workspace.conversations.values() if one.slot_free]
        if silent and self.random.random() < 0.4:
            freed = self.random.choice(silent)
            writer = Actor("visitor", freed.visitor_id)
            return Step(writer, "write", {"conversation_id": freed.conversation_id})
        conversation = self._conversation(story)
        if conversation is None:
            return self._open(story)
        names = ["join", "reply", "claim", "add_participant"]
        actor = self._operator()
        if conversation.closed_at is not None or self.random.random() < 0.1:
            writer = Actor("visitor", conversation.visitor_id)
            name = "write" if conversation.closed_at or self.random.random() < 0.8 else "close"
            return Step(writer, name, {"conversation_id": conversation.conversation_id})
        if conversation.owner is not None and self.random.random() < 0.7:
            actor = Actor("operator", conversation.owner)
            names = ["close"] * 3 + ["reply"] * 5 + ["leave", "release", "add_participant"]
        elif conversation.escalated and self.random.random() < 0.7:
            actor = Actor("operator", self._one(list(conversation.escalated)))
            names = ["claim", "reply"]
        elif conversation.participants and self.random.random() < 0.5:
            actor = Actor("operator", self._one(list(conversation.participants)))
            names = ["leave", "reply", "claim", "remove_participant"]
        name = self._one(names)
        fields = {"conversation_id": conversation.conversation_id}
        if name.endswith("_participant"):
            fields["operator_id"] = self._one(OPERATORS)
        return Step(actor, name, fields)

    def _direct(self, story: Story) -> Step:
        conversation = self._conversation(story)
        if conversation is None or self.random.random() < 0.15:
            ahead = {"visitor_id": self._one(VISITORS), "to": self._target()}
            return Step(ADMIN, "assign_visitor", ahead)
        fields: dict[str, Any] = {"conversation_id": conversation.conversation_id}
        name = self._one(["forward", "forward", "forward", "set_conversation", "reopen"])
        actor = ADMIN
        if name == "forward":
            fields["to"] = self._target()
            if conversation.owner is not None and self.random.random() < 0.6:
                fields["mode"] = "offer"
                online = [o for o in story.workspace.operators.values() if o.effective == "online"]
                if online and self.random.random() < 0.5:
                    fields["to"] = {"operator": self.random.choice(online).operator_id}
                actor = Actor("operator", conversation.owner)
        elif name == "set_conversation":
            fields |= {"priority": self.random.randint(0, 9), "skills": self._some(SKILLS)}
        return Step(actor, name, fields)

    def _come_or_go(self, story: Story) -> Step:
        absent = [one for one in story.workspace.operators.values() if not one.sessions]
        if absent and self.random.random() < 0.6:
            return logged_in(self._one(absent).operator_id, "s1")[0]
        name = self._one(["log_in", "log_in", "log_out", "set_status", "set_status", "prefer"])
        operator = self._staff(story, asked=True)
        actor = Actor("operator", operator.operator_id)
        fields: dict[str, Any] = {"session_id": self._one(["s1", "s2"])}
        if name == "log_out" and operator.sessions:
            fields["session_id"] = self._one(list(operator.sessions))
        if name == "prefer":
            wish = {"reachable_when_slow": self.random.random() < 0.8}
            return Step(actor, "set_preferences", wish)
        if name == "set_status":
            fields = {"status": self._one(["online", "online", "busy", "invisible", "offline"])}
            if self.random.random() < 0.3:
                fields["for_s"] = self.random.randint(1, 100)
        return Step(actor, name, fields)

    def _change_staff(self, story: Story) -> Step:
        removed = [one for one in story.workspace.operators.values() if one.removed]
        if removed and self.random.random() < 0.7:
            return registered(self._one(removed).operator_id, capacity=self.random.randint(1, 5))[0]
        name = self._one(_STAFF_CHANGES)
        fields: dict[str, Any] = {"operator_id": self._one(OPERATORS)}
        if name.endswith("_group"):
            fields["group_id"] = self._one(GROUPS)
        elif name == "update_operator":
            fields |= {"capacity": self.random.randint(0, 5), "skills": self._some(SKILLS)}
            fields["role_id"] = self._role()
        return Step(ADMIN, name, fields)

    def _change_settings(self, story: Story) -> Step:
        missing = [its_id for its_id in ENTRY_POINTS if its_id not in story.workspace.entry_points]
        draw = 9 if missing and self.random.random() < 0.5 else self.random.randrange(10)
        if draw < 4:
            return self._change_policy()
        if draw < 7:
            enabled = self.random.random() < 0.7
            return step(ADMIN, "update_group", group_id=self._one(GROUPS), enabled=enabled)[0]
        if draw == 7:
            write = self.random.random() < 0.7
            return role("helper", assigned="write", unassigned="write" if write else "read")[0]
        if draw == 8:
            if self.random.random() < 0.4:
                return step(ADMIN, "delete_group", group_id=self._one(GROUPS))[0]
            return group(self._one(GROUPS))[0]
        return self._change_entry_point(missing)

    def _change_entry_point(self, missing: list[str]) -> Step:
        if not missing and self.random.random() < 0.3:
            return step(ADMIN, "remove_entry_point", entry_point_id=self._one(ENTRY_POINTS))[0]
        fallback = [self._target() for _ in range(self.random.randrange(3))]
        weight = self.random.randint(1, 3)
        bound = self._some(GROUPS)
        its_id = self._one(missing or ENTRY_POINTS)
        return entry_point(its_id, *bound, fallback=fallback, weight=weight)[0]

    def _change_policy(self) -> Step:
        place: dict[str, Any] = {}
        if self.random.random() < 0.3:
            place = {"group_id": self._one(GROUPS)}
        elif self.random.random() < 0.2:
            place = {"entry_point_id": self._one(ENTRY_POINTS)}
        choices = CHOICES if place else CHOICES | WORKSPACE_CHOICES
        named = self.random.sample(sorted(choices), self.random.randint(2, 6))
        chosen = {field: self._one([*choices[field], None]) for field in named}
        if self.random.random() < 0.3:
            chosen["delivery"] = self._one(["auto", "offer", "offer", "broadcast", "manual"])
        if self.random.random() < 0.3:
            chosen["on_slow"] = [
                {"after_s": self._one([5, 20, 60]), "action": self._one(SLOW_ACTIONS)}
                for _ in range(self.random.randint(0, 3))
            ]
        if self.random.random() < 0.3:
            chosen["widening"] = [self._widening() for _ in range(self.random.randint(0, 3))]
        return policy(**place, **chosen)[0]

    def _widening(self) -> dict[str, Any]:
        return {
            "after_s": self._one([5, 20, 60]),
            "add_groups": self._some(GROUPS),
            "add_everyone": self.random.random() < 0.3,
            "drop_optional_skills": self._one([0, 1, "all"]),
            "include_consenting_invisible": self.random.random() < 0.5,
            "raise_priority": self.random.randint(0, 3),
        }

    # --- drawing ----------------------------------------------------------------------------

    def _one(self, things: Sequence[Any]) -> Any:
        return self.random.choice(things)

    def _some(self, things: Sequence[str]) -> list[str]:
        return self.random.sample(things, self.random.randrange(len(things) + 1))

    def _role(self) -> str:
        return str(self._one(["staff", "staff", "manager", "helper"]))

    def _staff(self, story: Story, *, asked: bool) -> Operator:
        """Often somebody who is being asked, or owns something."""
        everybody = [story.workspace.operators[OperatorId(its_id)] for its_id in OPERATORS]
        concerned = [one for one in everybody if one.offered or (one.owned and not asked)]
        wanted = concerned and self.random.random() < 0.5
        return self.random.choice(concerned if wanted else everybody)

    def _operator(self) -> Actor:
        return Actor("operator", self._one(OPERATORS))

    def _target(self) -> dict[str, Any]:
        kinds: list[dict[str, Any]] = [
            {"operator": self._one(OPERATORS)},
            {"group": self._one(GROUPS)},
            {"everyone": True},
        ]
        return dict(self._one(kinds))

    def _conversation(self, story: Story) -> Conversation | None:
        """Mostly one that is open, often one that others take part in while it waits."""
        everything = list(story.workspace.conversations.values())
        still_open = [one for one in everything if one.closed_at is None]
        crowded = [one for one in still_open if one.participants and one.owner is None]
        if crowded and self.random.random() < 0.4:
            return self.random.choice(crowded)
        if still_open and self.random.random() < 0.9:
            everything = still_open
        return self._one(everything) if everything else None


def arranged(random: Random, story: Story) -> Step:
    """Hours, webhooks and erasures: by themselves they move nobody."""
    if story.workspace.webhooks and random.random() < 0.3:
        return Step(ADMIN, "remove_webhook", {"webhook_id": "w"})
    ends = random.choice(["12:00", "24:00"])
    hours: dict[str, Any] = {"weekly": {random.choice(["mon", "sun"]): [["09:00", ends]]}}
    hook = {"url": "https://example.org", "types": random.choice([["missed"], ["*"]])}
    whose: dict[str, Any] = {"operator_id": random.choice(OPERATORS)}
    where: dict[str, Any] = {"entry_point_id": random.choice(ENTRY_POINTS)}
    steps = [
        Step(ADMIN, "set_schedule", whose | random.choice([hours, {"clear": True}])),
        Step(ADMIN, "set_schedule", where | random.choice([hours, {"clear": True}])),
        Step(ADMIN, "set_schedule", random.choice([hours, {"clear": True}])),
        Step(ADMIN, "update_operator", whose | random.choice([hours, {"weekly": None}])),
        Step(ADMIN, "define_webhook", {"webhook_id": "w", "secret": "s", **hook}),
        Step(ADMIN, "erase", {"subject": random.choice(["visitor:vera", "contact:k1"])}),
    ]
    return random.choice(steps)


def play(story: Story, told: Told) -> None:
    """Tell one step, accepted or not."""
    if isinstance(told, int):
        story.after(told)
    else:
        story.when(told.actor, told.name, **as_it_is(story, told))
