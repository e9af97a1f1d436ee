"""Turning a stretch of a log back into what happened in the world and what people did.

What happened in the world (who came and went, presence, settings, rules) has a time. What operators
and visitors did with a conversation has a place on that conversation's own clock instead: so long
after it began to wait, to be somebody's, to be closed. Decisions and timers are not in a script:
the engine makes them.
"""

from typing import Literal

import msgspec

from shared.audit.outcomes import Meter, nearest_rank
from shared.audit.watching import Clock, Clocks, Stage, Watched
from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command
from shared.routing.evolve import evolve
from shared.routing.ids import ConversationId, OperatorId, Position, UnixMs
from shared.routing.revision import REVISION
from shared.routing.state import Conversation

Pair = tuple[ConversationId, OperatorId]


class Happening(msgspec.Struct, frozen=True):
    """Something of the world, at its time: facts as they were, or a visitor's command."""

    position: Position
    at: UnixMs
    by: e.Actor | None
    facts: tuple[e.Fact, ...] = ()
    command: Command | None = None


class Act(msgspec.Struct, frozen=True):
    """What somebody did with a conversation once it had been in ``stage`` for ``after_ms``.

    ``by`` is null for the owner, whoever that is; ``author`` is who really did it.
    """

    position: Position
    stage: Stage
    after_ms: int
    by: e.Actor | None
    author: e.Actor
    command: Command


class Answer(msgspec.Struct, frozen=True):
    """What became of an offer ``after_ms`` after it was made; ``command`` is null where nobody
    answered: it expired, or (``how``) something else ended it before it was known."""

    position: Position
    after_ms: int
    how: Literal["answered", "expired", "unknown"]
    command: Command | None = None


class Typical(msgspec.Struct, frozen=True):
    """Medians of the stretch in milliseconds, for what is not known; null where there are none."""

    accept_ms: int | None
    claim_ms: int | None
    reply_ms: int | None
    handling_ms: int | None


class Script(msgspec.Struct):
    """Everything that a stretch is played from."""

    happenings: list[Happening] = []
    acts: dict[ConversationId, dict[Stage, list[Act]]] = {}
    answers: dict[Pair, list[Answer]] = {}
    fired_at: dict[UnixMs, UnixMs] = {}
    """When timers really fired, by when they were due."""
    known: dict[ConversationId, Clock] = {}
    """How long each conversation spent in each stage, as far as the log knows."""
    claimed: dict[ConversationId, None] = {}
    """Those that waited for somebody to take them."""
    typical: Typical = Typical(None, None, None, None)
    begins_at: UnixMs = UnixMs(0)
    """That of the first event where nothing was before."""
    ends_at: UnixMs = UnixMs(0)
    ends_position: Position = Position(0)
    events: int = 0
    opened: int = 0
    wrote: int = 0
    rules_fired: int = 0
    other_revision: int = 0
    """Decisions by another revision of the rules than the present one."""
    unknown: int = 0
    """Commands that this release cannot turn back."""


class _Live(msgspec.Struct, frozen=True):
    """An offer that has not ended yet."""

    operator_id: OperatorId
    made_at: UnixMs
    position: Position


_TAKEN: dict[str, type[c.ConversationCommand]] = {
    "claim": c.Claim,
    "join": c.Join,
    "leave": c.Leave,
    "release": c.Release,
    "recall_offer": c.RecallOffer,
    "reopen": c.Reopen,
}
"""Commands that say nothing but which conversation."""


class Reading:
    """Folds the stretch, group by group, and writes the script of it on the way."""

    def __init__(self, workspace: Watched) -> None:
        self.workspace = workspace
        self.meter = Meter(workspace)
        self.script = Script(
            begins_at=workspace.at, ends_at=workspace.at, ends_position=workspace.position
        )
        self._clocks = Clocks(workspace, workspace.at)
        self._group: list[e.Envelope] = []
        self._live: dict[ConversationId, _Live] = {}
        self._samples: dict[str, list[int]] = {"accept": [], "claim": [], "reply": [], "close": []}
        for its_id, conversation in workspace.conversations.items():
            if conversation.offer is not None:
                offered_to = conversation.offer.operator_id
                self._live[its_id] = _Live(offered_to, workspace.at, workspace.position)
            if conversation.hold in ("manual", "broadcast"):
                self.script.claimed[its_id] = None

    def feed(self, position: Position, envelope: e.Envelope) -> None:
        """Take the next event of the log."""
        if envelope.first == position:
            self._end_group()
        if not self.script.begins_at:
            self.script.begins_at = envelope.at
        self._group.append(envelope)

    def finish(self) -> Script:
        """After the last event."""
        self._end_group()
        script = self.script
        script.ends_at, script.ends_position = self.workspace.at, self.workspace.position
        for its_id in list(self._live):
            self._offer_ended(its_id, "unknown", None)
        for its_id in self.workspace.conversations:
            clock = self._clocks.of(its_id)
            clock.turn(clock.stage, script.ends_at)
            script.known[its_id] = clock
        medians = {name: _median(samples) for name, samples in self._samples.items()}
        script.typical = Typical(*medians.values())
        return script

    # --- group by group ---------------------------------------------------------------------

    def _end_group(self) -> None:
        group, self._group = self._group, []
        if not group:
            return
        self._write(group)
        for envelope in group:
            self._apply(envelope)

    def _apply(self, envelope: e.Envelope) -> None:
        workspace, event = self.workspace, envelope.data
        evolve(workspace, envelope)
        self.script.events += 1
        if isinstance(event, e.Decision) and envelope.rev != REVISION:
            self.script.other_revision += 1
        touched = touched_by(workspace, event)
        self.meter.note(event, touched)
        self._clocks.turned(workspace, touched)
        workspace.touched, workspace.loaded = {}, {}
        match event:
            case e.ConversationOffered(conversation_id=its_id, operator_id=operator_id):
                self._live[its_id] = _Live(operator_id, workspace.at, workspace.position)
            case e.OfferExpired(conversation_id=its_id):
                self._offer_ended(its_id, "expired", None)
            case e.OfferRescinded(conversation_id=its_id):
                self._offer_ended(its_id, "unknown", None)
            case e.ConversationQueued(conversation_id=its_id, hold="manual" | "broadcast"):
                self.script.claimed[its_id] = None
            case _:
                pass

    def _offer_ended(
        self,
        conversation_id: ConversationId,
        how: Literal["answered", "expired", "unknown"],
        command: Command | None,
        answered: e.Envelope | None = None,
    ) -> None:
        live = self._live.pop(conversation_id, None)
        if live is None:
            return
        at = answered.at if answered is not None else self.workspace.at
        position = answered.first if answered is not None else self.workspace.position
        answer = Answer(position, at - live.made_at, how, command)
        self.script.answers.setdefault((conversation_id, live.operator_id), []).append(answer)
        if command is not None and not isinstance(command, c.DeclineOffer):
            self._samples["accept"].append(answer.after_ms)

    def _write(self, group: list[e.Envelope]) -> None:
        """Note what began this group, while the workspace is as it was then."""
        opening = group[0]
        facts = tuple(
            envelope.data
            for envelope in group
            if isinstance(envelope.data, e.Fact) and not isinstance(envelope.data, e.RoutingCut)
        )
        name = opening.request.name if opening.request is not None else ""
        due = getattr(facts[0], "due", None) if facts and opening.by is None else None
        if due is not None:
            self.script.fired_at.setdefault(due, opening.at)
        elif name in _VISITING:
            command = _visitors_command(name, facts)
            if command is not None:
                self._happened(opening, (), command)
        elif name in _HANDLING:
            self._handled(opening, name, facts)
            signs = tuple(f for f in facts if isinstance(f, e.OperatorActive | e.VisitorBack))
            if signs:  # in case the act comes at another time: he was there, all the same
                ended = Position(opening.first + len(group) - 1)
                happening = Happening(ended, opening.at, opening.by, signs)
                self.script.happenings.append(happening)
        elif facts:
            self._happened(opening, facts, None)

    def _happened(
        self, opening: e.Envelope, facts: tuple[e.Fact, ...], command: Command | None
    ) -> None:
        script = self.script
        script.happenings.append(Happening(opening.first, opening.at, opening.by, facts, command))
        script.opened += isinstance(command, c.Open)
        script.rules_fired += any(isinstance(fact, e.RuleFired) for fact in facts)

    # --- what was done with conversations ----------------------------------------------------

    def _handled(self, opening: e.Envelope, name: str, facts: tuple[e.Fact, ...]) -> None:
        command = self._command(name, facts)
        if command is None:
            self.script.unknown += 1
            return
        its_id = command.conversation_id
        conversation = self.workspace.conversations[its_id]
        assert opening.by is not None
        offer = conversation.offer
        answers = any(isinstance(fact, e.OfferAccepted | e.OfferDeclined) for fact in facts)
        if answers and offer is not None and offer.operator_id == opening.by.id:
            self._offer_ended(its_id, "answered", command, opening)
            return
        self.script.wrote += isinstance(command, c.Write)
        clock = self._clocks.of(its_id)
        after_ms = clock.at(clock.stage, opening.at)
        owns = opening.by.kind == "operator" and opening.by.id == conversation.owner
        by = None if owns else opening.by
        act = Act(opening.first, clock.stage, after_ms, by, opening.by, command)
        self.script.acts.setdefault(its_id, {}).setdefault(clock.stage, []).append(act)
        self._sample(conversation, clock, act, facts)

    def _sample(
        self, conversation: Conversation, clock: Clock, act: Act, facts: tuple[e.Fact, ...]
    ) -> None:
        its_id = conversation.conversation_id
        if isinstance(facts[-1], e.ConversationClaimed) and clock.stage == "waiting":
            if its_id in self.script.claimed:
                self._samples["claim"].append(act.after_ms)
        elif clock.stage != "owned":
            return
        elif isinstance(act.command, c.Reply) and not conversation.answered:
            self._samples["reply"].append(act.after_ms)
        elif isinstance(act.command, c.Close) and act.author.kind != "visitor":
            self._samples["close"].append(act.after_ms)

    def _command(self, name: str, facts: tuple[e.Fact, ...]) -> c.ConversationCommand | None:
        """The command as far as routing looks at it; texts are left out."""
        for fact in facts:
            its_id = getattr(fact, "conversation_id", None)
            if its_id is None or its_id not in self.workspace.conversations:
                continue
            if name in _TAKEN:
                return _TAKEN[name](conversation_id=its_id)
            command = self._by_its_fact(name, fact)
            if command is not None:
                return command
        return None

    def _by_its_fact(self, name: str, fact: e.Fact) -> c.ConversationCommand | None:
        match name, fact:
            case "reply", e.OperatorReplied(conversation_id=its_id):
                return c.Reply(conversation_id=its_id, channel=fact.channel)
            case "accept_offer", e.OfferAccepted(conversation_id=its_id):
                return c.AcceptOffer(conversation_id=its_id, offer=fact.offer)
            case "decline_offer", e.OfferDeclined(conversation_id=its_id):
                return c.DeclineOffer(conversation_id=its_id, offer=fact.offer, reason=fact.reason)
            case "add_participant", e.ParticipantJoined(conversation_id=its_id):
                return c.AddParticipant(conversation_id=its_id, operator_id=fact.operator_id)
            case "remove_participant", e.ParticipantLeft(conversation_id=its_id):
                return c.RemoveParticipant(conversation_id=its_id, operator_id=fact.operator_id)
            case "write", e.VisitorWrote(conversation_id=its_id):
                return c.Write(conversation_id=its_id)
            case "close", e.ConversationClosed(conversation_id=its_id):
                return c.Close(conversation_id=its_id, reason=fact.reason)
            case "close", e.ConversationMissed(conversation_id=its_id):
                return c.Close(conversation_id=its_id)
            case "set_conversation", e.ConversationChanged(conversation_id=its_id):
                return c.SetConversation(
                    conversation_id=its_id,
                    priority=fact.priority,
                    skills=fact.skills,
                    optional_skills=fact.optional_skills,
                    tags=fact.tags,
                )
            case "forward", e.ConversationForwarded() | e.ForwardOffered():
                return self._forward(fact)
            case _:
                return None

    def _forward(self, fact: e.ConversationForwarded | e.ForwardOffered) -> c.Forward:
        """Without a mode where it went as the policy says: then it follows another policy."""
        conversation = self.workspace.conversations[fact.conversation_id]
        mode = "offer" if isinstance(fact, e.ForwardOffered) else "direct"
        usual = self.workspace.policy_for(conversation).forward_mode
        as_usual = conversation.owner is None or mode == usual
        return c.Forward(
            conversation_id=fact.conversation_id,
            to=fact.to,
            mode=None if as_usual else mode,  # type: ignore[arg-type]
        )


_VISITING = ("open", "visitor_left")
_HANDLING = (
    *_TAKEN,
    "reply",
    "accept_offer",
    "decline_offer",
    "add_participant",
    "remove_participant",
    "forward",
    "set_conversation",
    "close",
    "write",
)


def touched_by(workspace: Watched, event: e.Event) -> list[ConversationId]:
    """The conversations that the event may have moved."""
    its_id = getattr(event, "conversation_id", None)
    touched = dict(workspace.touched)
    if its_id is not None and its_id in workspace.conversations:
        touched[its_id] = None
    return list(touched)


def _visitors_command(name: str, facts: tuple[e.Fact, ...]) -> Command | None:
    """What a visitor did; its identity and signs of life follow from it again."""
    for fact in facts:
        match name, fact:
            case "open", e.ConversationOpened():
                return _open(fact)
            case "visitor_left", e.VisitorLeft():
                return c.LeavePage()
            case _:
                pass
    return None


def _open(fact: e.ConversationOpened) -> c.Open:
    chosen = fact.scope.group if fact.scope_source == "visitor" else None
    return c.Open(
        conversation_id=fact.conversation_id,
        entry_point_id=fact.entry_point_id,
        group_id=chosen,
        language=fact.language,
        contact_id=fact.contact_id,
        priority=fact.priority,
        skills=fact.skills,
        optional_skills=fact.optional_skills,
    )


def _median(samples: list[int]) -> int | None:
    return nearest_rank(sorted(samples), 50) if samples else None
