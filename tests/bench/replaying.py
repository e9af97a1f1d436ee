"""What reading a log again costs: decoded alone, folded, and with its decisions made once more.

The log is one of busy days (``pasts``), in memory, decoded by what every reader of a log decodes
with. Each pass begins with an empty state. Only this process's own time is counted.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from time import process_time

from shared.ports import StoredRow
from shared.routing.folding import Folding
from shared.routing.replay import Replay
from shared.routing.workspace import Workspace
from shared.wire.log_codec import decode_event, encode_event
from tests.bench.figures import Row, row
from tests.bench.pasts import W, story_of

Log = Sequence[StoredRow]
OPERATORS = 1_000


def log_of(events: int) -> Log:
    """As a store hands it out."""
    return [
        StoredRow(position, *encode_event(envelope))
        for batch in story_of(events, OPERATORS)
        for position, envelope in batch
    ][:events]


def decoded(log: Log) -> None:
    """The floor: nothing is done with what was decoded."""
    for each in log:
        decode_event(each.topic, each.state)


def folded(log: Log) -> None:
    """As the router does before it is on duty."""
    folding = Folding(Workspace(workspace_id=W))
    for each in log:
        folding.feed(decode_event(each.topic, each.state))
    folding.finish()


def remade(log: Log) -> None:
    """As ``verify`` does, but for seals and snapshots."""
    replay = Replay(Workspace(workspace_id=W))
    for each in log:
        assert replay.feed(each.position, decode_event(each.topic, each.state)) is None
    assert replay.remade


def rows(rounds: int, events: int) -> Iterator[Row]:
    """Events per second of folding against decoding, and what decisions add to folding."""
    log = log_of(events)
    decoding: list[float] = []
    folding: list[float] = []
    remaking: list[float] = []
    for _ in range(rounds):
        decoding.append(_spent_s(decoded, log))
        folding.append(_spent_s(folded, log))
        remaking.append(_spent_s(remade, log))
    rates = [[events / spent_s for spent_s in each] for each in (folding, decoding)]
    yield row("replay against decoding alone", "events/s", *rates, goal=">= 0.40")
    us = [[spent_s / events * 1e6 for spent_s in each] for each in (remaking, folding)]
    yield row("making decisions again, to replay", "µs/event", *us, goal="<= 4")


def _spent_s(action: Callable[[Log], None], log: Log) -> float:
    gc.collect()
    began = process_time()
    action(log)
    return process_time() - began
