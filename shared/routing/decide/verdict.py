"""What goes into a decision on a command beside the command, and what comes out."""

from collections.abc import Mapping

import msgspec

from shared.routing.events import Actor, Fact
from shared.routing.ids import OperatorId, Ref, UnixMs, VisitorId


class Instruction(msgspec.Struct, frozen=True):
    """Who sent the command, when it was stamped, and references to its personal texts."""

    actor: Actor
    at: UnixMs
    refs: Mapping[str, Ref] = {}

    @property
    def operator_id(self) -> OperatorId | None:
        return OperatorId(self.actor.id) if self.actor.kind == "operator" else None

    def acting_operator(self) -> OperatorId:
        """The operator who sent it; only for commands that operators alone may send."""
        assert self.actor.kind == "operator"
        return OperatorId(self.actor.id)

    def acting_visitor(self) -> VisitorId:
        """The visitor who sent it; only for commands that visitors alone may send."""
        assert self.actor.kind == "visitor"
        return VisitorId(self.actor.id)

    @property
    def visitor_id(self) -> VisitorId | None:
        return VisitorId(self.actor.id) if self.actor.kind == "visitor" else None


class Facts(msgspec.Struct, frozen=True):
    """Accepted: the facts in order, none if nothing had to change, and remarks for the caller."""

    events: tuple[Fact, ...] = ()
    warnings: tuple[str, ...] = ()


def facts(*events: Fact) -> Facts:
    return Facts(events)


NOTHING = Facts()
"""Accepted, and so already."""
