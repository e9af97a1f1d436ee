"""Whom a conversation is for: the one shape that ``to``, ``scope`` and fallbacks share."""

from typing import Annotated, Literal

import msgspec

from shared.routing.ids import ID_PATTERN, EntryPointId, GroupId, OperatorId

_ID = msgspec.Meta(pattern=ID_PATTERN)

ScopeKind = Literal["operator", "group", "everyone", "entry_point"]


class Scope(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Exactly one of its four fields is set: ``{"group": "support"}``, ``{"everyone": true}``."""

    operator: Annotated[OperatorId, _ID] | None = None
    group: Annotated[GroupId, _ID] | None = None
    everyone: bool = False
    entry_point: Annotated[EntryPointId, _ID] | None = None

    def __post_init__(self) -> None:
        chosen = (self.operator, self.group, self.everyone or None, self.entry_point)
        if chosen.count(None) != len(chosen) - 1:
            raise ValueError("exactly one of operator, group, everyone, entry_point is needed")

    @property
    def kind(self) -> ScopeKind:
        if self.operator is not None:
            return "operator"
        if self.group is not None:
            return "group"
        return "everyone" if self.everyone else "entry_point"


EVERYONE = Scope(everyone=True)
