"""One workspace's log as one file, compressed, that tells whether it is whole.

The file is a row of gzip members, so that ``zcat`` shows it as lines of JSON: a header, one line
for each event with topic and state as the very bytes, the seals, the hash of the state that
follows. The last line is SHA-256 over every byte of the file before its own member.

What is in it is what is in the log: ids as other systems gave them, what was decided, and settings,
names of groups and addresses of webhooks among them. The vault is not: no names and addresses of
people, no notes, no attributes. Ids stand as they are, as equal candidates are told apart by them:
with others, other decisions would follow.
"""

import asyncio
import json
import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from shared.ports import LogCorrupt, StoredRow
from shared.ports.archive import Archive, Seal
from shared.routing.describe import state_hash
from shared.routing.following import Following, Unfit
from shared.routing.ids import ID_PATTERN, Position, WorkspaceId
from shared.routing.workspace import Workspace
from shared.wire.log_codec import UndecodableEvent, decode_event

VERSION = 1
MEMBER_ROWS = 1_000
MEMBER_BYTES = 4_000_000
"""At most so much in one member before it is compressed, unless one line is larger."""

_HELD_MAX_BYTES = 256_000_000
"""More than any member holds, and less than would fill a machine's memory."""
_PIECE_BYTES = 65_536

# A member's head without a time or a name in it: the same log gives the same file.
MEMBER_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

_TOPIC, _STATE, _END = b'{"topic":"', b'","state":', b"}"


class Header(msgspec.Struct, frozen=True, tag_field="fernamt", tag="bundle"):
    """The first line. ``events`` stand at the positions from 1 on."""

    version: int
    workspace_id: Annotated[WorkspaceId, Meta(pattern=ID_PATTERN)]
    events: Annotated[int, Meta(ge=1)]


class Footer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The line after the seals."""

    state_hash: str


class Contents(msgspec.Struct, frozen=True):
    """How much of what is in a bundle: it holds their ids, or their settings."""

    operators: int
    visitors: int
    conversations: int
    groups: int
    entry_points: int
    rules: int
    webhooks: int


class Exported(msgspec.Struct, frozen=True):
    """What was written. ``sealed_upto`` is 0 where no seal ends within the bundle."""

    workspace_id: WorkspaceId
    events: int
    state_hash: str
    sealed_upto: Position
    bytes: int
    contents: Contents


class _Out:
    """Members of lines, one after the other, and the trailer over all of them."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._sum = sha256()
        self._lines: list[bytes] = []
        self._held = 0
        self.written = 0

    def line(self, line: bytes) -> None:
        self._lines.append(line)
        self._held += len(line)
        if len(self._lines) >= MEMBER_ROWS or self._held >= MEMBER_BYTES:
            self.end_member()

    def end_member(self) -> None:
        if self._lines:
            self._put(_member(b"\n".join([*self._lines, b""])))
        self._lines, self._held = [], 0

    def end(self) -> None:
        self.end_member()
        self._put(trailer(self._sum.digest()))

    def _put(self, some: bytes) -> None:
        self._sum.update(some)
        self._write(some)
        self.written += len(some)


async def export(
    archive: Archive,
    workspace_id: WorkspaceId,
    until: Position | None,
    write: Callable[[bytes], object],
    progress: Callable[[int], None] = lambda _events: None,
) -> Exported:
    """Write the log up to the end of the command or timer at ``until``, or all of it.

    Raises ``ValueError`` if the log does not reach so far, ``LogCorrupt`` if it cannot be folded.
    """
    last = await _last_position(archive, workspace_id, until)
    following = Following(Workspace(workspace_id=workspace_id))
    out = _Out(write)
    out.line(msgspec.json.encode(Header(VERSION, workspace_id, last)))
    out.end_member()
    async for rows in archive.log.read(workspace_id, Position(0), last):
        for row in rows:
            _fold(following, row)
            out.line(line_of(row))
        progress(len(rows))
        await asyncio.sleep(0)
    out.end_member()
    seals = [seal async for seal in _seals_upto(archive, workspace_id, last)]
    for seal in seals:
        out.line(_line_of_seal(seal))
    reached = state_hash(following.workspace)
    out.line(msgspec.json.encode(Footer(reached)))
    out.end()
    return Exported(
        workspace_id=workspace_id,
        events=last,
        state_hash=reached,
        sealed_upto=seals[-1].upto if seals else Position(0),
        bytes=out.written,
        contents=_contents(following.workspace),
    )


async def _last_position(
    archive: Archive, workspace_id: WorkspaceId, until: Position | None
) -> Position:
    """Where the group of the event at ``until`` ends: half of it could not be decided again."""
    head = await archive.log.head(workspace_id)
    if not head:
        raise ValueError(f"the log of workspace {workspace_id} is empty")
    if until is None:
        return head
    if until > head:
        raise ValueError(f"the log of workspace {workspace_id} ends at position {head}")
    async for rows in archive.log.read(workspace_id, until):
        for row in rows:
            if _decoded(row).first == row.position:
                return Position(row.position - 1)
    return head


async def _seals_upto(archive: Archive, workspace_id: WorkspaceId, last: Position) -> Any:
    async for seals in archive.seals.after(workspace_id, Position(0)):
        for seal in seals:
            if seal.upto > last:
                return
            yield seal


def _decoded(row: StoredRow) -> Any:
    try:
        return decode_event(row.topic, row.state)
    except UndecodableEvent as error:
        raise LogCorrupt(f"position {row.position}: {error}") from error


def _fold(following: Following, row: StoredRow) -> None:
    try:
        following.feed(row.position, _decoded(row))
    except Unfit as error:
        raise LogCorrupt(str(error)) from error


def _contents(workspace: Workspace) -> Contents:
    return Contents(
        operators=len(workspace.operators),
        visitors=len(workspace.visitors),
        conversations=len(workspace.conversations),
        groups=len(workspace.groups),
        entry_points=len(workspace.entry_points),
        rules=len(workspace.rules),
        webhooks=len(workspace.webhooks),
    )


# --- lines --------------------------------------------------------------------------------------


def line_of(row: StoredRow) -> bytes:
    """A row as a line. Raises ``LogCorrupt`` for one that no router has written."""
    if b"\n" in row.state:
        raise LogCorrupt(f"position {row.position}: a line break, which no router writes")
    return b"%b%b%b%b%b" % (_TOPIC, row.topic.encode(), _STATE, row.state, _END)


def rows_of(lines: Iterable[bytes], first: Position) -> Iterator[StoredRow]:
    """The rows in lines, cut out without being read. Raises ``ValueError`` for another line."""
    for position, line in enumerate(lines, start=first):
        head, middle, rest = line.partition(_STATE)
        if not (middle and head.startswith(_TOPIC) and rest.endswith(_END)):
            raise ValueError(f"the line of position {position} holds no event")
        topic, state = head.removeprefix(_TOPIC).decode(), rest.removesuffix(_END)
        yield StoredRow(Position(position), topic, state)


def _line_of_seal(seal: Seal) -> bytes:
    *parts, key = seal[2:]
    shown = [seal.first, seal.upto, *(b64encode(each).decode() for each in (*parts, key))]
    return json.dumps({"seal": shown}, separators=(",", ":")).encode()


def seal_in(line: bytes) -> Seal:
    """The seal in a line. Raises ``ValueError`` if there is none."""
    try:
        first, upto, *rest = json.loads(line)["seal"]
        digests, its_hash, signature, key = (b64decode(each, validate=True) for each in rest)
        return Seal(Position(int(first)), Position(int(upto)), digests, its_hash, signature, key)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"a line holds no seal: {error}") from error


# --- members ------------------------------------------------------------------------------------


def _member(content: bytes) -> bytes:
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return _framed(squeeze.compress(content) + squeeze.flush(), content)


def trailer(digest: bytes) -> bytes:
    """The last member, of the same length always: its line is not compressed."""
    line = b'{"sha256":"%b"}\n' % digest.hex().encode()
    stored = b"\x01" + struct.pack("<HH", len(line), len(line) ^ 0xFFFF) + line
    return _framed(stored, line)


def _framed(deflated: bytes, content: bytes) -> bytes:
    return MEMBER_HEAD + deflated + struct.pack("<LL", zlib.crc32(content), len(content))


TRAILER_BYTES = len(trailer(bytes(32)))


def members_of(file: bytes) -> Iterator[tuple[bytes, Sequence[bytes]]]:
    """Each member of a file without its trailer, with the lines in it.

    Raises ``ValueError`` for what is no member.
    """
    start = 0
    while start < len(file):
        content, size = _inflated(file, start)
        if not content.endswith(b"\n"):
            raise ValueError("a line has no end")
        yield file[start : start + size], content.split(b"\n")[:-1]
        start += size


def _inflated(file: bytes, start: int) -> tuple[bytes, int]:
    """What the member that begins at ``start`` holds, and how long it is."""
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    content = bytearray()
    end = start
    try:
        while not inflate.eof:
            piece = file[end : end + _PIECE_BYTES]
            content += inflate.decompress(piece, _HELD_MAX_BYTES)
            end += len(piece)
            if not piece or inflate.unconsumed_tail or len(content) > _HELD_MAX_BYTES:
                raise ValueError("a member has no end, or is far too large")
    except zlib.error as error:
        raise ValueError(f"it is not compressed as it should be: {error}") from error
    return bytes(content), end - len(inflate.unused_data) - start
