"""The end of every run: read everything there is and hold it against everything anybody saw."""

import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from shared.routing.commands import Refused
from shared.routing.events import Actor
from shared.routing.folding import Folding
from shared.routing.following import Unfit
from shared.routing.ids import UnixMs, WorkspaceId
from shared.routing.queries import ConversationAnswer, answer
from shared.routing.questions import QUERIES
from shared.routing.route import next_decision
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace
from shared.wire.log_codec import encode_event
from tests.chaos import checkers
from tests.chaos.history import History
from tests.chaos.notifications import called_for, missed
from tests.servers.client import Client, Fields
from tests.servers.office import read_log
from tests.servers.streams import events_of_stream

SETTLED_TRIES_MAX = 50
"""Looks at a log that timers may still lengthen; each is a few round trips."""


async def judge(
    history: History, client: Client, store_url: str, workspace: str, keep_in: Path
) -> Sequence[Recorded]:
    """Raise ``AssertionError`` with every breach; the history is then kept for whoever asks why."""
    log = await read_log(store_url, workspace)
    breaches = [
        *breaches_of(history, log, WorkspaceId(workspace)),
        *await _stream_breaches(client, workspace, log),
        *await _folded("C9", _live_breaches(client, store_url, workspace)),
        *await _folded("C8", _feed_breaches(client, workspace, log)),
    ]
    if breaches:
        history.write(keep_in / "history.jsonl")
        raise AssertionError("\n".join([f"{keep_in}/history.jsonl", *breaches[:40]]))
    return log


def breaches_of(history: History, log: Sequence[Recorded], workspace: WorkspaceId) -> list[str]:
    """What every checker says, with its number before it."""
    checks: dict[str, Callable[[], list[str]]] = {
        "C1": lambda: checkers.c1_no_loss(history.attempts, log, workspace),
        "C2": lambda: checkers.c2_exactly_once(history.attempts, log),
        "C3": lambda: checkers.c3_order(history.attempts, log),
        "C4": lambda: checkers.c4_single_owner(log),
        "C5": lambda: checkers.c5_capacity(log),
        "C6": lambda: checkers.c6_eligibility(log),
        "C9/C10": lambda: checkers.c9_c10_replay(log, workspace),
    }
    return [f"{checker}: {breach}" for checker, check in checks.items() for breach in _told(check)]


def _told(check: Callable[[], list[str]]) -> list[str]:
    """What a checker says; a log whose events do not fit each other cannot be judged further."""
    try:
        return check()
    except (AssertionError, LookupError, ValueError) as misfit:
        return [f"the events do not fit each other: {misfit!r}"]


async def _folded(checker: str, check: Awaitable[list[str]]) -> list[str]:
    """The same for those that ask the engine meanwhile."""
    try:
        return await check
    except (AssertionError, LookupError, ValueError, Unfit) as misfit:
        return [f"{checker}: the events do not fit each other: {misfit!r}"]


def share_of_ok(history: History) -> float:
    """How many of the commands were accepted; a workload that is mostly refused proves little."""
    commands = checkers.by_command(history.attempts).values()
    accepted = [tries for tries in commands if any(t.outcome == "ok" for t in tries)]
    return len(accepted) / len(commands)


def longest_silence_s(history: History) -> float:
    """R1: the longest time during which nothing was acknowledged to anybody."""
    moments = sorted(a.ended_ns for a in history.attempts if a.outcome == "ok")
    return max(b - a for a, b in itertools.pairwise(moments)) / 1e9


async def _stream_breaches(client: Client, workspace: str, log: Sequence[Recorded]) -> list[str]:
    """The stream is the log, byte for byte, once the relay has caught up."""
    if not log:
        return []
    stream = await events_of_stream(client, workspace, upto=log[-1].position)
    streamed = [(event.position, event.topic, event.state) for event in stream]
    stored = [(position, *encode_event(envelope)) for position, envelope in log]
    for event, row in zip(streamed, stored, strict=False):
        if event != row:
            return [f"stream: {event} where the log has {row}"]
    if len(streamed) < len(stored):
        return [f"stream: {len(streamed)} events of {len(stored)}"]
    return []


async def _feed_breaches(client: Client, workspace: str, log: Sequence[Recorded]) -> list[str]:
    """C8: whoever missed messages gets them by asking, all of them."""
    expected = called_for(log, WorkspaceId(workspace))
    position = log[-1].position if log else 0
    return [f"C8: {breach}" for breach in await missed(client, workspace, expected, position)]


# --- the state that the engine answers from -------------------------------------------------


async def _live_breaches(client: Client, store_url: str, workspace: str) -> list[str]:
    """C9: whatever the engine answers is what the log, folded up to there, answers."""
    breaches: list[str] = []
    for _ in range(SETTLED_TRIES_MAX):
        folded = Workspace(workspace_id=workspace)
        folding = Folding(folded)
        for _, envelope in await read_log(store_url, workspace):
            list(folding.feed(envelope))
        list(folding.finish())
        if (missing := next_decision(folded)) is not None:
            return [f"C9: after the last event a decision is missing: {missing}"]
        breaches, settled = await _compare(client, folded)
        if settled:
            return breaches
    return ["C9: the log never came to rest", *breaches]


async def _compare(client: Client, folded: Workspace) -> tuple[list[str], bool]:
    """What differs, and whether everything was asked at the very position of the fold."""
    breaches = []
    for actor, query, fields in _questions(folded):
        reply = await client.ask(folded.workspace_id, actor.kind, actor.id, query, fields)
        if reply["ok"] and reply["position"] != folded.position:
            return [f"C9: {query} is answered at {reply['position']}"], False
        if not _agrees(folded, actor, query, fields, reply):
            breaches.append(f"C9: {query} {fields} for {actor.kind} {actor.id} differs: {reply}")
    return breaches, True


def _questions(folded: Workspace) -> Iterator[tuple[Actor, str, Fields]]:
    admin = Actor("admin", "root")
    yield admin, "roster", {}
    yield admin, "workspace", {}
    yield admin, "queue", {}
    for operator_id in folded.operators:
        operator = Actor("operator", operator_id)
        yield operator, "me", {}
        for view in ("mine", "unassigned", "all"):
            yield operator, "inbox", {"view": view, "limit": 1_000}
    for conversation_id in folded.conversations:
        yield admin, "conversation", {"conversation_id": conversation_id}
    for visitor_id in folded.visitors:
        yield admin, "visitor", {"visitor_id": visitor_id}
    for entry_point_id in folded.entry_points:
        yield admin, "entry_point", {"entry_point_id": entry_point_id}


def _agrees(folded: Workspace, actor: Actor, query: str, fields: Fields, reply: Fields) -> bool:
    question = msgspec.convert(fields, QUERIES[query])
    expected = answer(folded, question, actor, UnixMs(reply.get("at", 0)))
    if isinstance(expected, Refused):
        return not reply["ok"] and reply["error"]["code"] == expected.code
    if not reply["ok"]:
        return False
    if isinstance(expected, ConversationAnswer):
        same: bool = reply["result"]["conversation"] == _plain(expected.conversation)
        return same and [e["position"] for e in reply["result"]["timeline"]] == list(
            expected.positions
        )
    return bool(reply["result"] == _plain(expected))


def _plain(struct: msgspec.Struct) -> object:
    return msgspec.json.decode(msgspec.json.encode(struct))
