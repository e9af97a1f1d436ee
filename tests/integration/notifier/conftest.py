"""Receivers for each test of this room, and the address of its log."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from services.notifier.channel_settings import ChannelSettings, Pace
from tests.integration.notifier.hooks import local
from tests.integration.notifier.mailing import Opening
from tests.servers.http_receiver import HttpReceiver, http_receiver
from tests.servers.nats import NatsServer
from tests.servers.smtp import SmtpServer, smtp_server
from tests.servers.town import FAST, Town, mailing, town


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpServer]:
    async with smtp_server() as server:
        yield server


@pytest.fixture
async def receiver() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as made:
        yield made


@pytest.fixture
async def other() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as made:
        yield made


@pytest.fixture
def log_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/data"


@pytest.fixture
async def here(nats: NatsServer, log_url: str) -> AsyncIterator[Town]:
    """A town whose webhooks may lead to this machine, and are tried four times."""
    async with town(nats.url, log_url, local(FAST)) as opened:
        yield opened


@pytest.fixture
def opening(nats: NatsServer, tmp_path: Path, smtp: SmtpServer) -> Opening:
    """Open the town with mails; the same store and broker whenever it is opened again."""

    @asynccontextmanager
    async def open_it(pace: Pace = FAST, **settings: Any) -> AsyncIterator[Town]:
        mails = ChannelSettings(mail=mailing(smtp, **settings), pace=pace)
        async with town(nats.url, f"sqlite:///{tmp_path}/data", mails) as opened:
            yield opened

    return open_it
