"""What a router would have written: commands and timers through the core, to rows of the log."""

import base64
import random
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import count
from typing import NamedTuple

import msgspec

from services.router.personal import seal
from shared.ports import Erasure, StoredRow, VaultRow
from shared.routing.commands import COMMANDS, Command, Refused
from shared.routing.decide import Instruction, decide
from shared.routing.events import Actor, EventUnion, Fact, Request, SubjectErased
from shared.routing.ids import CommandId, Position, UnixMs, WorkspaceId
from shared.routing.transaction import Recorded, Stamp, adopt_revision, advance, record
from shared.routing.workspace import Workspace
from shared.wire.log_codec import encode_event
from shared.wire.requests import body_hash

_NAMES = {shape: name for name, shape in COMMANDS.items()}
_HASH_KEY = b"sample"
"""Nobody will send these commands again, so that the key of the store is not needed."""

_encode = msgspec.json.Encoder().encode


class Written(NamedTuple):
    """Rows that belong together, in their order, with what the vault gets and loses by them."""

    rows: list[StoredRow]
    vault: list[VaultRow]
    erase: list[Erasure]


class Writer:
    """One workspace, and what was written of it and not taken yet."""

    def __init__(self, workspace_id: WorkspaceId, epoch: int, chance: random.Random) -> None:
        """``epoch`` is that of the lease under which it will be appended."""
        self.workspace = Workspace(workspace_id=workspace_id)
        self.refused = 0
        """Commands that came to nothing because somebody else was faster."""
        self._epoch = epoch
        self._chance = chance
        self._numbers = count(1)
        self._written = Written([], [], [])
        self._news: deque[EventUnion] = deque()

    # --- writing ----------------------------------------------------------------------------

    def do(self, actor: Actor, command: Command, at: UnixMs) -> Refused | None:
        """Somebody asks for something; whatever falls due before it comes first."""
        at = self.pass_until(at)
        position = Position(self.workspace.position + 1)
        refs, vault = seal(command, actor, position, self._token)
        outcome = decide(self.workspace, command, Instruction(actor, at, refs))
        if isinstance(outcome, Refused):
            self.refused += 1
            return outcome
        if outcome.events:
            request = Request(_NAMES[type(command)], body_hash(_encode(command), _HASH_KEY))
            command_id = CommandId(f"{actor.id}-{next(self._numbers)}")
            stamp = Stamp(at, self._epoch, actor, command_id, request)
            self._keep(record(self.workspace, outcome.events, stamp))
            self._written.vault.extend(vault)
        return None

    def note(self, fact: Fact, at: UnixMs) -> None:
        """The router writes something that nobody asked for."""
        at = self.pass_until(at)
        self._keep(record(self.workspace, (fact,), Stamp(at, self._epoch)))

    def adopt_revision(self, at: UnixMs) -> None:
        """As a router does when it takes over."""
        self._keep(adopt_revision(self.workspace, Stamp(at, self._epoch)))

    def pass_until(self, at: UnixMs) -> UnixMs:
        """Let timers fall due at their times, a moment late as they are; the time it is then."""
        at = max(at, self.workspace.at)
        while (timer := self.workspace.next_due()) is not None and timer.due <= at:
            late = max(timer.due + self._chance.randrange(4), self.workspace.at)
            self._keep(advance(self.workspace, UnixMs(min(late, at)), self._epoch))
        return at

    def _keep(self, recorded: Iterable[Recorded]) -> None:
        for position, envelope in recorded:
            event = envelope.data
            self._written.rows.append(StoredRow(position, *encode_event(envelope)))
            if isinstance(event, SubjectErased):
                self._written.erase.extend(Erasure(each, position) for each in event.subjects)
            self._news.append(event)

    def _token(self, size: int) -> str:
        raw = self._chance.randbytes(size)
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    # --- what came of it --------------------------------------------------------------------

    def news(self) -> Iterator[EventUnion]:
        """Every event that was not looked at yet, those that come meanwhile among them."""
        while self._news:
            yield self._news.popleft()

    @property
    def pending(self) -> int:
        """Rows that were not taken."""
        return len(self._written.rows)

    def take(self) -> Written:
        """Everything that was not taken yet; it ends with a whole group."""
        taken, self._written = self._written, Written([], [], [])
        return taken

    def forget(self, closed_before: UnixMs) -> None:
        """Drop conversations that were closed before, for plays so long that all of them would
        not fit. Nobody may write to them again: the log would not say what this state does.
        """
        workspace = self.workspace
        for conversation_id in list(workspace.closed):
            closed_at = workspace.conversations[conversation_id].closed_at
            if closed_at is None or closed_at >= closed_before:
                return
            del workspace.conversations[conversation_id]
            del workspace.closed[conversation_id]
