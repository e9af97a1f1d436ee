"""The NATS client protocol as bytes: what a server sends is read, what a client sends is written.

It holds no socket and never waits. It stands in for nats-py's parser, for two reasons. That costs
three times as much per message. And it splits at every white space a regular expression knows, the
server at blanks and tabs alone: with a vertical tab in a subject, anybody who may publish could
choose to which of our subscriptions the message is handed; and a subject that is not UTF-8, or
headers cut short, would end the reading altogether (``tests/integration/test_nats_client.py``).
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

PING: Final = b"PING\r\n"
PONG: Final = b"PONG\r\n"

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

STATUS: Final = "Status"
"""The key under which ``parse_headers`` gives the server's own status, for example ``503``."""

_M, _H = b"MH"
_EOL: Final = b"\r\n"
_VERSION: Final = "NATS/1.0"

Deliver = Callable[[bytes, int, bytes, bytes, bytes], None]
"""Takes subject, number of the subscription, reply subject, header block and body of a message."""


class WireError(ValueError):
    """The other side does not speak the protocol; nothing further can be read from it."""


class WireReader:
    """Cuts a stream of bytes into messages, handed over at once, and other lines, returned.

    It holds no more than what has been received of one message.
    """

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._rest = b""

    def reset(self) -> None:
        """Forget the beginning of a message: a new connection starts anew."""
        self._rest = b""

    def feed(self, received: bytes) -> list[bytes]:
        """Hand over every message that is whole now; return the other lines in order.

        A line comes without its end. All messages received before a line have been handed over
        when it is returned. Raises ``WireError``.
        """
        data = self._rest + received if self._rest else received
        lines: list[bytes] = []
        at = 0
        while (end := data.find(_EOL, at)) >= 0:
            kind = data[at]
            if kind not in (_M, _H):
                lines.append(data[at:end])
                at = end + 2
                continue
            after = self._message(data, at, end, kind)
            if not after:
                break
            at = after
        self._rest = data[at:]
        return lines

    def _message(self, data: bytes, at: int, end: int, kind: int) -> int:
        """Hand over the message whose first line lies between ``at`` and ``end``, if it is whole.

        Returns where the next one starts, or 0.
        """
        words = data[at:end].split(b" ")
        try:
            body = end + 2
            stop = body + int(words[-1])
            if stop + 2 > len(data):
                return 0
            split = body + int(words[-2]) if kind == _H else body
            reply = words[3] if len(words) == (6 if kind == _H else 5) else b""
            number = int(words[2])
        except (ValueError, IndexError) as error:
            raise WireError(f"a line of {end - at} bytes begins no message") from error
        self._deliver(words[1], number, reply, data[body:split], data[split:stop])
        return stop + 2


def parse_headers(block: bytes) -> dict[str, str]:
    """The headers of a message; of a name given twice the last, which is the server's own.

    Never fails, whatever a client wrote there: what is no header is left out, and what is not UTF-8
    shows as U+FFFD. A status of the server stands under ``STATUS``.
    """
    first, *lines = block.decode("utf-8", "replace").split("\r\n")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name] = value.strip()
    if status := first.removeprefix(_VERSION).strip():
        headers[STATUS] = status[:3]
    return headers


def publish_command(
    subject: str, reply: str, data: bytes, headers: Mapping[str, str] | None
) -> bytes:
    """The bytes that publish ``data``. Raises ``ValueError`` for what would break the protocol.

    Subjects are printable ASCII without blanks; a header's value is one line. Names of headers are
    ours and not looked at, but for line ends.
    """
    if not is_plain(subject) or (reply and not is_plain(reply)):
        raise ValueError(f"not a subject: {subject!r}, reply {reply!r}")
    if not headers:
        return b"PUB %s %s %d\r\n%s\r\n" % (
            subject.encode(),
            reply.encode(),
            len(data),
            data,
        )
    block = header_block(headers)
    return b"HPUB %s %s %d %d\r\n%s%s\r\n" % (
        subject.encode(),
        reply.encode(),
        len(block),
        len(block) + len(data),
        block,
        data,
    )


def publish_commands(messages: Sequence[tuple[str, bytes, str]], payload_max: int) -> bytes:
    """The bytes that publish many messages, at a third of the cost of each.

    Each is a subject, a body, and a trace parent that is its only header, or an empty text.

    Raises ``ValueError`` for what would break the protocol, or be larger than the server takes.
    """
    parts: list[bytes] = []
    for subject, data, trace in messages:
        if not is_plain(subject):
            raise ValueError(f"not a subject: {subject!r}")
        if len(data) > payload_max:
            raise ValueError(f"{len(data)} bytes for {subject} are more than the server takes")
        if trace:
            parts.append(publish_command(subject, "", data, {"traceparent": trace}))
            continue
        parts += (b"PUB ", subject.encode(), b" %d\r\n" % len(data), data, _EOL)
    return b"".join(parts)


def header_block(headers: Mapping[str, str]) -> bytes:
    """Headers as they stand before a body. Raises ``ValueError`` for a line end inside one."""
    text = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if text.count("\n") != len(headers) or text.count("\r") != len(headers):
        raise ValueError(f"a header has more than one line: {dict(headers)!r}")
    return f"{_VERSION}\r\n{text}\r\n".encode()


def is_plain(subject: str) -> bool:
    """Whether ``subject`` may stand in a line of the protocol: printable ASCII, no blanks."""
    return subject.isascii() and subject.isprintable() and " " not in subject and subject != ""
