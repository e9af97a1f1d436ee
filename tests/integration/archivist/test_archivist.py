"""The archivist against real servers: killed, begun again, and robbed of what it kept."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.adapters.open_store import Store, open_store
from shared.audit.past import restored
from shared.audit.snapshots import fold_key
from shared.ports import Append, StoredRow
from shared.ports.archive import Archive
from shared.routing.describe import state_hash
from shared.routing.ids import Position, UnixMs
from shared.routing.workspace import Workspace
from shared.wire.log_codec import encode_event
from tests.audit.archived import ACME, Log, WithCommandIds, folded_on, step
from tests.contract.log_samples import hold_everything
from tests.core.wanderer import Wanderer
from tests.integration.archivist.eager import EVERY
from tests.servers.nats import NatsServer
from tests.servers.process import Process
from tests.servers.vandal import run_as_vandal
from tests.servers.waiting import until

LEASE_MS = 600
END = Position(2**62)


def ends_of_groups(log: Log) -> list[Position]:
    return [
        Position(following.position - 1)
        for following in log[1:]
        if following.envelope.first == following.position
    ] + [log[-1].position]


class Works(NamedTuple):
    """A log that grows by a story told in advance, and the archivist that follows it."""

    url: str
    store: Store
    archivist: Process
    log: Log

    async def write(self, share: float) -> Position:
        """Append up to this share of the story, to the end of a group; where the log ends then."""
        head = await self.store.events.head(ACME)
        wanted = int(len(self.log) * share)
        upto = next(end for end in ends_of_groups(self.log) if end >= wanted)
        some = self.log[head:upto]
        rows = [StoredRow(one.position, *encode_event(one.envelope)) for one in some]
        await self.store.events.register_workspace(ACME, UnixMs(0))
        leases = await hold_everything(self.store)
        assert not await self.store.events.append([Append(ACME, rows)], leases)
        return upto

    async def kept(self, upto: Position) -> None:
        """Wait until the log was followed as far as this."""

        async def look() -> bool:
            found = await self.store.snapshots.latest(ACME, fold_key(), END)
            return found is not None and found.position > upto - EVERY

        await until(f"there is a snapshot close to {upto}", look)

    async def prove(self, upto: Position) -> None:
        """What is kept leads to the state that the log leads to."""
        await self.kept(upto)
        whole = Workspace(workspace_id=ACME)
        for recorded in self.log[:upto]:
            step(whole, recorded)
        archive = Archive(self.store.events, self.store.snapshots, self.store.seals)
        past = await restored(archive, ACME, upto, everything=True)
        assert past is not None
        assert past.workspace.position > 0
        partial = await folded_on(past, self.log[past.workspace.position : upto])
        assert state_hash(partial) == state_hash(whole)

    async def empty_tables(self) -> None:
        await self.vandalise("delete from snapshots")
        await self.vandalise("delete from snapshot_commands")
        await self.vandalise("delete from settled")

    async def vandalise(self, sql: str) -> None:
        await run_as_vandal(self.url, sql)

    async def start(self) -> None:
        await asyncio.to_thread(self.archivist.start)

    def taken(self) -> list[int]:
        """Positions of all snapshots, in the order in which they were taken."""
        told = [json.loads(line) for line in self.archivist.stderr.splitlines()]
        return [one["position"] for one in told if one["event"] == "snapshot_taken"]


@pytest.fixture
async def works(postgres_url: str, nats: NatsServer, tmp_path: Path) -> AsyncIterator[Works]:
    store = await open_store(postgres_url, migrate=True)
    settings = {
        "FERNAMT_STORE_URL": postgres_url,
        "FERNAMT_NATS_URL": nats.url,
        "FERNAMT_LEASE_MS": str(LEASE_MS),
    }
    eager = "tests.integration.archivist.eager"
    archivist = Process("archivist", tmp_path, settings, module=eager)
    story = WithCommandIds()
    Wanderer(3).wander(story, 600)
    yield Works(postgres_url, store, archivist, story.log)
    archivist.kill()
    await store.close()


async def test_one_that_was_killed_goes_on_from_its_last_snapshot(works: Works) -> None:
    """Now and then in the middle of its work."""
    await works.start()
    for share in (0.2, 0.4, 0.6, 0.8):
        await works.kept(await works.write(share))
        await works.write(share + 0.1)
        works.archivist.kill()
        await works.start()
    await works.prove(await works.write(1.0))
    taken = works.taken()
    assert len(taken) > 4
    assert taken == sorted(set(taken))
    assert await asyncio.to_thread(works.archivist.stop) == 0


async def test_emptying_its_tables_does_no_harm_whether_it_runs_or_not(works: Works) -> None:
    await works.start()
    await works.prove(await works.write(0.3))
    await works.empty_tables()
    await works.prove(await works.write(0.6))
    assert await asyncio.to_thread(works.archivist.stop) == 0
    await works.empty_tables()
    await works.start()
    await works.prove(await works.write(1.0))


async def test_what_an_older_release_kept_is_cleared_away(works: Works) -> None:
    upto = await works.write(0.5)
    await works.start()
    await works.prove(upto)
    assert await asyncio.to_thread(works.archivist.stop) == 0
    await works.vandalise("update snapshots set fold = 'older'")
    await works.vandalise("update snapshot_commands set fold = 'older'")
    await works.vandalise("update settled set fold = 'older'")
    await works.start()
    await works.prove(await works.write(1.0))

    async def look() -> bool:
        return await works.store.snapshots.latest(ACME, "older", upto) is None

    await until("nothing is left of the older fold", look)
    found = works.store.snapshots.all_settled(ACME, "older", upto)
    assert [rows async for rows in found] == []
