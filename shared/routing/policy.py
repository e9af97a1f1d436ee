"""Named policies: their fields, their defaults and who overrides whom.

A field is looked up in the scope's group, then the entry point, then the workspace, then here.
"""

from collections.abc import Iterable
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from shared.routing.ids import ID_PATTERN, EntryPointId, GroupId
from shared.routing.vocabulary import Delivery, ManualOffline, Ranking

_ID = msgspec.Meta(pattern=ID_PATTERN)

Seconds = Annotated[int, msgspec.Meta(ge=0, le=31_536_000)]
"""A duration in whole seconds, up to a year; 0 where it means off."""


class PolicyPatch(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Fields named are set; ``null`` takes one back; what is not named stays."""

    delivery: Delivery | None | UnsetType = UNSET
    ranking: Ranking | None | UnsetType = UNSET
    reopen_window_s: Seconds | None | UnsetType = UNSET
    manual_offline: ManualOffline | None | UnsetType = UNSET

    def named(self) -> dict[str, object]:
        """The fields that this patch names, in the order in which they are declared."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: value for name, value in values if value is not UNSET}


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Every field with the value that holds somewhere."""

    delivery: Delivery = "auto"
    ranking: Ranking = "most_free_slots"
    reopen_window_s: int = 86_400
    manual_offline: ManualOffline = "allow"


class PolicyScope(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a policy is set: ``{"workspace": true}``, a group or an entry point."""

    workspace: bool = False
    group: Annotated[GroupId, _ID] | None = None
    entry_point: Annotated[EntryPointId, _ID] | None = None

    def __post_init__(self) -> None:
        chosen = (self.workspace or None, self.group, self.entry_point)
        if sum(field is not None for field in chosen) != 1:
            raise ValueError("exactly one of workspace, group, entry_point is needed")


WORKSPACE_ONLY = ("manual_offline",)

Layer = dict[str, object]


def resolve(layers: Iterable[Layer]) -> Policy:
    """The policy that holds where ``layers`` apply, the most specific first."""
    merged: Layer = {}
    for layer in layers:
        merged = {**layer, **merged}
    return msgspec.convert(merged, Policy)


def amended(layer: Layer, patch: PolicyPatch) -> Layer:
    """``layer`` after ``patch``: named fields set, those named ``null`` gone."""
    merged = {**layer, **patch.named()}
    return {name: value for name, value in merged.items() if value is not None}
