"""The two that are compared: the engine and the floor, each with a database of its own.

The engine is a router, the notifier, since the floor tells feeds too, and presence, without which a
router would note that it is missing. The floor is one process.

They share one PostgreSQL and one nats-server, which are started here on free ports of 127.0.0.1 and
keep every commit on disk. One side works while the other waits.
"""

import contextlib
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from time import monotonic

import asyncpg
import msgspec

from shared.adapters.event_stream import STREAM
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.open_store import open_store
from shared.routing.ids import WorkspaceId
from tests.bench.figures import processor_s
from tests.bench.floor import Shapes
from tests.servers.engine import QUIET_DESKS, ROOT, fernamt, surroundings
from tests.servers.nats import nats_server
from tests.servers.postgres import PostgresServer, postgres_server
from tests.servers.waiting import until

SERVICES = ("router", "notifier", "presence")
READY_WITHIN_S = 60
STOP_WITHIN_S = 60
_FEEDS_WITHIN_S = 120.0
_DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


Process = subprocess.Popen[bytes]


class Side:
    """Whoever answers the commands of one workspace and tells its feeds."""

    def __init__(
        self,
        name: str,
        workspace_id: WorkspaceId,
        processes: Sequence[Process],
        log: asyncpg.Connection,
    ) -> None:
        self.name = name
        self.workspace_id = workspace_id
        self._processes = processes
        self._log = log

    def processor_s(self) -> float:
        """Processor time that its processes have used so far; 0 where the system does not tell."""
        return sum(processor_s(process.pid) for process in self._processes)

    @contextmanager
    def on_one_core(self) -> Iterator[None]:
        """Keep all its processes together on one core meanwhile, where the system can do that."""
        if not hasattr(os, "sched_setaffinity"):
            yield
            return
        cores = os.sched_getaffinity(0)
        self._keep_to({max(cores)})
        try:
            yield
        finally:
            self._keep_to(cores)

    def _keep_to(self, cores: set[int]) -> None:
        for process in self._processes:
            for thread in Path(f"/proc/{process.pid}/task").iterdir():
                os.sched_setaffinity(int(thread.name), cores)

    async def rows(self) -> int:
        """Rows of its workspace in the log, which have no gap."""
        ((count, last),) = await self._log.fetch(
            "select count(*), coalesce(max(originator_version), 0) from stored_events"
            " where originator_id = $1",
            self.workspace_id,
        )
        assert count == last, f"{self.name}: {count} rows, the last has position {last}"
        return int(count)

    async def feeds_sent(self) -> None:
        """Wait until its feeds are sent, where somebody keeps account of that."""
        rows = await self.rows()

        async def told() -> bool:
            position = await self._log.fetchval(
                "select position from notifier_positions where workspace = $1", self.workspace_id
            )
            return bool(position and position >= rows)

        if len(self._processes) > 1:
            await until(f"{self.name}: the feeds are sent", told, _FEEDS_WITHIN_S)

    async def setting(self, name: str) -> str:
        """What holds in a session that is already open in its database, as the engine's are."""
        found: str = await self._log.fetchval(f"show {name}")
        return found

    async def tail(self, after: int) -> Sequence[tuple[str, bytes]]:
        """Topic and state of every row behind a position."""
        rows = await self._log.fetch(
            "select topic, state from stored_events"
            " where originator_id = $1 and originator_version > $2 order by originator_version",
            self.workspace_id,
            after,
        )
        return [(row["topic"], row["state"]) for row in rows]


class Servers:
    """Broker and database, while they run."""

    def __init__(self, nats_url: str, postgres: PostgresServer, bus: NatsBus) -> None:
        self.nats_url = nats_url
        self.bus = bus
        self._postgres = postgres

    async def published(self, workspace_id: WorkspaceId) -> int:
        """Events of the workspace in the stream."""
        asked = {"subjects_filter": f"fernamt.v1.evt.{workspace_id}.>"}
        answer = await self.bus.request(
            f"$JS.API.STREAM.INFO.{STREAM}", msgspec.json.encode(asked), timeout_s=10
        )
        counts: dict[str, int] = msgspec.json.decode(answer.data)["state"].get("subjects") or {}
        return sum(counts.values())

    @asynccontextmanager
    async def engine(self, workspace_id: WorkspaceId) -> AsyncIterator[Side]:
        """Its services on a database of their own."""
        url = await self._log("engine")
        servers = ("--nats", self.nats_url, "--store", url, "--log-level", "warning")
        commands = [fernamt("run", service, *servers) for service in SERVICES]
        async with self._side("engine", workspace_id, commands) as side:
            yield side

    @asynccontextmanager
    async def floor(self, workspace_id: WorkspaceId, shapes: Shapes) -> AsyncIterator[Side]:
        """The floor's program on a database of its own."""
        url = await self._log("floor")
        with tempfile.TemporaryDirectory(prefix="fernamt-bench-") as folder:
            path = Path(folder) / "shapes.json"
            path.write_bytes(msgspec.json.encode(shapes))
            command = [sys.executable, "-m", "tests.bench.floor", "--nats", self.nats_url]
            command += ["--store", url, "--workspace", workspace_id, "--shapes", str(path)]
            async with self._side("floor", workspace_id, [command]) as side:
                yield side

    @asynccontextmanager
    async def slow_commits(self, side: Side, delay_us: int) -> AsyncIterator[None]:
        """Have every commit of the server wait so long before it is written to disk."""
        settings = {"commit_delay": str(delay_us), "commit_siblings": "0"}
        usual = {name: await side.setting(name) for name in settings}
        await self._alter(f"set {name} = {to}" for name, to in settings.items())
        try:
            for name, wanted in settings.items():
                await _until_holds(side, name, wanted)
            yield
        finally:
            await self._alter(f"reset {name}" for name in settings)
        for name, wanted in usual.items():
            await _until_holds(side, name, wanted)

    async def _alter(self, changes: Iterable[str]) -> None:
        connection = await asyncpg.connect(self._postgres.url)
        try:
            for change in changes:
                await connection.execute(f"alter system {change}")
            await connection.execute("select pg_reload_conf()")
        finally:
            await connection.close()

    async def database(self, name: str) -> str:
        """A new database of this name, with nothing in it; its address."""
        connection = await asyncpg.connect(self._postgres.url)
        await connection.execute(f"create database {name}")
        await _check_durable(connection)
        await connection.close()
        return self._postgres.url_of(name)

    async def _log(self, name: str) -> str:
        """An empty log in a new database of this name; its address."""
        url = await self.database(name)
        await (await open_store(url, migrate=True)).close()
        return url

    @asynccontextmanager
    async def _side(
        self, name: str, workspace_id: WorkspaceId, commands: Sequence[Sequence[str]]
    ) -> AsyncIterator[Side]:
        log = await asyncpg.connect(self._postgres.url_of(name))
        try:
            with contextlib.ExitStack() as stack:
                processes = [stack.enter_context(running(command)) for command in commands]
                yield Side(name, workspace_id, processes, log)
        finally:
            await log.close()


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    """Start both servers, and end them after use."""
    with contextlib.ExitStack() as stack:
        postgres = stack.enter_context(postgres_server())
        nats_url = stack.enter_context(nats_server()).url
        bus = await NatsBus.connect(NatsSettings(url=nats_url, name="bench"))
        try:
            yield Servers(nats_url, postgres, bus)
        finally:
            await bus.close()


async def _check_durable(connection: asyncpg.Connection) -> None:
    """Nothing here is worth its number if a commit is not on disk when it is answered."""
    for setting, wanted in _DURABLE.items():
        found = await connection.fetchval(f"show {setting}")
        assert found == wanted, f"{setting} is {found}: what is measured would not be durable"


async def _until_holds(side: Side, setting: str, wanted: str) -> None:
    async def holds() -> bool:
        return await side.setting(setting) == wanted

    await until(f"{side.name}: {setting} is {wanted}", holds)


@contextmanager
def running(command: Sequence[str]) -> Iterator[Process]:
    """A child process from the moment it says ``ready``; asked to end after use."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=surroundings(QUIET_DESKS),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        _wait_until_ready(process)
        yield process
        assert process.poll() is None, f"{command[2]} has ended, exit code {process.returncode}"
        process.terminate()
        code = process.wait(STOP_WITHIN_S)
        assert code == 0, f"{command[2]}: exit code {code}"
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _wait_until_ready(process: Process) -> None:
    assert process.stdout is not None
    deadline = monotonic() + READY_WITHIN_S
    said = b""
    while b"ready" not in said:
        if not select.select([process.stdout], [], [], max(deadline - monotonic(), 0))[0]:
            raise TimeoutError(f"{process.args!r} is not ready within {READY_WITHIN_S} s")
        more = os.read(process.stdout.fileno(), 4_096)
        if not more:
            raise RuntimeError(f"{process.args!r} has ended, exit code {process.wait()}")
        said += more
