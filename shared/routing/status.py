"""Effective status: what was chosen, after everything that keeps it from holding was applied."""

from shared.routing.state import Operator
from shared.routing.vocabulary import EffectiveStatus, StatusCause


def effective_status(operator: Operator) -> tuple[EffectiveStatus, StatusCause]:
    """The status that holds and its cause, the first that applies."""
    if not operator.signed_in:
        return "offline", "never_logged_in"
    if not operator.sessions:
        return "offline", "logout"
    return operator.chosen, "chosen"


def is_assignable(operator: Operator) -> bool:
    """Whether a person may direct a conversation to this operator."""
    return not operator.removed and operator.effective != "offline"
