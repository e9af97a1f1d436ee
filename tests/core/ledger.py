"""What the reference remembers of a log by itself: who had what, who was asked, who refused.

Nothing here is read from where the engine keeps it; it is gathered event by event, so that the
engine's own record can be compared with it.
"""

from collections.abc import Mapping
from typing import NamedTuple

from shared.routing import events as e
from shared.routing.ids import ContactId, ConversationId, OperatorId, VisitorId
from shared.routing.state import Tables
from shared.routing.transaction import Recorded
from tests.core.plainly import policy_for

Audience = tuple[str, ...]


class Asked(NamedTuple):
    """A live offer."""

    operator_id: OperatorId
    number: int


class Ledger:
    """Gathered from the events alone, and from who owns what after each of them."""

    def __init__(self) -> None:
        self.owners: dict[ConversationId, OperatorId | None] = {}
        self.last_assigned: dict[OperatorId, int] = {}
        self.idle_since: dict[OperatorId, int] = {}
        self.turns: dict[tuple[Audience, OperatorId], int] = {}
        self.signed_in: dict[OperatorId, bool] = {}
        self.effective: dict[OperatorId, str] = {}
        self.declined: dict[ConversationId, set[OperatorId]] = {}
        self.rounds: dict[ConversationId, int] = {}
        self.live: dict[ConversationId, Asked] = {}
        self.ended: dict[tuple[ConversationId, int], str] = {}
        self.expired: dict[OperatorId, int] = {}
        self.freed: set[ConversationId] = set()
        self.wrapping: dict[ConversationId, OperatorId] = {}
        self.unanswered: dict[ConversationId, int] = {}
        self.of_visitors: dict[VisitorId, OperatorId] = {}
        self.of_contacts: dict[ContactId, OperatorId] = {}

    def note(
        self, tables: Tables, recorded: Recorded, audiences: Mapping[ConversationId, Audience]
    ) -> None:
        """Take note of the event; ``audiences`` are those that it was decided for."""
        self._note_offers(recorded)
        self._note_refusals(tables, recorded.envelope.data)
        self._note_answers(recorded)
        self._note_slots(tables, recorded.envelope.data)
        self._note_owners(tables, recorded.position)
        self._note_presence(tables, recorded)
        event = recorded.envelope.data
        match event:
            case e.ConversationAssigned(
                its_id, operator_id, ranking="round_robin"
            ) | e.ConversationOffered(its_id, operator_id, ranking="round_robin"):
                self.turns[audiences[its_id], operator_id] = recorded.position
            case e.OperatorRegistered(operator_id):
                self._forget(operator_id)
            case e.VisitorIdentified(visitor_id, contact_id):
                for its_id in tables.visitors[visitor_id].conversations:
                    owner = tables.conversations[its_id].owner
                    if owner is not None and tables.operators[owner].kind == "human":
                        self.of_contacts[contact_id] = owner
            case _:
                pass

    # --- owners -----------------------------------------------------------------------------

    def _note_owners(self, tables: Tables, position: int) -> None:
        for its_id, conversation in tables.conversations.items():
            old, new = self.owners.get(its_id), conversation.owner
            if old == new:
                continue
            self.owners[its_id] = new
            self.freed.discard(its_id)
            if old is not None:
                self.idle_since[old] = position
            if new is None:
                continue
            self.idle_since[new] = self.last_assigned[new] = position
            self._start_again(its_id)
            if tables.operators[new].kind == "human":
                self.of_visitors[conversation.visitor_id] = new
                if conversation.contact_id is not None:
                    self.of_contacts[conversation.contact_id] = new

    def _note_presence(self, tables: Tables, recorded: Recorded) -> None:
        for operator_id, operator in tables.operators.items():
            if operator.sessions and not self.signed_in.get(operator_id):
                self.idle_since[operator_id] = recorded.position
            self.signed_in[operator_id] = bool(operator.sessions)
        event = recorded.envelope.data
        if isinstance(event, e.OperatorStatusChanged):
            came = self.effective.get(event.operator_id, "offline") == "offline"
            self.effective[event.operator_id] = event.effective
            if came and event.effective != "offline":
                self._ask_again(event.operator_id)

    def _forget(self, operator_id: OperatorId) -> None:
        """Whoever is registered again after a removal begins anew."""
        for table in (self.last_assigned, self.idle_since, self.expired, self.effective):
            table.pop(operator_id, None)
        for key in [key for key in self.turns if key[1] == operator_id]:
            del self.turns[key]

    # --- refusals ---------------------------------------------------------------------------

    def _note_refusals(self, tables: Tables, event: e.Event) -> None:
        """Who is not asked again, and what ends that."""
        match event:
            case (
                e.OwnerLeft(its_id, operator_id)
                | e.ConversationReleased(its_id, operator_id)
                | e.ConversationReassigned(its_id, operator_id)
                | e.ForwardReturned(its_id, operator_id, kept=False)
            ):
                self._refuse(its_id, operator_id)
            case e.OfferDeclined(its_id, operator_id) | e.OfferExpired(its_id, operator_id):
                if tables.conversations[its_id].forward is None:
                    self._refuse(its_id, operator_id)
            case e.OperatorRemoved(operator_id):
                for its_id in [i for i, owner in self.owners.items() if owner == operator_id]:
                    self._refuse(its_id, operator_id)
            case e.RoundEnded(its_id, number):
                self.rounds[its_id] = number
            case e.StatusChosen(operator_id):
                self._ask_again(operator_id)
            case _:
                self._note_pardons(tables, event)

    def _note_pardons(self, tables: Tables, event: e.Event) -> None:
        match event:
            case e.ConversationForwarded(its_id) | e.ConversationMissed(its_id):
                self._start_again(its_id)
            case e.ConversationClosed(its_id):
                self._start_again(its_id)
            case e.BackOffEnded(its_id):
                self.declined.pop(its_id, None)
            case e.PolicySet():
                for its_id, conversation in tables.conversations.items():
                    if conversation.state == "waiting":
                        self._start_again(its_id)
            case _:
                pass

    def _refuse(self, its_id: ConversationId, operator_id: OperatorId) -> None:
        self.declined.setdefault(its_id, set()).add(operator_id)

    def _ask_again(self, operator_id: OperatorId) -> None:
        for refused_by in self.declined.values():
            refused_by.discard(operator_id)

    def _start_again(self, its_id: ConversationId) -> None:
        self.declined.pop(its_id, None)
        self.rounds.pop(its_id, None)

    # --- offers -----------------------------------------------------------------------------

    def _note_offers(self, recorded: Recorded) -> None:
        """At most one is live, numbers rise, and each ends once."""
        match recorded.envelope.data:
            case e.ConversationOffered(its_id, operator_id, number):
                assert its_id not in self.live, "two live offers"
                assert all(n < number for i, n in self.ended if i == its_id), "numbers must rise"
                self.live[its_id] = Asked(operator_id, number)
            case e.OfferAccepted(its_id, operator_id, number):
                self._end(its_id, Asked(operator_id, number), "accepted")
                self.expired.pop(operator_id, None)
            case e.OfferDeclined(its_id, operator_id, number):
                self._end(its_id, Asked(operator_id, number), "declined")
                self.expired.pop(operator_id, None)
            case e.OfferExpired(its_id, operator_id, number, counted):
                self._end(its_id, Asked(operator_id, number), "expired")
                self.expired[operator_id] = self.expired.get(operator_id, 0) + counted
            case e.OfferRescinded(its_id, operator_id, number):
                self._end(its_id, Asked(operator_id, number), "rescinded")
            case e.OperatorUnresponsive(operator_id):
                self.expired.pop(operator_id, None)
            case _:
                pass

    def _end(self, its_id: ConversationId, asked: Asked, how: str) -> None:
        assert self.live.pop(its_id, None) == asked, "an offer ended that was not live"
        assert (its_id, asked.number) not in self.ended, "an offer ended twice"
        self.ended[its_id, asked.number] = how

    # --- slots ------------------------------------------------------------------------------

    def _note_slots(self, tables: Tables, event: e.Event) -> None:
        match event:
            case e.SlotFreed(its_id):
                assert its_id not in self.freed
                self.freed.add(its_id)
            case e.SlotRetaken(its_id):
                self.freed.discard(its_id)
            case e.ConversationClosed(its_id, owner) if owner is not None:
                if policy_for(tables, tables.conversations[its_id]).wrap_up_s:
                    self.wrapping[its_id] = owner
            case e.WrapUpEnded(its_id, operator_id):
                assert self.wrapping.pop(its_id) == operator_id
            case e.ConversationReopened(its_id):
                self.wrapping.pop(its_id, None)
            case e.OperatorRemoved(operator_id):
                for its_id in [i for i, who in self.wrapping.items() if who == operator_id]:
                    del self.wrapping[its_id]
            case _:
                pass

    def _note_answers(self, recorded: Recorded) -> None:
        """Since when an answer is owed."""
        match recorded.envelope.data:
            case e.ConversationOpened(its_id) | e.VisitorWrote(its_id):
                self.unanswered.setdefault(its_id, recorded.envelope.at)
            case (
                e.OperatorReplied(its_id)
                | e.ConversationMissed(its_id)
                | e.ConversationClosed(its_id)
            ):
                self.unanswered.pop(its_id, None)
            case _:
                pass
