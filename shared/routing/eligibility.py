"""Who may be given a conversation, and every reason why not.

One set of predicates serves the pools (``workspace``) and the explanations: a pool holds exactly
the operators for whom these find nothing.
"""

from collections.abc import Mapping

from shared.routing.ids import OperatorId, RoleId
from shared.routing.permissions import Permissions
from shared.routing.ranking import Demand
from shared.routing.state import EVERYBODY, Audience, Conversation, Operator
from shared.routing.status import REACHABLE_LATER, not_routable
from shared.routing.vocabulary import AssignTo, Exclusion


def may_receive(roles: Mapping[RoleId, Permissions], operator: Operator) -> bool:
    """Whether the role lets this operator be given conversations at all."""
    return not roles[operator.role_id].missing_to_receive()


def may_be_alerted(roles: Mapping[RoleId, Permissions], operator: Operator) -> bool:
    """Whether this operator is there unseen, and consents to hear of what nobody answers."""
    return (
        operator.effective == "invisible"
        and operator.connected
        and operator.reachable_when_slow
        and may_receive(roles, operator)
    )


def unavailable(
    roles: Mapping[RoleId, Permissions], operator: Operator, assign_to: AssignTo = "online"
) -> tuple[Exclusion, ...]:
    """Reasons that keep every automatic conversation away from this operator."""
    if operator.removed:
        return ("removed",)
    reasons: list[Exclusion] = []
    if not may_receive(roles, operator):
        reasons.append("no_permission")
    status = not_routable(operator)
    if assign_to == "any" and status in REACHABLE_LATER:
        status = "unresponsive" if operator.unresponsive else None
    if status is not None:
        reasons.append(status)
    return tuple(reasons)


def unfit(operator: Operator, demand: Demand) -> tuple[Exclusion, ...]:
    """Reasons that lie between this operator and what the conversation asks."""
    reasons: list[Exclusion] = []
    if operator.free < demand.weight:
        reasons.append("at_capacity")
    for skill in demand.skills:
        if skill not in operator.skills:
            reasons.append("skill_missing")
            break
    return tuple(reasons)


def excluded(conversation: Conversation, operator: Operator) -> tuple[Exclusion, ...]:
    """Reasons that hold for this conversation alone."""
    reasons: list[Exclusion] = []
    if operator.operator_id in conversation.declined:
        reasons.append("declined")
    if operator.operator_id in conversation.participants:
        reasons.append("already_involved")
    return tuple(reasons)


def is_member(audience: Audience, atoms: Mapping[str, None]) -> bool:
    """Whether an operator who belongs to ``atoms`` (groups, ``EVERYBODY``) is in the audience."""
    for atom in audience:
        if atom in atoms:
            return True
    return False


ALONE = "@"


def alone(operator_id: OperatorId) -> str:
    """The atom of an audience of one; no group can be called so."""
    return f"{ALONE}{operator_id}"


def atoms_of(operator: Operator, bound_groups: Mapping[str, object]) -> dict[str, None]:
    """The parts of audiences that he shares with others: his groups, and everyone.

    Everyone means the operators in a group bound to an entry point and those in no group; where no
    entry point is bound to a group, all. A second-level group is therefore not in it.
    """
    atoms: dict[str, None] = dict.fromkeys(operator.groups)
    in_everyone = not bound_groups or not operator.groups
    if in_everyone or any(group_id in bound_groups for group_id in operator.groups):
        atoms[EVERYBODY] = None
    return atoms
