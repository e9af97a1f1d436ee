"""A workspace that notes what moves in it, and how long each conversation waited and was owned.

What is counted and played in ``simulating`` stands on these two: the same for what was recorded
and for what would have been.
"""

from collections.abc import Container, Iterable
from typing import Literal

import msgspec

from shared.routing.ids import ConversationId, OperatorId, UnixMs
from shared.routing.state import Conversation, Operator, Tables
from shared.routing.transaction import Stamp, record
from shared.routing.workspace import Workspace

Stage = Literal["waiting", "owned", "closed"]


def stage_of(conversation: Conversation) -> Stage:
    """Whether somebody has it, somebody is to have it, or it is over."""
    if conversation.owner is not None:
        return "owned"
    return "closed" if conversation.state == "closed" else "waiting"


class Watched(Workspace):
    """``Workspace`` with notes of what one event touched; whoever reads them clears them."""

    touched: dict[ConversationId, None] = {}
    loaded: dict[OperatorId, None] = {}

    def waits(self, conversation: Conversation) -> None:
        super().waits(conversation)
        self.touched[conversation.conversation_id] = None

    def load_changed(self, operator: Operator) -> None:
        super().load_changed(operator)
        self.loaded[operator.operator_id] = None


def frozen(workspace: Workspace, needed: Container[ConversationId]) -> bytes:
    """The workspace as bytes, to be copied any number of times.

    Of the closed conversations only the ``needed`` and those that still hold a slot are kept, and
    nothing of the commands that might come again.
    """
    wrapping = {its_id: None for op in workspace.operators.values() for its_id in op.wrap_ups}
    kept = {
        its_id: conversation
        for its_id, conversation in workspace.conversations.items()
        if conversation.state != "closed" or its_id in wrapping or its_id in needed
    }
    tables = {name: getattr(workspace, name) for name in Tables.__struct_fields__}
    return msgspec.msgpack.encode(Tables(**{**tables, "conversations": kept, "commands": {}}))


def thawed(kept: bytes) -> Watched:
    """A workspace of its own, at rest where the frozen one was."""
    stored = msgspec.msgpack.decode(kept, type=Tables)
    copy = Watched(**{name: getattr(stored, name) for name in Tables.__struct_fields__})
    copy.restore()
    for _ in record(copy, (), Stamp(copy.at, epoch=0)):
        pass
    copy.touched, copy.loaded = {}, {}
    return copy


class Clock(msgspec.Struct):
    """How long one conversation has spent in each stage, in milliseconds."""

    stage: Stage
    since: UnixMs
    spent: dict[Stage, int]
    turns: int = 0

    def at(self, stage: Stage, now: UnixMs) -> int:
        running = now - self.since if stage == self.stage else 0
        return self.spent.get(stage, 0) + running

    def turn(self, stage: Stage, now: UnixMs) -> None:
        self.spent[self.stage] = self.at(self.stage, now)
        self.stage, self.since = stage, now
        self.turns += 1


class Clocks:
    """The clock of every conversation that is open at the beginning or touched later."""

    def __init__(self, workspace: Workspace, begins_at: UnixMs) -> None:
        self._clocks = {
            its_id: Clock(stage_of(conversation), begins_at, {})
            for its_id, conversation in workspace.conversations.items()
        }

    def of(self, conversation_id: ConversationId) -> Clock:
        return self._clocks[conversation_id]

    def turned(
        self, workspace: Workspace, conversation_ids: Iterable[ConversationId]
    ) -> list[ConversationId]:
        """Bring the clocks up to date; those of the conversations that changed their stage."""
        changed = []
        for its_id in conversation_ids:
            stage = stage_of(workspace.conversations[its_id])
            clock = self._clocks.get(its_id)
            if clock is None:
                self._clocks[its_id] = Clock(stage, workspace.at, {})
            elif clock.stage != stage:
                clock.turn(stage, workspace.at)
            else:
                continue
            changed.append(its_id)
        return changed
