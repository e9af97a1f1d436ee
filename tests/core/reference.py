"""A naive reading of the rules, to hold the engine against.

For every answer it walks over all operators and all conversations, asks plain questions
(``plainly``), and trusts its own record (``ledger``) of who had what and who refused.
"""

from fractions import Fraction
from typing import NamedTuple

from shared.routing.ids import ConversationId, OperatorId
from shared.routing.policy import Policy
from shared.routing.scope import Scope
from shared.routing.state import Conversation, Tables
from tests.core import plainly
from tests.core.ledger import Audience, Ledger

Rank = tuple[bool, Fraction, int, str]
"""Whoever is away after all others; then by ranking, last assignment, id."""


class Look(NamedTuple):
    """What there is to say about one conversation that somebody is to get."""

    order: tuple[bool, int, int, int]
    hold: str
    policy: Policy
    line: Audience
    """In whose line it is counted: without those whom widening added."""
    audience: Audience
    members: list[OperatorId]
    routable: list[OperatorId]
    with_room: list[OperatorId]
    skilled: list[OperatorId]
    eligible: dict[OperatorId, Rank]
    heir: OperatorId | None
    friend: OperatorId | None
    """Whoever spoke to the visitor last, where that counts."""
    responder: OperatorId | None
    """The bot that is to answer first, if it can now."""

    @property
    def best(self) -> OperatorId | None:
        if self.friend in self.eligible:
            return self.friend
        return min(self.eligible, key=self.eligible.__getitem__, default=None)


class Reference(Ledger):
    """The rules once more, without any speed."""

    def look(self, tables: Tables) -> dict[ConversationId, Look]:
        """All that wait, as they stand."""
        return {
            its_id: self.look_at(tables, conversation, conversation.scope)
            for its_id, conversation in tables.conversations.items()
            if conversation.state == "waiting" and conversation.scope.operator is None
        }

    def look_at(self, tables: Tables, conversation: Conversation, scope: Scope) -> Look:
        """As if the conversation were for ``scope``."""
        policy = plainly.policy_at(tables, conversation, scope)
        audience = plainly.widened(tables, conversation, scope)
        members = plainly.members_of(tables, audience)
        routable = [m for m in members if plainly.is_routable(tables, m, policy.assign_to)]
        with_room = [m for m in routable if self.room(tables, m) >= conversation.weight]
        asked = plainly.skills_asked(conversation)
        skilled = [m for m in with_room if asked <= set(tables.operators[m].skills)]
        refused_by = self.declined.get(conversation.conversation_id, set())
        excluded = {*refused_by, *conversation.participants}
        heir = plainly.heir_of(tables, conversation)
        ranked = {
            m: self._rank(tables, m, conversation, policy, audience)
            for m in skilled
            if m not in excluded and heir is None
        }
        look = Look(
            order=self._order(conversation, policy),
            hold=_hold(tables, conversation, policy),
            policy=policy,
            line=plainly.audience_of(tables, scope),
            audience=audience,
            members=members,
            routable=routable,
            with_room=with_room,
            skilled=skilled,
            eligible=ranked,
            heir=heir,
            friend=self._friend(conversation, policy),
            responder=self._responder(tables, conversation),
        )
        if self._waits_for_friend(tables, conversation, look, excluded):
            look = look._replace(hold="affinity_wait")
        return look

    def _order(self, conversation: Conversation, policy: Policy) -> tuple[bool, int, int, int]:
        strict = policy.queue_order == "strict"
        head_start_ms = policy.priority_head_start_s * 1_000 * conversation.priority
        return (
            conversation.missed,
            -conversation.priority if strict else 0,
            conversation.queued_at - (0 if strict else head_start_ms),
            conversation.arrival,
        )

    # --- acquaintances ----------------------------------------------------------------------

    def _friend(self, conversation: Conversation, policy: Policy) -> OperatorId | None:
        asked_before = not conversation.fresh and conversation.hold != "affinity_wait"
        if policy.affinity == "off" or asked_before:
            return None
        if conversation.contact_id in self.of_contacts:
            return self.of_contacts[conversation.contact_id]
        return self.of_visitors.get(conversation.visitor_id)

    def _waits_for_friend(
        self,
        tables: Tables,
        conversation: Conversation,
        look: Look,
        excluded: set[OperatorId],
    ) -> bool:
        """He is there, in the scope, skilled, and merely full."""
        friend = look.friend
        return (
            look.hold in ("auto", "offer")
            and look.policy.affinity == "wait"
            and not conversation.affinity_over
            and friend in look.members
            and friend not in excluded
            and plainly.is_routable(tables, friend)
            and friend not in look.with_room
            and plainly.skills_asked(conversation) <= set(tables.operators[friend].skills)
        )

    def _responder(self, tables: Tables, conversation: Conversation) -> OperatorId | None:
        entry_point = tables.entry_points.get(conversation.entry_point_id)
        if entry_point is None or not conversation.fresh or conversation.hold is not None:
            return None
        bot_id = entry_point.first_responder
        if bot_id is None or bot_id == conversation.last_owner:
            return None
        able = tables.operators[bot_id].kind == "bot" and plainly.is_assignable(tables, bot_id)
        return bot_id if able and self.room(tables, bot_id) >= conversation.weight else None

    # --- ranks ------------------------------------------------------------------------------

    def _rank(
        self,
        tables: Tables,
        operator_id: OperatorId,
        conversation: Conversation,
        policy: Policy,
        audience: Audience,
    ) -> Rank:
        capacity = tables.operators[operator_id].capacity
        owned = sum(owner == operator_id for owner in self.owners.values())
        free = self.room(tables, operator_id)
        rank = {
            "most_free_slots": Fraction(-free),
            "highest_free_ratio": Fraction(conversation.weight - free, max(capacity, 1)),
            "fewest_open": Fraction(owned),
            "round_robin": Fraction(self.turns.get((audience, operator_id), 0)),
            "longest_idle": Fraction(self.idle_since.get(operator_id, 0)),
        }[policy.ranking]
        away = not plainly.is_routable(tables, operator_id)
        return away, rank, self.last_assigned.get(operator_id, 0), operator_id

    def load(self, tables: Tables, operator_id: OperatorId) -> int:
        """Owned and not freed, offered, taken part in with a slot, wrapped up."""
        total = plainly.wrap_up_of(tables, operator_id, self.wrapping)
        for its_id, conversation in tables.conversations.items():
            live = self.live.get(its_id)
            owns = self.owners.get(its_id) == operator_id and its_id not in self.freed
            slots = [
                owns,
                live is not None and live.operator_id == operator_id,
                conversation.participants.get(operator_id, False),
            ]
            total += conversation.weight * sum(slots)
        return total

    def room(self, tables: Tables, operator_id: OperatorId) -> int:
        return tables.operators[operator_id].capacity - self.load(tables, operator_id)

    # --- reasons ----------------------------------------------------------------------------

    def reason_of(self, tables: Tables, conversation: Conversation, look: Look) -> str:
        """Why it waits: the first that holds."""
        if not look.audience:
            return "held" if conversation.fallbacks_tried else "group_disabled"
        permitted = [
            m
            for m in look.members
            if tables.operators[m].kind == "human"
            and plainly.may_receive(tables, tables.operators[m])
        ]
        online = [m for m in permitted if plainly.shows_online(tables, m)]
        holds = {
            "group_empty": not permitted,
            "nobody_online": not online and look.policy.assign_to == "online",
            "all_full": not look.with_room,
            "skill_missing": not look.skilled,
            look.hold: look.hold not in ("auto", "offer"),
            "back_off": conversation.back_off_until is not None,
        }
        return next((reason for reason, held in holds.items() if held), "all_declined")


def _hold(tables: Tables, conversation: Conversation, policy: Policy) -> str:
    visitor = tables.visitors[conversation.visitor_id]
    if conversation.missed:
        return "parked_missed" if policy.missed_delivery == "manual" else policy.missed_delivery
    if plainly.out_of_hours(tables, conversation):
        return "out_of_hours"
    if visitor.away and policy.on_visitor_left == "park" and policy.delivery != "manual":
        return "visitor_away"
    return policy.delivery
