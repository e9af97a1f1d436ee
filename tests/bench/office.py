"""What every benchmark routes: one workspace, its operators online, conversations that are opened.

Each operator may own so many conversations at once that nobody ever waits: all that are open at a
time are far fewer than all places, and whatever a round opens it closes again at its end.
"""

import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from shared.ports import Message
from shared.routing.ids import WorkspaceId
from shared.routing.vocabulary import ActorKind
from shared.wire.headers import COMMAND_ID
from shared.wire.subjects import Call, subject_of

OPERATORS = 1_000
CAPACITY = 100
"""Places of each operator: 100,000 in all, several times what a round opens."""

ENTRY_POINT = "web"
GROUP = "support"


class Said(NamedTuple):
    """One command of one actor, before it is sent anywhere."""

    kind: ActorKind
    actor_id: str
    name: str
    fields: Mapping[str, Any]
    command_id: str = ""

    @property
    def sort(self) -> str:
        """Which command of what kind of actor: ``visitor.open``."""
        return f"{self.kind}.{self.name}"

    def message(self, workspace_id: WorkspaceId, reply: str = "") -> Message:
        """As it arrives at whoever is subscribed."""
        call = Call("cmd", workspace_id, self.kind, self.actor_id, self.name)
        headers = {COMMAND_ID: self.command_id} if self.command_id else {}
        return Message(subject_of(call), reply, headers, msgspec.json.encode(self.fields))


def settled(operators: int = OPERATORS, capacity: int = CAPACITY) -> Iterator[Said]:
    """Everything that has to be said until all operators wait for conversations."""
    yield _of_admin("create_workspace", name="Bench")
    yield _of_admin("create_group", group_id=GROUP, name=GROUP)
    yield _of_admin(
        "define_entry_point", entry_point_id=ENTRY_POINT, name=ENTRY_POINT, groups=[GROUP]
    )
    for number in range(operators):
        operator_id = f"operator-{number}"
        yield _of_admin("register_operator", operator_id=operator_id, capacity=capacity)
        yield _of_admin("join_group", operator_id=operator_id, group_id=GROUP)
        yield Said("operator", operator_id, "log_in", {"session_id": f"{operator_id}-1"})


def _of_admin(name: str, /, **fields: Any) -> Said:
    return Said("admin", "root", name, fields)


class Visitors:
    """Visitors who come one after the other, each with one conversation; the same for one seed."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)

    def opening(self) -> Said:
        """A visitor nobody has seen yet opens a conversation."""
        fields = {"conversation_id": self._new_id(), "entry_point_id": ENTRY_POINT}
        return Said("visitor", self._new_id(), "open", fields, self._new_id())

    def closing(self, opening: Said) -> Said:
        """Somebody in the office closes it: from its visitor, unanswered, it would be missed."""
        fields = {"conversation_id": opening.fields["conversation_id"], "reason": "solved"}
        return Said("admin", "root", "close", fields, self._new_id())

    def life(self) -> "Life":
        """A conversation that is opened, written to, answered, forwarded, accepted and closed."""
        return Life(self.opening(), self._new_id)

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._draw.getrandbits(128), version=4))


class _Offer(msgspec.Struct, frozen=True):
    offer: int


class _Conversation(msgspec.Struct, frozen=True):
    state: str
    owner: str | None
    offer: _Offer | None


class _Result(msgspec.Struct, frozen=True):
    conversation: _Conversation


class _Answer(msgspec.Struct, frozen=True):
    ok: Literal[True]
    result: _Result


_read = msgspec.json.Decoder(_Answer).decode


class Life:
    """One conversation from beginning to end, each command after the answer to the one before.

    Its operator, whom the opening names, hands it to the next one by number, on offer.
    """

    def __init__(self, opening: Said, new_id: Callable[[], str]) -> None:
        self.opening = opening
        self._new_id = new_id
        self._conversation_id = opening.fields["conversation_id"]
        self._owner = self._other = ""
        self._last = opening.name

    def next(self, answer: bytes) -> Said | None:
        """What is said after this answer; none at the end.

        Raises ``msgspec.ValidationError`` if it is a refusal, ``AssertionError`` if the
        conversation is not as it should be by now.
        """
        shown = _read(answer).result.conversation
        assert shown.state == ("closed" if self._last == "close" else "assigned"), shown
        match self._last:
            case "open":
                assert shown.owner is not None
                self._owner, self._other = shown.owner, _operator_after(shown.owner)
                return self._say("visitor", self.opening.actor_id, "write")
            case "write":
                return self._say("operator", self._owner, "reply")
            case "reply":
                to = {"operator": self._other}
                return self._say("operator", self._owner, "forward", to=to, mode="offer")
            case "forward":
                assert shown.offer is not None
                number = shown.offer.offer
                return self._say("operator", self._other, "accept_offer", offer=number)
            case "accept_offer":
                assert shown.owner == self._other, shown
                return self._say("operator", self._other, "close", reason="solved")
            case _:
                return None

    def _say(self, kind: ActorKind, actor_id: str, name: str, /, **fields: Any) -> Said:
        self._last = name
        fields = {"conversation_id": self._conversation_id, **fields}
        return Said(kind, actor_id, name, fields, self._new_id())


def _operator_after(operator_id: str) -> str:
    name, _, number = operator_id.partition("-")
    return f"{name}-{(int(number) + 1) % OPERATORS}"
