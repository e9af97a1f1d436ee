"""What a snapshot of a workspace is made of, and a workspace that came from one.

A snapshot has a head, which is everything but what is settled: closed conversations that nothing
can change any more unless it names them, visitors without open ones, who knows whom. What was
settled since the snapshot before gets rows of its own, which stay: as of a position, the last one
counts. So a head grows with what goes on, not with the log, and whoever asks about the past loads
of what is settled only what he asks about and what the events name that he still has to fold.

A snapshot is taken at rest, between two groups of events: what ``route`` has to look at is in no
table.
"""

import zlib
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar

import msgspec
from msgspec import inspect, msgpack

from shared.audit.liveness import Fed, Keys, live_of, named_by
from shared.ports import StoredRow
from shared.ports.archive import SettledKey, SettledKind, SettledRow
from shared.routing.events import RuleDeleted
from shared.routing.ids import (
    ContactId,
    ConversationId,
    OperatorId,
    Position,
    RuleId,
    VisitorId,
)
from shared.routing.state import (
    CommandKey,
    Conversation,
    SeenCommand,
    Tables,
    Visitor,
)
from shared.routing.workspace import Workspace

FOLD_REVISION = 1
"""Goes up whenever ``evolve`` comes to another state from the same log: what was kept before is of
no use then."""

COMMANDS_IN_A_PIECE = 5_000
"""Two milliseconds of work."""
_COMPRESSION = 1

Settled = Conversation | Visitor | OperatorId
"""What a settled row holds: of an acquaintance, whom the contact knows."""

K = TypeVar("K")
V = TypeVar("V")


class BadSnapshot(Exception):
    """What is kept cannot be read: it is as if there were none."""


class _Head(msgspec.Struct, frozen=True, array_like=True):
    tables: Tables
    """Of conversations, visitors and acquaintances only those that are live; no commands."""
    rules_deleted: dict[RuleId, Position]
    """Where rules were deleted last: settled visitors for whom one fired have forgotten it."""


_encode = msgpack.Encoder().encode
_decode_head = msgpack.Decoder(_Head).decode
_decode_conversation = msgpack.Decoder(Conversation).decode
_decode_visitor = msgpack.Decoder(Visitor).decode
_decode_acquaintance = msgpack.Decoder(OperatorId).decode
_Commands = list[tuple[CommandKey, SeenCommand]]
_decode_commands = msgpack.Decoder(_Commands).decode


# --- what it fits ---------------------------------------------------------------------------


@cache
def fold_key() -> str:
    """Name of the way in which this release folds and keeps: shapes and ``FOLD_REVISION``."""
    shapes = [_shape(inspect.type_info(kept), {}) for kept in (_Head, _Commands)]
    return sha256(msgspec.json.encode([FOLD_REVISION, shapes])).hexdigest()[:16]


def _shape(node: Any, seen: dict[str, None]) -> Any:
    """Everything about a type that its bytes depend on, as plain values."""
    if isinstance(node, inspect.Metadata):
        return _shape(node.type, seen)
    if isinstance(node, inspect.StructType):
        name = node.cls.__qualname__
        if name in seen:
            return name
        seen[name] = None
        fields = [[f.encode_name, f.required, _shape(f.type, seen)] for f in node.fields]
        return [name, node.array_like, str(node.tag), fields]
    inner = [getattr(node, part, None) for part in ("item_type", "key_type", "value_type")]
    inner += [*getattr(node, "item_types", ()), *getattr(node, "types", ())]
    values = sorted(map(str, getattr(node, "values", ())))
    return [type(node).__name__, values, [_shape(one, seen) for one in inner if one is not None]]


def anchor_of(row: StoredRow) -> bytes:
    """Digest of a row of the log, 16 bytes."""
    return sha256(row.topic.encode() + b"\0" + row.state).digest()[:16]


# --- a workspace of which not everything is there -------------------------------------------


class Abridged:
    """A workspace with everything that is live, and what is settled only where it was asked for.

    Before events are folded, ``foresee`` them and put in what is ``lacking``.
    """

    def __init__(
        self, workspace: Workspace, rules_deleted: dict[RuleId, Position] | None = None
    ) -> None:
        """The workspace is empty or as it was when the snapshot was taken."""
        self.workspace = workspace
        self.since = workspace.position
        """Of the snapshot whose settled rows are to be put in."""
        self._rules_deleted = rules_deleted or {}
        self._deletions_ahead: list[tuple[Position, RuleId]] = []
        self._looked_for: Keys = {}

    @classmethod
    def from_head(cls, body: bytes) -> "Abridged":
        """The workspace of a snapshot, not yet at rest. Raises ``BadSnapshot``."""
        try:
            head = _decode_head(zlib.decompress(body))
        except (msgspec.DecodeError, zlib.error) as error:
            raise BadSnapshot(f"a snapshot's head cannot be read: {error}") from error
        tables = {name: getattr(head.tables, name) for name in Tables.__struct_fields__}
        return cls(Workspace(**tables), head.rules_deleted)

    def foresee(self, events: Fed) -> Keys:
        """What these events name, which are the next to be folded."""
        self.note_deletions(events)
        return named_by(events)

    def note_deletions(self, events: Fed) -> None:
        """Rules that these events delete, which were just folded or are the next to be."""
        for position, envelope, *_ in events:
            if isinstance(envelope.data, RuleDeleted):
                self._deletions_ahead.append((position, envelope.data.rule_id))

    def lacking(self, named: Keys) -> Sequence[SettledKey]:
        """What of these, and of what hangs on them, was never looked for and is not there.

        What is put in may name more: to be asked until there is nothing.
        """
        whole = self.with_what_hangs_on(named)
        return [key for key in whole if key not in self._looked_for and self.here(key) is None]

    def with_what_hangs_on(self, named: Keys) -> Keys:
        """These and, of what is there, whatever hangs on them."""
        found = dict(named)
        queue = list(found)
        for key in queue:
            for other in self._hanging_on(key):
                if other not in found:
                    found[other] = None
                    queue.append(other)
        return found

    def _hanging_on(self, key: SettledKey) -> Iterator[SettledKey]:
        """A conversation's visitor and contact, a visitor's contact."""
        kind, its_id = key
        thing: Conversation | Visitor | None = None
        if kind == "conversation":
            thing = self.workspace.conversations.get(ConversationId(its_id))
        elif kind == "visitor":
            thing = self.workspace.visitors.get(VisitorId(its_id))
        if thing is not None and thing.contact_id is not None:
            yield ("acquaintance", thing.contact_id)
        if isinstance(thing, Conversation):
            yield ("visitor", thing.visitor_id)

    def table(self, kind: SettledKind) -> dict[Any, Any]:
        """The workspace's table of this kind, as far as it is there."""
        if kind == "conversation":
            return self.workspace.conversations
        return self.workspace.visitors if kind == "visitor" else self.workspace.acquaintances

    def here(self, key: SettledKey) -> Settled | None:
        """What has this key, if it is there."""
        kind, its_id = key
        thing: Settled | None = self.table(kind).get(its_id)
        return thing

    def put_in(self, keys: Iterable[SettledKey], rows: Iterable[SettledRow]) -> None:
        """These were looked for as of ``since``, and these found. Raises ``BadSnapshot``."""
        conversations = len(self.workspace.conversations)
        self.take_in(keys, rows)
        if len(self.workspace.conversations) > conversations:
            self.put_in_order()

    def take_in(self, keys: Iterable[SettledKey], rows: Iterable[SettledRow]) -> None:
        """The same, in whatever order: to be folded on only, as that walks over nothing settled."""
        self._looked_for.update(dict.fromkeys(keys))
        self.put(rows)

    def put(self, rows: Iterable[SettledRow]) -> None:
        """Put these in, but what is there already; ``put_in_order`` is to follow."""
        for row in rows:
            if self.here((row.kind, row.id)) is None:
                self._put(row)

    def put_in_order(self) -> None:
        """Where many conversations are concerned, they are walked over in the order of opening,
        closed ones in that of closing."""
        workspace = self.workspace
        by_opening = sorted(workspace.conversations.values(), key=lambda c: c.positions[0])
        workspace.conversations = {c.conversation_id: c for c in by_opening}
        closed = [workspace.conversations[its_id] for its_id in workspace.closed]
        closed.sort(key=lambda c: c.closed_position or 0)
        workspace.closed = {c.conversation_id: None for c in closed}

    def _put(self, row: SettledRow) -> None:
        workspace, thing = self.workspace, self.restored(row)
        if isinstance(thing, Conversation):
            workspace.conversations[thing.conversation_id] = thing
            workspace.closed[thing.conversation_id] = None
        elif isinstance(thing, Visitor):
            workspace.visitors[thing.visitor_id] = thing
        else:
            workspace.acquaintances[ContactId(row.id)] = thing

    def restored(self, row: SettledRow) -> Settled:
        """What the row holds, as it would be now. Raises ``BadSnapshot``."""
        try:
            if row.kind == "conversation":
                return _decode_conversation(row.body)
            if row.kind == "acquaintance":
                return _decode_acquaintance(row.body)
            visitor = _decode_visitor(row.body)
        except msgspec.DecodeError as error:
            raise BadSnapshot(f"the {row.kind} {row.id} cannot be read: {error}") from error
        self._notice_deletions()
        self._forget_rules(visitor, row.position)
        return visitor

    def _forget_rules(self, visitor: Visitor, as_of: Position) -> None:
        """Deleting a rule is all that changes a visitor without naming it."""
        forgotten = [one for one in visitor.fired if self._rules_deleted.get(one, 0) > as_of]
        for rule_id in forgotten:
            del visitor.fired[rule_id]

    def _notice_deletions(self) -> None:
        """Of those ahead, the ones that the workspace has come past."""
        while self._deletions_ahead and self._deletions_ahead[0][0] <= self.workspace.position:
            position, rule_id = self._deletions_ahead.pop(0)
            self._rules_deleted[rule_id] = position

    # --- taking a snapshot ------------------------------------------------------------------

    def head(self) -> bytes:
        """Everything but what is settled, to be compressed. At rest only."""
        workspace = self.workspace
        live = live_of(workspace)
        self._notice_deletions()
        tables = {name: getattr(workspace, name) for name in Tables.__struct_fields__}
        tables["conversations"] = _those(workspace.conversations, live.conversations)
        tables["visitors"] = _those(workspace.visitors, live.visitors)
        tables["acquaintances"] = _those(workspace.acquaintances, live.contacts)
        tables["commands"] = {}
        return _encode(_Head(Tables(**tables), self._rules_deleted))

    def settled(self) -> Sequence[SettledRow]:
        """What is settled by now and was named since the snapshot before. At rest only.

        What is as it was is written, too: somebody else may have taken a snapshot in between.
        """
        workspace = self.workspace
        live = live_of(workspace)
        self._notice_deletions()
        kept: tuple[tuple[SettledKind, dict[Any, Any], dict[Any, None]], ...] = (
            ("conversation", workspace.conversations, live.conversations),
            ("visitor", workspace.visitors, live.visitors),
            ("acquaintance", workspace.acquaintances, live.contacts),
        )
        return [
            SettledRow(kind, its_id, workspace.position, _encode(thing))
            for kind, things, lively in kept
            for its_id, thing in things.items()
            if its_id not in lively
        ]

    def commands(self) -> Iterator[bytes]:
        """What retries are recognised by, in pieces, at least one; each to be compressed."""
        items = iter(self.workspace.commands.items())
        piece = list(islice(items, COMMANDS_IN_A_PIECE))
        yield _encode(piece)
        while piece := list(islice(items, COMMANDS_IN_A_PIECE)):
            yield _encode(piece)

    def let_go_of(self, rows: Iterable[SettledRow], since: Position) -> list[SettledKey]:
        """Let go of what is as these rows of the snapshot at ``since`` have it, to the byte.

        All of it has to be settled. The result is what is not there any more.
        """
        self._notice_deletions()
        gone: list[SettledKey] = []
        for row in rows:
            table = self.table(row.kind)
            thing = table.get(row.id)
            if thing is not None and _encode(thing) == _encode(self.restored(row)):
                del table[row.id]
                if row.kind == "conversation":
                    del self.workspace.closed[ConversationId(row.id)]
                gone.append((row.kind, row.id))
        self.since = max(self.since, since)
        self._looked_for = {}
        return gone

    def let_go(self) -> None:
        """The snapshot is kept: what is settled need not be in memory any more."""
        workspace = self.workspace
        live = live_of(workspace)
        for its_id in [one for one in workspace.closed if one not in live.conversations]:
            del workspace.closed[its_id]
        workspace.conversations = _those(workspace.conversations, live.conversations)
        workspace.visitors = _those(workspace.visitors, live.visitors)
        workspace.acquaintances = _those(workspace.acquaintances, live.contacts)
        self.since = workspace.position
        self._looked_for = {}


def _those(table: dict[K, V], wanted: Container[K]) -> dict[K, V]:
    """Some of a table, in its order."""
    return {its_id: thing for its_id, thing in table.items() if its_id in wanted}


def compressed(body: bytes) -> bytes:
    """A fifth of the size; a megabyte takes ten milliseconds or two."""
    return zlib.compress(body, _COMPRESSION)


def commands_from(pieces: Iterable[bytes]) -> dict[CommandKey, SeenCommand]:
    """The table that ``commands`` was taken of. Raises ``BadSnapshot``."""
    table: dict[CommandKey, SeenCommand] = {}
    try:
        for piece in pieces:
            table.update(_decode_commands(zlib.decompress(piece)))
    except (msgspec.DecodeError, zlib.error) as error:
        raise BadSnapshot(f"a snapshot's commands cannot be read: {error}") from error
    return table
