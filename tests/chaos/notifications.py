"""C8: what the readers of the feeds heard, held against what the log calls for.

A pure function over both. Nothing may be heard that the log does not call for, the same message
never in two forms, and the messages to one reader in their order; whoever listened all the time
has heard every one of them.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from services.notifier.feeds import QUEUE_CHANGED
from services.notifier.rendering import body_of, feed_subject
from shared.routing.ids import WorkspaceId
from shared.routing.notify import Numbered, Telling
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace
from tests.servers.client import Client, Fields, Heard

PAGE = 300
"""Messages in one answer: small enough that several are needed."""


class CalledFor(NamedTuple):
    """One message that has to go out."""

    subject: str
    body: Fields


def called_for(log: Sequence[Recorded], workspace_id: WorkspaceId) -> list[CalledFor]:
    """Every message that follows from the log, in order."""
    telling = Telling(Workspace(workspace_id=workspace_id))
    messages: list[Numbered] = []
    for recorded in log:
        messages += telling.begins(*recorded)
        messages += telling.feed(*recorded)
    messages += telling.rest()
    return [
        CalledFor(
            feed_subject(workspace_id, message.notification.recipient),
            msgspec.json.decode(body_of(message, {})),
        )
        for message in messages
    ]


def c8_notifications(
    heard: Sequence[Heard],
    expected: Sequence[CalledFor],
    *,
    bound_to_be_heard: Sequence[CalledFor] = (),
) -> list[str]:
    """What of it is wrong; ``expected`` follows from a log that was read after the last was heard.

    ``bound_to_be_heard``: what must have reached somebody who listened all the time.
    """
    ids = {one.body["id"] for one in heard}
    lost = [
        f"nobody heard {wanted.body} on {wanted.subject}"
        for wanted in bound_to_be_heard
        if wanted.body["id"] not in ids and wanted.body["type"] != QUEUE_CHANGED
    ]
    return [*_not_called_for(heard, expected), *_out_of_order(heard), *lost]


def _not_called_for(heard: Sequence[Heard], expected: Sequence[CalledFor]) -> Iterator[str]:
    known = {(wanted.subject, wanted.body["id"]): wanted.body for wanted in expected}
    for one in heard:
        wanted = known.get((one.subject, one.body["id"]))
        if wanted is None:
            yield f"the log does not call for {one.body} on {one.subject}"
        elif wanted != one.body:
            yield f"{one.body} was heard, the log calls for {wanted}"


def _out_of_order(heard: Sequence[Heard]) -> Iterator[str]:
    """What comes again does not count: it says nothing new."""
    seen: set[str] = set()
    last: dict[str, tuple[int, int]] = {}
    for one in heard:
        if one.body["id"] in seen or one.body["type"] == QUEUE_CHANGED:
            continue
        seen.add(one.body["id"])
        _, position, number = one.body["id"].split(":")
        place = (int(position), int(number))
        before = last.get(one.subject, (0, 0))
        if place < before:
            yield f"{one.body} came after {before} on {one.subject}"
        last[one.subject] = max(place, before)


async def missed(
    client: Client, workspace: str, expected: Sequence[CalledFor], position: int
) -> list[str]:
    """What is wrong with what readers get who ask for all of their feed, up to this position."""
    breaches = []
    readers: dict[str, list[Fields]] = {}
    for subject, body in expected:
        if "seq" in body:
            readers.setdefault(subject, []).append(body)
    for subject, wanted in readers.items():
        kind, its_id = subject.split(".")[-2:]
        whole = await whole_feed(client, workspace, kind, its_id, position)
        told = [body for body in whole if body["position"] <= position]  # timers go on
        if told != wanted:
            wrong = next(
                (pair for pair in zip(told, wanted, strict=False) if pair[0] != pair[1]), ""
            )
            breaches.append(f"{subject}: {len(told)} messages of {len(wanted)}; {wrong}")
    return breaches


async def whole_feed(
    client: Client, workspace: str, kind: str, its_id: str, min_position: int
) -> list[Fields]:
    """All messages of one reader, asked for page by page."""
    told: list[Fields] = []
    headers = {"Fernamt-Min-Position": str(min_position)}
    while True:
        fields = {"after": told[-1]["seq"] if told else 0, "limit": PAGE}
        answer = await client.ask(workspace, kind, its_id, "feed", fields, headers=headers)
        assert answer["ok"], answer
        told += answer["result"]["messages"]
        if len(answer["result"]["messages"]) < PAGE:
            return told
