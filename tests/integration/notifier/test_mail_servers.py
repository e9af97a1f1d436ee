"""Mail servers that are away, hang or refuse, and the way to them."""

from pathlib import Path

import pytest

from services.notifier import mail as mail_channel
from services.notifier.channel_settings import ChannelSettings
from tests.integration.notifier.mailing import Opening, about, held_up, staff
from tests.servers.certificate import self_signed
from tests.servers.nats import NatsServer
from tests.servers.smtp import SmtpServer, smtp_server
from tests.servers.town import FAST, PATIENT, mailing, town


async def test_no04_a_server_that_was_away_gets_every_mail_once(
    opening: Opening, smtp: SmtpServer
) -> None:
    async with opening(PATIENT) as here:
        await held_up(here, smtp)
        await here.office.open("v2", "c2")
        await smtp.start()
        mails = await smtp.count(2)
        await here.quiet()
    assert sorted(map(about, mails)) == ["c1", "c2"]


async def test_no04_a_server_that_hangs_delays_no_feed_and_gets_the_mail_later(
    opening: Opening, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_channel, "TIMEOUT_S", 0.5)
    smtp.hangs = True
    async with opening(PATIENT) as here:
        await staff(here.office, "ana")
        feed = await here.office.feed("team")
        await here.office.open("v1", "c1")
        await smtp.offered(1)
        await here.office.open("v2", "c2")
        changed = "conversation_changed"
        await feed.until(lambda _: "c2" in [told["conversation_id"] for told in feed.of(changed)])
        smtp.hangs = False
        mails = await smtp.count(2)
        await here.quiet()
    by_conversation = {about(mail): mail.message["Message-ID"] for mail in mails}
    assert sorted(by_conversation) == ["c1", "c2"]
    assert by_conversation[about(smtp.unanswered[0])] == smtp.unanswered[0].message["Message-ID"]


@pytest.mark.parametrize("answer", ["451 later", "421 too much"])
async def test_no04_a_refusal_for_now_is_tried_again(
    opening: Opening, smtp: SmtpServer, answer: str
) -> None:
    smtp.answer_data = answer
    async with opening(PATIENT) as here:
        await staff(here.office, "ana")
        await here.office.open("v1", "c1")
        await smtp.offered(3)
        smtp.answer_data = "250 OK"
        await smtp.count(1)
        await here.quiet()
    assert len(smtp.mails) == 1


async def test_no04_a_mail_that_is_refused_again_and_again_becomes_a_dead_letter(
    opening: Opening, smtp: SmtpServer
) -> None:
    smtp.answer_data = "451 4.7.1 ana@desk.test is greylisted"
    async with opening(FAST) as here:
        await staff(here.office, "ana")
        await here.office.open("v1", "c1")
        (letter,) = await here.dead(1)
        assert smtp.tried == letter["attempts"] == 4
        assert letter["error"] == "the server refuses the mail: 451"


async def test_no04_a_mailbox_that_is_not_there_is_a_dead_letter_at_once(
    opening: Opening, smtp: SmtpServer
) -> None:
    smtp.answer_recipient = "550 5.1.1 no such user"
    async with opening(PATIENT) as here:
        await staff(here.office, "ana")
        await here.office.open("v1", "c1")
        (letter,) = await here.dead(1)
        assert (letter["attempts"], letter["error"]) == (1, "the server refuses the recipient: 550")
        smtp.answer_recipient = "250 OK"
        reply = await here.office.ask("admin", "root", "resend_dead_letters")
        assert reply["result"] == {"resent": 1}
        await smtp.count(1)


async def test_no04_no05_a_restart_sends_nothing_twice(opening: Opening, smtp: SmtpServer) -> None:
    async with opening() as here:
        await staff(here.office, "ana")
        await here.office.open("v1", "c1")
        await smtp.count(1)
        await here.quiet()
    async with opening() as here:
        await here.office.open("v2", "c2")
        await smtp.count(2)
        await here.quiet()
    assert len(smtp.mails) == 2


@pytest.mark.parametrize(("security", "at_once"), [("starttls", False), ("tls", True)])
async def test_no03_the_way_to_the_server_is_encrypted_and_its_certificate_checked(
    nats: NatsServer,
    tmp_path: Path,
    security: str,
    at_once: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate = self_signed(tmp_path)
    url = f"sqlite:///{tmp_path}/data"
    async with smtp_server(certificate, at_once=at_once) as server:
        login = {"username": "chat", "password": "open sesame"}
        mails = ChannelSettings(mail=mailing(server, security=security, **login), pace=FAST)
        async with town(nats.url, url, mails) as here:
            await staff(here.office, "ana")
            await here.office.open("v1", "c1")
            await here.dead(1)
        assert (server.tried, server.logins) == (0, [])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
        async with town(nats.url, url, mails) as here:
            await here.office.ask("admin", "root", "resend_dead_letters")
            await server.count(1)
        assert [(one.login, one.password) for one in server.logins] == [(b"chat", b"open sesame")]


async def test_no03_a_server_without_encryption_gets_neither_password_nor_mail(
    opening: Opening, smtp: SmtpServer
) -> None:
    async with opening(FAST, security="starttls", username="chat", password="sesame") as here:
        await staff(here.office, "ana")
        await here.office.open("v1", "c1")
        (letter,) = await here.dead(1)
    assert "could not be used" in str(letter["error"])
    assert (smtp.tried, smtp.logins) == (0, [])
