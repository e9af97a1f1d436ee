"""What the router tells other services: how far a log reaches, and who is there without a trace."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.router.service import Router
from shared.adapters.clocks import SystemClock
from shared.adapters.nats_bus import NatsBus
from shared.adapters.open_store import Store, open_store
from shared.ports import Message
from shared.runtime.world import World
from shared.wire.notices import read_position
from tests.servers.client import Client
from tests.servers.nats import ConnectBus
from tests.servers.office import Office, RefusedError
from tests.servers.waiting import until


class Overheard:
    """Heads and signs of a workspace, in the order in which they came."""

    def __init__(self) -> None:
        self.heads: list[int] = []
        self.signs: list[str] = []

    async def listen(self, bus: NatsBus, workspace: str) -> None:
        await bus.subscribe(f"fernamt.v1.head.{workspace}", self._on_head)
        await bus.subscribe(f"fernamt.v1.sign.{workspace}.*.*", self._on_sign)

    def _on_head(self, message: Message) -> None:
        position = read_position(message.data)
        assert position is not None, message
        self.heads.append(position)

    def _on_sign(self, message: Message) -> None:
        assert not message.data
        self.signs.append(message.subject.split(".", 4)[4])


@pytest.fixture
async def overheard(office: Office) -> Overheard:
    """Everything from when the office stands."""
    notices = Overheard()
    await notices.listen(office.client.bus, office.workspace)
    return notices


@asynccontextmanager
async def serving(store: Store, bus: NatsBus) -> AsyncIterator[None]:
    """A router in this process, for the length of a block."""
    router = Router(World(store, bus, SystemClock()))
    running = asyncio.create_task(router.run())
    try:
        await router.ready.wait()
        yield
    finally:
        router.stop()
        await running


async def test_the_new_head_is_told_before_the_answer(office: Office, overheard: Overheard) -> None:
    for number in range(20):
        answer = await office.open(f"v{number}", f"c{number}")
        assert overheard.heads[-1] >= answer["position"]
    assert overheard.heads == sorted(set(overheard.heads))


async def test_of_many_at_once_each_answer_comes_after_its_head(
    office: Office, overheard: Overheard
) -> None:
    async def opened(number: int) -> tuple[int, int]:
        answer = await office.open(f"v{number}", f"c{number}")
        return answer["position"], overheard.heads[-1]

    for position, told in await asyncio.gather(*(opened(number) for number in range(200))):
        assert told >= position
    assert overheard.heads == sorted(set(overheard.heads))
    assert len(overheard.heads) < 200, "a commit of many tells its head once"


async def test_what_writes_nothing_moves_no_head(office: Office, overheard: Overheard) -> None:
    await office.ask("admin", "root", "roster")
    await office.admin("join_group", operator_id="ana", group_id="support")
    with pytest.raises(RefusedError):
        await office.operator("nobody", "log_in", session_id="desk")
    assert overheard.heads == []
    assert overheard.signs == []


async def test_a_command_that_writes_nothing_is_a_sign_of_life(
    office: Office, overheard: Overheard
) -> None:
    await office.come_online("ana")
    assert overheard.signs == []
    await office.come_online("ana")
    assert overheard.signs == ["operator.ana"]


async def test_a_sign_of_life_comes_also_from_whom_a_back_end_speaks_for(
    office: Office, overheard: Overheard
) -> None:
    await office.open("vera", "c1")
    await office.visitor("vera", "visitor_back")
    assert overheard.signs == ["visitor.vera"]
    await office.send("service", "chat", "visitor_back", {"as": {"visitor": "vera"}})
    assert overheard.signs == ["visitor.vera"] * 2


async def test_a_command_that_came_before_is_a_sign_of_life(
    office: Office, overheard: Overheard
) -> None:
    await office.come_online("ana")
    body = {"status": "busy"}
    await office.send("operator", "ana", "set_status", body, command_id="once")
    assert overheard.signs == []
    repeated = await office.send("operator", "ana", "set_status", body, command_id="once")
    assert repeated["repeated"]
    assert overheard.signs == ["operator.ana"]


async def test_whoever_comes_on_duty_tells_the_heads_that_it_found(
    connect: ConnectBus, tmp_path: Path
) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/data", migrate=True)
    listener = await connect()
    office, notices = Office(Client(listener), "w1"), Overheard()
    try:
        async with serving(store, await connect()):
            await office.set_up()
            position = await office.position()
        await notices.listen(listener, "w1")
        async with serving(store, await connect()):

            async def told() -> bool:
                return bool(notices.heads)

            await until("the head of w1 is told", told)
        assert notices.heads == [position]
    finally:
        await store.close()
