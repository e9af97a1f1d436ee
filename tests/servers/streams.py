"""Reading the stream of events as a back end would, from its first message on."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from tests.servers.client import Client
from tests.servers.waiting import until

_DIRECT_GET = "$JS.API.DIRECT.GET.FERNAMT_EVENTS"


class Streamed(NamedTuple):
    """One event as back ends get it."""

    sequence: int
    position: int
    topic: str
    subject: str
    state: bytes
    batch: str | None
    """Which events were published together with it, if any were."""


async def events_of_stream(client: Client, workspace: str, *, upto: int) -> list[Streamed]:
    """Everything the stream holds of the workspace, once it has come to position ``upto``."""

    async def has_it() -> bool:
        return await last_in_stream(client, workspace) >= upto

    await until(f"the stream has position {upto} of {workspace}", has_it)
    found: list[Streamed] = []
    sequence = 0
    while True:
        event = await _get(client, seq=sequence + 1, next_by_subj=f"fernamt.v1.evt.{workspace}.>")
        if event is None:
            return found
        found.append(event)
        sequence = event.sequence


async def last_in_stream(client: Client, workspace: str) -> int:
    """Position of the last event that the stream holds of the workspace, 0 if there is none."""
    last = await _get(client, last_by_subj=f"fernamt.v1.evt.{workspace}.>")
    return 0 if last is None else last.position


async def _get(client: Client, **which: object) -> Streamed | None:
    answer = await client.bus.request(_DIRECT_GET, json.dumps(which).encode(), timeout_s=10)
    if answer.headers.get("Status") == "404":
        return None
    return _read(answer.headers, answer.data)


def _read(headers: Mapping[str, str], state: bytes) -> Streamed:
    return Streamed(
        int(headers["Nats-Sequence"]),
        int(headers["Nats-Msg-Id"].rpartition(":")[2]),
        headers["Fernamt-Event"],
        headers["Nats-Subject"],
        state,
        headers.get("Nats-Batch-Id"),
    )
