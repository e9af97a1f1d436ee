"""Several services against the same servers, and which router holds what."""

import asyncio
import itertools
from collections import defaultdict
from pathlib import Path

import asyncpg

from shared.routing.partition import PARTITIONS
from tests.servers.process import Process
from tests.servers.waiting import until


class Fleet:
    """Routers and other services, and a look at who holds what."""

    def __init__(
        self,
        store_url: str,
        nats_url: str,
        directory: Path,
        sql: asyncpg.Connection,
        *,
        lease_ms: int,
    ) -> None:
        self._environment = {
            "FERNAMT_STORE_URL": store_url,
            "FERNAMT_NATS_URL": nats_url,
            "FERNAMT_LEASE_MS": str(lease_ms),
        }
        self._directory = directory
        self._numbers = itertools.count(1)
        self._sql = sql
        self._running: dict[str, list[Process]] = defaultdict(list)
        """By service, the oldest first."""
        self._all: list[Process] = []

    @property
    def routers(self) -> list[Process]:
        """Those that run, the oldest first."""
        return self._running["router"]

    async def start(self, service: str = "router", **environment: str) -> Process:
        """One more, which serves by the time this returns."""
        process = self.begin(service, **environment)
        await asyncio.to_thread(process.says, "ready")
        return process

    def begin(self, service: str, **environment: str) -> Process:
        """One more, which may have to stand by until another has ended."""
        place = self._directory / f"{service}-{next(self._numbers)}"
        place.mkdir()
        process = Process(service, place, self._environment | environment)
        self._all.append(process)
        process.begin()
        self._running[service].append(process)
        return process

    async def kill(self, router: Process) -> None:
        """``kill -9``."""
        self.routers.remove(router)
        await asyncio.to_thread(router.kill)

    async def stop_oldest(self, service: str = "router") -> None:
        """SIGTERM, and wait until it has ended as it should."""
        assert await asyncio.to_thread(self._running[service].pop(0).stop) == 0

    async def held(self) -> list[int]:
        """How many partitions each router holds."""
        rows = await self._sql.fetch(
            "select count(*) from leases where expires_at > clock_timestamp()"
            " and partition < $1 group by owner order by count(*)",
            PARTITIONS,
        )
        return [row[0] for row in rows]

    async def share(self, *sizes: int) -> None:
        """Wait until the routers hold so many partitions each."""

        async def so() -> bool:
            return await self.held() == sorted(sizes)

        await until(f"the routers hold {sizes}", so)

    async def holder(self, partition: int) -> Process:
        """Whoever serves the partition."""

        async def look() -> Process | None:
            owner = await self._sql.fetchval(
                "select owner from leases where expires_at > clock_timestamp() and partition = $1",
                partition,
            )
            pids = {str(router.pid): router for router in self.routers}
            return pids.get(owner.split("-")[-2]) if owner else None

        holder = await until(f"somebody holds partition {partition}", look)
        assert holder is not None
        return holder

    def end(self) -> None:
        for process in self._all:
            process.kill()
