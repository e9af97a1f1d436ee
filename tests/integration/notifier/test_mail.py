"""E-mails about conversations that nobody answered: what they say, to whom, and when they go."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.notifier import mail as mail_channel
from services.notifier import transcripts
from services.notifier.channel_settings import ChannelSettings, Pace
from shared.ports import Lane, Message
from shared.routing.ids import WorkspaceId
from tests.servers.certificate import self_signed
from tests.servers.nats import NatsServer
from tests.servers.office import Office
from tests.servers.smtp import Mailed, SmtpServer, smtp_server
from tests.servers.town import FAST, PATIENT, Town, mailing, town
from tests.servers.waiting import until

pytest_plugins = ["tests.servers.nats_fixtures"]

TOKEN = "f6a1c2d9-canary"


@pytest.fixture
async def smtp() -> AsyncIterator[SmtpServer]:
    async with smtp_server() as server:
        yield server


Opening = Callable[..., Any]


@pytest.fixture
def opening(nats: NatsServer, tmp_path: Path, smtp: SmtpServer) -> Opening:
    """Open the town with mails; the same store and broker whenever it is opened again."""

    @asynccontextmanager
    async def open_it(pace: Pace = FAST, **settings: Any) -> AsyncIterator[Town]:
        mails = ChannelSettings(mail=mailing(smtp, **settings), pace=pace)
        async with town(nats.url, f"sqlite:///{tmp_path}/data", mails) as opened:
            yield opened

    return open_it


async def _staff(office: Office, *operators: str, **settings: Any) -> None:
    """A workspace with these operators in the group of its entry point, who want mails."""
    await office.set_up()
    for who in operators:
        fields = {"name": f"{who.title()} Čapek", "email": f"{who}@desk.test", **settings}
        await office.admin("register_operator", operator_id=who, email_missed=True, **fields)
        await office.admin("join_group", operator_id=who, group_id="support")


async def _missed(office: Office, conversation: str = "c1") -> None:
    """A conversation that found somebody, and ended without an answer."""
    await office.admin("register_operator", operator_id="eva", capacity=9)
    await office.admin("join_group", operator_id="eva", group_id="support")
    await office.come_online("eva")
    await office.open("v1", conversation)
    await office.visitor("v1", "close", conversation_id=conversation)


async def _transcripts(office: Office, answer: bytes | None) -> None:
    """A chat back end that offers transcripts; ``None`` never answers."""

    def on_request(message: Message) -> None:
        if answer is not None:
            office.client.bus.publish(message.reply, answer)

    subject = f"fernamt.v1.transcript.{office.workspace}.*"
    await office.client.bus.subscribe(subject, on_request)


# --- what they say --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("de-AT", ("Verpasster Chat: Webseite", "Hallo Ana Čapek,", "keine Antwort", "de")),
        ("en", ("Missed chat: Site", "Hello Ana Čapek,", "got no answer", "en")),
        ("fr", ("Missed chat: Site", "Hello Ana Čapek,", "got no answer", "en")),
    ],
)
async def test_tm04_no03_gr11_a_missed_chat_is_mailed_with_its_transcript(
    opening: Opening, smtp: SmtpServer, locale: str, expected: tuple[str, str, str, str]
) -> None:
    subject, greeting, says, language = expected
    async with opening() as here:
        await _staff(here.office, "ana", locale=locale)
        names = {"de": "Webseite"}
        await here.office.admin("define_entry_point", entry_point_id="site", names=names)
        await _transcripts(here.office, f'{{"text": "Is <b>{TOKEN}</b>\\nö & so?"}}'.encode())
        await _missed(here.office)
        (mail,) = await smtp.count(1)
        await here.quiet()
    message = mail.message
    assert mail.recipients == ("ana@desk.test",)
    assert mail.sender == "chat@fernamt.test"
    assert message["To"].addresses[0].display_name == "Ana Čapek"
    assert message["From"].addresses[0].addr_spec == "chat@fernamt.test"
    assert (message["Subject"], message["Content-Language"]) == (subject, language)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@fernamt.test>")
    plain, page = mail.part("plain"), mail.part("html")
    assert plain.startswith(greeting)
    for text in (says, "c1", "ö"):
        assert text in plain
        assert text in page
    assert f"Is <b>{TOKEN}</b>\nö & so?" in plain
    assert f"Is &lt;b&gt;{TOKEN}&lt;/b&gt;\nö &amp; so?" in page
    assert f'<html lang="{language}">' in page


@pytest.mark.parametrize(("locale", "greeting"), [("de", "Hallo,"), ("en", "Hello,")])
async def test_no03_gr11_without_a_locale_of_ones_own_the_workspaces_holds(
    opening: Opening, smtp: SmtpServer, locale: str, greeting: str
) -> None:
    async with opening() as here:
        await here.office.admin("create_workspace", name="Acme", locale=locale)
        await here.office.admin("create_group", group_id="support", name="Support")
        site = {"entry_point_id": "site", "name": "Site", "groups": ["support"]}
        await here.office.admin("define_entry_point", **site)
        ana = {"operator_id": "ana", "email": "ana@desk.test", "email_missed": True}
        await here.office.admin("register_operator", **ana)
        await here.office.open("v1", "c1")
        (mail,) = await smtp.count(1)
    assert mail.part("plain").startswith(greeting)
    assert mail.message["To"] == "ana@desk.test"


async def test_no03_a_chat_that_finds_nobody_is_mailed_at_once_and_once(
    opening: Opening, smtp: SmtpServer
) -> None:
    async with opening() as here:
        await _staff(here.office, "ana", "ben")
        await here.office.open("v1", "c1")
        await here.office.visitor("v1", "write", conversation_id="c1")
        mails = await smtp.count(2)
        await here.quiet()
    assert sorted(mail.recipients[0] for mail in mails) == ["ana@desk.test", "ben@desk.test"]
    assert {mail.message["Subject"] for mail in mails} == {"New chat while nobody was there: Site"}
    assert len({mail.message["Message-ID"] for mail in mails}) == 2


async def test_tm04_without_a_chat_back_end_the_mail_says_what_is_known(
    opening: Opening, smtp: SmtpServer
) -> None:
    async with opening() as here:
        await _staff(here.office, "ana")
        await _missed(here.office)
        (mail,) = await smtp.count(1)
    assert "The transcript is not included" in mail.part("plain")
    assert "The transcript is not included" in mail.part("html")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"no json", "the answer is not a text"),
        (b'{"text": 7}', "the answer is not a text"),
        (b'{"text": "\xff"}', "the answer is not a text"),
        (b"[" * 100_000, "the answer is not a text"),
        (b"", "the answer is not a text"),
        (b'{"text": "' + b"x" * transcripts.BYTES_MAX + b'"}', "at most"),
        (None, "no answer within"),
    ],
    ids=["no json", "no text", "no utf-8", "too deep", "empty", "too long", "silent"],
)
async def test_tm04_a_transcript_that_is_none_is_left_out_and_logged(
    opening: Opening,
    smtp: SmtpServer,
    answer: bytes | None,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transcripts, "TIMEOUT_S", 0.3)
    with capture_logs() as logs:
        async with opening() as here:
            await _staff(here.office, "ana")
            await _transcripts(here.office, answer)
            await _missed(here.office)
            (mail,) = await smtp.count(1)
    assert "The transcript is not included" in mail.part("plain")
    (left_out,) = [entry for entry in logs if entry["event"] == "transcript_left_out"]
    assert reason in left_out["reason"]


async def test_no03_what_is_typed_into_names_begins_no_header(
    opening: Opening, smtp: SmtpServer
) -> None:
    async with opening() as here:
        await _staff(here.office, "ana", name="Ana\r\nBcc: eve@evil.test\n\nHello", locale="en")
        evil = "Site\r\nBcc: eve@evil.test"
        await here.office.admin("define_entry_point", entry_point_id="site", name=evil)
        await _transcripts(here.office, b'{"text": "one\\r\\n.\\r\\nQUIT\\r\\n\\u0007two"}')
        await _missed(here.office)
        (mail,) = await smtp.count(1)
    assert mail.recipients == ("ana@desk.test",)
    assert "Bcc" not in mail.message
    assert mail.message["Subject"] == "Missed chat: Site Bcc: eve@evil.test"
    assert "one\n.\nQUIT\ntwo" in mail.part("plain")


@pytest.mark.parametrize(
    "email", ["nobody", "a@b@", "ana@desk.test\r\nBcc: eve@evil.test", "a@b.test, c@d.test", "@x"]
)
async def test_no04_an_address_that_is_none_is_a_dead_letter_at_once(
    opening: Opening, smtp: SmtpServer, email: str
) -> None:
    async with opening() as here:
        await _staff(here.office, "ana", email=email)
        await here.office.open("v1", "c1")
        (letter,) = await here.dead(1)
    assert (letter["channel"], letter["recipient"], letter["attempts"]) == ("mail", "ana", 1)
    assert letter["error"] == "the address is no address"
    assert smtp.tried == 0


def _about(mail: Mailed) -> str:
    """The conversation that a mail in English is about."""
    (line,) = [one for one in mail.part("plain").split("\n") if one.startswith("Conversation: ")]
    return line.removeprefix("Conversation: ")


# --- who gets none --------------------------------------------------------------------------


async def _held_up(here: Town, smtp: SmtpServer) -> None:
    """A mail to ana waits for a server that is away."""
    await smtp.stop()
    await _staff(here.office, "ana")
    await here.office.open("v1", "c1")

    async def look() -> bool:
        pending = await here.store.outbox.next_of(Lane(WorkspaceId("acme"), "mail", "ana"))
        return pending is not None and pending.attempts > 0

    await until("a try has failed", look)


@pytest.mark.parametrize(
    ("command", "fields", "reason"),
    [
        ("erase", {"subject": "operator:ana"}, "the address was erased"),
        ("update_operator", {"operator_id": "ana", "email": "new@desk.test"}, "changed"),
        ("update_operator", {"operator_id": "ana", "email": None}, "wants no mails"),
        ("update_operator", {"operator_id": "ana", "email_missed": False}, "wants no mails"),
        ("remove_operator", {"operator_id": "ana"}, "wants no mails"),
    ],
)
async def test_no03_nothing_is_sent_to_whom_it_is_not_for_any_more(
    opening: Opening, smtp: SmtpServer, command: str, fields: dict[str, Any], reason: str
) -> None:
    with capture_logs() as logs:
        async with opening(PATIENT) as here:
            await _held_up(here, smtp)
            await here.office.admin(command, **fields)
            await here.quiet()
            await smtp.start()
    assert smtp.mails == []
    (noted,) = [entry for entry in logs if entry["event"] == "not_needed"]
    assert reason in noted["reason"]


async def test_no03_without_a_server_no_mails_are_made_and_that_is_said_once(
    nats: NatsServer, tmp_path: Path
) -> None:
    with capture_logs() as logs:
        async with town(nats.url, f"sqlite:///{tmp_path}/data", ChannelSettings()) as here:
            await _staff(here.office, "ana")
            for number in range(3):
                await here.office.open(f"v{number}", f"c{number}")
            await here.office.ask("admin", "root", "dead_letters", min_position=1)
            position = await here.office.position()
            await here.office.ask("admin", "root", "dead_letters", min_position=position)
            assert await here.store.outbox.lanes() == []
    assert len([entry for entry in logs if entry["event"] == "mails_not_sent"]) == 1


# --- servers in trouble ---------------------------------------------------------------------


async def test_no04_a_server_that_was_away_gets_every_mail_once(
    opening: Opening, smtp: SmtpServer
) -> None:
    async with opening(PATIENT) as here:
        await _held_up(here, smtp)
        await here.office.open("v2", "c2")
        await smtp.start()
        mails = await smtp.count(2)
        await here.quiet()
    assert sorted(map(_about, mails)) == ["c1", "c2"]


async def test_no04_a_server_that_hangs_delays_no_feed_and_gets_the_mail_later(
    opening: Opening, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_channel, "TIMEOUT_S", 0.5)
    smtp.hangs = True
    async with opening(PATIENT) as here:
        await _staff(here.office, "ana")
        feed = await here.office.feed("team")
        await here.office.open("v1", "c1")
        await smtp.offered(1)
        await here.office.open("v2", "c2")
        about = "conversation_changed"
        await feed.until(lambda _: "c2" in [m["conversation_id"] for m in feed.of(about)])
        smtp.hangs = False
        mails = await smtp.count(2)
        await here.quiet()
    by_conversation = {_about(mail): mail.message["Message-ID"] for mail in mails}
    assert sorted(by_conversation) == ["c1", "c2"]
    assert by_conversation[_about(smtp.unanswered[0])] == smtp.unanswered[0].message["Message-ID"]


@pytest.mark.parametrize("answer", ["451 later", "421 too much"])
async def test_no04_a_refusal_for_now_is_tried_again(
    opening: Opening, smtp: SmtpServer, answer: str
) -> None:
    smtp.answer_data = answer
    async with opening(PATIENT) as here:
        await _staff(here.office, "ana")
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
        await _staff(here.office, "ana")
        await here.office.open("v1", "c1")
        (letter,) = await here.dead(1)
        assert smtp.tried == letter["attempts"] == 4
        assert letter["error"] == "the server refuses the mail: 451"


async def test_no04_a_mailbox_that_is_not_there_is_a_dead_letter_at_once(
    opening: Opening, smtp: SmtpServer
) -> None:
    smtp.answer_recipient = "550 5.1.1 no such user"
    async with opening(PATIENT) as here:
        await _staff(here.office, "ana")
        await here.office.open("v1", "c1")
        (letter,) = await here.dead(1)
        assert (letter["attempts"], letter["error"]) == (1, "the server refuses the recipient: 550")
        smtp.answer_recipient = "250 OK"
        reply = await here.office.ask("admin", "root", "resend_dead_letters", all=True)
        assert reply["result"] == {"resent": 1}
        await smtp.count(1)


async def test_no04_no05_a_restart_sends_nothing_twice(opening: Opening, smtp: SmtpServer) -> None:
    async with opening() as here:
        await _staff(here.office, "ana")
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
            await _staff(here.office, "ana")
            await here.office.open("v1", "c1")
            await here.dead(1)
        assert (server.tried, server.logins) == (0, [])
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
        async with town(nats.url, url, mails) as here:
            await here.office.ask("admin", "root", "resend_dead_letters", all=True)
            await server.count(1)
        assert [(one.login, one.password) for one in server.logins] == [(b"chat", b"open sesame")]


async def test_no03_a_server_without_encryption_gets_neither_password_nor_mail(
    opening: Opening, smtp: SmtpServer
) -> None:
    async with opening(FAST, security="starttls", username="chat", password="sesame") as here:
        await _staff(here.office, "ana")
        await here.office.open("v1", "c1")
        (letter,) = await here.dead(1)
    assert "could not be used" in str(letter["error"])
    assert (smtp.tried, smtp.logins) == (0, [])
