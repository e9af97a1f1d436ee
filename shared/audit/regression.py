"""A log as a regression test: a file of its events, and one that replays them under pytest."""

import re
from collections.abc import Iterable, Iterator

import msgspec

from shared.audit.bundle import Footer, line_of
from shared.ports import StoredRow
from shared.routing.ids import WorkspaceId

_NAME_LENGTH_MAX = 40

_TEST = '''\
"""What was decided in the workspace {workspace}, up to position {events}, comes out again.

The events stand beside this file as they were stored, one on each line; the last line is the hash
of the state that follows. Written by `fernamt to-test`.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from shared.routing.describe import state_hash
from shared.routing.ids import Position, WorkspaceId
from shared.routing.replay import Replay
from shared.routing.workspace import Workspace
from shared.wire.log_codec import decode_event

LINES = Path(__file__).with_name("{name}.jsonl").read_bytes().splitlines()
WORKSPACE = WorkspaceId({workspace})
EVENTS = {events}


def stored_events() -> Iterator[tuple[str, bytes]]:
    """Topic and state of each event, cut out of its line without being read."""
    for line in LINES[:-1]:
        head, _, rest = line.partition(b'","state":')
        yield head.removeprefix(b'{{"topic":"').decode(), rest.removesuffix(b"}}")


def test_{name}_is_decided_as_it_was() -> None:
    replay = Replay(Workspace(workspace_id=WORKSPACE))
    for position, (topic, state) in enumerate(stored_events(), start=1):
        divergence = replay.feed(Position(position), decode_event(topic, state))
        assert divergence is None, divergence
    divergence = replay.finish()
    assert divergence is None, divergence
    assert replay.events == EVENTS
    assert replay.folded_only == 0, "decisions by another revision of the rules are not made again"
    assert {{"state_hash": state_hash(replay.workspace)}} == json.loads(LINES[-1])
'''


def name_of(workspace_id: WorkspaceId, events: int) -> str:
    """What the test and its data are called: of letters that any file system takes."""
    slug = re.sub(r"[^a-z0-9]+", "_", workspace_id.lower()).strip("_")[:_NAME_LENGTH_MAX]
    return f"{slug or 'workspace'}_{events}"


def test_source(workspace_id: WorkspaceId, events: int) -> str:
    """The test, as Python that needs nothing but this engine."""
    shown = msgspec.json.encode(workspace_id).decode()
    return _TEST.format(workspace=shown, events=events, name=name_of(workspace_id, events))


def data_lines(rows: Iterable[StoredRow], state_hash: str) -> Iterator[bytes]:
    """Its data, as the golden logs are kept."""
    for row in rows:
        yield line_of(row) + b"\n"
    yield msgspec.json.encode(Footer(state_hash)) + b"\n"
