"""A broker, a database, a router and the presence service, each a process, and desks that beat."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import msgspec

from shared.routing.events import Event
from shared.wire.subjects import Beat, subject_of
from tests.servers.client import Client, connected
from tests.servers.engine import CLI
from tests.servers.nats import NatsServer
from tests.servers.office import Office, read_log
from tests.servers.process import Process
from tests.servers.waiting import until

LEASE_MS = 2_250
"""A twentieth of the real one; so is everything that hangs on it, idle times too."""
BEAT_S = LEASE_MS / 3_000
ANSWER_S = 3.0
IDLE_S = 60 * LEASE_MS / 45_000
"""How long the shortest idle time takes."""

_numbers = itertools.count(1)


class Desk:
    """A device of an operator, which says every so often that it is there."""

    def __init__(self, client: Client, workspace: str, who: str, session: str) -> None:
        self._bus = client.bus
        self.subject = subject_of(Beat(workspace, who, session))  # type: ignore[arg-type]
        self.active = False
        self._timer: asyncio.TimerHandle | None = None

    def beat(self) -> None:
        """Now, and from now on every ``BEAT_S``."""
        self.silence()
        with contextlib.suppress(ConnectionError):
            self.say(b'{"active":true}' if self.active else b"{}")
        self._timer = asyncio.get_running_loop().call_later(BEAT_S, self.beat)

    def say(self, body: bytes) -> None:
        """One heartbeat, by itself."""
        self._bus.publish(self.subject, body)

    def silence(self) -> None:
        """Never again, as if the machine had died."""
        if self._timer is not None:
            self._timer.cancel()


class House:
    """Everything that runs, and one workspace in it."""

    def __init__(self, nats: NatsServer, store_url: str, directory: Path) -> None:
        self.nats = nats
        self.store_url = store_url
        self._directory = directory
        self._processes: list[Process] = []
        self._desks: list[Desk] = []
        self.router = self.process("router")
        self.presence = self.process("presence")

    def process(self, service: str, *, module: str = CLI, **environment: str) -> Process:
        """One more, not started yet; ``module`` runs in place of the command line."""
        directory = self._directory / f"process-{next(_numbers)}"
        directory.mkdir()
        servers: Mapping[str, str] = {
            "FERNAMT_NATS_URL": self.nats.url,
            "FERNAMT_STORE_URL": self.store_url,
            "FERNAMT_PRESENCE_LEASE_MS": str(LEASE_MS),
        }
        self._processes.append(
            Process(service, directory, {**servers, **environment}, module=module)
        )
        return self._processes[-1]

    @contextlib.asynccontextmanager
    async def office(self, *operators: str) -> AsyncIterator[Office]:
        """A workspace of its own with these people, not logged in."""
        async with connected(self.nats.url) as client:
            office = Office(client, f"p{next(_numbers)}")
            await office.set_up(*operators)
            try:
                yield office
            finally:
                for desk in self._desks:
                    desk.silence()

    def desk(self, office: Office, who: str, session: str = "desk") -> Desk:
        """A device that is silent yet."""
        self._desks.append(Desk(office.client, office.workspace, who, session))
        return self._desks[-1]

    async def works(self, office: Office, who: str, session: str = "desk") -> Desk:
        """Log in and beat."""
        await office.operator(who, "log_in", session_id=session)
        desk = self.desk(office, who, session)
        desk.beat()
        return desk

    async def events(self, office: Office, *kinds: type[Event]) -> list[Event]:
        """What the log holds of these kinds, in order."""
        log = await read_log(self.store_url, office.workspace)
        return [one.envelope.data for one in log if isinstance(one.envelope.data, kinds)]

    async def until_logged(
        self, office: Office, event: Event, times: int = 1, within_s: float = 40
    ) -> list[Event]:
        """Wait until this event stands in the log so often; all of its kind."""

        async def look() -> list[Event]:
            found = await self.events(office, type(event))
            return found if found.count(event) >= times else []

        return await until(f"{event} {times} times", look, within_s, every_s=0.1)

    def end(self) -> None:
        for process in self._processes:
            process.kill()


async def shown(office: Office, who: str) -> tuple[str, str, bool]:
    """Effective status, cause and whether connected, as the roster says."""
    roster = (await office.ask("operator", who, "roster"))["result"]["operators"]
    (one,) = [one for one in roster if one["operator_id"] == who]
    return one["effective"], one["cause"], one["connected"]


async def until_shown(office: Office, who: str, *expected: object) -> None:
    """Wait until the roster shows this."""

    async def look() -> bool:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await shown(office, who) == expected
        except TimeoutError:  # a router between two terms of duty answers nobody
            return False

    await until(f"{who} is {expected}", look, every_s=0.1)


async def reports(office: Office) -> Callable[[], list[tuple[str, dict[str, object]]]]:
    """Overhear what presence tells the router about this workspace, from now on."""
    heard: list[tuple[str, dict[str, object]]] = []
    pattern = f"fernamt.v1.cmd.{office.workspace}.service.presence.*"
    await office.client.bus.subscribe(
        pattern, lambda m: heard.append((m.subject.split(".")[-1], msgspec.json.decode(m.data)))
    )
    return lambda: heard
