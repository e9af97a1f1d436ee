"""The notifier as a process of its own: killed, paused and restarted between mails and webhooks."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from shared.adapters.open_store import open_store
from shared.runtime.failpoints import VARIABLE
from tests.integration.notifier.hooks import hook
from tests.integration.notifier.mailing import about, staff, transcripts_from
from tests.servers.client import connected
from tests.servers.engine import ROOT, fernamt, surroundings
from tests.servers.http_receiver import Answer, HttpReceiver
from tests.servers.nats import NatsServer
from tests.servers.office import Office
from tests.servers.process import Process
from tests.servers.smtp import SmtpServer
from tests.servers.streams import events_of_stream
from tests.servers.waiting import until

LEASE_MS = 600
KILLED = 137


class Works:
    """A router and notifiers in processes of their own, and one workspace."""

    def __init__(self, store_url: str, nats: NatsServer, smtp: SmtpServer, place: Path) -> None:
        self.store_url = store_url
        self.environment = {
            "FERNAMT_STORE_URL": store_url,
            "FERNAMT_NATS_URL": nats.url,
            "FERNAMT_LEASE_MS": str(LEASE_MS),
            "FERNAMT_LOG_LEVEL": "debug",
            "FERNAMT_SMTP_URL": smtp.url,
            "FERNAMT_MAIL_FROM": "Fernamt <chat@fernamt.test>",
            "FERNAMT_WEBHOOKS_PRIVATE": "allow",
            "FERNAMT_SEND_RETRY_MS": "1",
            "FERNAMT_SEND_ATTEMPTS_MAX": "100",
        }
        self._place = place
        self._processes: list[Process] = []
        self.router = self.process("router")
        self.notifier = self.process("notifier")

    def process(self, service: str, **environment: str) -> Process:
        place = self._place / f"{service}-{len(self._processes)}"
        place.mkdir()
        made = Process(service, place, {**self.environment, **environment})
        self._processes.append(made)
        return made

    @property
    def said(self) -> str:
        """What all of them logged."""
        return "".join(process.stderr for process in self._processes)

    def end(self) -> None:
        for process in self._processes:
            process.kill()

    async def rows(self) -> list[asyncpg.Record]:
        """The outbox as it stands in the database."""
        connection = await asyncpg.connect(self.store_url)
        try:
            found: list[asyncpg.Record] = await connection.fetch("select * from outbox")
            return found
        finally:
            await connection.close()

    async def quiet(self) -> None:
        """Wait until nothing waits in the outbox."""

        async def look() -> bool:
            return all(row["state"] != "waiting" for row in await self.rows())

        await until("the outbox has sent everything", look)


@pytest.fixture
async def works(
    postgres_url: str, nats: NatsServer, smtp: SmtpServer, tmp_path: Path
) -> AsyncIterator[Works]:
    store = await open_store(postgres_url, migrate=True)
    await store.close()
    made = Works(postgres_url, nats, smtp, tmp_path)
    await asyncio.to_thread(made.router.start)
    yield made
    made.end()


@pytest.fixture
async def office(works: Works, nats: NatsServer) -> AsyncIterator[Office]:
    async with connected(nats.url) as client:
        yield Office(client, "acme")


async def test_no04_killed_while_a_mail_is_under_way_none_is_lost_and_that_one_comes_again(
    works: Works, office: Office, smtp: SmtpServer, receiver: HttpReceiver
) -> None:
    await asyncio.to_thread(works.notifier.start)
    await staff(office, "ana", "ben")
    await hook(office, receiver.url, "conversation_opened")
    for number in range(3):
        await office.open(f"v{number}", f"c{number}")
    await smtp.count(6)
    await receiver.count(3)
    smtp.hangs = True
    receiver.answering = lambda one: Answer(500 if one.fields["data"]["position"] % 2 else 200)
    for number in range(3, 9):
        await office.open(f"v{number}", f"c{number}")
    await smtp.offered(8)
    works.notifier.kill()
    smtp.hangs = False
    receiver.answering = lambda _: Answer()
    await asyncio.to_thread(works.notifier.start)
    await works.quiet()
    sent = Counter((mail.recipients[0], about(mail)) for mail in smtp.mails)
    wanted = {(f"{who}@desk.test", f"c{number}") for who in ("ana", "ben") for number in range(9)}
    assert sent == dict.fromkeys(wanted, 1)
    again = {mail.message["Message-ID"] for mail in smtp.mails}
    assert {mail.message["Message-ID"] for mail in smtp.unanswered} < again
    taken = [one.fields["data"]["conversation_id"] for one in receiver.received]
    assert set(taken) == {f"c{number}" for number in range(9)}
    bodies: dict[str, set[bytes]] = {}
    for one in receiver.received:
        bodies.setdefault(one.its_id, set()).add(one.body)
    assert [len(same) for same in bodies.values()] == [1] * 9


@pytest.mark.parametrize("place", ["before_feed", "before_progress", "after_progress"])
async def test_no04_no05_killed_before_its_position_is_saved_it_sends_nothing_twice(
    works: Works, office: Office, smtp: SmtpServer, receiver: HttpReceiver, place: str
) -> None:
    await staff(office, "ana")
    before = await office.position()
    await hook(office, receiver.url, "*")
    for number in range(5):
        await office.open(f"v{number}", f"c{number}")
    dying = works.process("notifier", **{VARIABLE: f"{place}:1"})
    with contextlib.suppress(RuntimeError):  # it died before it was ready
        await asyncio.to_thread(dying.start)
    assert await asyncio.to_thread(dying.wait) == KILLED
    at_death = len(smtp.mails), len(receiver.received)
    await asyncio.to_thread(works.notifier.start)
    head = await office.position()
    await receiver.has(lambda received: len({one.its_id for one in received}) == head - before)
    await smtp.count(5)
    await works.quiet()
    in_flight = 1
    assert sorted({about(mail) for mail in smtp.mails}) == [f"c{number}" for number in range(5)]
    assert len(smtp.mails) <= 5 + in_flight, at_death
    assert len(receiver.received) <= head - before + in_flight, at_death
    assert list(dict.fromkeys(receiver.ids)) == [
        f"acme:{position}" for position in range(before + 1, head + 1)
    ]


async def test_no04_another_notifier_takes_over_from_one_that_stands_still(
    works: Works, office: Office, smtp: SmtpServer
) -> None:
    await asyncio.to_thread(works.notifier.start)
    await staff(office, "ana")
    await office.open("v1", "c1")
    await smtp.count(1)
    second = works.process("notifier")
    works.notifier.pause()
    await office.open("v2", "c2")
    await asyncio.to_thread(second.start)
    await smtp.count(2)
    works.notifier.resume()
    await office.open("v3", "c3")
    await smtp.count(3)
    await works.quiet()
    ids = [mail.message["Message-ID"] for mail in smtp.mails]
    assert {about(mail) for mail in smtp.mails} == {"c1", "c2", "c3"}
    assert len(set(ids)) == 3
    assert len(ids) <= 4


async def test_no03_personal_texts_are_in_mails_and_nowhere_else(
    works: Works, office: Office, smtp: SmtpServer, receiver: HttpReceiver
) -> None:
    await asyncio.to_thread(works.notifier.start)
    canaries = {"name": "Zaza-Canary-Name", "email": "zaza-canary@desk.test"}
    await staff(office, "ana", **canaries)
    await transcripts_from(office, b'{"text": "zaza-canary-transcript"}')
    await hook(office, receiver.url, "*", "missed", "conversation_changed")
    feed = await office.feed("team")
    smtp.answer_data = "451 zaza-canary@desk.test is greylisted"
    await office.open("v1", "c1", attributes={"said": "zaza-canary-attribute"})
    await office.visitor("v1", "close", conversation_id="c1", text="zaza-canary-reason")
    await smtp.offered(4)
    waiting = await works.rows()
    smtp.answer_data = "250 OK"
    (first, second) = await smtp.count(2)
    await works.quiet()
    head = await office.position()
    assert "zaza-canary-transcript" in first.part("plain") + second.part("html")
    assert first.recipients == ("zaza-canary@desk.test",)
    assert any(row["channel"] == "mail" for row in waiting)
    assert "greylisted" not in works.said
    said_elsewhere = {
        "logs": works.said,
        "outbox": repr([dict(row) for row in waiting + await works.rows()]),
        "webhooks": repr(receiver.received),
        "feeds": repr(feed.bodies),
        "stream": repr(await events_of_stream(office.client, "acme", upto=head)),
    }
    for where, text in said_elsewhere.items():
        assert text, where
        assert "zaza" not in text.lower(), where


async def test_no05_reading_the_log_again_sends_nothing(
    works: Works, office: Office, smtp: SmtpServer, receiver: HttpReceiver
) -> None:
    await asyncio.to_thread(works.notifier.start)
    await staff(office, "ana")
    await hook(office, receiver.url, "*")
    await office.open("v1", "c1")
    await smtp.count(1)
    await works.quiet()
    works.notifier.stop()
    offered, posted = smtp.tried, receiver.connections
    process = await asyncio.create_subprocess_exec(
        *fernamt("verify"),
        cwd=ROOT,
        env=surroundings(works.environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    assert b"identical" in said
    assert (smtp.tried, receiver.connections) == (offered, posted)
