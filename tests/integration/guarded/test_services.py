"""Every service at work under its own user, whose permissions are enough, and are no more."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from services.auditor.service import Auditor
from services.cli.running import SERVICES, Running, Service, ServiceName
from services.console.known import STREAM_INFO
from shared.adapters.clocks import SystemClock
from shared.adapters.nats_bus import NatsBus
from shared.adapters.open_store import open_archive, open_store
from shared.ports import Message, NoResponders
from shared.routing.partition import PARTITIONS
from shared.runtime.world import World
from tests.servers.guarded import Guarded
from tests.servers.waiting import until

Fields = Mapping[str, Any]
VIEW = {"session_id": "s1", "entry_point_id": "site", "url": "https://shop.example/fr/"}
RULE: Fields = {
    "rule_id": "french",
    "name": "French",
    "order": 1,
    "enabled": True,
    "when": {"always": True},
    "then": [{"add_tag": "french"}],
}


class Crowd:
    """Everybody with a token and a connection of their own, made when they first speak."""

    def __init__(self, broker: Guarded) -> None:
        self._broker = broker
        self._known: dict[tuple[str, str], NatsBus] = {}

    async def bus(self, kind: str, actor: str) -> NatsBus:
        if (kind, actor) not in self._known:
            claim = {"workspace": "shop", "kind": kind, "audit": True}
            entered = await self._broker.somebody("shop", kind, actor, fernamt=claim)
            self._known[kind, actor] = entered
        return self._known[kind, actor]

    async def say(self, purpose: str, kind: str, actor: str, name: str, /, **body: Any) -> Fields:
        """The result of a request. It has to be accepted."""
        bus = await self.bus(kind, actor)
        subject = f"fernamt.v1.{purpose}.shop.{kind}.{actor}.{name}"
        reply: dict[str, Any] = {}

        async def answered() -> bool:
            try:
                answer = await bus.request(subject, msgspec.json.encode(body), timeout_s=10)
            except NoResponders:  # they have not heard of the workspace yet
                return False
            reply.update(msgspec.json.decode(answer.data))
            return True

        await until(f"{name} is answered", answered)
        assert reply["ok"], reply
        result: Fields = reply["result"]
        return result

    async def admin(self, command: str, /, **body: Any) -> Fields:
        return await self.say("cmd", "admin", "root", command, **body)


@pytest.fixture
async def buses(
    broker: Guarded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Mapping[str, NatsBus]]:
    """All services, each with its bus. Heartbeats hold for a second."""
    monkeypatch.setenv("FERNAMT_PRESENCE_LEASE_MS", "1000")
    async with AsyncExitStack() as stack:
        store = await open_store(f"sqlite:///{tmp_path}/data")
        stack.push_async_callback(store.close)
        archive = await open_archive(f"sqlite:///{tmp_path}/data")
        stack.push_async_callback(archive.close)
        connected = {name: await broker.service(name) for name in (*SERVICES, "auditor", "console")}
        made: dict[str, Service] = {
            "auditor": Auditor(archive, connected["auditor"], SystemClock())
        }
        for name, make in SERVICES.items():
            made[name] = make(World(store, connected[name], SystemClock()))
        await stack.enter_async_context(_running(made))
        yield connected


@asynccontextmanager
async def _running(services: Mapping[str, Service]) -> AsyncIterator[None]:
    running = Running(services)
    try:
        await asyncio.wait_for(running.ready(), 60)
        yield
    finally:
        await running.stop()


async def test_all_services_do_their_work_and_are_refused_nothing(
    broker: Guarded, buses: Mapping[str, NatsBus]
) -> None:
    crowd = Crowd(broker)
    told: list[Fields] = []
    events: list[str] = []
    await _set_up(crowd)
    ana, bot = await crowd.bus("operator", "ana"), await crowd.bus("service", "bot")

    def hear(message: Message) -> None:
        told.append(msgspec.json.decode(message.data))

    await ana.subscribe("fernamt.v1.feed.shop.operator.ana", hear)
    await ana.subscribe("fernamt.v1.feed.shop.team", hear)
    await bot.subscribe("fernamt.v1.evt.shop.*", lambda message: events.append(message.subject))
    vera = await crowd.bus("visitor", "vera")
    seen = "fernamt.v1.seen.shop.visitor.vera"
    looked = await vera.request(seen, msgspec.json.encode(VIEW), timeout_s=30)
    assert msgspec.json.decode(looked.data).get("fired") == ["french"], looked
    opening = {"conversation_id": "c1", "entry_point_id": "site"}
    await crowd.say("cmd", "visitor", "vera", "open", **opening)
    await crowd.say("cmd", "operator", "ana", "log_in", session_id="desk")
    ana.publish("fernamt.v1.beat.shop.operator.ana.desk", b'{"active": true}')

    async def said(*wanted: str) -> bool:
        types = {message.get("type") for message in told}
        return types.issuperset(wanted)

    await until("ana is told of the conversation", lambda: said("assigned"))

    async def lapsed() -> bool:
        return "fernamt.v1.evt.shop.session_lapsed" in events

    await until("presence has reported that ana's desk is gone", lapsed)
    await _ask_everybody(crowd)
    info = await buses["console"].request(STREAM_INFO, b"", timeout_s=10)
    assert msgspec.json.decode(info.data)["config"]["name"] == "FERNAMT_EVENTS"
    assert {name: bus.counters.denied for name, bus in buses.items()} == dict.fromkeys(buses, 0)


async def _set_up(crowd: Crowd) -> None:
    await crowd.admin("create_workspace", name="Shop")
    await crowd.admin("create_group", group_id="support", name="Support")
    await crowd.admin("define_entry_point", entry_point_id="site", name="Site", groups=["support"])
    await crowd.admin("register_operator", operator_id="ana", role_id="manager")
    await crowd.admin("join_group", operator_id="ana", group_id="support")
    await crowd.admin("save_rule", **RULE)


async def _ask_everybody(crowd: Crowd) -> None:
    """The router, the notifier, the evaluator and the auditor."""
    assert await crowd.say("ask", "admin", "root", "queue")
    assert await crowd.say("ask", "operator", "ana", "feed", after=0)
    assert await crowd.say("ask", "admin", "root", "dead_letters")
    assert await crowd.say("audit", "operator", "ana", "explain", conversation_id="c1")


_HELD = """
select count(*) from leases where expires_at > clock_timestamp() and partition < $1 group by owner
"""

FORBIDDEN = {
    "router": ("fernamt.v1.feed.shop.team", "fernamt.v1.cmd.shop.admin.a.erase", "$SYS.REQ.X"),
    "presence": ("fernamt.v1.cmd.shop.admin.a.erase", "fernamt.v1.evt.shop.x", "$JS.API.INFO"),
    "evaluator": ("fernamt.v1.cmd.shop.service.presence.x", "fernamt.v1.evt.shop.x"),
    "notifier": ("fernamt.v1.cmd.shop.admin.a.erase", "fernamt.v1.evt.shop.x", "$JS.API.INFO"),
    "archivist": ("fernamt.v1.cmd.shop.admin.a.erase", "fernamt.v1.feed.shop.team"),
    "auditor": ("fernamt.v1.cmd.shop.admin.a.erase", "fernamt.v1.ask.shop.admin.a.queue"),
    "console": (
        *("fernamt.v1.cmd.shop.service.console.erase", "fernamt.v1.ask.shop.admin.a.queue"),
        "$JS.API.STREAM.DELETE.FERNAMT_EVENTS",
    ),
    "auth": ("fernamt.v1.cmd.shop.admin.a.erase", "_INBOX.router.1"),
}


@pytest.mark.parametrize("service", FORBIDDEN)
async def test_a_service_may_not_do_what_another_is_for(broker: Guarded, service: str) -> None:
    bus = await broker.service(service)
    for subject in FORBIDDEN[service]:
        with pytest.raises(PermissionError):
            await bus.request(subject, b"{}", timeout_s=10)
    for subject in (">", "_INBOX.>", "$SYS.>"):
        with pytest.raises(PermissionError):
            await bus.subscribe(subject, lambda _: None)


async def test_two_routers_hand_on_what_is_the_others(broker: Guarded, postgres_url: str) -> None:
    """Each creation is heard by one of them and done by the owner of the partition."""
    async with AsyncExitStack() as stack:
        buses = [await broker.service("router") for _ in range(2)]
        made: dict[str, Service] = {}
        for number, bus in enumerate(buses):
            store = await open_store(postgres_url, migrate=True)
            stack.push_async_callback(store.close)
            made[str(number)] = SERVICES[ServiceName.ROUTER](World(store, bus, SystemClock()))
        await stack.enter_async_context(_running(made))
        sql = await asyncpg.connect(postgres_url)
        stack.push_async_callback(sql.close)

        async def even() -> bool:
            held = await sql.fetch(_HELD, PARTITIONS)
            return [row[0] for row in held] == [PARTITIONS // 2] * 2

        await until("each has half of the partitions", even)
        names = [f"w{number}" for number in range(24)]
        for name in names:
            root = await broker.somebody(name, "admin", "root")
            subject = f"fernamt.v1.cmd.{name}.admin.root.create_workspace"

            async def created(root: NatsBus = root, subject: str = subject) -> bool:
                answer = await root.request(subject, b'{"name": "W"}', timeout_s=30)
                reply = msgspec.json.decode(answer.data)
                return bool(reply["ok"] or reply["error"]["code"] == "workspace_exists")

            await until(f"{name} is created", created)
        made_there = await sql.fetch("select workspace from workspaces")
        assert sorted(row[0] for row in made_there) == sorted(names)
        assert [bus.counters.denied for bus in buses] == [0, 0]
