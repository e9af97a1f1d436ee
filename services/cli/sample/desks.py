"""What operators do with conversations: take them or not, answer, hand on, call others in, end."""

from services.cli.sample.play import Play, operator, visitor
from services.cli.sample.shop import SECOND_LEVEL, SUPPORT
from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.events import EventUnion
from shared.routing.ids import ConversationId, OperatorId, UnixMs
from shared.routing.scope import Scope
from shared.routing.state import EVERYBODY, Conversation
from shared.routing.vocabulary import Channel, CloseReason, DeclineReason

_DECLINED: tuple[DeclineReason, ...] = ("busy", "wrong_skill", "break", "other")
_CLOSED: tuple[CloseReason, ...] = ("solved", "solved", "solved", "solved", "other", "spam")


class Desks:
    """Reacts to what operators are given. ``silent`` let every offer expire, ``unwilling``
    decline it."""

    def __init__(self, play: Play) -> None:
        self.silent: dict[OperatorId, None] = {}
        self.unwilling: dict[OperatorId, None] = {}
        self._play = play
        self._turns: dict[ConversationId, int] = {}
        """Which of several intentions about a conversation is the last one."""

    def react(self, event: EventUnion, now: UnixMs) -> None:
        match event:
            case e.ConversationAssigned() | e.OfferAccepted() | e.ConversationClaimed():
                self.take_up(event.conversation_id, event.operator_id, now)
            case e.ConversationReopened(owner=owner) if owner is not None:
                self.take_up(event.conversation_id, owner, now)
            case e.ForwardReturned(kept=True):
                self.take_up(event.conversation_id, event.sender, now)
            case e.ConversationOffered():
                self._consider(event, now)
            case e.ConversationBroadcast(operator_ids=told) if told:
                first = self._play.chance.choice(told)
                self._will_claim(event.conversation_id, first, now)
            case e.ConversationEscalated(operator_ids=told) if told and self._play.happens(60):
                self._will_claim(event.conversation_id, told[0], now)
            case e.OperatorUnresponsive():
                self._wakes_up(event.operator_id, now)
            case e.ConversationClosed():
                self._turns.pop(event.conversation_id, None)
            case _:
                pass

    # --- being given something --------------------------------------------------------------

    def _consider(self, event: e.ConversationOffered, now: UnixMs) -> None:
        conversation_id, who, number = event.conversation_id, event.operator_id, event.offer
        actor = operator(who)

        def accept(at: UnixMs) -> None:
            self._play.do(actor, c.AcceptOffer(conversation_id=conversation_id, offer=number), at)

        def decline(at: UnixMs) -> None:
            reason = self._play.chance.choice(_DECLINED)
            text = "I know too little about this" if reason == "other" else None
            self._play.do(
                actor,
                c.DeclineOffer(
                    conversation_id=conversation_id, offer=number, reason=reason, text=text
                ),
                at,
            )

        if who in self.silent or not self._play.is_there(who):
            return
        answer = self._play.chance.randrange(100)
        if who in self.unwilling or answer < 22:
            self._play.after(now, 3, 12, decline)
        elif answer < 88:
            self._play.after(now, 2, 15, accept)

    def _will_claim(self, conversation_id: ConversationId, who: OperatorId, now: UnixMs) -> None:
        def claim(at: UnixMs) -> None:
            if conversation_id not in self._play.untouchable and self._play.is_there(who):
                self._play.do(operator(who), c.Claim(conversation_id=conversation_id), at)

        self._play.after(now, 6, 35, claim)

    def _wakes_up(self, who: OperatorId, now: UnixMs) -> None:
        def back(at: UnixMs) -> None:
            self.silent.pop(who, None)
            self._play.do(operator(who), c.SetStatus(status="online"), at)

        self._play.after(now, 240, 600, back)

    # --- answering --------------------------------------------------------------------------

    def take_up(self, conversation_id: ConversationId, who: OperatorId, now: UnixMs) -> None:
        """From here on it is his: he reads for a moment, then answers some times, and ends it."""
        turn = self._turns[conversation_id] = self._turns.get(conversation_id, 0) + 1
        replies = self._play.chance.choice((1, 2, 2, 3, 3, 4))
        self._will_answer(conversation_id, who, replies, turn, now)

    def _will_answer(
        self, conversation_id: ConversationId, who: OperatorId, left: int, turn: int, now: UnixMs
    ) -> None:
        def answer(at: UnixMs) -> None:
            self._answer(conversation_id, who, left, turn, at)

        if self._play.happens(5):
            self._play.after(now, 80, 280, answer)  # has too much to do
        else:
            self._play.after(now, 8, 45, answer)

    def _answer(
        self, conversation_id: ConversationId, who: OperatorId, left: int, turn: int, at: UnixMs
    ) -> None:
        conversation = self._still_his(conversation_id, who, turn)
        if conversation is None:
            return
        if conversation.forward is not None or not self._play.is_there(who):
            self._will_answer(conversation_id, who, left, turn, at)
        elif who in self._play.held:
            self._reply(conversation, who, left + 1, turn, at)
        elif not self._hands_on(conversation, who, at):
            self._reply(conversation, who, left, turn, at)

    def _still_his(
        self, conversation_id: ConversationId, who: OperatorId, turn: int
    ) -> Conversation | None:
        conversation = self._play.open(conversation_id)
        if conversation is None or conversation.owner != who:
            return None
        return conversation if self._turns.get(conversation_id) == turn else None

    def _reply(
        self, conversation: Conversation, who: OperatorId, left: int, turn: int, at: UnixMs
    ) -> None:
        conversation_id = conversation.conversation_id
        channel: Channel = "email" if conversation.missed else "chat"
        self._play.do(operator(who), c.Reply(conversation_id=conversation_id, channel=channel), at)
        if self._play.happens(8):
            self._beside(conversation, who, at)
        if left <= 1:
            self._play.after(at, 40, 150, lambda now: self._end(conversation_id, who, turn, now))
        else:
            self._visitor_goes_on(conversation_id, who, left - 1, turn, at)

    def _visitor_goes_on(
        self, conversation_id: ConversationId, who: OperatorId, left: int, turn: int, now: UnixMs
    ) -> None:
        """The visitor reads, and writes again: some only after a long time, some not at all."""

        def writes(at: UnixMs) -> None:
            conversation = self._still_his(conversation_id, who, turn)
            if conversation is None:
                return
            actor = visitor(conversation.visitor_id)
            if self._play.happens(4) and who not in self._play.held:
                close = c.Close(conversation_id=conversation_id, reason="solved")
                self._play.do(actor, close, at)
            else:
                self._play.do(actor, c.Write(conversation_id=conversation_id), at)
                self._will_answer(conversation_id, who, left, turn, at)

        if self._play.happens(7) and who not in self._play.held:
            self._play.after(now, 250, 420, writes)
        else:
            self._play.after(now, 40, 190, writes)

    def _end(self, conversation_id: ConversationId, who: OperatorId, turn: int, at: UnixMs) -> None:
        if self._still_his(conversation_id, who, turn) is None:
            return
        if who in self._play.held or not self._play.is_there(who):
            self._play.after(at, 20, 60, lambda now: self._end(conversation_id, who, turn, now))
            return
        reason = self._play.chance.choice(_CLOSED)
        text = "sent the form again" if self._play.happens(10) else None
        close = c.Close(conversation_id=conversation_id, reason=reason, text=text)
        self._play.do(operator(who), close, at)

    # --- handing on -------------------------------------------------------------------------

    def _hands_on(self, conversation: Conversation, who: OperatorId, at: UnixMs) -> bool:
        """Whether he gave it away, or asked somebody to take it."""
        if conversation.conversation_id in self._play.untouchable:
            return False
        its_id, dice = conversation.conversation_id, self._play.chance.randrange(1_000)
        colleague = self._play.colleague(who)
        if dice < 30 and self._serves(conversation, SUPPORT) and self._somebody_at_second_level():
            to, note = Scope(group=SECOND_LEVEL), "needs a look at the order itself"
            command = c.Forward(conversation_id=its_id, to=to, mode="direct", note=note)
            return self._play.do(operator(who), command, at)
        if dice < 45 and colleague is not None:
            to = Scope(operator=colleague.operator_id)
            return self._play.do(
                operator(who), c.Forward(conversation_id=its_id, to=to, mode="direct"), at
            )
        if dice < 75 and colleague is not None:
            return self._asks(conversation, who, colleague.operator_id, at)
        if 75 <= dice < 90:
            return self._play.do(operator(who), c.Release(conversation_id=its_id), at)
        if 90 <= dice < 100:
            return self._play.do(operator(who), c.Leave(conversation_id=its_id), at)
        return False

    def _asks(
        self, conversation: Conversation, who: OperatorId, whom: OperatorId, at: UnixMs
    ) -> bool:
        """A forward on offer; he keeps it until it is accepted, and some think better of it."""
        its_id = conversation.conversation_id
        to = Scope(operator=whom)
        command = c.Forward(conversation_id=its_id, to=to, mode="offer", note="do you know this?")
        if not self._play.do(operator(who), command, at):
            return False
        turn = self._turns[its_id]
        self._will_answer(its_id, who, 2, turn, UnixMs(at + 40_000))
        if self._play.happens(30):
            recall = c.RecallOffer(conversation_id=its_id)
            self._play.after(at, 1, 3, lambda now: self._recall(who, recall, now))
        return True

    def _recall(self, who: OperatorId, recall: c.RecallOffer, at: UnixMs) -> None:
        conversation = self._play.open(recall.conversation_id)
        if conversation is not None and conversation.forward is not None:
            self._play.do(operator(who), recall, at)

    def _serves(self, conversation: Conversation, group_id: str) -> bool:
        audience = self._play.workspace.audience_of(conversation.scope)
        return group_id in audience or EVERYBODY in audience

    def _somebody_at_second_level(self) -> bool:
        members = self._play.workspace.groups[SECOND_LEVEL].members
        return any(
            self._play.workspace.operators[its_id].effective == "online" for its_id in members
        )

    # --- beside it --------------------------------------------------------------------------

    def _beside(self, conversation: Conversation, who: OperatorId, at: UnixMs) -> None:
        """Calls a colleague in, or writes down what it is about."""
        its_id, colleague = conversation.conversation_id, self._play.colleague(who)
        if colleague is None or self._play.happens(50):
            tags, priority = ("returns",), min(conversation.priority + 1, 9)
            change = c.SetConversation(conversation_id=its_id, tags=tags, priority=priority)
            self._play.do(operator(who), change, at)
            return
        helper = colleague.operator_id
        add = c.AddParticipant(conversation_id=its_id, operator_id=helper)
        if self._play.do(operator(who), add, at):
            self._play.after(at, 10, 40, lambda now: self._helps(its_id, helper, now))

    def _helps(self, conversation_id: ConversationId, helper: OperatorId, at: UnixMs) -> None:
        conversation = self._play.open(conversation_id)
        if conversation is None or helper not in conversation.participants:
            return
        self._play.do(operator(helper), c.Reply(conversation_id=conversation_id), at)
        self._play.after(at, 20, 90, lambda now: self._leaves(conversation_id, helper, now))

    def _leaves(self, conversation_id: ConversationId, helper: OperatorId, at: UnixMs) -> None:
        conversation = self._play.open(conversation_id)
        if conversation is not None and helper in conversation.participants:
            self._play.do(operator(helper), c.Leave(conversation_id=conversation_id), at)
