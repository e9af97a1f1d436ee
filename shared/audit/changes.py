"""Hypothetical changes of settings: read from a file, tried, and kept in force.

They are commands as an admin would send them, and judged by the same decoders and the same
``decide``; nothing here sends them anywhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from shared.routing import events as e
from shared.routing.commands import (
    COMMANDS,
    JoinGroup,
    LeaveGroup,
    Refused,
    SetPolicy,
    UpdateOperator,
)
from shared.routing.decide import Instruction, decide
from shared.routing.events import Actor, Fact
from shared.routing.policy import amended
from shared.routing.transaction import Recorded, Stamp, record
from shared.routing.workspace import Workspace
from shared.wire.refusals import misshapen, not_json

Change = SetPolicy | UpdateOperator | JoinGroup | LeaveGroup

NAMES = ("set_policy", "update_operator", "join_group", "leave_group")
CHANGES_MAX = 1_000
_CODES = {"policy": "invalid_policy"}
_SUPPOSING = Actor("admin", "simulate")
_SETTINGS = ("role_id", "capacity", "skills")
"""What routing looks at in an operator, and may be supposed."""


class BadChange(ValueError):
    """A change cannot be supposed: ``number`` says which, from 0; ``refused`` says why."""

    def __init__(self, number: int, refused: Refused) -> None:
        super().__init__(f"change {number + 1}: {refused.code}: {refused.message}")
        self.number = number
        self.refused = refused


def read_changes(content: bytes) -> tuple[Change, ...]:
    """Changes as JSON: ``{"scope": ..., "policy": ...}`` as in ``set_policy``, or a list of such.

    In a list may also stand ``{"update_operator": ...}`` (role, capacity, skills),
    ``{"join_group": ...}`` and ``{"leave_group": ...}``, each as the command takes it. Raises
    ``BadChange``.
    """
    try:
        found = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadChange(0, not_json(error)) from error
    listed = found if isinstance(found, list) else [found]
    if len(listed) > CHANGES_MAX:
        raise BadChange(CHANGES_MAX, Refused("too_many", f"at most {CHANGES_MAX} changes"))
    return tuple(_read(number, one) for number, one in enumerate(listed))


def _read(number: int, said: Any) -> Change:
    name, fields = "set_policy", said
    if isinstance(said, dict) and len(said) == 1:
        name, fields = next(iter(said.items()))
    if name not in NAMES:
        text = f"there is no change {name}; there are: {', '.join(NAMES)}"
        raise BadChange(number, Refused("malformed", text))
    shape: Any = COMMANDS[name]
    try:
        change: Change = msgspec.convert(fields, shape)
    except msgspec.ValidationError as error:
        raise BadChange(number, misshapen(shape, str(error), _CODES)) from error
    if isinstance(change, UpdateOperator):
        _refuse_beside_the_point(number, change)
    return change


def _refuse_beside_the_point(number: int, change: UpdateOperator) -> None:
    for field in change.__struct_fields__:
        known = field in ("operator_id", *_SETTINGS)
        if not known and getattr(change, field) is not UNSET:
            text = f"{field} changes nothing in routing; there are: {', '.join(_SETTINGS)}"
            raise BadChange(number, Refused("malformed", text, {"path": field}))


_NOT_YET = ("unknown_workspace", "unknown_group", "unknown_entry_point", "unknown_operator")


def as_read(change: Change) -> dict[str, Any]:
    """The change in the form in which it can be read again: ``{"join_group": {...}}``."""
    name = next(name for name in NAMES if COMMANDS[name] is type(change))
    return {name: msgspec.to_builtins(change)}


class Supposing:
    """Makes the changes: at once, or as soon as there is what they name."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes = changes
        self._pending = dict(enumerate(changes))
        self._refused: dict[int, Refused] = {}

    def make(self, workspace: Workspace) -> Iterator[Recorded]:
        """Make what can be made now; yields what follows, each event when it was applied.

        Raises ``BadChange`` for one that can never be made.
        """
        for number, change in list(self._pending.items()):
            outcome = decide(workspace, change, Instruction(_SUPPOSING, workspace.at))
            if not isinstance(outcome, Refused):
                del self._pending[number]
                stamp = Stamp(workspace.at, epoch=0, by=_SUPPOSING)
                yield from record(workspace, outcome.events, stamp)
            elif outcome.code in _NOT_YET or "group_id" in outcome.detail:
                self._refused[number] = outcome
            else:
                raise BadChange(number, outcome)

    def seen(self, facts: Iterable[Fact]) -> bool:
        """Whether something that a pending change may be waiting for came to be."""
        return bool(self._pending) and any(isinstance(fact, _COMING) for fact in facts)

    def finish(self) -> None:
        """Raises ``BadChange`` for one that names what never was."""
        for number in self._pending:
            raise BadChange(number, self._refused[number])

    def outlive(self, fact: Fact) -> Fact | None:
        """What is left of a recorded change of settings where the supposed ones outlive it."""
        return still_supposed(self._changes, fact)


_COMING = (e.WorkspaceCreated, e.GroupDefined, e.EntryPointDefined, e.OperatorRegistered)


def still_supposed(changes: Sequence[Change], fact: Fact) -> Fact | None:
    """The same for any changes."""
    left: Fact | None = fact
    for change in changes:
        if left is None:
            return None
        left = _outlived(change, left)
    return left


def _outlived(change: Change, fact: Fact) -> Fact | None:
    match change, fact:
        case SetPolicy(scope=scope), e.PolicySet(scope=place) if scope == place:
            return replace(fact, policy=amended(fact.policy, change.policy))
        case UpdateOperator(), e.OperatorUpdated() | e.OperatorRegistered():
            if change.operator_id != fact.operator_id:
                return fact
            named = {name: getattr(change, name) for name in _SETTINGS}
            return replace(fact, **{k: v for k, v in named.items() if v is not UNSET})
        case JoinGroup(), e.GroupLeft():
            return None if _same(change, fact) else fact
        case LeaveGroup(), e.GroupJoined() | e.GroupLeft():
            return None if _same(change, fact) else fact
        case _:
            return fact


def _same(change: JoinGroup | LeaveGroup, fact: e.GroupJoined | e.GroupLeft) -> bool:
    return (change.operator_id, change.group_id) == (fact.operator_id, fact.group_id)
