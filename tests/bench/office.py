"""What every benchmark routes: one workspace, its operators online, conversations that are opened.

Each operator may own so many conversations at once that nobody ever waits: all that are open at a
time are far fewer than all places, and whatever a round opens it closes again at its end.
"""

import random
import uuid
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

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

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._draw.getrandbits(128), version=4))
