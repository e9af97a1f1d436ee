"""A story in which every event is held against the reference, and every rest too."""

from fractions import Fraction

from shared.routing import events as e
from shared.routing.ids import ConversationId
from shared.routing.route import next_decision
from shared.routing.state import Tables
from shared.routing.transaction import Recorded
from shared.routing.waiting import waiting_reason
from tests.core import reference
from tests.core.reference import Look, Reference
from tests.core.story import Story

_BILLION = 1_000_000_000


class WatchedStory(Story):
    """Nothing happens in it that the reference does not understand."""

    def __init__(self) -> None:
        self.reference = Reference()
        self.looks: dict[ConversationId, Look] = {}
        super().__init__()

    def saw(self, recorded: Recorded) -> None:
        match recorded.envelope.data:
            case e.ConversationAssigned() as assigned:
                self._check_assigned(assigned)
            case e.ConversationQueued() as queued:
                look = self.looks[queued.conversation_id]
                assert queued.hold == look.delivery
                assert queued.pool_size == len(look.with_room)
                assert look.delivery != "auto" or not look.eligible
            case e.ConversationBroadcast() as broadcast:
                look = self.looks[broadcast.conversation_id]
                assert set(broadcast.operator_ids) <= set(look.routable)
            case _:
                pass
        self.reference.note(self.workspace, recorded, self.looks)
        self.looks = self.reference.look(self.workspace)

    def _check_assigned(self, assigned: e.ConversationAssigned) -> None:
        conversation = self.workspace.conversations[assigned.conversation_id]
        if assigned.reason == "directed":
            assert conversation.scope.operator == assigned.operator_id
            assert reference.is_assignable(self.workspace, assigned.operator_id)
            return
        look = self.looks[assigned.conversation_id]
        if assigned.reason == "handed_over":
            assert look.heir == assigned.operator_id
            return
        assert look.delivery == "auto"
        ranked = sorted((rank, its_id) for its_id, rank in look.eligible.items())
        assert ranked, "nobody was eligible"
        best, chosen = ranked[0]
        assert chosen == assigned.operator_id, ranked
        assert assigned.pool_size == len(look.with_room)
        assert assigned.ranking == look.ranking
        assert assigned.key == _recorded_key(look.ranking, best)
        assert assigned.tie_break == _tie_break([rank for rank, _ in ranked])
        assert not assigned.excess
        for other in self.looks.values():
            if other.delivery == "auto" and chosen in other.eligible:
                assert look.order <= other.order, "somebody who came first was passed"

    # --- at rest ----------------------------------------------------------------------------

    def check_rest(self) -> None:
        """What holds whenever nothing is left to decide."""
        assert next_decision(self.workspace) is None
        self._check_conversations()
        self._check_operators()
        for entry_point in self.workspace.entry_points.values():
            assert entry_point.mode == reference.mode_of(self.workspace, entry_point)
        for its_id, look in self.looks.items():
            self._check_waiting(its_id, look)

    def _check_conversations(self) -> None:
        for conversation in self.workspace.conversations.values():
            assert (conversation.state == "assigned") is (conversation.owner is not None)
            assert conversation.owner not in conversation.participants
            if conversation.state == "waiting":
                assert conversation.conversation_id in self.looks, "waits for nobody in particular"
                assert not conversation.handover
            refused_by = self.reference.declined.get(conversation.conversation_id, set())
            assert set(conversation.declined) == refused_by
            home = conversation.home_scope
            if conversation.state != "closed":
                assert home.operator is None
                assert home.everyone or _exists(self.workspace, conversation.conversation_id)

    def _check_operators(self) -> None:
        tables: Tables = self.workspace
        for operator_id, operator in tables.operators.items():
            owned = {i for i, c in tables.conversations.items() if c.owner == operator_id}
            takes_part = {
                i
                for i, c in tables.conversations.items()
                if operator_id in c.participants and c.state != "closed"
            }
            assert set(operator.owned) == owned
            assert set(operator.takes_part) == takes_part
            assert operator.load == reference.load(tables, operator_id)
            assert operator.last_assigned == self.reference.last_assigned.get(operator_id, 0)
            assert operator.idle_since == self.reference.idle_since.get(operator_id, 0)
            assert not operator.removed or not (owned or takes_part or operator.groups)
            connected = bool(operator.sessions)
            assert operator.effective == (operator.chosen if connected else "offline")

    def _check_waiting(self, conversation_id: ConversationId, look: Look) -> None:
        conversation = self.workspace.conversations[conversation_id]
        assert look.delivery != "auto" or not look.eligible, "somebody eligible has room"
        assert conversation.hold == look.delivery
        if not look.groups:
            left = reference.fallbacks_left(self.workspace, conversation)
            assert not left, "a fallback could serve it"
        if look.delivery == "broadcast":
            assert set(look.routable) <= set(conversation.told), "somebody was not told"
        expected = reference.reason_of(self.workspace, conversation, look)
        assert waiting_reason(self.workspace, conversation) == expected
        before = [
            o for o in self.looks.values() if o.groups == look.groups and o.order < look.order
        ]
        assert self.workspace.place_in_line(conversation) == len(before) + 1


def _exists(tables: Tables, conversation_id: ConversationId) -> bool:
    home = tables.conversations[conversation_id].home_scope
    return home.group in tables.groups or home.entry_point in tables.entry_points


def _recorded_key(ranking: str, best: reference.Rank) -> tuple[int, int]:
    rank = best[0]
    if ranking == "highest_free_ratio":
        rank = Fraction(-int(-rank * _BILLION))
    return int(rank), best[1]


def _tie_break(ranks: list[reference.Rank]) -> str:
    if len(ranks) == 1:
        return "sole"
    first, second = ranks[:2]
    if first[0] != second[0]:
        return "key"
    return "least_recently_assigned" if first[1] != second[1] else "operator_id"
