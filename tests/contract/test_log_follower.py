"""Following the log of each kind of store, with notices over a real broker and without."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from shared.adapters import log_follower
from shared.adapters.log_follower import Events, LogFollower, Stopped
from shared.adapters.nats_bus import NatsBus
from shared.adapters.open_store import Store, open_store
from shared.ports import LeaseLost, StoredRow, StoreUnavailable
from shared.routing.events import Envelope, EventUnion, PresenceStale, WorkspaceCreated
from shared.routing.following import Unfit
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.wire.log_codec import encode_event
from shared.wire.notices import position_body
from shared.wire.subjects import Head, subject_of
from tests.contract.log_samples import (
    NORTH,
    SOUTH,
    WEST,
    append,
    hold_everything,
)
from tests.servers.nats import ConnectBus, NatsServer
from tests.servers.postgres import postgres_server
from tests.servers.vandal import run_as_vandal
from tests.servers.waiting import until

NEVER_S = 3_600.0
CREATED = WorkspaceCreated(WorkspaceId("w"), "W", "UTC", "en")
PASSED_OVER = frozenset({"workspace_created.v1"})
WITHIN_S = 20.0


class Writer:
    """Writes logs, and tells their heads as the router does."""

    def __init__(self, store: Store, bus: NatsBus) -> None:
        self._store = store
        self._bus = bus
        self.heads: dict[WorkspaceId, Position] = {}

    async def write(
        self,
        workspace_id: WorkspaceId,
        number: int,
        *,
        tell: bool = True,
        bad: bool = False,
        group: int = 1,
        data: EventUnion = CREATED,
    ) -> None:
        """Append so many events, so many to a ``group``; with ``bad`` the last is unreadable."""
        head = self.heads.get(workspace_id, Position(0))
        if head == 0:
            await self._store.events.register_workspace(workspace_id, UnixMs(1))
        rows = [
            _row(head + nth, head + nth - (nth - 1) % group, data) for nth in range(1, number + 1)
        ]
        if bad:
            rows[-1] = rows[-1]._replace(state=b"{}")
        leases = await hold_everything(self._store)
        assert not await self._store.events.append([append(workspace_id, rows)], leases)
        self.heads[workspace_id] = Position(head + number)
        if tell:
            self.tell(workspace_id, self.heads[workspace_id])

    def tell(self, workspace_id: WorkspaceId, position: int) -> None:
        self._bus.publish(subject_of(Head(workspace_id)), position_body(Position(position)))


def _row(position: int, first: int, data: EventUnion) -> StoredRow:
    envelope = Envelope(
        at=UnixMs(position),
        first=Position(first),
        rev=1,
        epoch=1,
        data=data,
    )
    return StoredRow(Position(position), *encode_event(envelope))


class Reader:
    """Keeps what is handed over, and notices what is out of turn. ``fails`` is raised instead.

    ``partial`` where events are passed over.
    """

    def __init__(self) -> None:
        self.partial = False
        self.seen: dict[WorkspaceId, list[Position]] = defaultdict(list)
        self.chunks: dict[WorkspaceId, list[int]] = defaultdict(list)
        self.refused: list[Events] = []
        self.fails: dict[WorkspaceId, list[Exception]] = defaultdict(list)
        self.gates: dict[WorkspaceId, asyncio.Event] = {}
        self.begins: dict[WorkspaceId, list[Position | Exception]] = defaultdict(list)
        self._inside: set[WorkspaceId] = set()

    async def begin(self, workspace_id: WorkspaceId) -> Position:
        """The next of ``begins``, or from the beginning."""
        where = self.begins[workspace_id].pop(0) if self.begins[workspace_id] else Position(0)
        if isinstance(where, Exception):
            raise where
        return where

    async def on_events(self, workspace_id: WorkspaceId, events: Events) -> None:
        assert workspace_id not in self._inside, "two chunks of one workspace at once"
        self._inside.add(workspace_id)
        try:
            if workspace_id in self.gates:
                await self.gates[workspace_id].wait()
            if self.fails[workspace_id]:
                self.refused.append(events)
                raise self.fails[workspace_id].pop(0)
            assert self.partial or events[0][1].first == events[0][0], "begun within a group"
            for position, _ in events:
                self.seen[workspace_id].append(position)
            self.chunks[workspace_id].append(len(events))
        finally:
            self._inside.discard(workspace_id)


class Scene:
    """A log, somebody who writes it, and somebody who follows it."""

    def __init__(self, store: Store, writer: Writer, bus: NatsBus) -> None:
        self.store, self.writer, self.reader = store, writer, Reader()
        self._bus = bus

    @asynccontextmanager
    async def following(
        self,
        *,
        poll_s: float = NEVER_S,
        passed_over: frozenset[str] = frozenset(),
        rest_s: float = 0.0,
    ) -> AsyncIterator[LogFollower]:
        """A follower that is caught up with what was there."""
        self.reader.partial = bool(passed_over)
        follower = LogFollower(
            self.store.events,
            self._bus,
            self.reader.on_events,
            begin=self.reader.begin,
            passed_over=passed_over,
            poll_s=poll_s,
            chunk_events=16,
            rest_s=rest_s,
        )
        running = asyncio.create_task(follower.run())
        try:
            async with asyncio.timeout(WITHIN_S):
                await follower.caught_up()
            yield follower
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def reached(self, follower: LogFollower, *workspace_ids: WorkspaceId) -> None:
        """Wait until everything written was handed over, and see that it was, once and in order."""
        async with asyncio.timeout(WITHIN_S):
            for workspace_id in workspace_ids:
                head = self.writer.heads[workspace_id]
                await follower.reach(workspace_id, head)
                assert self.reader.seen[workspace_id] == list(range(1, head + 1))
                assert follower.handed_over(workspace_id) == head


@pytest.fixture
async def scene(store: Store, connect: ConnectBus) -> Scene:
    return Scene(store, Writer(store, await connect()), await connect())


def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter pauses, so that what is given up is given up soon."""
    monkeypatch.setattr(log_follower, "PAUSE_S", 0.001)
    monkeypatch.setattr(log_follower, "BEHIND_PAUSE_S", 0.001)


async def test_what_was_there_is_handed_over_in_chunks_and_in_order(scene: Scene) -> None:
    await scene.writer.write(NORTH, 100, tell=False)
    await scene.writer.write(SOUTH, 7, tell=False)
    async with scene.following() as follower:
        assert follower.handed_over(NORTH) == 100
        assert follower.handed_over(SOUTH) == 7
        await scene.reached(follower, NORTH, SOUTH)
    assert max(scene.reader.chunks[NORTH]) <= 16
    assert len(scene.reader.chunks[NORTH]) >= 7


@pytest.mark.parametrize("group", [5, 16, 40])
async def test_groups_are_handed_over_whole_however_large_they_are(
    scene: Scene, group: int
) -> None:
    await scene.writer.write(NORTH, 3 * group, tell=False, group=group)
    async with scene.following() as follower:
        await scene.writer.write(NORTH, 3 * group, group=group)
        await scene.reached(follower, NORTH)
    assert [size % group for size in scene.reader.chunks[NORTH] if size % group] == []


async def test_an_empty_store_is_caught_up_with_at_once(scene: Scene) -> None:
    async with scene.following() as follower:
        assert follower.noticed(NORTH) == 0
        assert follower.handed_over(NORTH) == 0


async def test_a_notice_wakes_without_any_polling(scene: Scene) -> None:
    await scene.writer.write(NORTH, 3)
    async with scene.following() as follower:
        for _ in range(20):
            await scene.writer.write(NORTH, 5)
        await scene.reached(follower, NORTH)


async def test_who_is_in_no_hurry_rests_behind_what_was_there(scene: Scene) -> None:
    await scene.writer.write(NORTH, 40, tell=False)
    async with scene.following(rest_s=NEVER_S) as follower:
        await scene.writer.write(NORTH, 3)
        await scene.writer.write(SOUTH, 40)
        await scene.reached(follower, SOUTH)
        await _until("it is noticed", lambda: follower.noticed(NORTH) == 43)
        assert follower.handed_over(NORTH) == 40
    async with scene.following(rest_s=0.01) as follower:
        scene.reader.seen.clear()
        await _soon(follower.reach(NORTH, Position(43)))
        await scene.writer.write(NORTH, 3)
        await _soon(follower.reach(NORTH, Position(46)))


async def test_a_new_workspace_is_found_by_its_notice(scene: Scene) -> None:
    async with scene.following() as follower:
        await scene.writer.write(WEST, 40)
        await scene.reached(follower, WEST)


async def test_a_new_workspace_and_lost_notices_are_found_by_polling(scene: Scene) -> None:
    await scene.writer.write(NORTH, 3)
    async with scene.following(poll_s=0.01) as follower:
        await scene.writer.write(NORTH, 5, tell=False)
        await scene.writer.write(WEST, 40, tell=False)
        await scene.reached(follower, NORTH, WEST)
        assert follower.noticed(WEST) == 40


async def test_whoever_is_about_to_end_may_catch_up_first(scene: Scene) -> None:
    async with scene.following() as follower:
        await scene.writer.write(NORTH, 40, tell=False)
        await scene.writer.write(WEST, 40, tell=False, bad=True)
        async with asyncio.timeout(WITHIN_S):
            await follower.catch_up()
        assert follower.handed_over(NORTH) == 40
        assert follower.handed_over(WEST) == 39


async def test_a_notice_that_comes_while_events_are_taken_is_not_lost(scene: Scene) -> None:
    gate = scene.reader.gates[NORTH] = asyncio.Event()
    async with scene.following() as follower:
        await scene.writer.write(NORTH, 3)
        await scene.writer.write(NORTH, 3)
        await _until("both are noticed", lambda: follower.noticed(NORTH) == 6)
        gate.set()
        await scene.reached(follower, NORTH)


async def test_many_workspaces_side_by_side(scene: Scene) -> None:
    many = [WorkspaceId(f"w{number}") for number in range(300)]
    for workspace_id in many:
        await scene.writer.write(workspace_id, 2, tell=False)
    async with scene.following() as follower:
        for workspace_id in many:
            await scene.writer.write(workspace_id, 1)
        await scene.reached(follower, *many)


async def test_one_that_takes_its_time_delays_no_other(scene: Scene) -> None:
    slow = [WorkspaceId(f"slow{number}") for number in range(log_follower.READS + 1)]
    gate = asyncio.Event()
    scene.reader.gates = dict.fromkeys(slow, gate)
    async with scene.following() as follower:
        for workspace_id in slow:
            await scene.writer.write(workspace_id, 1)
        await scene.writer.write(NORTH, 50)
        await scene.reached(follower, NORTH)
        assert not any(scene.reader.seen[workspace_id] for workspace_id in slow)
        assert (follower.unfollowed, follower.lag) == (0, len(slow))
        gate.set()
        await scene.reached(follower, *slow)
        assert follower.lag == 0


async def test_a_notice_ahead_of_the_store_is_made_good_by_looking_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_follower, "BEHIND_TRIES", 12)  # this machine may be slow
    await scene.writer.write(NORTH, 3)
    async with scene.following() as follower:
        scene.writer.tell(NORTH, 4)
        await _until("it is noticed", lambda: follower.noticed(NORTH) == 4)
        await scene.writer.write(NORTH, 1, tell=False)
        await scene.reached(follower, NORTH)


async def test_a_notice_that_is_not_true_is_forgotten(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)
    await scene.writer.write(NORTH, 3)
    async with scene.following() as follower:
        scene.writer.tell(NORTH, 10**17)
        scene.writer.tell(WEST, 5)
        await _until("both are heard", lambda: follower.noticed(NORTH) > 3 < follower.noticed(WEST))
        await _until(
            "both are forgotten",
            lambda: follower.noticed(NORTH) == 3 and follower.noticed(WEST) == 0,
        )
        await scene.writer.write(NORTH, 2)
        await scene.writer.write(WEST, 1)
        await scene.reached(follower, NORTH, WEST)


@pytest.mark.parametrize("group", [1, 5, 40])
async def test_events_passed_over_are_not_handed_over_but_for_the_last_of_a_chunk(
    scene: Scene, group: int
) -> None:
    many, few = Position(3 * group), Position(5 * group)
    await scene.writer.write(NORTH, many, tell=False, group=group)
    async with scene.following(passed_over=PASSED_OVER) as follower:
        seen = scene.reader.seen[NORTH]
        passed = len(seen)
        assert scene.reader.chunks[NORTH] == [1] * passed
        assert seen[-1] == follower.handed_over(NORTH) == many
        await scene.writer.write(NORTH, few - many, group=group, data=PresenceStale())
        await _soon(follower.reach(NORTH, few))
        assert seen[passed:] == list(range(many + 1, few + 1))


async def test_what_cannot_be_read_is_met_behind_what_is_passed_over(scene: Scene) -> None:
    await scene.writer.write(NORTH, 9, tell=False, bad=True)
    async with scene.following(passed_over=PASSED_OVER) as follower:
        with pytest.raises(Stopped, match="north after position 8"):
            await _soon(follower.reach(NORTH, Position(9)))
    assert scene.reader.seen[NORTH] == [8]


async def test_what_is_no_notice_changes_nothing(scene: Scene, connect: ConnectBus) -> None:
    bus = await connect()
    async with scene.following() as follower:
        bus.publish("fernamt.v1.head.north", b"-1")
        bus.publish("fernamt.v1.head.no:id", b"1")
        await scene.writer.write(NORTH, 2)
        await scene.reached(follower, NORTH)


@pytest.mark.parametrize("error", [StoreUnavailable("away"), StoreUnavailable("still away")])
async def test_what_could_not_be_kept_is_handed_over_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    quickly(monkeypatch)
    scene.reader.fails[NORTH] = [error, error, error]
    async with scene.following() as follower:
        await scene.writer.write(NORTH, 3)
        await scene.reached(follower, NORTH)
    assert [[position for position, _ in events] for events in scene.reader.refused] == [
        [1, 2, 3]
    ] * 3


@pytest.mark.parametrize("error", [Unfit("a misfit"), ZeroDivisionError("a fault")])
async def test_a_fault_with_one_workspace_stops_that_one_alone(
    scene: Scene, error: Exception
) -> None:
    scene.reader.fails[NORTH] = [error]
    async with scene.following() as follower:
        await scene.writer.write(NORTH, 3)
        with pytest.raises(Stopped, match="north after position 0"):
            await _soon(follower.reach(NORTH, Position(3)))
        with pytest.raises(Stopped, match="north after position 0"):
            await follower.reach(NORTH, Position(1))
        await scene.writer.write(SOUTH, 3)
        await scene.reached(follower, SOUTH)
        await scene.writer.write(NORTH, 3)
        await scene.writer.write(SOUTH, 3)
        await scene.reached(follower, SOUTH)
        assert (follower.unfollowed, follower.lag) == (1, 0)
    assert scene.reader.seen[NORTH] == []


async def test_a_lease_that_was_lost_ends_everything(scene: Scene, connect: ConnectBus) -> None:
    scene.reader.fails[NORTH] = [LeaseLost("somebody else has it")]
    follower = LogFollower(scene.store.events, await connect(), scene.reader.on_events)
    running = asyncio.create_task(follower.run())
    await _soon(follower.caught_up())
    await scene.writer.write(NORTH, 3)
    with pytest.raises(LeaseLost):
        await _soon(running)


async def test_a_gap_stops_the_workspace_behind_what_comes_before_it(
    scene: Scene, store_url: str
) -> None:
    await scene.writer.write(NORTH, 30, tell=False)
    await run_as_vandal(
        store_url,
        "delete from stored_events where originator_id = 'north' and originator_version = 21",
    )
    async with scene.following() as follower:
        with pytest.raises(Stopped, match="position 21"):
            await _soon(follower.reach(NORTH, Position(30)))
        await scene.writer.write(SOUTH, 3)
        await scene.reached(follower, SOUTH)
    assert scene.reader.seen[NORTH] == list(range(1, 21))


async def test_an_event_that_cannot_be_read_stops_the_workspace_behind_those_before_it(
    scene: Scene,
) -> None:
    await scene.writer.write(NORTH, 9, bad=True)
    async with scene.following() as follower:
        await scene.writer.write(NORTH, 3)
        with pytest.raises(Stopped, match="north after position 8"):
            await _soon(follower.reach(NORTH, Position(9)))
        await scene.writer.write(SOUTH, 3)
        await scene.reached(follower, SOUTH)
    assert scene.reader.seen[NORTH] == list(range(1, 9))


async def test_nothing_is_handed_over_once_it_was_told_to_end(scene: Scene) -> None:
    async with scene.following():
        pass
    await scene.writer.write(NORTH, 3)
    async with scene.following() as follower:
        await scene.reached(follower, NORTH)


async def test_a_broker_that_was_away_cost_nothing(scene: Scene, nats: NatsServer) -> None:
    await scene.writer.write(NORTH, 3)
    async with scene.following(poll_s=0.01) as follower:
        nats.kill()
        await scene.writer.write(NORTH, 3)
        await scene.writer.write(SOUTH, 3)
        await scene.reached(follower, NORTH, SOUTH)
        nats.start()


async def test_a_store_that_was_away_cost_nothing(
    connect: ConnectBus, capsys: pytest.CaptureFixture[str]
) -> None:
    with postgres_server() as server:
        store = await open_store(server.url, migrate=True, lease_ms=3_600_000)
        scene = Scene(store, Writer(store, await connect()), await connect())
        said: list[str] = []

        def told(event: str) -> bool:
            said.extend(capsys.readouterr())
            return event in "".join(said)

        try:
            await scene.writer.write(NORTH, 3)
            async with scene.following(poll_s=0.01) as follower:
                server.kill()
                scene.writer.tell(NORTH, 4)
                await _until("the outage is told", lambda: told("log_not_read"))
                server.start()
                await scene.writer.write(NORTH, 3)
                await scene.writer.write(SOUTH, 3)
                await scene.reached(follower, NORTH, SOUTH)
                await _until("its end is told", lambda: told("log_read_again"))
        finally:
            await store.close()


async def test_the_heads_of_many_are_told_at_once(scene: Scene) -> None:
    await scene.writer.write(NORTH, 3)
    await scene.writer.write(SOUTH, 12)
    heads = await scene.store.events.heads([NORTH, SOUTH, WEST])
    assert heads == {NORTH: 3, SOUTH: 12, WEST: 0}
    assert await scene.store.events.heads([]) == {}


async def _soon(awaited: Awaitable[object]) -> object:
    async with asyncio.timeout(WITHIN_S):
        return await awaited


async def _until(what: str, holds: Callable[[], bool]) -> None:
    async def look() -> bool:
        return holds()

    await until(what, look, every_s=0.001)


async def test_a_workspace_is_handed_over_from_where_its_owner_begins(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)
    away = StoreUnavailable("the store is away")
    scene.reader.begins = defaultdict(list, {NORTH: [away, Position(40)], SOUTH: [Position(7)]})
    await scene.writer.write(NORTH, 100, tell=False)
    await scene.writer.write(SOUTH, 7, tell=False)
    async with scene.following() as follower:
        assert scene.reader.seen == {NORTH: list(range(41, 101))}
        assert (follower.handed_over(NORTH), follower.handed_over(SOUTH)) == (100, 7)
        await scene.writer.write(SOUTH, 2)
        async with asyncio.timeout(WITHIN_S):
            await follower.reach(SOUTH, Position(9))
        assert scene.reader.seen[SOUTH] == [8, 9]
