"""A real SMTP server for tests (aiosmtpd), which keeps what it is given, refuses or hangs."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, NamedTuple

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.servers.certificate import Certificate
from tests.servers.waiting import until

OK = "250 OK"


class Mailed(NamedTuple):
    """One mail as it came."""

    sender: str
    recipients: Sequence[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        read = message_from_bytes(self.raw, policy=default)
        assert isinstance(read, EmailMessage)
        return read

    def part(self, subtype: str) -> str:
        """The text of ``plain`` or ``html``."""
        body = self.message.get_body((subtype,))
        assert body is not None
        text: str = body.get_content()
        return text.replace("\r\n", "\n")


class SmtpServer:
    """What came, in order. ``answer_recipient`` and ``answer_data`` may be set to refusals."""

    def __init__(self, tls: Certificate | None = None, *, at_once: bool = False) -> None:
        """With ``tls`` it insists on STARTTLS, or speaks nothing else from the start."""
        self._tls = tls
        self._at_once = at_once
        self.mails: list[Mailed] = []
        self.port = 0
        self.answer_recipient = OK
        self.answer_data = OK
        self.hangs = False
        """Whether it takes a mail and then says nothing."""
        self.unanswered: list[Mailed] = []
        """Mails that were taken so."""
        self.logins: list[LoginPassword] = []
        self.tried = 0
        """How many mails were offered, taken or not."""
        self._server: asyncio.Server | None = None
        self._protocols: list[SMTP] = []

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen, on the same port as before if there was one."""
        context = None
        if self._tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._tls.certificate, self._tls.key)
        later = context if not self._at_once else None

        def protocol() -> SMTP:
            made = SMTP(
                self,
                hostname="mail.test",
                loop=asyncio.get_running_loop(),
                authenticator=self._authenticate,
                auth_require_tls=False,
                tls_context=later,
                require_starttls=later is not None,
            )
            self._protocols.append(made)
            return made

        loop = asyncio.get_running_loop()
        now = context if self._at_once else None
        self._server = await loop.create_server(protocol, "127.0.0.1", self.port, ssl=now)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections from now on, and end those there are."""
        if self._server is not None:
            self._server.close()
            for protocol in self._protocols:
                if protocol.transport is not None:
                    protocol.transport.close()
            self._protocols.clear()
            await asyncio.sleep(0)
            self._server = None

    async def has(self, holds: Callable[[Sequence[Mailed]], bool]) -> Sequence[Mailed]:
        """Wait until ``holds`` says yes to what has come."""

        async def look() -> bool:
            return holds(self.mails)

        await until("the server has the mails", look)
        return self.mails

    async def count(self, number: int) -> Sequence[Mailed]:
        """Wait until so many mails have come."""
        return await self.has(lambda mails: len(mails) >= number)

    async def offered(self, number: int) -> None:
        """Wait until so many mails were offered."""

        async def look() -> bool:
            return self.tried >= number

        await until("mails are offered", look)

    # --- what aiosmtpd calls ----------------------------------------------------------------

    async def handle_RCPT(  # noqa: N802 - the library looks for this name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self.answer_recipient == OK:
            envelope.rcpt_tos.append(address)
        else:
            self.tried += 1
        return self.answer_recipient

    async def handle_DATA(  # noqa: N802 - the library looks for this name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        self.tried += 1
        if self.answer_data == OK:
            content = envelope.content
            assert isinstance(content, bytes)
            mail = Mailed(envelope.mail_from or "", tuple(envelope.rcpt_tos), content)
            if self.hangs:
                self.unanswered.append(mail)
                await asyncio.Event().wait()
            self.mails.append(mail)
        return self.answer_data

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        self.logins.append(data)
        return AuthResult(success=True)


@asynccontextmanager
async def smtp_server(
    tls: Certificate | None = None, *, at_once: bool = False
) -> AsyncIterator[SmtpServer]:
    """A server for the length of a block."""
    server = SmtpServer(tls, at_once=at_once)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
