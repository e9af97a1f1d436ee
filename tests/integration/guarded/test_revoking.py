"""A token that has not expired, and holds no more."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.auth.service import Auth
from services.auth.settings import settings_from
from tests.integration.guarded.test_entering import turned_away
from tests.servers.guarded import Guarded, guarded
from tests.servers.nats import NatsServer
from tests.servers.waiting import until

PEOPLE = (("operator", "ana"), ("visitor", "vera"))
LATER_S = 10
"""After now, so that a token of this second is older for sure."""


def _write(file: Path, content: str) -> None:
    file.write_text(content)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """The platform's list of those whose tokens are revoked."""
    file = tmp_path / "revoked.json"
    _write(file, "{}")
    return file


@pytest.fixture
async def broker(server: NatsServer, directory: Path, listed: Path) -> AsyncIterator[Guarded]:
    environment = {"FERNAMT_AUTH_REVOKED": str(listed), "FERNAMT_AUTH_REFRESH_S": "1"}
    async with guarded(server, directory, environment) as entered:
        yield entered


async def test_whose_tokens_are_revoked_is_sent_away_and_nobody_else(
    broker: Guarded, listed: Path
) -> None:
    ana, vera = [await broker.somebody("shop", kind, name) for kind, name in PEOPLE]
    again = await broker.somebody("shop", "operator", "ana")
    namesake = await broker.somebody("shop", "visitor", "ana")
    since = int(time.time()) + LATER_S
    _write(listed, json.dumps({"shop.operator.ana": since, "bank.operator.ben": since}))

    async def gone() -> bool:
        return not ana.connected and not again.connected

    await until("both of ana's connections have ended", gone)
    assert await turned_away(broker, broker.platform.token("shop", "operator", "ana"))
    assert await turned_away(broker, broker.platform.token("shop", "operator", "ana", iat=None))
    await broker.somebody("shop", "operator", "ana", iat=since)
    for bus in (vera, namesake):
        assert bus.connected
        assert bus.counters.reconnected == 0


async def test_a_list_that_cannot_be_read_changes_nothing(broker: Guarded, listed: Path) -> None:
    since = int(time.time()) + LATER_S
    _write(listed, json.dumps({"shop.visitor.vera": since}))
    token = broker.platform.token("shop", "visitor", "vera")

    async def revoked() -> bool:
        return await turned_away(broker, token)

    await until("vera's tokens are revoked", revoked)
    for spoilt in ("nothing", '{"shop.visitor.vera": "soon"}', "[]"):
        _write(listed, spoilt)
        assert await revoked()
    _write(listed, "{}")

    async def let_in() -> bool:
        return not await revoked()

    await until("the list is read again", let_in)


@pytest.mark.parametrize("content", ["nothing", "[]", '{"a": 1.5}'])
async def test_without_a_list_that_was_asked_for_it_does_not_begin(
    broker: Guarded, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "another.json"
    _write(file, content)
    environment = {**broker.auth_environment(), "FERNAMT_AUTH_REVOKED": str(file)}
    auth = Auth(await broker.service("auth"), settings_from(environment))
    with pytest.raises(ValueError, match=r"revoked session tokens, .*another\.json"):
        await auth.run()


def test_a_list_is_not_needed(broker: Guarded) -> None:
    assert settings_from(broker.auth_environment()).revoked == ""
