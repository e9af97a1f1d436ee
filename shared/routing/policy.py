"""Named policies: their fields, their defaults and who overrides whom.

A field is looked up in the scope's group, then the entry point, then the workspace, then here.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from shared.routing.ids import ID_PATTERN, EntryPointId, GroupId
from shared.routing.vocabulary import (
    Affinity,
    AssignTo,
    Delivery,
    ForwardMode,
    MissedDelivery,
    OnOwnerOffline,
    OnVisitorLeft,
    QueueOrder,
    Ranking,
    RuleMode,
    SlowAction,
)

_ID = msgspec.Meta(pattern=ID_PATTERN)

Seconds = Annotated[int, msgspec.Meta(ge=0, le=31_536_000)]
"""A duration in whole seconds, up to a year; 0 where it means off."""


Delay = Annotated[int, msgspec.Meta(ge=1, le=31_536_000)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]

AllowDeny = Literal["allow", "deny"]
IdleTimeout = Annotated[int, msgspec.Meta(ge=0, le=3_600)]
_STEPS_MAX = 50
_Groups = Annotated[tuple[Annotated[GroupId, _ID], ...], msgspec.Meta(max_length=1_000)]


class SlowStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens when a visitor's message has gone unanswered for ``after_s``."""

    after_s: Delay
    action: SlowAction


class WideningStep(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Whom else to ask, or what to do without, ``after_s`` after the conversation began to wait."""

    after_s: Delay
    add_groups: _Groups = ()
    add_everyone: bool = False
    drop_optional_skills: Count | Literal["all"] = 0
    include_consenting_invisible: bool = False
    raise_priority: Annotated[int, msgspec.Meta(ge=0, le=9)] = 0


SlowSteps = Annotated[tuple[SlowStep, ...], msgspec.Meta(max_length=_STEPS_MAX)]
WideningSteps = Annotated[tuple[WideningStep, ...], msgspec.Meta(max_length=_STEPS_MAX)]


class PolicyPatch(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """Fields named are set; ``null`` takes one back; what is not named stays."""

    delivery: Delivery | None | UnsetType = UNSET
    ranking: Ranking | None | UnsetType = UNSET
    assign_to: AssignTo | None | UnsetType = UNSET
    offer_timeout_s: Delay | None | UnsetType = UNSET
    decline_backoff_s: Delay | None | UnsetType = UNSET
    rounds_max: Annotated[int, msgspec.Meta(ge=1, le=100)] | None | UnsetType = UNSET
    unresponsive_after: Count | None | UnsetType = UNSET
    affinity: Affinity | None | UnsetType = UNSET
    affinity_wait_s: Delay | None | UnsetType = UNSET
    on_slow: SlowSteps | None | UnsetType = UNSET
    widening: WideningSteps | None | UnsetType = UNSET
    queue_order: QueueOrder | None | UnsetType = UNSET
    priority_head_start_s: Seconds | None | UnsetType = UNSET
    max_waiting: Count | None | UnsetType = UNSET
    fallback_when_nobody_online: bool | None | UnsetType = UNSET
    forward_mode: ForwardMode | None | UnsetType = UNSET
    rule_mode: RuleMode | None | UnsetType = UNSET
    on_owner_offline: OnOwnerOffline | None | UnsetType = UNSET
    reassign_after_s: Delay | None | UnsetType = UNSET
    idle_owner_after_s: Seconds | None | UnsetType = UNSET
    disconnect_grace_s: Seconds | None | UnsetType = UNSET
    idle_timeout_s: IdleTimeout | None | UnsetType = UNSET
    manual_offline: AllowDeny | None | UnsetType = UNSET
    own_schedule: AllowDeny | None | UnsetType = UNSET
    waiting_frees_slot_after_s: Seconds | None | UnsetType = UNSET
    wrap_up_s: Seconds | None | UnsetType = UNSET
    reopen_window_s: Seconds | None | UnsetType = UNSET
    missed_after_s: Seconds | None | UnsetType = UNSET
    missed_delivery: MissedDelivery | None | UnsetType = UNSET
    on_visitor_left: OnVisitorLeft | None | UnsetType = UNSET
    visitor_gone_after_s: Seconds | None | UnsetType = UNSET
    close_after_idle_s: Seconds | None | UnsetType = UNSET
    participants_use_slot: bool | None | UnsetType = UNSET

    def named(self) -> dict[str, object]:
        """The fields that this patch names, in the order in which they are declared."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: value for name, value in values if value is not UNSET}


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Every field with the value that holds somewhere. Durations are whole seconds, 0 is off."""

    delivery: Delivery = "auto"
    ranking: Ranking = "most_free_slots"
    assign_to: AssignTo = "online"
    offer_timeout_s: int = 30
    decline_backoff_s: int = 15
    rounds_max: int = 3
    unresponsive_after: int = 3
    affinity: Affinity = "prefer"
    affinity_wait_s: int = 60
    on_slow: tuple[SlowStep, ...] = (SlowStep(60, "escalate_invisible"),)
    widening: tuple[WideningStep, ...] = ()
    queue_order: QueueOrder = "aged"
    priority_head_start_s: int = 120
    max_waiting: int = 0
    fallback_when_nobody_online: bool = False
    forward_mode: ForwardMode = "direct"
    rule_mode: RuleMode = "first_match"
    on_owner_offline: OnOwnerOffline = "reassign_on_next_message"
    reassign_after_s: int = 300
    idle_owner_after_s: int = 0
    disconnect_grace_s: int = 150
    idle_timeout_s: int = 900
    manual_offline: AllowDeny = "allow"
    own_schedule: AllowDeny = "allow"
    waiting_frees_slot_after_s: int = 600
    wrap_up_s: int = 0
    reopen_window_s: int = 86_400
    missed_after_s: int = 0
    missed_delivery: MissedDelivery = "offer"
    on_visitor_left: OnVisitorLeft = "park"
    visitor_gone_after_s: int = 0
    close_after_idle_s: int = 0
    participants_use_slot: bool = False


class PolicyScope(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a policy is set: ``{"workspace": true}``, a group or an entry point."""

    workspace: bool = False
    group: Annotated[GroupId, _ID] | None = None
    entry_point: Annotated[EntryPointId, _ID] | None = None

    def __post_init__(self) -> None:
        chosen = (self.workspace or None, self.group, self.entry_point)
        if sum(field is not None for field in chosen) != 1:
            raise ValueError("exactly one of workspace, group, entry_point is needed")


IDLE_TIMEOUT_MIN_S = 60

WORKSPACE_ONLY = (
    "unresponsive_after",
    "rule_mode",
    "disconnect_grace_s",
    "idle_timeout_s",
    "manual_offline",
    "own_schedule",
)

Layer = dict[str, Any]


def resolve(layers: Iterable[Layer]) -> Policy:
    """The policy that holds where ``layers`` apply, the most specific first."""
    merged: Layer = {}
    for layer in layers:
        merged = {**layer, **merged}
    return msgspec.convert(merged, Policy)


def amended(layer: Layer, patch: PolicyPatch) -> Layer:
    """``layer`` after ``patch``: named fields set, those named ``null`` gone."""
    named = msgspec.json.decode(msgspec.json.encode(patch.named()))
    merged = {**layer, **named}
    return {name: value for name, value in merged.items() if value is not None}
