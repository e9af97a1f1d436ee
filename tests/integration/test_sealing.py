"""Sealing over real stores: when it seals, where it goes on, and what it does not seal."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from services.archivist import sealing
from services.archivist.sealing import KEY_FILE, UNSEALED_MS, Sealing, seal_key
from shared.adapters.open_store import Store
from shared.audit.seals import SEAL_EVENTS, SealKey
from shared.audit.verifying import verify
from shared.ports import Append, StoredRow, StoreUnavailable
from shared.ports.archive import Seal, Seals
from shared.routing.ids import Position, WorkspaceId
from tests.audit.sealed_log import ACME, KEY, OTHER_KEY, archive_of, keep, seals_over, story_rows
from tests.contract.log_samples import NORTH, hold_everything, rows
from tests.servers.hand_clock import HandClock
from tests.servers.vandal import run_as_vandal
from tests.servers.waiting import until

ROWS = story_rows()
HEAD = ROWS[-1].position


async def seals_in(store: Store, workspace_id: WorkspaceId = ACME) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    async for some in store.seals.after(workspace_id, Position(0)):
        found.extend((seal.first, seal.upto) for seal in some)
    return found


def sealing_of(store: Store, clock: HandClock, seals: Seals | None = None) -> Sealing:
    return Sealing(store.events, seals or store.seals, KEY, clock)


@contextlib.asynccontextmanager
async def at_work(one: Sealing) -> AsyncIterator[None]:
    task = asyncio.create_task(one.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def keep_many(store: Store, workspace_id: WorkspaceId, last: int) -> None:
    """A long log; a sealer does not read what stands in it."""
    leases = await hold_everything(store)
    await store.events.append([Append(workspace_id, rows(1, last))], leases)


async def test_at_the_end_everything_that_was_heard_of_is_sealed(store: Store) -> None:
    await keep(store, ROWS)
    one = sealing_of(store, HandClock(0))
    one.heard(ACME, HEAD)
    assert one.unsealed == 0, "nobody knows yet"
    await one.seal_all()
    assert (one.unsealed, one.faults) == (0, 0)
    assert await seals_in(store) == [(1, HEAD)]
    found = await verify(archive_of(store), ACME)
    assert (found.findings, found.sealed.upto, found.sealed.unsealed) == ((), HEAD, 0)
    await one.seal_all()
    assert await seals_in(store) == [(1, HEAD)]


async def _leaves(one: Sealing, unsealed: int) -> bool:
    return one.unsealed == unsealed


async def test_every_thousand_events_are_sealed_at_once(store: Store) -> None:
    await keep_many(store, NORTH, 2 * SEAL_EVENTS + 7)
    one = sealing_of(store, HandClock(0))
    async with at_work(one):
        one.heard(NORTH, Position(2 * SEAL_EVENTS + 7))
        await until("they are sealed", lambda: _are(store, NORTH, [(1, 1_000), (1_001, 2_000)]))
        await until("it knows that they are", lambda: _leaves(one, 7))


async def test_what_is_fewer_is_sealed_a_minute_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "PAUSE_MS", 1)
    await keep(store, ROWS)
    clock = HandClock(0)
    one = sealing_of(store, clock)
    one.heard(ACME, Position(10))
    async with at_work(one):
        clock.now_ms = UNSEALED_MS - 1
        one.heard(ACME, Position(12))
        await asyncio.sleep(0)
        assert await seals_in(store) == []
        clock.now_ms = UNSEALED_MS
        await until("they are sealed", lambda: _are(store, ACME, [(1, 12)]))


async def _are(store: Store, workspace_id: WorkspaceId, wanted: Sequence[tuple[int, int]]) -> bool:
    return await seals_in(store, workspace_id) == list(wanted)


async def test_it_goes_on_behind_what_another_has_sealed(store: Store) -> None:
    await keep(store, ROWS, seals_over(ROWS[:100], OTHER_KEY))
    one = sealing_of(store, HandClock(0))
    one.heard(ACME, HEAD)
    await one.seal_all()
    assert await seals_in(store) == [(1, 50), (51, 100), (101, HEAD)]
    found = await verify(archive_of(store), ACME)
    assert found.findings == ()
    assert [by.key for by in found.sealed.keys] == [OTHER_KEY.public.hex(), KEY.public.hex()]


class Faster:
    """Seals, before which another sealer comes once."""

    def __init__(self, seals: Seals) -> None:
        self._seals = seals
        self._others = seals_over(ROWS[:30], OTHER_KEY)
        self.after = seals.after
        self.last = seals.last
        self.close = seals.close

    async def add(self, workspace_id: WorkspaceId, seal: Seal) -> bool:
        while self._others:
            await self._seals.add(workspace_id, self._others.pop())
        return await self._seals.add(workspace_id, seal)


async def test_where_another_was_faster_it_goes_on_behind(store: Store) -> None:
    await keep(store, ROWS)
    one = sealing_of(store, HandClock(0), Faster(store.seals))
    one.heard(ACME, HEAD)
    await one.seal_all()
    assert await seals_in(store) == [(1, 30), (31, HEAD)]
    assert (await verify(archive_of(store), ACME)).findings == ()


class Away:
    """Seals of a store that is away at first."""

    def __init__(self, seals: Seals) -> None:
        self._seals = seals
        self.away = True
        self.after = seals.after
        self.add = seals.add
        self.close = seals.close

    async def last(self, workspace_id: WorkspaceId) -> Seal | None:
        if self.away:
            self.away = False
            raise StoreUnavailable("away")
        return await self._seals.last(workspace_id)


async def test_what_the_store_did_not_take_is_sealed_later(store: Store) -> None:
    await keep(store, ROWS)
    seals = Away(store.seals)
    one = sealing_of(store, HandClock(0), seals)
    one.heard(ACME, HEAD)
    await one.seal_all()
    assert await seals_in(store) == []
    await one.seal_all()
    assert await seals_in(store) == [(1, HEAD)]


async def test_a_log_with_a_gap_is_not_sealed_behind_it(store: Store, store_url: str) -> None:
    await keep(store, ROWS)
    await keep_many(store, NORTH, 5)
    await run_as_vandal(
        store_url,
        "delete from stored_events where originator_id = 'acme' and originator_version = 7",
    )
    one = sealing_of(store, HandClock(0))
    one.heard(ACME, HEAD)
    one.heard(NORTH, Position(5))
    await one.seal_all()
    assert one.faults == 1
    assert await seals_in(store) == []
    assert await seals_in(store, NORTH) == [(1, 5)], "others do not wait for it"


async def test_a_log_that_is_shorter_than_its_seals_is_left_alone(
    store: Store, store_url: str
) -> None:
    await keep(store, ROWS, seals_over(ROWS))
    await run_as_vandal(store_url, "delete from stored_events where originator_version > 120")
    one = sealing_of(store, HandClock(0))
    one.heard(ACME, Position(120))
    await one.seal_all()
    assert one.faults == 1
    assert (await seals_in(store))[-1] == (201, HEAD)
    found = await verify(archive_of(store), ACME)
    assert found.findings[-1].what == f"the log ends at position 120, and was sealed up to {HEAD}"


async def test_the_key_is_kept_beside_the_log_unless_a_file_holds_it(
    store: Store, tmp_path: Path
) -> None:
    kept = await seal_key({}, store.vault)
    assert (await seal_key({}, store.vault)).public == kept.public
    seed = secrets.token_bytes(32)
    file = tmp_path / "key"
    file.write_text(seed.hex())
    held = await seal_key({KEY_FILE: str(file)}, store.vault)
    assert held.public == SealKey.from_seed(seed).public != kept.public
    file.write_text("nothing")
    with pytest.raises(ValueError, match="the key for seals"):
        await seal_key({KEY_FILE: str(file)}, store.vault)
    with pytest.raises(FileNotFoundError):
        await seal_key({KEY_FILE: str(tmp_path / "none")}, store.vault)


def test_rows_are_sealed_as_they_are_stored() -> None:
    """What cannot be read as an event is sealed all the same: it is evidence."""
    row = StoredRow(Position(1), "x.v1", b"\xff\x00 no event")
    assert len(seals_over([row])) == 1
