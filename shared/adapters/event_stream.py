"""The copy of the log in JetStream, for back ends: stream ``FERNAMT_EVENTS``, written by the relay.

It may lack the newest events, or all of them; it never has a gap, another order, or an event twice.
It holds nothing that the log does not hold, and is rebuilt from there by publishing again.

Every publish expects that the last message of its workspace is the one before it. How that is done
was found by trying on nats-server 2.15.1; ``tests/integration/test_event_stream.py`` pins it down.

- *One at a time*, each waiting for its acknowledgement: 8,000 to 12,000 events/s in one workspace,
  57,000 to 75,000 in 64 to 256 of them at once; 100 µs of processor time for each on either side.
  The way for few events.
- *Atomic batches*, the expectation on the first: all of a batch or nothing, 34,000 events/s with
  200 in each, 80,000 to 90,000 with 1,000. But the server opens a store of its own for each batch,
  one after the other, 2 ms each: batches of 10 reach 4,600 events/s in all workspaces together, and
  single events beside batches wait 5 ms instead of 0.1. With 32 in each, the server needs 94 µs for
  an event and the publisher 10, with 200 in each 26 and 6. The way for many events.
- *Many in flight with predicted numbers* (30,000/s) leaves gaps: numbers count all workspaces, so
  a foreign message shifts ours by one, the second is refused, and the third finds the number it
  expects. With an expectation on the first alone, two relays interleave.
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import structlog

from shared.adapters.nats_bus import NotSent
from shared.adapters.nats_wire import STATUS
from shared.ports import Bus, Message, NoResponders, StoredRow
from shared.routing.ids import Position, WorkspaceId

log = structlog.get_logger(__name__)

STREAM: Final = "FERNAMT_EVENTS"
SUBJECTS: Final = "fernamt.v1.evt.>"
MAX_AGE_S: Final = 7 * 24 * 3600

DUPLICATES_WINDOW_MS: Final = 100
"""The least the server takes. The expectation keeps duplicates out already; a window costs memory
for each event in it, and after a purge silently swallows what is published again."""

BATCH_MIN: Final = 32
"""From so many events on, an atomic batch costs the server no more than they do one by one, and
whoever publishes an eighth."""
BATCH_MAX: Final = 1_000
"""The server's limit."""
BATCH_BYTES_MAX: Final = 1024 * 1024
BATCHES_AT_ONCE_MAX: Final = 2
"""The server works at one, and drops what exceeds 50 of all its clients."""

_ANSWER_WITHIN_S = 2
_DUPLICATE_TRIES_MAX = 5
_TURN = 64
"""Events put into a batch before others get their turn: about 0.3 ms."""

_STREAM_NOT_FOUND = 10059
_WRONG_LAST_SEQUENCE = frozenset({10071, 10164})
_DUPLICATE_IN_BATCH = 10201


Traces = Mapping[Position, str]
"""Trace parents of events, by their positions; those that belong to no trace have none."""
NO_TRACES: Traces = {}


class LastEvent(NamedTuple):
    """The newest event of one workspace in the stream."""

    position: Position
    """0 if the message was not written by a relay."""
    state: bytes
    sequence: int
    """Its number in the stream, which the next publish expects."""


class Overtaken(Exception):
    """Somebody else published to this workspace, or purged it. Go on from what ``last`` says."""


class StreamUnavailable(Exception):
    """No answer, or a refusal. How much of what was published is stored, ``last`` says.

    The stream may be gone: call ``ensure`` first.
    """


class EventStream:
    """``FERNAMT_EVENTS`` over a bus.

    What the relay needs of it, as the protocol ``EventStream``::

        async def last(self, workspace_id: WorkspaceId) -> LastEvent | None
        async def publish(
            self, workspace_id: WorkspaceId, rows: Sequence[StoredRow], expected: int
        ) -> int
        async def purge(self, workspace_id: WorkspaceId) -> None
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._batches = asyncio.Semaphore(BATCHES_AT_ONCE_MAX)

    async def ensure(self, *, replicas: int = 1, max_age_s: int = MAX_AGE_S) -> None:
        """Create the stream if it is missing.

        Of an existing one only what correctness needs is put right; copies and age stay as somebody
        set them. Raises ``StreamUnavailable``, also for a server older than 2.12.
        """
        needed = {
            "name": STREAM,
            "subjects": [SUBJECTS],
            "allow_direct": True,
            "allow_atomic": True,
            "duplicate_window": DUPLICATES_WINDOW_MS * 1_000_000,
        }
        config = await self._config()
        if not config:
            kept = {
                "storage": "file",
                "retention": "limits",
                "discard": "old",
                "max_age": max_age_s * 1_000_000_000,
                "num_replicas": replicas,
            }
            config = (await self._api(f"STREAM.CREATE.{STREAM}", kept | needed))["config"]
            log.info("event_stream_created", stream=STREAM, replicas=replicas)
        elif any(config.get(name) != value for name, value in needed.items()):
            config = (await self._api(f"STREAM.UPDATE.{STREAM}", config | needed))["config"]
            log.info("event_stream_updated", stream=STREAM)
        if not config.get("allow_atomic"):
            raise StreamUnavailable("the server knows no atomic batches: it must be 2.12 or newer")

    async def last(self, workspace_id: WorkspaceId) -> LastEvent | None:
        """The newest event of the workspace, or ``None``. Raises ``StreamUnavailable``.

        With several copies of the stream a follower may answer, a moment late. ``publish`` then
        raises ``Overtaken``, and nothing is lost but time.
        """
        query = json.dumps({"last_by_subj": _all_of(workspace_id)}).encode()
        answer = await self._request(f"$JS.API.DIRECT.GET.{STREAM}", query)
        match answer.headers.get(STATUS):
            case None:
                return _read(workspace_id, answer)
            case "404":
                return None
            case status:
                raise StreamUnavailable(f"the last event of {workspace_id}: status {status}")

    async def publish(
        self,
        workspace_id: WorkspaceId,
        rows: Sequence[StoredRow],
        expected: int,
        traces: Traces = NO_TRACES,
    ) -> int:
        """Publish consecutive rows behind number ``expected`` (0: behind none).

        ``traces`` are trace parents for their headers, by position.

        Returns the number of the last row, which the next call expects. Raises ``Overtaken`` or
        ``StreamUnavailable``; then any part of the rows from the first on may be stored, without a
        gap. A cancelled call is like the latter.
        """
        for part in _parts(rows):
            if len(part) >= BATCH_MIN:
                expected = await self._publish_batch(workspace_id, part, expected, traces)
                continue
            for row in part:
                expected = await self._publish_one(workspace_id, row, expected, traces)
        return expected

    async def purge(self, workspace_id: WorkspaceId) -> None:
        """Remove all events of the workspace; the next publish expects 0."""
        answer = await self._api(f"STREAM.PURGE.{STREAM}", {"filter": _all_of(workspace_id)})
        log.info("event_stream_purged", workspace=workspace_id, events=answer.get("purged"))

    # -- publishing --------------------------------------------------------------------------------

    async def _publish_one(
        self, workspace_id: WorkspaceId, row: StoredRow, expected: int, traces: Traces
    ) -> int:
        subject = _subject(workspace_id, row)
        headers = _headers(workspace_id, row, traces) | _expectation(workspace_id, expected)
        return await _number(lambda: self._request(subject, row.state, headers))

    async def _publish_batch(
        self, workspace_id: WorkspaceId, rows: Sequence[StoredRow], expected: int, traces: Traces
    ) -> int:
        async with self._batches:
            return await _number(lambda: self._send_batch(workspace_id, rows, expected, traces))

    async def _send_batch(
        self, workspace_id: WorkspaceId, rows: Sequence[StoredRow], expected: int, traces: Traces
    ) -> Message:
        """Send all rows under one batch id; only the last, which commits, is answered."""
        batch = {"Nats-Batch-Id": secrets.token_hex(12)}
        more = _expectation(workspace_id, expected)
        for place, row in enumerate(rows[:-1], start=1):
            place_in_batch = batch | more | {"Nats-Batch-Sequence": str(place)}
            headers = _headers(workspace_id, row, traces)
            self._send(_subject(workspace_id, row), row.state, headers | place_in_batch)
            more = {}
            if place % _TURN == 0:
                await asyncio.sleep(0)
        commit = batch | {"Nats-Batch-Sequence": str(len(rows)), "Nats-Batch-Commit": "1"}
        return await self._request(
            _subject(workspace_id, rows[-1]),
            rows[-1].state,
            _headers(workspace_id, rows[-1], traces) | commit,
        )

    def _send(self, subject: str, data: bytes, headers: dict[str, str]) -> None:
        try:
            self._bus.publish(subject, data, headers=headers)
        except NotSent as error:
            raise StreamUnavailable(f"{subject}: {error}") from error

    # -- asking ------------------------------------------------------------------------------------

    async def _request(
        self, subject: str, data: bytes, headers: dict[str, str] | None = None
    ) -> Message:
        try:
            return await self._bus.request(
                subject, data, headers=headers, timeout_s=_ANSWER_WITHIN_S
            )
        except (NoResponders, NotSent, OSError) as error:  # a time-out is an OSError
            raise StreamUnavailable(f"{subject}: {error!r}") from error

    async def _config(self) -> dict[str, Any]:
        """The stream's configuration, empty if there is no stream."""
        answer = await self._api(f"STREAM.INFO.{STREAM}", {}, accepted=_STREAM_NOT_FOUND)
        config: dict[str, Any] = answer.get("config", {})
        return config

    async def _api(self, verb: str, body: dict[str, Any], *, accepted: int = 0) -> dict[str, Any]:
        answer = await self._request(f"$JS.API.{verb}", json.dumps(body).encode())
        content: dict[str, Any] = json.loads(answer.data)
        error = content.get("error")
        if error and error.get("err_code") != accepted:
            raise StreamUnavailable(f"{verb}: {error.get('description')}")
        return content


class _Refusal(msgspec.Struct, frozen=True):
    err_code: int
    description: str


class _Acknowledgement(msgspec.Struct, frozen=True):
    seq: int = 0
    duplicate: bool = False
    error: _Refusal | None = None


_decode = msgspec.json.Decoder(_Acknowledgement).decode


async def _number(attempt: Callable[[], Awaitable[Message]]) -> int:
    """The number under which the server stored what ``attempt`` published.

    After a purge it remembers the ids for the length of the window, and would not store them again.
    """
    for _ in range(_DUPLICATE_TRIES_MAX):
        answer = await attempt()
        try:
            said = _decode(answer.data)
        except msgspec.MsgspecError as error:
            raise StreamUnavailable(f"{len(answer.data)} bytes acknowledge nothing") from error
        code = said.error.err_code if said.error else 0
        if said.error and code in _WRONG_LAST_SEQUENCE:
            raise Overtaken(said.error.description)
        if not said.duplicate and code != _DUPLICATE_IN_BATCH:
            if said.error:
                raise StreamUnavailable(said.error.description)
            return said.seq
        await asyncio.sleep(DUPLICATES_WINDOW_MS / 1000)
    raise StreamUnavailable("the server takes these events for duplicates")


def _parts(rows: Sequence[StoredRow]) -> Iterator[Sequence[StoredRow]]:
    """Cut ``rows`` so that each part fits into one batch."""
    start = size = 0
    for index, row in enumerate(rows):
        size += len(row.state)
        if index > start and (index - start == BATCH_MAX or size > BATCH_BYTES_MAX):
            yield rows[start:index]
            start, size = index, len(row.state)
    yield rows[start:]


def _read(workspace_id: WorkspaceId, message: Message) -> LastEvent:
    owner, _, position = message.headers.get("Nats-Msg-Id", "").rpartition(":")
    ours = owner == workspace_id and position.isdecimal()
    return LastEvent(
        Position(int(position) if ours else 0),
        message.data,
        int(message.headers["Nats-Sequence"]),
    )


def _all_of(workspace_id: WorkspaceId) -> str:
    return f"fernamt.v1.evt.{workspace_id}.>"


def _subject(workspace_id: WorkspaceId, row: StoredRow) -> str:
    return f"fernamt.v1.evt.{workspace_id}.{row.topic.partition('.')[0]}"


def _headers(workspace_id: WorkspaceId, row: StoredRow, traces: Traces) -> dict[str, str]:
    headers = {"Fernamt-Event": row.topic, "Nats-Msg-Id": f"{workspace_id}:{row.position}"}
    trace = traces.get(row.position)
    return headers if trace is None else headers | {"traceparent": trace}


def _expectation(workspace_id: WorkspaceId, expected: int) -> dict[str, str]:
    return {
        "Nats-Expected-Last-Subject-Sequence": str(expected),
        "Nats-Expected-Last-Subject-Sequence-Subject": _all_of(workspace_id),
    }
