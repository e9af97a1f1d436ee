"""What happens to operators: registration, membership, connection, status."""

from shared.routing.events.kinds import Decision, Fact
from shared.routing.ids import ConversationId, GroupId, OperatorId, Ref, RoleId, SessionId, UnixMs
from shared.routing.vocabulary import ChosenStatus, EffectiveStatus, OperatorKind, StatusCause


class OperatorRegistered(Fact, frozen=True, tag="operator_registered.v1"):
    operator_id: OperatorId
    kind: OperatorKind
    name: Ref | None
    email: Ref | None
    role_id: RoleId
    capacity: int
    skills: tuple[str, ...]
    locale: str | None


class OperatorUpdated(Fact, frozen=True, tag="operator_updated.v1"):
    operator_id: OperatorId
    name: Ref | None
    email: Ref | None
    role_id: RoleId
    capacity: int
    skills: tuple[str, ...]
    locale: str | None


class OperatorRemoved(Fact, frozen=True, tag="operator_removed.v1"):
    operator_id: OperatorId


class GroupJoined(Fact, frozen=True, tag="group_joined.v1"):
    operator_id: OperatorId
    group_id: GroupId


class GroupLeft(Fact, frozen=True, tag="group_left.v1"):
    operator_id: OperatorId
    group_id: GroupId


class OperatorLoggedIn(Fact, frozen=True, tag="operator_logged_in.v1"):
    operator_id: OperatorId
    session_id: SessionId


class OperatorLoggedOut(Fact, frozen=True, tag="operator_logged_out.v1"):
    """``session_id`` is null where every session ended at once."""

    operator_id: OperatorId
    session_id: SessionId | None


class SessionLapsed(Fact, frozen=True, tag="session_lapsed.v1"):
    operator_id: OperatorId
    session_id: SessionId


class SessionReturned(Fact, frozen=True, tag="session_returned.v1"):
    operator_id: OperatorId
    session_id: SessionId


class DisconnectGraceEnded(Fact, frozen=True, tag="disconnect_grace_ended.v1"):
    operator_id: OperatorId
    due: UnixMs


class OperatorIdle(Fact, frozen=True, tag="operator_idle.v1"):
    operator_id: OperatorId


class OperatorActive(Fact, frozen=True, tag="operator_active.v1"):
    operator_id: OperatorId


class ShiftStarted(Fact, frozen=True, tag="shift_started.v1"):
    """``goes_online``: a chosen ``offline`` from before the last shift's end is forgotten."""

    operator_id: OperatorId
    goes_online: bool


class ShiftEnded(Fact, frozen=True, tag="shift_ended.v1"):
    operator_id: OperatorId


class PreferencesSet(Fact, frozen=True, tag="preferences_set.v1"):
    """All preferences as they are from now on. ``idle_timeout_s``: null is the workspace's."""

    operator_id: OperatorId
    reachable_when_slow: bool
    email_missed: bool
    idle_timeout_s: int | None


class PresenceStale(Fact, frozen=True, tag="presence_stale.v1"):
    """Nothing is heard of the presence service: the last known facts about operators stand."""


class PresenceFresh(Fact, frozen=True, tag="presence_fresh.v1"):
    """It is heard of again."""


class StatusChosen(Fact, frozen=True, tag="status_chosen.v1"):
    """``until`` ends a break; then ``afterwards`` is the choice again."""

    operator_id: OperatorId
    status: ChosenStatus
    until: UnixMs | None
    afterwards: ChosenStatus | None
    conversation_id: ConversationId | None


class StatusBreakEnded(Fact, frozen=True, tag="status_break_ended.v1"):
    operator_id: OperatorId
    status: ChosenStatus
    due: UnixMs


class OperatorStatusChanged(Decision, frozen=True, tag="operator_status_changed.v1"):
    operator_id: OperatorId
    effective: EffectiveStatus
    cause: StatusCause
