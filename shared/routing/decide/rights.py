"""Who may do what: the kind of actor first, then what the operator's role allows."""

from shared.routing.commands import Command, CreateWorkspace, Refused
from shared.routing.decide.verdict import Instruction
from shared.routing.events import Actor
from shared.routing.ids import OperatorId
from shared.routing.permissions import Permissions
from shared.routing.state import Conversation, Operator
from shared.routing.workspace import Workspace


def refuse_kind(workspace: Workspace, command: Command, actor: Actor) -> Refused | None:
    """Refuse an actor whose kind may not send this command, or who is not registered."""
    if not workspace.created and not isinstance(command, CreateWorkspace):
        return Refused("unknown_workspace", "there is no such workspace")
    if actor.kind == "operator":
        return _refuse_operator(workspace, command, OperatorId(actor.id))
    if actor.kind in command.allowed and command.reserved in ("", actor.id):
        return None
    return _not_allowed(actor, command)


def _refuse_operator(
    workspace: Workspace, command: Command, operator_id: OperatorId
) -> Refused | None:
    operator = workspace.operators.get(operator_id)
    if operator is None:
        return unknown("operator", operator_id)
    if operator.removed:
        return operator_removed(operator_id)
    if "operator" in command.allowed:
        return None
    if "admin" not in command.allowed or isinstance(command, CreateWorkspace):
        return _not_allowed(Actor("operator", operator_id), command)
    return require(workspace, operator_id, "manage")


def _not_allowed(actor: Actor, command: Command) -> Refused:
    if command.reserved:
        text = f"nobody but the service {command.reserved} may send this command"
        return Refused("not_allowed", text, {"reserved": command.reserved})
    kinds = " or ".join(f"{kind}s" for kind in command.allowed)
    return Refused(
        "not_allowed",
        f"{actor.kind}s may not send this command, but {kinds} may",
        {"allowed": list(command.allowed)},
    )


# --- roles ----------------------------------------------------------------------------------


def permissions_of(workspace: Workspace, operator: Operator) -> Permissions:
    return workspace.roles[operator.role_id]


def holds(permissions: Permissions, permission: str) -> bool:
    """Whether ``permission``, as named on the wire, is among ``permissions``."""
    match permission:
        case "conversations.unassigned: write":
            return permissions.unassigned == "write"
        case "conversations.assigned: write":
            return permissions.assigned == "write"
        case _:
            return bool(getattr(permissions, permission))


def require(workspace: Workspace, operator_id: OperatorId, permission: str) -> Refused | None:
    """Refuse an operator whose role lacks ``permission``."""
    operator = workspace.operators[operator_id]
    if holds(permissions_of(workspace, operator), permission):
        return None
    return lacks(operator, permission)


def lacks(operator: Operator, *permissions: str) -> Refused:
    missing = ", ".join(permissions)
    return Refused(
        "no_permission",
        f"the role {operator.role_id} of {operator.operator_id} lacks {missing}",
        {"operator_id": operator.operator_id, "missing": list(permissions)},
    )


def require_to_receive(workspace: Workspace, operator: Operator) -> Refused | None:
    """Refuse an operator who may not be given conversations."""
    missing = permissions_of(workspace, operator).missing_to_receive()
    return lacks(operator, *missing) if missing else None


def involved(conversation: Conversation, operator_id: OperatorId | None) -> bool:
    return operator_id is not None and (
        conversation.owner == operator_id or operator_id in conversation.participants
    )


def require_to_handle(
    workspace: Workspace, conversation: Conversation, instruction: Instruction
) -> Refused | None:
    """Closing, changing: owner and participants; else as role, owned or not."""
    operator_id = instruction.operator_id
    if operator_id is None or involved(conversation, operator_id):
        return None
    if conversation.owner is None and conversation.state != "closed":
        return require(workspace, operator_id, "conversations.unassigned: write")
    return require(workspace, operator_id, "assign_others")


# --- what is not there ----------------------------------------------------------------------


def unknown(what: str, its_id: str) -> Refused:
    """``unknown_operator`` and its siblings."""
    readable = what.replace("_", " ")
    return Refused(f"unknown_{what}", f"there is no {readable} {its_id}", {f"{what}_id": its_id})


def operator_removed(operator_id: OperatorId) -> Refused:
    return Refused(
        "operator_removed",
        f"the operator {operator_id} was removed",
        {"operator_id": operator_id},
    )
