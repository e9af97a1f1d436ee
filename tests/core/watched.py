"""A story in which every event is held against the reference, and every rest too."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from shared.routing import events as e
from shared.routing.agenda import CONTINUES
from shared.routing.ids import ConversationId, OperatorId
from shared.routing.state import Timer
from shared.routing.transaction import Recorded
from tests.core import plainly
from tests.core.reference import Look, Rank, Reference
from tests.core.rest import check_rest
from tests.core.rule_ledger import RuleLedger
from tests.core.story import Story

_BILLION = 1_000_000_000
_AWAY = 2**52


class WatchedStory(Story):
    """Nothing happens in it that the reference does not understand."""

    def __init__(self) -> None:
        self.reference = Reference()
        self.rules = RuleLedger()
        self.looks: dict[ConversationId, Look] = {}
        self.timers: dict[str, Timer] = {}
        self.fired: Timer | None = None
        self.silent: set[OperatorId] = set()
        self.left: dict[ConversationId, OperatorId] = {}
        super().__init__()

    def saw(self, recorded: Recorded) -> None:
        event = recorded.envelope.data
        self._check_timer(recorded)
        check = _CHECKS.get(type(event))
        audiences = {its_id: look.audience for its_id, look in self.looks.items()}
        if isinstance(event, e.ConversationOffered | e.ConversationAssigned):
            look = self.asked_for(event.conversation_id)
            audiences[event.conversation_id] = look.audience
            passed = self.looks.get(event.conversation_id)
            if passed is not None and passed.heir is None and passed.responder is not None:
                assert getattr(event, "reason", "") == "first_responder", "the bot comes first"
        if check is not None:
            check(self, event)
        self.rules.note(self.workspace, self.reference, recorded)
        self.reference.note(self.workspace, recorded, audiences)
        self.looks = self.reference.look(self.workspace)
        self.timers = dict(self.workspace.timers)

    def check_rest(self) -> None:
        """What holds whenever nothing is left to decide."""
        check_rest(self.workspace, self.reference, self.looks)
        self.rules.check_rest(self.workspace)
        assert not self.silent, "somebody who does not answer is still asked"
        for its_id, operator_id in self.left.items():
            assert self.workspace.conversations[its_id].owner != operator_id, "he is gone"
        self.left = {}

    def asked_for(self, conversation_id: ConversationId) -> Look:
        """As it stood before this event: for the target of a forward, if there is one."""
        conversation = self.workspace.conversations[conversation_id]
        if conversation_id in self.looks:
            return self.looks[conversation_id]
        forward = conversation.forward
        scope = forward.to if forward is not None else conversation.scope
        return self.reference.look_at(self.workspace, conversation, scope)

    # --- timers -----------------------------------------------------------------------------

    def _check_timer(self, recorded: Recorded) -> None:
        """Each fires once, never early, and the first before all others."""
        envelope = recorded.envelope
        if envelope.first != recorded.position:
            return
        fired, self.fired = self.fired, None
        assert fired is None or self.timers.get(fired.timer_id) is not fired, "it would fire again"
        if envelope.by is not None:
            return
        rest = self.timers.get(CONTINUES)  # of a pass that was cut; it comes before all others
        timer = rest or min(self.timers.values(), key=lambda t: (t.due, t.timer_id))
        self.fired = timer
        assert timer.due <= envelope.at, "a timer fired early"
        assert getattr(envelope.data, "due", timer.due) == timer.due, "out of turn"
        assert _subject(envelope.data) == timer.timer_id.partition(":")[2]

    # --- given to somebody ------------------------------------------------------------------

    def check_assigned(self, assigned: e.ConversationAssigned) -> None:
        its_id, chosen = assigned.conversation_id, assigned.operator_id
        conversation = self.workspace.conversations[its_id]
        if assigned.reason in ("routed", "affinity"):
            assert self.looks[its_id].hold == "auto"
            self._check_choice(assigned, self.looks[its_id])
            assert not assigned.excess
            return
        assert (assigned.ranking, assigned.key, assigned.tie_break) == (None, (), None)
        room = plainly_room(self, chosen) + conversation.weight
        assert assigned.excess is (room < conversation.weight)
        match assigned.reason:
            case "directed":
                assert conversation.scope.operator == chosen
                assert plainly.is_assignable(self.workspace, chosen)
            case "handed_over":
                assert chosen == self.looks[its_id].heir
            case _:
                entry_point = self.workspace.entry_points[conversation.entry_point_id]
                assert chosen == entry_point.first_responder
                assert self.workspace.operators[chosen].kind == "bot"
                assert room >= conversation.weight

    def _check_choice(
        self, given: e.ConversationAssigned | e.ConversationOffered, look: Look
    ) -> None:
        """The best of those who could take it, and nobody who came first was passed by."""
        chosen = given.operator_id
        assert chosen in look.eligible
        assert given.pool_size == len(look.with_room)
        assert given.ranking == look.policy.ranking
        assert given.key == _recorded_key(look, chosen)
        assert chosen == look.best
        assert (given.reason == "affinity") is (chosen == look.friend)
        if given.reason == "routed":
            assert given.tie_break == _tie_break(sorted(look.eligible.values()))
        for other in self.looks.values():
            served = other.hold in ("auto", "offer")
            if served and chosen in other.eligible and look.audience and not look.heir:
                assert look.order <= other.order, "somebody who came first was passed"

    def check_offered(self, offered: e.ConversationOffered) -> None:
        its_id, chosen = offered.conversation_id, offered.operator_id
        conversation = self.workspace.conversations[its_id]
        forward = conversation.forward
        if forward is None:
            look = self.looks[its_id]
            assert look.hold == "offer"
            self._check_choice(offered, look)
            timeout_ms = look.policy.offer_timeout_s * 1_000
            assert offered.expires_at == self.workspace.at + timeout_ms
            return
        assert forward.over is None
        assert offered.expires_at == forward.deadline
        assert conversation.owner == forward.sender
        assert plainly_room(self, chosen) >= 0
        if forward.to.operator is None:
            assert plainly.is_routable(self.workspace, chosen)
        else:
            assert plainly.is_askable(self.workspace, chosen)
            assert chosen == forward.to.operator
            assert (offered.reason, offered.ranking) == ("directed", None)

    # --- nobody yet -------------------------------------------------------------------------

    def check_queued(self, queued: e.ConversationQueued) -> None:
        look = self.looks[queued.conversation_id]
        assert queued.hold == look.hold
        assert queued.pool_size == len(look.with_room)
        assert look.hold not in ("auto", "offer") or not look.eligible

    def check_broadcast(self, broadcast: e.ConversationBroadcast) -> None:
        look = self.looks[broadcast.conversation_id]
        assert set(broadcast.operator_ids) <= set(look.members)
        for operator_id in broadcast.operator_ids:
            assert plainly.is_routable(self.workspace, operator_id)

    def check_round(self, ended: e.RoundEnded) -> None:
        """Nobody is left to ask, but somebody who was asked before."""
        look = self.looks[ended.conversation_id]
        assert look.hold == "offer"
        assert not look.eligible
        assert self.reference.declined[ended.conversation_id]
        assert ended.round == self.reference.rounds.get(ended.conversation_id, 0) + 1
        assert ended.round <= look.policy.rounds_max
        pause_ms = look.policy.decline_backoff_s * 1_000
        last = ended.round == look.policy.rounds_max
        assert ended.until == (None if last else self.workspace.at + pause_ms)

    def check_redirected(self, redirected: e.ConversationRedirected) -> None:
        conversation = self.workspace.conversations[redirected.conversation_id]
        match redirected.reason:
            case "operator_gone":
                assert redirected.to == conversation.home_scope
            case "group_deleted" | "entry_point_removed":
                assert plainly.audience_of(self.workspace, redirected.to) or (
                    redirected.to.entry_point in self.workspace.entry_points
                )
            case _:
                assert plainly.can_take(self.workspace, redirected.to)
                point = self.workspace.entry_points[conversation.entry_point_id]
                assert redirected.to in point.fallback[: conversation.fallbacks_tried]

    # --- moved, alerted ---------------------------------------------------------------------

    def check_reassigned(self, reassigned: e.ConversationReassigned) -> None:
        conversation = self.workspace.conversations[reassigned.conversation_id]
        if reassigned.reason == "slow":
            look = self.asked_for(reassigned.conversation_id)
            assert set(look.eligible) - {reassigned.operator_id}
            return
        operator = self.workspace.operators[reassigned.operator_id]
        policy = plainly.policy_for(self.workspace, conversation)
        assert operator.effective == "offline"
        assert policy.on_owner_offline != "keep"
        assert plainly.is_gone(operator) or operator.idle

    def check_nobody_else(self, kept: e.NobodyElse) -> None:
        conversation = self.workspace.conversations[kept.conversation_id]
        assert conversation.owner == kept.operator_id
        home = self.reference.look_at(self.workspace, conversation, conversation.home_scope)
        assert not set(home.eligible) - {kept.operator_id}

    def check_escalated(self, escalated: e.ConversationEscalated) -> None:
        conversation = self.workspace.conversations[escalated.conversation_id]
        assert conversation.entry_mode != "messenger"
        assert escalated.operator_ids
        for operator_id in escalated.operator_ids:
            operator = self.workspace.operators[operator_id]
            assert operator.effective == "invisible"
            assert operator.reachable_when_slow
            assert plainly.is_connected(operator)

    def check_widened(self, widened: e.ConversationWidened) -> None:
        conversation = self.workspace.conversations[widened.conversation_id]
        assert conversation.owner is None
        assert widened.priority <= 9
        assert not set(widened.skills_dropped) - set(conversation.optional_skills)

    def check_status(self, changed: e.OperatorStatusChanged) -> None:
        """Whoever is gone for good is to lose what policy says; note what that is."""
        operator = self.workspace.operators[changed.operator_id]
        was_there = self.reference.effective.get(changed.operator_id, "offline") != "offline"
        if not was_there or not plainly.is_gone(operator):
            return
        for its_id in operator.owned:
            policy = plainly.policy_for(self.workspace, self.workspace.conversations[its_id])
            if policy.on_owner_offline == "reassign" and policy.assign_to == "online":
                self.left[its_id] = changed.operator_id

    def check_unresponsive(self, silent: e.OperatorUnresponsive) -> None:
        limit = plainly.resolved([self.workspace.workspace_policy]).unresponsive_after
        assert silent.missed == self.reference.expired.get(silent.operator_id, 0)
        assert silent.missed >= limit > 0
        self.silent.remove(silent.operator_id)

    def check_expired(self, expired: e.OfferExpired) -> None:
        operator = self.workspace.operators[expired.operator_id]
        assert expired.counted is (operator.kind == "human" and plainly.is_connected(operator))
        limit = plainly.resolved([self.workspace.workspace_policy]).unresponsive_after
        missed = self.reference.expired.get(expired.operator_id, 0) + expired.counted
        if expired.counted and 0 < limit <= missed:
            self.silent.add(expired.operator_id)

    def check_returned(self, returned: e.ForwardReturned) -> None:
        sender = self.workspace.operators[returned.sender]
        assert returned.kept is (sender.effective != "offline")

    def check_retaken(self, retaken: e.SlotRetaken) -> None:
        over = self.workspace.operators[retaken.operator_id].free < 0
        assert retaken.excess is over


def plainly_room(story: WatchedStory, operator_id: OperatorId) -> int:
    """Room after the event, as the engine has it; the reference compares loads at rest."""
    return story.workspace.operators[operator_id].free


def _subject(event: e.Event) -> str:
    for field in ("conversation_id", "operator_id", "visitor_id"):
        if (subject := getattr(event, field, None)) is not None:
            return str(subject)
    assert isinstance(event, e.RoutingContinues)
    return ""


def _recorded_key(look: Look, chosen: OperatorId) -> tuple[int, int]:
    away, rank, last, _ = look.eligible[chosen]
    if look.policy.ranking == "highest_free_ratio":
        rank = Fraction(-int(-rank * _BILLION))
    return int(rank) + (_AWAY if away else 0), last


def _tie_break(ranks: list[Rank]) -> str:
    if len(ranks) == 1:
        return "sole"
    first, second = ranks[:2]
    if first[:2] != second[:2]:
        return "key"
    return "least_recently_assigned" if first[2] != second[2] else "operator_id"


_CHECKS: Mapping[type[e.Event], Callable[[WatchedStory, Any], None]] = {
    e.ConversationAssigned: WatchedStory.check_assigned,
    e.ConversationOffered: WatchedStory.check_offered,
    e.ConversationQueued: WatchedStory.check_queued,
    e.ConversationBroadcast: WatchedStory.check_broadcast,
    e.RoundEnded: WatchedStory.check_round,
    e.ConversationRedirected: WatchedStory.check_redirected,
    e.ConversationReassigned: WatchedStory.check_reassigned,
    e.NobodyElse: WatchedStory.check_nobody_else,
    e.ConversationEscalated: WatchedStory.check_escalated,
    e.ConversationWidened: WatchedStory.check_widened,
    e.OperatorStatusChanged: WatchedStory.check_status,
    e.OperatorUnresponsive: WatchedStory.check_unresponsive,
    e.OfferExpired: WatchedStory.check_expired,
    e.ForwardReturned: WatchedStory.check_returned,
    e.SlotRetaken: WatchedStory.check_retaken,
}
