"""E-mails: put together when they are sent, from what the vault and the chat back end hold then.

No address and no text of a mail is ever logged, or stands in the outbox or in what is said of a
failure: a server's own words often repeat the address.
"""

import asyncio
import contextlib
import hashlib
import ssl
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple

import aiosmtplib
import jinja2
import msgspec

from services.notifier.channel_settings import MailSettings
from services.notifier.delivering import SENT, Outcome, Result
from services.notifier.outbox import message_id
from services.notifier.phrases import duration, in_language, language_of, phrase
from services.notifier.transcripts import transcript_of
from shared.ports import Bus, Clock, OutboxRow, StoreError, Vault
from shared.routing.ids import Ref
from shared.routing.notify.mails import Mail, wants
from shared.routing.state import Operator
from shared.routing.workspace import Workspace
from shared.wire.sealed import unseal

TIMEOUT_S = 30.0
"""For everything that is said to the server about one mail."""
NAME_MAX = 200

_decode = msgspec.json.Decoder(Mail).decode

_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)


class MailSender:
    """The channel ``mail``."""

    def __init__(
        self, settings: MailSettings, vault: Vault, bus: Bus, clock: Clock, tls: ssl.SSLContext
    ) -> None:
        self._settings = settings
        self._vault = vault
        self._bus = bus
        self._clock = clock
        self._tls = tls

    async def send(self, workspace: Workspace, row: OutboxRow, _trace: str | None) -> Outcome:
        """Send one mail, unless its receiver is gone, wants none any more or has moved."""
        mail = _decode(row.body)
        operator = workspace.operators.get(mail.operator_id)
        if operator is None or not wants(workspace, operator):
            return Outcome("not_needed", "the operator wants no mails now")
        if operator.email != mail.email:
            return Outcome("not_needed", "the address was changed")
        try:
            name, email = await self._texts(operator.name, mail.email)
        except StoreError:
            return Outcome("failed", "the vault could not be read")
        if email is None:
            return Outcome("not_needed", "the address was erased")
        try:
            receiver = _address(name or "", email)
        except (ValueError, IndexError, UnicodeError):
            return Outcome("hopeless", "the address is no address")
        transcript = await transcript_of(self._bus, row.workspace_id, mail.conversation_id)
        moment = datetime.fromtimestamp(self._clock.wall_ms() / 1_000, UTC)
        message = _message(
            _content(workspace, mail, operator, name, transcript),
            _Envelope(self._settings.sender, receiver, _id_of(row, self._settings.sender), moment),
        )
        return await self._hand_over(message, receiver)

    async def _texts(self, *refs: Ref | None) -> list[str | None]:
        bodies = await self._vault.read([ref for ref in refs if ref is not None])
        texts = {ref: unseal(body) for ref, body in bodies.items()}
        found = [texts.get(ref) if ref is not None else None for ref in refs]
        return [text if isinstance(text, str) and text else None for text in found]

    async def _hand_over(self, message: EmailMessage, receiver: Address) -> Outcome:
        settings = self._settings
        server = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=settings.password,
            local_hostname=settings.sender.domain,  # asking the machine may wait for a name server
            timeout=TIMEOUT_S,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            tls_context=self._tls if settings.security != "none" else None,
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await server.connect()
                await server.send_message(
                    message, sender=settings.sender.addr_spec, recipients=[receiver.addr_spec]
                )
            with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await server.quit()
        except aiosmtplib.SMTPRecipientsRefused as error:
            code = error.recipients[0].code
            return Outcome(_by_code(code), f"the server refuses the recipient: {code}")
        except aiosmtplib.SMTPDataError as error:
            return Outcome(_by_code(error.code), f"the server refuses the mail: {error.code}")
        except aiosmtplib.SMTPResponseException as error:
            return Outcome("failed", f"the server refuses: {type(error).__name__} {error.code}")
        except TimeoutError:
            return Outcome("failed", f"the server took longer than {TIMEOUT_S:g} s")
        except (aiosmtplib.SMTPException, OSError) as error:
            return Outcome("failed", f"the server could not be used: {type(error).__name__}")
        finally:
            server.close()
        return SENT


def _by_code(code: int) -> Result:
    """5xx is final by the protocol, as 550 for a mailbox that is not there; 4xx is not."""
    return "hopeless" if code >= 500 else "failed"


# --- putting it together --------------------------------------------------------------------


class Content(NamedTuple):
    """What a mail says, in its receiver's language."""

    language: str
    subject: str
    greeting: str
    happened: str
    conversation: str
    transcript: str | None
    transcript_title: str
    no_transcript: str
    why: str


class _Envelope(NamedTuple):
    sender: Address
    receiver: Address
    message_id: str
    at: datetime


def _content(
    workspace: Workspace, mail: Mail, operator: Operator, name: str | None, transcript: str | None
) -> Content:
    language = language_of(operator.locale, workspace.locale)
    entry_point = workspace.entry_points.get(mail.entry_point_id)
    called = (
        mail.entry_point_id
        if entry_point is None
        else _line(in_language(language, entry_point.names, entry_point.name))
    )
    waited = duration(mail.waited_ms, language)
    greeting = (
        phrase("mail_greeting", language, name=_line(name))
        if name
        else phrase("mail_greeting_nameless", language)
    )
    return Content(
        language,
        phrase(f"mail_subject_{mail.kind}", language, entry_point=called),
        greeting,
        phrase(f"mail_happened_{mail.kind}", language, entry_point=called, waited=waited),
        phrase("mail_conversation", language, conversation=mail.conversation_id),
        _lines(transcript) if transcript is not None else None,
        phrase("mail_transcript", language),
        phrase("mail_no_transcript", language),
        phrase("mail_why", language),
    )


def _message(content: Content, envelope: _Envelope) -> EmailMessage:
    message = EmailMessage()
    message["From"] = envelope.sender
    message["To"] = envelope.receiver
    message["Subject"] = content.subject
    message["Date"] = envelope.at
    message["Message-ID"] = envelope.message_id
    message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence notice answers it
    fields = content._asdict()
    plain = _templates.get_template("mail.txt").render(fields)
    page = _templates.get_template("mail.html").render(fields)
    message.set_content(plain, cte="quoted-printable")
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    message["Content-Language"] = content.language  # setting the content takes such headers away
    return message


def _id_of(row: OutboxRow, sender: Address) -> str:
    """The same for every try, so that mail programs show one."""
    what = f"{message_id(row)} {row.recipient}"
    return f"<{hashlib.sha256(what.encode()).hexdigest()[:32]}@{sender.domain}>"


def _address(name: str, email: str) -> Address:
    """Raises ``ValueError``, ``IndexError`` or ``UnicodeError`` for what is no single address."""
    local, _, domain = email.strip().rpartition("@")
    if not local or not domain or any(_is_control(letter) for letter in email):
        raise ValueError("no address")
    address = Address(_line(name), addr_spec=f"{local}@{domain.encode('idna').decode()}")
    if not address.username or not address.domain:
        raise ValueError("no address")
    return address


def _line(text: str | None) -> str:
    """One line of it, whatever was typed: nothing that could begin another header."""
    seen = "".join(" " if _is_control(letter) else letter for letter in text or "")
    return " ".join(seen.split())[:NAME_MAX]


def _lines(text: str) -> str:
    return "".join(_kept(text.replace("\r\n", "\n").replace("\r", "\n"))).strip("\n")


def _kept(text: str) -> Iterator[str]:
    for letter in text:
        if letter in "\n\t" or not _is_control(letter):
            yield letter


def _is_control(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")
