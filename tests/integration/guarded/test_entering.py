"""Who gets in: with a token that the platform signed, for as long as it holds, and nobody else."""

import asyncio
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from services.auth.service import Auth
from services.auth.settings import Settings, settings_from
from tests.servers.guarded import Guarded, Platform, guarded
from tests.servers.http_receiver import Answer, http_receiver
from tests.servers.nats import NatsServer
from tests.servers.waiting import until
from tests.unit.auth.forging import jwks_of, unsigned


async def turned_away(broker: Guarded, token: str) -> bool:
    """Whether the broker says no, and not just nothing."""
    try:
        await broker.somebody("shop", "visitor", "eve", token=token, within_s=1.0)
    except ConnectionError as error:
        return "Authorization Violation" in str(error)
    return False


async def test_a_token_that_proves_nothing_leads_nowhere(broker: Guarded, tmp_path: Path) -> None:
    sign = broker.platform.token
    stranger = Platform(tmp_path)
    for token in (
        "",
        "no token",
        unsigned({"sub": "eve", "aud": "fernamt", "exp": int(time.time()) + 60}),
        stranger.token("shop", "visitor", "eve"),
        sign("shop", "visitor", "eve", exp=int(time.time()) - 1),
        sign("shop", "visitor", "eve", aud="somewhere-else"),
        sign("shop", "visitor", "*"),
        sign("shop", "visitor", "eve.>"),
        sign(">", "visitor", "eve"),
    ):
        assert await turned_away(broker, token)


async def test_a_connection_ends_with_its_token(broker: Guarded) -> None:
    bus = await broker.somebody("shop", "visitor", "vera", exp=int(time.time()) + 2)

    async def gone() -> bool:
        return not bus.connected

    await until("the broker has ended the connection", gone)


async def test_a_key_that_the_platform_has_changed_is_fetched(
    server: NatsServer, directory: Path, tmp_path: Path
) -> None:
    """Until then a token of the new key is turned away, and after it one of the old."""
    old, new = Platform(directory), Platform(tmp_path)
    async with http_receiver() as receiver:
        receiver.answering = lambda _: Answer(body=jwks_of(old.public, "old"))
        environment = {
            "FERNAMT_AUTH_KEYS": f"http://127.0.0.1:{receiver.port}/keys.json",
            "FERNAMT_AUTH_REFRESH_S": "1",
        }
        async with guarded(server, directory, environment) as broker:
            first = old.token("shop", "visitor", "vera", key_id="old")
            second = new.token("shop", "visitor", "vera", key_id="new")
            await broker.somebody("shop", "visitor", "vera", token=first)
            assert await turned_away(broker, second)
            receiver.answering = lambda _: Answer(body=jwks_of(new.public, "new"))

            async def let_in() -> bool:
                return not await turned_away(broker, second)

            await until("the new key is known", let_in)
            assert await turned_away(broker, first)
            receiver.answering = lambda _: Answer(status=500)
            asked = len(receiver.received)

            async def asked_again() -> bool:
                return len(receiver.received) > asked + 1

            await until("the keys were asked for in vain", asked_again)
            await broker.somebody("shop", "visitor", "vera", token=second)


async def test_while_auth_is_replaced_everybody_gets_in(
    server: NatsServer, directory: Path
) -> None:
    """The new one first; then the old one is told to stop, while people come all the time."""
    broker = Guarded(server, directory, Platform(directory))
    settings = settings_from(broker.auth_environment())
    entered = 0
    stopping = asyncio.Event()

    async def keep_coming() -> None:
        nonlocal entered
        while not stopping.is_set():
            bus = await broker.somebody("shop", "visitor", f"v-{entered}")
            await bus.close()
            entered += 1

    old = await _serving(broker, settings)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(keep_coming())
        for _ in range(3):
            new = await _serving(broker, settings)
            await _ended(old)
            before, old = entered, new

            async def more() -> bool:
                return entered > before + 3  # noqa: B023 - it is looked at within this turn

            await until("people get in with the new one alone", more)
        stopping.set()
    await _ended(old)
    await broker.close()


class _Serving(NamedTuple):
    auth: Auth
    work: asyncio.Task[None]


async def _serving(broker: Guarded, settings: Settings) -> _Serving:
    auth = Auth(await broker.service("auth"), settings)
    work = asyncio.create_task(auth.run())
    await asyncio.wait_for(auth.ready.wait(), 30)
    return _Serving(auth, work)


async def _ended(serving: _Serving) -> None:
    serving.auth.stop()
    await serving.work


@pytest.mark.parametrize("service", ["router", "auth", "system"])
async def test_what_a_session_is_called_makes_no_service_of_it(
    broker: Guarded, service: str
) -> None:
    """A token for a service of the chat's is one of a back end, whatever it is called."""
    bus = await broker.somebody("shop", "service", service)
    for subject in ("fernamt.v1.cmd.shop.>", "$SYS.REQ.USER.AUTH", "$SYS.>"):
        with pytest.raises(PermissionError):
            await bus.subscribe(subject, lambda _: None)
