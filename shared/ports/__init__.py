"""What the services ask of the outside world, as protocols, and what it may raise.

Implementations live in ``shared.adapters`` and pass one contract suite (``tests/contract``).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import msgspec

from shared.routing.ids import Position, Ref, UnixMs, WorkspaceId

Channel = Literal["mail", "webhook"]
"""How something reaches the world outside."""


class StoredRow(NamedTuple):
    """One event as the table ``stored_events`` holds it."""

    position: Position
    topic: str
    """The event's tag, for example ``conversation_assigned.v1``."""
    state: bytes
    """The envelope as JSON, byte for byte as it was first written."""


class VaultRow(NamedTuple):
    """One personal text, kept outside the log so that it can be erased."""

    ref: Ref
    subject: str
    """Whose text it is: ``operator:ana``, ``visitor:v-17`` or ``conversation:c-1``."""
    body: bytes
    position: Position
    """Of the first event of the command that brought it."""


class Erasure(NamedTuple):
    """Whose texts go, and up to where: what was said after that position stays."""

    subject: str
    upto: Position


class Append(NamedTuple):
    """All rows of one workspace in one commit. ``rows`` are consecutive and not empty.

    ``erase`` takes texts out of the vault in the same commit, those in ``vault`` among them.
    """

    workspace_id: WorkspaceId
    rows: Sequence[StoredRow]
    vault: Sequence[VaultRow] = ()
    erase: Sequence[Erasure] = ()


KEY_BYTES = 32


class Lease(NamedTuple):
    """The right to write the workspaces of one partition, until somebody holds a higher epoch."""

    partition: int
    epoch: int


class StoreError(Exception):
    """The store could not do what it was asked; the message says what and why."""


class StoreUnavailable(StoreError):
    """The store could not be reached; nothing of this call was written."""


class CommitInDoubt(StoreError):
    """The connection was lost during the commit and reading back found none of its rows.

    That proves nothing: the commit may still arrive. Answer nobody, reload, decide again.
    """


class LeaseLost(StoreError):
    """Another process holds the ``partitions`` now; nothing of this call was written."""

    def __init__(self, message: str, partitions: Sequence[int] = ()) -> None:
        super().__init__(message)
        self.partitions = partitions


class LogCorrupt(StoreError):
    """The log cannot be read as a whole: a gap, an unknown event, undecodable bytes."""


class DirectoryInUse(StoreError):
    """Another process has the data directory of an embedded store open for writing."""


class LogReader(Protocol):
    """The log for those who follow it. All methods raise ``StoreUnavailable``."""

    def read(
        self, workspace_id: WorkspaceId, after: Position, upto: Position | None = None
    ) -> AsyncIterator[Sequence[StoredRow]]:
        """Yield the rows after ``after`` in order, in chunks, up to ``upto`` or the head.

        Raises ``LogCorrupt`` at a gap, after the rows before it.
        """
        ...

    async def head(self, workspace_id: WorkspaceId) -> Position:
        """Position of the last row, 0 if there is none."""
        ...

    async def heads(self, workspace_ids: Sequence[WorkspaceId]) -> Mapping[WorkspaceId, Position]:
        """The same for many, in one question."""
        ...

    async def read_at(
        self, workspace_id: WorkspaceId, positions: Sequence[Position]
    ) -> Sequence[StoredRow]:
        """The rows at these positions, in ascending order; what is not there is left out."""
        ...

    async def workspaces(self) -> Sequence[WorkspaceId]:
        """All registered workspaces, by id."""
        ...

    async def close(self) -> None: ...


class EventStore(LogReader, Protocol):
    """The log: per workspace a gapless sequence of rows, appended and never changed."""

    async def append(
        self, batch: Sequence[Append], leases: Mapping[int, int]
    ) -> frozenset[WorkspaceId]:
        """Write the batch in one transaction and return once it is durable.

        ``leases`` maps every partition written to the epoch under which it is held. The result
        names the workspaces that were *not* written because a position was taken or the row
        before their first is missing; all others are committed. Raises ``LeaseLost``,
        ``StoreUnavailable`` or ``CommitInDoubt``; then nothing is known to be committed.
        """
        ...

    async def register_workspace(self, workspace_id: WorkspaceId, created_at: UnixMs) -> bool:
        """Enter the workspace in the register; false if it stood there already."""
        ...

    async def clock_ms(self) -> UnixMs:
        """The store's own wall clock, against which a writer checks its own."""
        ...


class Vault(Protocol):
    """Personal texts by reference. They are written with the events that cite them (``Append``)."""

    async def read(self, refs: Iterable[Ref]) -> Mapping[Ref, bytes]:
        """The bodies that still exist; an erased one is absent."""
        ...

    async def erase(self, workspace_id: WorkspaceId, erasures: Sequence[Erasure]) -> int:
        """Delete again what was erased before, and say how many texts there were.

        For a vault that was restored from a backup; cheap where nothing is left.
        """
        ...

    async def key(self, name: str) -> bytes:
        """32 random bytes that are the same ever after, made when they are first asked for."""
        ...


class OutboxRow(NamedTuple):
    """Something to be sent outside. It holds ids and references, never a personal text."""

    id: str
    """The same however often the row is made: position, channel and recipient are part of it."""
    workspace_id: WorkspaceId
    channel: Channel
    recipient: str
    """Id of the operator, or of the webhook."""
    position: Position
    """Of the event that calls for it."""
    body: bytes
    created_at: UnixMs
    """Time of that event."""


class Lane(NamedTuple):
    """The rows for one recipient, which are sent one after another."""

    workspace_id: WorkspaceId
    channel: Channel
    recipient: str


class Pending(NamedTuple):
    """A row that waits: tried so often already, not to be tried before ``next_at``."""

    row: OutboxRow
    attempts: int
    next_at: UnixMs


class DeadLetter(NamedTuple):
    """A row that was given up; ``error`` says in a few words why, without any content."""

    row: OutboxRow
    attempts: int
    died_at: UnixMs
    error: str


class Outbox(Protocol):
    """What is still to be sent outside, and what could not be. All of it may be called again."""

    async def add(self, rows: Sequence[OutboxRow]) -> None:
        """Enter the rows, durably and all together; those that are there, in any state, stay."""
        ...

    async def lanes(self) -> Sequence[tuple[Lane, UnixMs]]:
        """Every recipient for whom something waits, and when the first of it is due."""
        ...

    async def next_of(self, lane: Lane) -> Pending | None:
        """What is to be sent first: by time, then by position."""
        ...

    async def done(self, row_id: str) -> None:
        """It was sent, or need not be; the row stays, without its body, until ``forget``."""
        ...

    async def retry(self, row_id: str, attempts: int, next_at: UnixMs, error: str) -> None:
        """It failed for the ``attempts``-th time and waits until ``next_at``."""
        ...

    async def dead(self, row_id: str, attempts: int, at: UnixMs, error: str) -> None:
        """It failed for the last time: a dead letter until it is resent."""
        ...

    async def forget(self, positions: Mapping[WorkspaceId, Position]) -> None:
        """Drop what is done up to these positions: nobody will make such rows again."""
        ...

    async def cut(self, workspace_id: WorkspaceId, after: Position) -> None:
        """Drop every row behind a position, in any state: the log was cut there."""
        ...

    async def dead_letters(
        self, workspace_id: WorkspaceId, after: tuple[Position, str] = ..., limit: int = ...
    ) -> Sequence[DeadLetter]:
        """The dead letters after a position and id, in that order, at most ``limit``."""
        ...

    async def resend(
        self, workspace_id: WorkspaceId, row_ids: Sequence[str] | None, at: UnixMs
    ) -> Sequence[Lane]:
        """Let dead letters wait again, as if never tried; all if none are named.

        The result has one lane for each of them.
        """
        ...

    async def close(self) -> None: ...


class Progress(Protocol):
    """How far the feeds of each workspace were sent. All of it may be called again."""

    async def load(self) -> Mapping[WorkspaceId, Position]:
        """The position of every workspace of which anything was sent."""
        ...

    async def save(self, positions: Mapping[WorkspaceId, Position]) -> None:
        """Keep these, durably; one that is behind what is kept changes nothing."""
        ...

    async def reset(self, workspace_id: WorkspaceId, position: Position) -> None:
        """Keep this position, also where it is behind: the log was cut."""
        ...

    async def close(self) -> None: ...


class Leases(Protocol):
    """Who may write which partition. Expiry is counted by the store's own clock."""

    async def acquire(self, owner: str, partitions: Iterable[int]) -> Sequence[Lease]:
        """Take every named partition that is free, expired or already ``owner``'s."""
        ...

    async def renew(self, owner: str, leases: Sequence[Lease]) -> Sequence[Lease]:
        """Extend these leases; the result holds those that are still ``owner``'s."""
        ...

    async def release(self, owner: str, leases: Sequence[Lease]) -> None:
        """Give the leases up, so that another process need not wait for their expiry."""
        ...

    async def taken(self, partitions: Iterable[int]) -> frozenset[int]:
        """Those of them that somebody holds at this moment."""
        ...


class Clock(Protocol):
    """Wall time and elapsed time. The only two ways in which time enters the system."""

    def wall_ms(self) -> UnixMs: ...

    def elapsed_ms(self) -> int:
        """Milliseconds since an arbitrary start, never backwards, counting suspended time."""
        ...


class Message(msgspec.Struct, frozen=True, gc=False):
    """One message as it came from the bus."""

    subject: str
    reply: str
    """Where an answer goes; empty if none is expected."""
    headers: Mapping[str, str]
    data: bytes


class Subscription(Protocol):
    async def stop(self) -> None:
        """End the subscription after everything already received was handed over."""
        ...


class Bus(Protocol):
    """Publish and subscribe. Handlers are called one after another and must not wait."""

    async def subscribe(
        self, subject: str, handler: Callable[[Message], None], *, queue: str = ""
    ) -> Subscription:
        """Subscribe; once this returns, the server delivers (a real barrier)."""
        ...

    def publish(
        self,
        subject: str,
        data: bytes,
        *,
        reply: str = "",
        headers: Mapping[str, str] | None = None,
        perishable: bool = False,
    ) -> None:
        """Queue a message for sending, without waiting.

        One that is ``perishable`` goes out on the connection of this moment or never.
        """
        ...

    def publish_all(self, messages: Sequence[tuple[str, bytes, str]]) -> None:
        """Queue perishable messages in their order: each a subject, a body, and a trace parent."""
        ...

    @property
    def connection(self) -> int | None:
        """Number of the connection over which messages flow; none while it is lost."""
        ...

    async def flush(self) -> int:
        """Return once the server has seen all that was published on this connection: its number.

        Raises ``ConnectionError`` if nothing is known, since it was lost meanwhile.
        """
        ...

    async def request(
        self,
        subject: str,
        data: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float,
    ) -> Message:
        """Send and wait for one answer; raises ``NoResponders`` or ``TimeoutError``."""
        ...

    async def ask_all(self, subject: str, data: bytes, *, within_s: float) -> Sequence[Message]:
        """Send, and return everything that is answered in that time."""
        ...

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> None:
        """Call ``callback`` after every renewed connection."""
        ...

    async def close(self) -> None:
        """Send what is queued, then disconnect."""
        ...


class NoResponders(Exception):
    """Nobody is subscribed to the subject: the service is down or the workspace unknown."""
