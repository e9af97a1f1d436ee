"""Given, when, then: a workspace with a clock of its own, played in the words of the wire.

Commands and events are named as they stand in subjects and in the log, with their fields; what a
story expects of an event is compared field by field, and fields left out are not looked at.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from shared.routing.commands import COMMANDS, Refused
from shared.routing.decide import Instruction, decide
from shared.routing.events import Actor, Fact, Request
from shared.routing.ids import CommandId, ConversationId, EntryPointId, OperatorId, Ref, UnixMs
from shared.routing.state import Conversation, Operator, SeenCommand
from shared.routing.transaction import (
    DECISIONS_MAX,
    Recorded,
    Stamp,
    advance,
    record,
    repeat_of,
)
from shared.routing.waiting import waiting_reason
from shared.routing.workspace import Workspace

BEGINNING = UnixMs(1_750_000_000_000)
EPOCH = 7

ADMIN = Actor("admin", "root")
ANA = Actor("operator", "ana")
BEN = Actor("operator", "ben")
CLEO = Actor("operator", "cleo")
DAN = Actor("operator", "dan")
VERA = Actor("visitor", "vera")
WIM = Actor("visitor", "wim")


class Step(NamedTuple):
    """One command of one actor."""

    actor: Actor
    name: str
    fields: Mapping[str, Any]


class Event(NamedTuple):
    """An event by name, with those of its fields that matter."""

    name: str
    fields: Mapping[str, Any]


Steps = tuple[Step, ...]


def step(actor: Actor, name: str, /, **fields: Any) -> Steps:
    return (Step(actor, name, fields),)


def event(name: str, /, **fields: Any) -> Event:
    return Event(name, fields)


# --- what stories begin with ----------------------------------------------------------------


def group(group_id: str, **settings: Any) -> Steps:
    return step(ADMIN, "create_group", group_id=group_id, **{"name": group_id, **settings})


def entry_point(entry_point_id: str, *groups: str, **settings: Any) -> Steps:
    """An entry point bound to ``groups``, or to everyone if none is named."""
    bound = list(groups) or "everyone"
    fields = {"name": entry_point_id, "groups": bound, **settings}
    return step(ADMIN, "define_entry_point", entry_point_id=entry_point_id, **fields)


def policy(
    *, group_id: str | None = None, entry_point_id: str | None = None, **set_to: Any
) -> Steps:
    scope: dict[str, Any] = {"workspace": True}
    if group_id is not None:
        scope = {"group": group_id}
    elif entry_point_id is not None:
        scope = {"entry_point": entry_point_id}
    return step(ADMIN, "set_policy", scope=scope, policy=set_to)


def role(role_id: str, **permissions: Any) -> Steps:
    """``unassigned`` and ``assigned`` stand for the two that begin with ``conversations.``."""
    named = {
        f"conversations.{name}" if name in ("unassigned", "assigned") else name: value
        for name, value in permissions.items()
    }
    return step(ADMIN, "define_role", role_id=role_id, permissions=named)


def registered(operator_id: str, *groups: str, **settings: Any) -> Steps:
    """An operator who has not logged in yet."""
    steps = step(ADMIN, "register_operator", operator_id=operator_id, **settings)
    for group_id in groups:
        steps += step(ADMIN, "join_group", operator_id=operator_id, group_id=group_id)
    return steps


def logged_in(operator_id: str, session_id: str = "") -> Steps:
    session = session_id or f"{operator_id}-1"
    return step(Actor("operator", operator_id), "log_in", session_id=session)


def online(operator_id: str, *groups: str, **settings: Any) -> Steps:
    """An operator who is registered, a member of ``groups``, and logged in."""
    return registered(operator_id, *groups, **settings) + logged_in(operator_id)


def opened(*conversation_ids: str, entry_point_id: str = "web", **fields: Any) -> Steps:
    """Conversations opened one after the other, each by a visitor of its own.

    A back end speaks for the visitors, so that it may set priorities and skills.
    """
    return tuple(
        Step(
            Actor("visitor", f"visitor-{its_id}", service="shop"),
            "open",
            {"conversation_id": its_id, "entry_point_id": entry_point_id, **fields},
        )
        for its_id in conversation_ids
    )


def desk(**capacities: int) -> Steps:
    """One group behind one entry point, and its members online, by their capacities."""
    steps = group("support") + entry_point("web", "support")
    for operator_id, capacity in capacities.items():
        steps += online(operator_id, "support", capacity=capacity)
    return steps


# --- the story ------------------------------------------------------------------------------


class Story:
    """What happens in one workspace, command by command."""

    decisions_max = DECISIONS_MAX
    """After how many decisions a pass is cut; what is left follows before the next command."""

    def __init__(self) -> None:
        self.workspace = Workspace(workspace_id="acme")
        self.log: list[Recorded] = []
        self.last: list[Recorded] = []
        self.refusal: Refused | None = None
        self.repeated: SeenCommand | None = None
        self.warnings: tuple[str, ...] = ()
        self.at = BEGINNING
        self.given(step(ADMIN, "create_workspace", name="Acme"))

    def given(self, *steps: Steps) -> "Story":
        """What happened before; all of it must be accepted."""
        for done in (one for several in steps for one in several):
            self.when(done.actor, done.name, **done.fields)
            assert self.refusal is None, (done, self.refusal)
        self.last = []
        return self

    def after(self, seconds: int) -> "Story":
        """Let time pass, and everything fall due that does."""
        self.at = UnixMs(self.at + seconds * 1_000)
        self.refusal, self.repeated, self.warnings = None, None, ()
        self.last = []
        self._follow(advance(self.workspace, self.at, EPOCH, self.decisions_max))
        return self

    def when(self, actor: Actor, name: str, /, *, cmd: str | None = None, **fields: Any) -> "Story":
        """One command, now. ``cmd`` is the id that the client gave it."""
        self.after(0)
        command = msgspec.convert(fields, COMMANDS[name])
        stamp = Stamp(
            self.at,
            EPOCH,
            by=actor,
            cmd=CommandId(cmd) if cmd is not None else None,
            request=Request(name, msgspec.json.encode(command).hex()),
        )
        seen = repeat_of(self.workspace, stamp)
        if seen is not None:
            self.refusal = seen if isinstance(seen, Refused) else None
            self.repeated = None if isinstance(seen, Refused) else seen
            return self
        refs = {key: Ref(f"{self.workspace.position}-{key}.hash") for key in command.texts()}
        outcome = decide(self.workspace, command, Instruction(actor, self.at, refs))
        if isinstance(outcome, Refused):
            self.refusal = outcome
            return self
        self.warnings = outcome.warnings
        self.last = []
        self._follow(record(self.workspace, outcome.events, stamp, self.decisions_max))
        return self

    def noted(self, *facts: Fact) -> "Story":
        """Facts that no command brings and no timer: the router noted them by itself."""
        self.after(0)
        self._follow(record(self.workspace, facts, Stamp(self.at, EPOCH), self.decisions_max))
        return self

    def _follow(self, events: Iterable[Recorded]) -> None:
        for recorded in events:
            self.last.append(recorded)
            self.log.append(recorded)
            self.saw(recorded)

    def saw(self, recorded: Recorded) -> None:
        """Called after each event, while the workspace is at that event's position."""

    def opens(self, conversation_id: str, **fields: Any) -> "Story":
        """A visitor opens a conversation; see ``opened``."""
        return self.now(opened(conversation_id, **fields))

    def now(self, steps: Steps) -> "Story":
        """One command, told by one of the phrases above."""
        (done,) = steps
        return self.when(done.actor, done.name, **done.fields)

    # --- what followed ----------------------------------------------------------------------

    def then(self, *expected: Event) -> "Story":
        """Exactly these events followed, in this order; none: accepted, and nothing written."""
        assert self.refusal is None
        happened = self.happened()
        assert [told.name for told in happened] == [wanted.name for wanted in expected]
        assert _looked_at(happened, expected) == list(expected)
        return self

    def then_among_others(self, *expected: Event) -> "Story":
        """These events followed in this order, perhaps with others in between."""
        assert self.refusal is None
        happened = iter(self.happened())
        for wanted in expected:
            assert any(_fits(told, wanted) for told in happened), (wanted, self.happened())
        return self

    def never(self, name: str) -> "Story":
        assert name not in [told.name for told in self.happened()]
        return self

    def refused(self, code: str, **detail: Any) -> "Story":
        """Refused with this code, these details, and nothing changed."""
        assert self.refusal is not None, self.happened()
        assert self.refusal.code == code
        assert {name: self.refusal.detail.get(name) for name in detail} == detail
        assert self.last == []
        return self

    def happened(self) -> list[Event]:
        return [as_told(recorded) for recorded in self.last]

    def told(self, name: str) -> list[Mapping[str, Any]]:
        """The fields of every event of this name since the beginning."""
        return [told.fields for told in map(as_told, self.log) if told.name == name]

    # --- how things stand -------------------------------------------------------------------

    def conversation(self, conversation_id: str) -> Conversation:
        return self.workspace.conversations[ConversationId(conversation_id)]

    def operator(self, operator_id: str) -> Operator:
        return self.workspace.operators[OperatorId(operator_id)]

    def owner(self, conversation_id: str) -> str | None:
        return self.conversation(conversation_id).owner

    def owners(self, *conversation_ids: str) -> list[str | None]:
        return [self.owner(its_id) for its_id in conversation_ids]

    def participants(self, conversation_id: str) -> list[str]:
        return list(self.conversation(conversation_id).participants)

    def scope(self, conversation_id: str) -> Any:
        return msgspec.to_builtins(self.conversation(conversation_id).scope)

    def reason(self, conversation_id: str) -> str:
        """Why it waits, as of now."""
        conversation = self.conversation(conversation_id)
        assert conversation.state == "waiting"
        return waiting_reason(self.workspace, conversation)

    def reasons(self, *conversation_ids: str) -> list[str]:
        return [self.reason(its_id) for its_id in conversation_ids]

    def place(self, conversation_id: str) -> int | None:
        return self.workspace.place_in_line(self.conversation(conversation_id))

    def status(self, operator_id: str) -> tuple[str, str]:
        """Effective status and its cause."""
        operator = self.operator(operator_id)
        return operator.effective, operator.cause

    def load(self, operator_id: str) -> int:
        return self.operator(operator_id).load

    def owned(self, *operator_ids: str) -> list[int]:
        """How many conversations each of them owns."""
        return [len(self.operator(its_id).owned) for its_id in operator_ids]

    def mode(self, entry_point_id: str) -> str | None:
        return self.workspace.entry_points[EntryPointId(entry_point_id)].mode


def as_told(recorded: Recorded) -> Event:
    """The event as plain values, by the name that stands in the log without its version."""
    fields = msgspec.json.decode(msgspec.json.encode(recorded.envelope.data))
    return Event(fields.pop("type").partition(".")[0], fields)


def _looked_at(happened: Iterable[Event], expected: Iterable[Event]) -> list[Event]:
    return [
        Event(told.name, {name: told.fields[name] for name in wanted.fields})
        for told, wanted in zip(happened, expected, strict=True)
    ]


def _fits(told: Event, wanted: Event) -> bool:
    return told.name == wanted.name and _looked_at([told], [wanted]) == [wanted]
