"""Writes the logs of the stories down, or compares them with what was written down before.

One line of ``logs/<story>.jsonl`` for each event, as it is stored: its topic, and its state as the
very bytes; in the last line the hash of the state that follows. What was decided once must be
decided so for ever, or be a new revision of the rules. So nothing writes these files by itself:

    python -m tests.golden.record            compare all; the first difference is told
    python -m tests.golden.record --write    write them again, on purpose; then read the diff
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from shared.routing.describe import state_hash
from shared.routing.ids import Position
from shared.routing.replay import Replay
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace
from shared.wire.log_codec import decode_event, encode_event
from tests.core.story import Story
from tests.golden.stories import STORIES

LOGS = Path(__file__).parent / "logs"


class Differs(Exception):
    """A log does not come out as it was recorded."""


def path_of(name: str) -> Path:
    return LOGS / f"{name}.jsonl"


def written(story: Story) -> bytes:
    """The log of ``story`` as it is kept."""
    lines = []
    for recorded in story.log:
        stored = encode_event(recorded.envelope)
        lines.append(b'{"topic":"%s","state":%s}' % (stored.topic.encode(), stored.state))
    lines.append(b'{"state_hash":"%s"}' % state_hash(story.workspace).encode())
    return b"\n".join(lines) + b"\n"


def stored_events(kept: bytes) -> Iterator[tuple[str, bytes]]:
    """Topic and state of each event, cut out of its line without being read."""
    for line in kept.splitlines()[:-1]:
        head, _, rest = line.partition(b'","state":')
        yield head.removeprefix(b'{"topic":"').decode(), rest.removesuffix(b"}")


def golden(name: str) -> list[Recorded]:
    """The events of a story's log, read."""
    return [
        Recorded(Position(number), decode_event(topic, state))
        for number, (topic, state) in enumerate(stored_events(path_of(name).read_bytes()), start=1)
    ]


def check(name: str, kept: bytes) -> None:
    """Raises ``Differs`` unless the log replays, decides and encodes to the very same bytes."""
    replaying = Replay(Workspace(workspace_id="acme"))
    for number, (topic, state) in enumerate(stored_events(kept), start=1):
        envelope = decode_event(topic, state)
        if encode_event(envelope) != (topic, state):
            raise Differs(f"{name}: event {number} is encoded in another way")
        divergence = replaying.feed(Position(number), envelope)
        if divergence is not None:
            raise Differs(f"{name}: {divergence}")
    divergence = replaying.finish()
    if divergence is not None:
        raise Differs(f"{name}: {divergence}")
    last = b'{"state_hash":"%s"}' % state_hash(replaying.workspace).encode()
    if kept.splitlines()[-1] != last:
        raise Differs(f"{name}: another state follows")
    if written(STORIES[name]()) != kept:
        raise Differs(f"{name}: told again, it comes out differently")


def main(arguments: list[str]) -> int:
    for name, tell in STORIES.items():
        if arguments == ["--write"]:
            path_of(name).write_bytes(written(tell()))
        else:
            try:
                check(name, path_of(name).read_bytes())
            except Differs as difference:
                sys.stdout.write(f"{difference}\n")
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
