"""What must hold of every story, whatever it is about.

The log replays to the same state with the same decisions, every event survives its encoding, and
the tables alone are enough to go on from.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from shared.routing.commands import COMMANDS, Refused
from shared.routing.decide import Instruction, decide
from shared.routing.describe import describe, state_hash
from shared.routing.events import Actor, Envelope, Event
from shared.routing.ids import UnixMs
from shared.routing.replay import Replay
from shared.routing.route import next_decision
from shared.routing.state import Tables
from shared.routing.transaction import Recorded, Stamp, advance, record
from shared.routing.workspace import Workspace

_A_YEAR_MS = 366 * 86_400_000


def prove(log: Sequence[Recorded], workspace: Workspace) -> None:
    """Everything at once; raises AssertionError at the first thing that does not hold."""
    prove_encoding(log)
    replayed = replay(log)
    assert describe(replayed) == describe(workspace)
    assert state_hash(replayed) == state_hash(workspace)
    restored = restore(workspace)
    assert state_hash(restored) == state_hash(workspace)
    assert _epilogue(restored) == _epilogue(replayed)
    assert state_hash(restored) == state_hash(replayed)


def prove_encoding(log: Sequence[Recorded]) -> None:
    for _, envelope in log:
        stored = msgspec.json.encode(envelope)
        assert msgspec.json.decode(stored, type=Envelope) == envelope
        assert msgspec.json.encode(msgspec.json.decode(stored, type=Envelope)) == stored


def replay(log: Sequence[Recorded]) -> Workspace:
    """The workspace that follows from ``log``, all decisions made again."""
    replaying = Replay(Workspace(workspace_id="acme"))
    for position, envelope in log:
        assert replaying.feed(position, envelope) is None
    assert replaying.finish() is None
    assert replaying.events == len(log)
    return replaying.workspace


def restore(workspace: Workspace) -> Workspace:
    """A workspace made from nothing but the encoded tables of another, and at rest as that was."""
    names = Tables.__struct_fields__
    stored = msgspec.msgpack.encode(Tables(**{name: getattr(workspace, name) for name in names}))
    tables = msgspec.msgpack.decode(stored, type=Tables)
    restored = Workspace(**{name: getattr(tables, name) for name in names})
    restored.restore()
    assert next_decision(restored) is None
    return restored


# --- going on ---------------------------------------------------------------------------------


def _epilogue(workspace: Workspace) -> list[Event]:
    """Everybody comes, something is opened everywhere, everything is closed, everybody goes."""
    told = [recorded.envelope.data for recorded in advance(workspace, _late(workspace), 1)]
    for actor, name, fields in _farewell(workspace):
        command = msgspec.convert(fields, COMMANDS[name])
        stamp = Stamp(workspace.at, 1, by=actor)
        outcome = decide(workspace, command, Instruction(actor, stamp.at))
        if not isinstance(outcome, Refused):
            told += [r.envelope.data for r in record(workspace, outcome.events, stamp)]
    return list(told)


def _late(workspace: Workspace) -> UnixMs:
    return UnixMs(workspace.at + _A_YEAR_MS)


def _farewell(workspace: Workspace) -> Iterator[tuple[Actor, str, dict[str, Any]]]:
    admin = Actor("admin", "root")
    staff = [Actor("operator", its_id) for its_id in sorted(workspace.operators)]
    for operator in staff[1:]:
        yield operator, "log_in", {"session_id": "last"}
        yield operator, "set_status", {"status": "online"}
    for number, entry_point_id in enumerate(sorted(workspace.entry_points)):
        for twin in ("a", "b"):
            fields = {"conversation_id": f"x{number}{twin}", "entry_point_id": entry_point_id}
            yield Actor("visitor", f"x{number}{twin}"), "open", fields
    for operator in staff[:1]:
        yield operator, "log_in", {"session_id": "last"}
        yield operator, "set_status", {"status": "online"}
    everything = sorted(workspace.conversations)
    for conversation_id in everything[::3]:
        change = {"conversation_id": conversation_id, "priority": 8}
        yield admin, "set_conversation", change
    for conversation_id in everything:
        yield admin, "close", {"conversation_id": conversation_id}
    for operator in staff:
        yield operator, "log_out", {"session_id": "last"}
