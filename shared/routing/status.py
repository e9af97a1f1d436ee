"""Effective status: what was chosen, after everything that keeps it from holding was applied."""

from shared.routing.state import Operator
from shared.routing.vocabulary import Absence, EffectiveStatus, Exclusion, StatusCause


def absence_of(operator: Operator) -> Absence | None:
    """How an owner is absent, whatever his status is ascribed to.

    A shift that ends is no absence, and hides none: whoever left before it is still gone.
    """
    if operator.kind == "bot" or not operator.signed_in:
        return None
    left = operator.logged_out or not operator.sessions
    if left or operator.grace_over or operator.chosen == "offline":
        return "gone"
    return "idle" if operator.idle else None


def effective_status(operator: Operator) -> tuple[EffectiveStatus, StatusCause]:
    """The status that holds and its cause, the first that applies.

    A connection that is lost changes nothing before its grace is over.
    """
    if operator.kind == "bot":
        return ("offline", "logout") if operator.removed else ("online", "chosen")
    if not operator.signed_in:
        return "offline", "never_logged_in"
    if operator.logged_out or not operator.sessions:
        return "offline", "logout"
    if operator.grace_over:
        return "offline", "disconnected"
    if operator.off_shift:
        return "offline", "shift_end"
    if operator.idle:
        return "offline", "idle"
    if operator.unresponsive and operator.chosen == "online":
        return "busy", "unresponsive"
    return operator.chosen, "chosen"


def not_routable(operator: Operator) -> Exclusion | None:
    """Why conversations may not come automatically; none only if online and connected."""
    match operator.effective:
        case "online":
            return None if operator.connected else "disconnected"
        case "busy":
            return "unresponsive" if operator.cause == "unresponsive" else "busy"
        case "invisible":
            return "invisible"
        case _:
            return _OFFLINE.get(operator.cause, "offline")


_OFFLINE: dict[StatusCause, Exclusion] = {
    "disconnected": "disconnected",
    "shift_end": "off_shift",
    "idle": "idle",
}

REACHABLE_LATER: tuple[Exclusion, ...] = ("offline", "disconnected", "off_shift", "idle")
"""What does not keep a conversation away where ``assign_to`` is ``any``."""


def is_assignable(operator: Operator) -> bool:
    """Whether a person may direct a conversation to this operator."""
    return not operator.removed and operator.effective != "offline"
