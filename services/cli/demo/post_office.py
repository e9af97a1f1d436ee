"""A mail server that takes what it is given and delivers nothing, so that a story can show it.

It understands as much of SMTP as a mail needs, listens on loopback, and knows no passwords.
"""

import asyncio
import contextlib
import email.policy
from collections.abc import AsyncIterator, Callable, Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from typing import NamedTuple

MAIL_BYTES_MAX = 1_048_576
ARRIVE_WITHIN_S = 15.0
_GREETING = b"220 post.example the post office of the demo"
_OK = b"250 fine"
_parse = BytesParser(policy=email.policy.default).parsebytes


class Mail(NamedTuple):
    """One mail as it came."""

    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def language(self) -> str:
        return str(self.message["Content-Language"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        """Its text without mark-up."""
        body = self.message.get_body(("plain",))
        return "" if body is None else str(body.get_content())


class PostOffice:
    """``url`` is for ``FERNAMT_SMTP_URL``; ``mails`` are those that came, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.mails: list[Mail] = []
        self._news = asyncio.Event()

    async def until(self, holds: Callable[[Sequence[Mail]], bool]) -> None:
        """Wait until ``holds`` says yes to the mails so far. Raises ``TimeoutError``."""
        async with asyncio.timeout(ARRIVE_WITHIN_S):
            while not holds(self.mails):
                self._news.clear()
                await self._news.wait()

    def take(self, mail: Mail) -> None:
        self.mails.append(mail)
        self._news.set()


@contextlib.asynccontextmanager
async def post_office() -> AsyncIterator[PostOffice]:
    """Open one for the length of a block."""
    office = PostOffice()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _Counter(office, reader, writer).serve()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever sent has gone, or sent what is no mail: it will try again
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=MAIL_BYTES_MAX)
    office.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield office
    finally:
        server.close()


class _Counter:
    """One connection, over which any number of mails may come."""

    def __init__(
        self, office: PostOffice, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._office = office
        self._reader = reader
        self._writer = writer
        self._recipients: list[str] = []

    async def serve(self) -> None:
        await self._say(_GREETING)
        while line := await self._reader.readline():
            command = line.decode("utf-8", "replace").strip()
            verb = command[:4].upper()
            if verb == "QUIT":
                await self._say(b"221 good bye")
                return
            if verb == "DATA" and self._recipients:
                await self._say(b"354 go on, and end with a dot")
                await self._take_mail()
            else:
                await self._say(self._answer(verb, command))

    def _answer(self, verb: str, command: str) -> bytes:
        match verb:
            case "EHLO":
                return b"250-post.example\r\n250 8BITMIME"
            case "RCPT":
                self._recipients.append(command.partition("<")[2].rpartition(">")[0])
                return _OK
            case "HELO" | "NOOP":
                return _OK
            case "MAIL" | "RSET":
                self._recipients.clear()
                return _OK
            case "DATA":
                return b"503 to whom?"
            case _:
                return b"502 not here"

    async def _take_mail(self) -> None:
        lines: list[bytes] = []
        while (line := await self._reader.readuntil(b"\n")) not in (b".\r\n", b".\n"):
            lines.append(line.removeprefix(b"."))
        message = _parse(b"".join(lines))
        self._office.take(Mail(tuple(self._recipients), message))
        self._recipients.clear()
        await self._say(_OK)

    async def _say(self, line: bytes) -> None:
        self._writer.write(line + b"\r\n")
        await self._writer.drain()
