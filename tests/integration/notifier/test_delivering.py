"""The queues of the outbox by themselves, over both stores: faults of ours, order, and patience."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from structlog.testing import capture_logs

from services.notifier.channel_settings import Pace
from services.notifier.delivering import SENT, Delivering, Outcome, Sender
from shared.adapters.clocks import SystemClock
from shared.adapters.open_store import Store
from shared.ports import Channel, Lane, OutboxRow
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.routing.workspace import Workspace
from shared.runtime.metrics import DELIVERIES
from tests.contract.test_outbox import ANA, HOOK, made
from tests.servers.town import FAST
from tests.servers.waiting import until


class Noting:
    """A channel that notes what it is given, and answers as it is told."""

    def __init__(self, **told: Outcome | None) -> None:
        """By position, as ``p3=...``; ``None`` is a fault."""
        self.tried: list[int] = []
        self._told: Mapping[str, Outcome | None] = told

    async def send(self, _workspace: Workspace, row: OutboxRow, _trace: str | None) -> Outcome:
        self.tried.append(row.position)
        outcome = self._told.get(f"p{row.position}", SENT)
        if outcome is None:
            raise ValueError("zaza: a text that belongs to somebody")
        return outcome


@asynccontextmanager
async def _delivering(
    store: Store, workspace: Workspace, pace: Pace = FAST, **senders: Sender
) -> AsyncIterator[Delivering]:
    channels: dict[Channel, Sender] = {}
    if "webhook" in senders:
        channels["webhook"] = senders["webhook"]
    if "mail" in senders:
        channels["mail"] = senders["mail"]
    made_here = Delivering(store.outbox, SystemClock(), channels, lambda _: workspace, pace)
    work = asyncio.create_task(made_here.run())
    try:
        yield made_here
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def _read_up_to(position: int) -> Workspace:
    return Workspace(workspace_id="north", position=Position(position))


async def _empty(store: Store, lane: Lane) -> None:
    async def look() -> bool:
        return await store.outbox.next_of(lane) is None

    await until("the queue is empty", look)


async def test_no04_a_fault_of_ours_keeps_nothing_else_and_tells_no_text(store: Store) -> None:
    await store.outbox.add([made(n) for n in range(1, 5)])
    channel = Noting(p2=None)
    with capture_logs() as logs:
        async with _delivering(store, _read_up_to(9), webhook=channel) as delivering:
            await _empty(store, HOOK)
            tries = {f.labels: f.value for f in delivering.figures() if f.metric is DELIVERIES}
    assert tries == {
        ("webhook", "sent"): 3,
        ("webhook", "not_needed"): 0,
        ("webhook", "failed"): FAST.attempts_max - 1,
        ("webhook", "dead"): 1,
    }
    (letter,) = await store.outbox.dead_letters(WorkspaceId("north"))
    assert (letter.row.position, letter.error) == (2, "fault ValueError")
    assert channel.tried.count(2) == letter.attempts == FAST.attempts_max
    assert list(dict.fromkeys(channel.tried)) == [1, 2, 3, 4]
    assert "zaza" not in repr(logs)


async def test_no04_what_waits_for_a_channel_that_is_not_set_up_stays(store: Store) -> None:
    await store.outbox.add([made(1), made(2, "mail", "ana")])
    channel = Noting()
    async with _delivering(store, _read_up_to(9), webhook=channel) as delivering:
        await _empty(store, HOOK)
        delivering.wake([ANA])
        await store.outbox.add([made(3)])
        delivering.wake([HOOK])
        await _empty(store, HOOK)
    assert channel.tried == [1, 3]
    assert [lane for lane, _ in await store.outbox.lanes()] == [ANA]


async def test_no04_nothing_is_sent_before_its_workspace_was_read_that_far(store: Store) -> None:
    await store.outbox.add([made(1), made(5)])
    channel = Noting()
    workspace = _read_up_to(4)
    async with _delivering(store, workspace, webhook=channel):

        async def first_is_sent() -> bool:
            pending = await store.outbox.next_of(HOOK)
            return pending is not None and pending.row.position == 5

        await until("the first is sent", first_is_sent)
        assert channel.tried == [1]
        workspace.position = Position(5)
        await _empty(store, HOOK)
    assert channel.tried == [1, 5]


async def test_no04_a_first_try_waits_for_no_clock_that_was_set_back(store: Store) -> None:
    """The log goes on from where it was, so its stamps may lie ahead of the clock for long."""
    ahead = UnixMs(SystemClock().wall_ms() + 3_600_000)
    await store.outbox.add([made(1)._replace(created_at=ahead)])
    channel = Noting()
    async with _delivering(store, _read_up_to(9), webhook=channel):
        await _empty(store, HOOK)
    assert channel.tried == [1]


async def test_no04_each_pause_of_a_row_is_longer_than_the_one_before(store: Store) -> None:
    await store.outbox.add([made(1)])
    tries = 4
    channel = Noting(p1=Outcome("failed", "status 500"))
    pauses: list[int] = []
    for attempt in range(1, tries + 1):
        pace = Pace(attempts_max=8, first_retry_ms=60_000)
        async with _delivering(store, _read_up_to(9), pace, webhook=channel):

            async def failed(number: int = attempt) -> bool:
                pending = await store.outbox.next_of(HOOK)
                return pending is not None and pending.attempts == number

            await until("it was tried", failed)
        pending = await store.outbox.next_of(HOOK)
        assert pending is not None
        now = SystemClock().wall_ms()
        pauses.append(pending.next_at - now)
        await store.outbox.retry(pending.row.id, attempt, now, "status 500")
    for number, pause in enumerate(pauses):
        whole = 60_000 * 4**number
        assert whole * 0.75 <= pause <= whole * 1.2
    assert channel.tried == [1] * tries
