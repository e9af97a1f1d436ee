"""A web site as the trigger evaluator hears of it: services to start, and visitors who look."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from services.router.service import Router
from services.trigger_evaluator.service import DEFAULTS, Evaluator, Settings
from shared.adapters.clocks import ShiftedClock, SystemClock, set_forward
from shared.adapters.open_store import Store
from shared.routing.ids import Position, WorkspaceId
from shared.routing.transaction import Recorded
from shared.runtime.world import World
from shared.wire.log_codec import decode_event
from tests.servers.client import Client, Fields
from tests.servers.nats import ConnectBus
from tests.servers.office import Office
from tests.servers.waiting import until

LEASE_MS = 900


class Running:
    """A service in a task of its own."""

    def __init__(self, service: Router | Evaluator) -> None:
        self.service = service
        self.work = asyncio.create_task(service.run())

    async def stop(self) -> None:
        self.service.stop()
        await self.work

    async def drop(self) -> None:
        """It ends at once, as if its process had been killed; its leases stay taken."""
        self.work.cancel()
        await asyncio.gather(self.work, return_exceptions=True)


class Site:
    """One workspace, its front end and the services behind it."""

    def __init__(
        self,
        store: Store,
        connect: ConnectBus,
        *,
        url: str,
        workspace: str,
        clock: ShiftedClock,
        clock_file: Path,
    ) -> None:
        self.workspace = workspace
        self.clock = clock
        self._store = store
        self._connect = connect
        self._url = url
        self._clock_file = clock_file
        self._ahead_ms = 0
        self._running: list[Running] = []
        self._clients: list[Client] = []
        self.office: Office

    # --- services ---------------------------------------------------------------------------

    async def world(self, name: str) -> World:
        bus = await self._connect(name=name)
        return World(self._store, bus, self.clock, LEASE_MS)

    async def start_router(self) -> Running:
        running = Running(Router(await self.world("router")))
        self._running.append(running)
        await asyncio.wait_for(running.service.ready.wait(), 30)
        return running

    async def start_evaluator(self, settings: Settings = DEFAULTS) -> Running:
        running = await self.stand_by(settings)
        await asyncio.wait_for(running.service.ready.wait(), 30)
        return running

    async def stand_by(self, settings: Settings = DEFAULTS) -> Running:
        """An evaluator that takes views, on duty or not."""
        evaluator = Evaluator(await self.world("evaluator"), settings=settings)
        running = Running(evaluator)
        self._running.append(running)
        await asyncio.wait_for(evaluator.listening.wait(), 30)
        return running

    async def set_clock_forward(self, seconds: float) -> None:
        """Returns when the services see it."""
        self._ahead_ms += int(seconds * 1_000)
        set_forward(self._clock_file, self._ahead_ms)

        async def seen() -> bool:
            return self.clock.wall_ms() - SystemClock().wall_ms() >= self._ahead_ms - 5

        await until("the clock runs ahead", seen)

    async def end(self) -> None:
        for client in self._clients:
            await client.close()
        for running in reversed(self._running):
            if not running.work.done():
                await running.drop()

    # --- people -----------------------------------------------------------------------------

    async def open_office(self, *operators: str, **fields: Any) -> Office:
        client = await Client.connect(self._url)
        self._clients.append(client)
        self.office = Office(client, self.workspace)
        await self.office.set_up(*operators, **fields)
        return self.office

    async def rule(self, rule_id: str, when: Fields, then: Sequence[Fields], **more: Any) -> Fields:
        """Save a rule that is enabled."""
        fields: Fields = {"name": rule_id, "order": 1, "enabled": True, **more}
        return await self.office.admin(
            "save_rule", rule_id=rule_id, when=when, then=list(then), **fields
        )

    async def see(self, visitor: str, url: str, **fields: Any) -> Fields:
        """A page view as a request: the whole reply, ``ok`` or not."""
        return await self.office.client.send(self.subject(visitor), self.view(url, **fields))

    def look(self, visitor: str, url: str, **fields: Any) -> None:
        """A page view that nobody answers."""
        data = msgspec.json.encode(self.view(url, **fields))
        self.office.client.bus.publish(self.subject(visitor), data)

    def subject(self, visitor: str) -> str:
        return f"fernamt.v1.seen.{self.workspace}.visitor.{visitor}"

    @staticmethod
    def view(url: str, **fields: Any) -> Fields:
        return {"session_id": "s-1", "entry_point_id": "site", "url": url, **fields}

    async def why_not(self, rule: str, visitor: str) -> Fields:
        reply = await self.office.ask(
            "admin", "root", "why_not_fired", rule_id=rule, visitor_id=visitor
        )
        result: Fields = reply["result"]
        return result

    # --- what came of it --------------------------------------------------------------------

    async def events(self) -> list[Recorded]:
        return [
            Recorded(row.position, decode_event(row.topic, row.state))
            async for rows in self._store.events.read(WorkspaceId(self.workspace), Position(0))
            for row in rows
        ]

    async def of(self, name: str) -> list[Mapping[str, Any]]:
        """The events of this name, as fields."""
        return [
            msgspec.to_builtins(one.envelope.data)
            for one in await self.events()
            if type(one.envelope.data).__struct_config__.tag == f"{name}.v1"
        ]

    async def until(self, name: str, count: int = 1) -> list[Mapping[str, Any]]:
        """Wait until there are so many events of this name."""

        async def enough() -> list[Mapping[str, Any]]:
            found = await self.of(name)
            return found if len(found) >= count else []

        return await until(f"{count} of {name}", enough)
