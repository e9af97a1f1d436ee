"""What is kept beside a log, compared with the log folded from its beginning.

Of a snapshot everything is compared that it wrote: its head, what had changed by then of what was
settled, and what retries are recognised by; of the newest also all that was settled before.
"""

from collections import deque
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from msgspec import msgpack

from shared.audit.liveness import Keys
from shared.audit.shelf import Shelf
from shared.audit.snapshots import (
    Abridged,
    BadSnapshot,
    anchor_of,
    commands_from,
    compressed,
    fold_key,
)
from shared.ports import StoredRow
from shared.ports.archive import KeptCommands, SettledKind, SnapshotHead, SnapshotReader
from shared.routing.ids import Position, WorkspaceId
from shared.routing.route import next_decision
from shared.routing.state import Tables

_KEYS_AT_ONCE = 1_000
_HANGING_ON: tuple[tuple[str, SettledKind], ...] = (
    ("visitor_id", "visitor"),
    ("contact_id", "acquaintance"),
)
_COMPARED = tuple(name for name in Tables.__struct_fields__ if name != "commands")


class SnapshotFault(NamedTuple):
    """The first snapshot that is not what the log comes to, by its position."""

    position: Position
    what: str
    recorded: Any = None
    expected: Any = None


class SnapshotCheck:
    """Follows a workspace that is folded from its beginning; ends at the first ``fault``."""

    def __init__(self, snapshots: SnapshotReader, shelf: Shelf) -> None:
        self._snapshots = snapshots
        self._workspace_id = WorkspaceId(shelf.workspace.workspace_id)
        self._shelf = shelf
        self._workspace = shelf.workspace
        self._named: Keys = {}
        self._ahead: deque[Position] = deque()
        self._newest = Position(0)
        self._commands: KeptCommands | None = None
        self.compared = 0
        self.fault: SnapshotFault | None = None

    async def find(self, upto: Position) -> None:
        """Look which snapshots there are up to a position."""
        while upto > 0:
            found = await self._snapshots.latest(self._workspace_id, fold_key(), upto)
            if found is None or found.position > upto:
                break
            self._ahead.appendleft(found.position)
            upto = Position(found.position - 1)
        self._newest = self._ahead[-1] if self._ahead else Position(0)
        if self._ahead:
            self._commands = await self._snapshots.commands(self._workspace_id, fold_key())

    @property
    def next(self) -> Position | None:
        """After which position ``compare`` is to be called."""
        return self._ahead[0] if self._ahead and self.fault is None else None

    def foresee(self, named: Keys) -> None:
        """What the next event names, before it is folded."""
        if self.next is not None:
            self._named.update(named)

    async def compare(self, row: StoredRow) -> None:
        """Compare the snapshot at this row, which was folded just now."""
        position = self._ahead.popleft()
        head = await self._snapshots.latest(self._workspace_id, fold_key(), position)
        if head is None or head.position != position:
            return  # it was dropped meanwhile: it is a cache
        try:
            self.fault = await self._wrong_with(head, row)
        except BadSnapshot as error:
            self.fault = SnapshotFault(position, f"the snapshot here cannot be used: {error}")
        self.compared += 1
        self._named = {}

    async def _wrong_with(self, head: SnapshotHead, row: StoredRow) -> SnapshotFault | None:
        if anchor_of(row) != head.anchor:
            return SnapshotFault(head.position, "the snapshot here was taken after another event")
        next_decision(self._workspace)  # brought to rest, as it was when the snapshot was taken
        kept = Abridged.from_head(head.body)
        wanted = Abridged.from_head(compressed(self._shelf.abridged.head()))
        return (
            _heads_differ(head.position, kept.workspace, wanted.workspace)
            or await self._settled_differ(kept, wanted)
            or self._commands_differ(head.position)
        )

    async def _settled_differ(self, kept: Abridged, wanted: Abridged) -> SnapshotFault | None:
        """What is settled and not as it is kept. ``wanted`` holds what is live."""
        position = kept.workspace.position
        newest = position == self._newest
        asked = self._shelf.keys() if newest else self._named_and_theirs()
        keys = (key for key in asked if wanted.here(key) is None)
        while some := list(islice(keys, _KEYS_AT_ONCE)):
            rows = await self._snapshots.settled(self._workspace_id, fold_key(), position, some)
            read = {(row.kind, row.id): row for row in rows}
            for key in some:
                here = kept.here(key) or (kept.restored(read[key]) if key in read else None)
                there = self._shelf.thing(key)
                if not _same(here, there):
                    what = f"the snapshot here keeps another {key[0]} {key[1]}"
                    return SnapshotFault(position, what, _plain(here), _plain(there))
        return None

    def _named_and_theirs(self) -> Keys:
        """What events have named since the snapshot before, and who hangs on it."""
        keys = dict(self._named)
        for kind, its_id in self._named:
            thing = self._shelf.thing((kind, its_id))
            for field, other in _HANGING_ON:
                value = getattr(thing, field, None)
                if value is not None:
                    keys[other, value] = None
        return keys

    def _commands_differ(self, position: Position) -> SnapshotFault | None:
        kept = self._commands
        if kept is None or kept.position != position:
            return None
        if commands_from(kept.pieces) == self._workspace.commands:
            return None
        return SnapshotFault(position, "the snapshot here keeps other commands for retries")


def _heads_differ(position: Position, kept: Tables, wanted: Tables) -> SnapshotFault | None:
    for name in _COMPARED:
        here, there = getattr(kept, name), getattr(wanted, name)
        if not _same(here, there):
            what = f"the snapshot here keeps other {name.replace('_', ' ')}"
            return SnapshotFault(position, what, *_parts_that_differ(here, there))
    return None


def _parts_that_differ(here: Any, there: Any) -> tuple[Any, Any]:
    """Of two tables only the first entry that is not the same."""
    if isinstance(here, dict) and isinstance(there, dict):
        for key in [*here, *there]:
            one, other = here.get(key), there.get(key)
            if not _same(one, other):
                return {str(key): _plain(one)}, {str(key): _plain(other)}
    return _plain(here), _plain(there)


def _same(here: Any, there: Any) -> bool:
    """Whether both hold the same, whatever was put in first."""
    one, other = msgpack.encode(here), msgpack.encode(there)
    return one == other or msgpack.decode(one) == msgpack.decode(other)


def _plain(thing: Any) -> Any:
    """As plain values, with the names of the fields where they are not kept."""
    if isinstance(thing, msgspec.Struct):
        return {name: _plain(getattr(thing, name)) for name in thing.__struct_fields__}
    return msgspec.to_builtins(thing, str_keys=True)
