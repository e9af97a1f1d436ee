"""E-mails about conversations that nobody answered: what they say, and to whom they go."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.notifier import transcripts
from services.notifier.channel_settings import ChannelSettings
from tests.integration.notifier.mailing import Opening, held_up, missed, staff, transcripts_from
from tests.servers.nats import NatsServer
from tests.servers.smtp import SmtpServer
from tests.servers.town import PATIENT, town

TOKEN = "f6a1c2d9-canary"


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
        await staff(here.office, "ana", locale=locale)
        names = {"de": "Webseite"}
        await here.office.admin("define_entry_point", entry_point_id="site", names=names)
        await transcripts_from(here.office, f'{{"text": "Is <b>{TOKEN}</b>\\nö & so?"}}'.encode())
        await missed(here.office)
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
        await staff(here.office, "ana", "ben")
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
        await staff(here.office, "ana")
        await missed(here.office)
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
            await staff(here.office, "ana")
            await transcripts_from(here.office, answer)
            await missed(here.office)
            (mail,) = await smtp.count(1)
    assert "The transcript is not included" in mail.part("plain")
    (left_out,) = [entry for entry in logs if entry["event"] == "transcript_left_out"]
    assert reason in left_out["reason"]


async def test_no03_what_is_typed_into_names_begins_no_header(
    opening: Opening, smtp: SmtpServer
) -> None:
    async with opening() as here:
        await staff(here.office, "ana", name="Ana\r\nBcc: eve@evil.test\n\nHello", locale="en")
        evil = "Site\r\nBcc: eve@evil.test"
        await here.office.admin("define_entry_point", entry_point_id="site", name=evil)
        await transcripts_from(here.office, b'{"text": "one\\r\\n.\\r\\nQUIT\\r\\n\\u0007two"}')
        await missed(here.office)
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
        await staff(here.office, "ana", email=email)
        await here.office.open("v1", "c1")
        (letter,) = await here.dead(1)
    assert (letter["channel"], letter["recipient"], letter["attempts"]) == ("mail", "ana", 1)
    assert letter["error"] == "the address is no address"
    assert smtp.tried == 0


# --- who gets none --------------------------------------------------------------------------


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
            await held_up(here, smtp)
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
            await staff(here.office, "ana")
            for number in range(3):
                await here.office.open(f"v{number}", f"c{number}")
            await here.office.ask("admin", "root", "dead_letters", min_position=1)
            position = await here.office.position()
            await here.office.ask("admin", "root", "dead_letters", min_position=position)
            assert await here.store.outbox.lanes() == []
    assert len([entry for entry in logs if entry["event"] == "mails_not_sent"]) == 1
