"""Two states of one workspace that are asked the same: one whole, one without what is settled.

Both are what a router has of a workspace on duty, down to its line of jobs, without the broker. The
whole one writes the log, the archivist keeps snapshots of it, and from these the other is loaded
again and again and lets go of what it can.
"""

import asyncio
import time
from itertools import count
from random import Random
from typing import Any

import msgspec

from services.archivist.keeping import Keeping, Settings
from services.router.crowd import Crowd
from services.router.decider import Decider
from services.router.live import LiveWorkspace
from services.router.loading import LATEST, load
from services.router.naming import Asked
from services.router.settled import Settled
from services.router.units import Job, Unit
from shared.adapters.clocks import SystemClock
from shared.adapters.open_store import Store
from shared.audit.past import Past
from shared.audit.snapshots import Abridged, fold_key
from shared.ports import Append, StoredRow
from shared.ports.archive import Archive
from shared.routing.commands import COMMANDS, Refused
from shared.routing.events import Actor, Envelope, Request
from shared.routing.ids import CommandId, Position, UnixMs, WorkspaceId
from shared.routing.partition import PARTITIONS
from shared.routing.questions import QUERIES
from shared.routing.workspace import Workspace
from shared.runtime.tasks import Tasks
from shared.wire.log_codec import decode_event
from shared.wire.queries import QueryRequest
from shared.wire.requests import CommandRequest, body_hash
from tests.audit.archived import ACME, NEVER, agree
from tests.core.rule_wanderings import as_it_is
from tests.core.story import ADMIN, BEGINNING, Step, Steps
from tests.servers.hand_clock import HandClock

EPOCH = 7
WITHIN_S = 20.0
Said = tuple[tuple[StoredRow, ...], Any, bytes]
"""Rows that a job or timer brought, what it erases, and the answer."""


class Desk:
    """An outlet for which every commit succeeds at once, and that remembers what was said."""

    def __init__(self, workspace_id: WorkspaceId) -> None:
        self.live = LiveWorkspace(workspace_id, self, Crowd(SystemClock()))
        self.said: list[Said] = []
        self.written: list[StoredRow] = []
        self.is_lost = False

    def decide(self, live: LiveWorkspace) -> None:
        while live.take_turn():
            pass

    def may_answer(self) -> bool:
        return True

    def commit(self, live: LiveWorkspace, unit: Unit) -> None:
        self.written.extend(unit.rows)
        live.committed(unit)

    def release(self, _live: LiveWorkspace, unit: Unit) -> None:
        answer = msgspec.json.encode(unit.answer)
        self.said.append((tuple(unit.rows), tuple(unit.erase), answer))

    def announce(self, live: LiveWorkspace, position: Position) -> None:
        """Nobody listens."""

    def refuse(self, job: Job, refused: Refused) -> None:
        raise AssertionError((job, refused))

    def reload(self, _live: LiveWorkspace) -> None:
        self.is_lost = True

    @property
    def decider(self) -> Decider:
        decider = self.live._decider
        assert decider is not None
        return decider


class Twins:
    """``whole`` and ``abridged``, and what they are asked."""

    def __init__(self, store: Store, url: str, seed: int, every: int, tasks: Tasks) -> None:
        self.url = url
        self.clock = HandClock(int(BEGINNING))
        self.whole = Desk(ACME)
        self.abridged = Desk(ACME)
        self.fetched = 0
        self.gone = 0
        self._store = store
        self._tasks = tasks
        self._random = Random(seed)
        self._archive = Archive(store.events, store.snapshots, store.seals)
        settings = Settings(every, NEVER)
        self.keeping: Keeping | None = Keeping(self._archive, store.snapshots, ACME, settings)
        self._leases: dict[int, int] = {}
        self._numbers = count()
        self._given: list[CommandRequest] = []

    @property
    def workspace(self) -> Workspace:
        """As the wanderer sees it who is to think of what happens next."""
        return self.whole.decider.workspace

    @property
    def at(self) -> UnixMs:
        return self.clock.wall_ms()

    async def begin(self) -> None:
        await self._store.events.register_workspace(ACME, UnixMs(0))
        self._leases = dict(await self._store.leases.acquire("router", range(PARTITIONS)))
        if self.keeping is not None:
            await self.keeping.begin()
        workspace = Workspace(workspace_id=ACME)
        past = Past(self._store.snapshots, Abridged(workspace))
        past.is_whole = True
        settled = Settled(past, self._store.snapshots, self._store.events, self._tasks)
        self.whole.live.loaded(Decider(workspace, self.clock, EPOCH, settled))
        await self.restart()
        await self.tell(Step(ADMIN, "create_workspace", {"name": "Acme"}))

    async def restart(self) -> None:
        """The abridged one anew, from what is kept."""
        self.abridged.live.end()
        self.abridged = Desk(ACME)
        await self._load()

    async def _load(self) -> None:
        """From the snapshot, where there is one: what is folded anew proves nothing here."""
        self.abridged.is_lost = False
        live = self.abridged.live
        kept = await self._store.snapshots.last(ACME, fold_key(), LATEST)
        decider = await load(self._store, live, self.clock, EPOCH, self._tasks)
        if kept is not None and live.trusts_snapshots:
            assert not decider.settled.is_whole, f"the snapshot at {kept} was of no use"
        live.loaded(decider)

    # --- what happens -----------------------------------------------------------------------

    async def tell(self, told: Step | int) -> None:
        """A command of somebody, or seconds that pass."""
        if isinstance(told, int):
            self.clock.now_ms += told * 1_000
            for desk in (self.whole, self.abridged):
                desk.live.wake()
            await self.compare()
            return
        await self.ask(self.command(told))

    def command(self, told: Step) -> CommandRequest:
        """The command as it comes in; two of three can be told when they come again."""
        number = next(self._numbers)
        command_id = CommandId(f"cmd-{number}") if number % 3 else None
        command = msgspec.convert(as_it_is(self, told), COMMANDS[told.name])  # type: ignore[arg-type]
        hashed = body_hash(msgspec.json.encode(command))
        request = Request(told.name, hashed)
        asked = CommandRequest(ACME, command, told.actor, request, command_id, None, None)
        self._given.append(asked)
        return asked

    async def all(self, *told: Steps) -> None:
        for several in told:
            for one in several:
                await self.tell(one)

    async def repeat(self) -> None:
        """Somebody sends again what he sent a while ago."""
        await self.ask(self._random.choice(self._given[-60:]))

    async def query(self, name: str, by: Actor, **fields: Any) -> None:
        await self.ask(question(name, by, **fields))

    async def ask(self, asked: Asked) -> None:
        for desk in (self.whole, self.abridged):
            desk.live.submit(Job("reply", asked, 0))
        await self.compare()

    async def compare(self) -> None:
        """Both wrote and said the same, as soon as the abridged one has."""
        await self._settle()
        assert self.abridged.said == self.whole.said
        assert self.abridged.written == self.whole.written
        rows = self.whole.written
        for desk in (self.whole, self.abridged):
            desk.said, desk.written = [], []
        if rows:
            assert not await self._store.events.append([Append(ACME, rows)], self._leases)
            if self.keeping is not None:
                await self.keeping.take(list(map(_event, rows)))

    async def _settle(self) -> None:
        """Wait until the abridged one has answered."""
        deadline = time.monotonic() + WITHIN_S
        self.fetched += self.abridged.live.jobs
        while self.abridged.live.jobs or self.abridged.is_lost:
            assert time.monotonic() < deadline, "no answer"
            if self.abridged.is_lost:
                await self._load()
            await asyncio.sleep(0)

    @property
    def is_behind(self) -> bool:
        """Whether the abridged one has not come as far as the whole one."""
        return self.abridged.decider.position < self.whole.decider.position

    # --- what is looked at ------------------------------------------------------------------

    async def let_go(self) -> None:
        self.gone += await self.abridged.decider.settled.let_go()

    def agree(self) -> None:
        """Everything live is the same in both, and what retries are recognised by."""
        ours, theirs = self.abridged.decider.workspace, self.workspace
        agree(ours, theirs)
        assert list(ours.commands.items()) == list(theirs.commands.items())
        assert list(ours.timers) == list(theirs.timers) or set(ours.timers) == set(theirs.timers)
        assert list(ours.open) == list(theirs.open)


def question(name: str, by: Actor, **fields: Any) -> QueryRequest:
    asked = msgspec.convert(fields, QUERIES[name])
    return QueryRequest(ACME, asked, by, Position(0), None, None)


def _event(row: StoredRow) -> tuple[Position, Envelope]:
    return row.position, decode_event(row.topic, row.state)
