"""Where the engine's own time goes, command by command: its real code, in this process, no servers.

Each stage is called as its service calls it and timed by itself, the notifier's among them; then
the same commands go through the router's own classes in one piece, without the notifier's. What
the broker's client, the database's client and the event loop take is not in here: for the whole see
the processor time of the engine's process.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median
from time import perf_counter_ns
from typing import Any, cast

from services.notifier.rendering import body_of, feed_subject
from services.router.crowd import Crowd
from services.router.decider import ConversationResult, Decider
from services.router.intake import Intake
from services.router.publishing import Publishing
from services.router.turnstile import Turnstile
from services.router.units import Job
from shared.adapters.clocks import SystemClock
from shared.adapters.nats_wire import publish_command
from shared.ports import Message
from shared.routing.commands import Refused
from shared.routing.decide import Facts, Instruction, decide
from shared.routing.ids import ConversationId, WorkspaceId
from shared.routing.notify import Feeds, Numbered
from shared.routing.transaction import Recorded, Stamp, record
from shared.routing.views import conversation_view, for_visitor
from shared.routing.workspace import Workspace
from shared.runtime.throttle import ALLOWANCES, Throttle
from shared.wire.log_codec import encode_event
from shared.wire.replies import answered
from shared.wire.requests import CommandRequest, decode_command
from shared.wire.subjects import Call, parse_call
from tests.bench.figures import Row, row
from tests.bench.office import Said, Visitors, settled

WORKSPACE = WorkspaceId("bench")
REPLY = "_INBOX.bench.1"
EPOCH = 1
STAGES = ("decode", "decide and apply", "whom to tell", "encode rows", "reply", "feeds", "publish")


class _Sink:
    """Takes what is published as the bus does: as bytes for the socket."""

    def publish(
        self,
        subject: str,
        data: bytes,
        *,
        reply: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        publish_command(subject, reply, data, headers)


class Staged:
    """A workspace whose commands are carried out stage by stage."""

    def __init__(self) -> None:
        self._workspace = Workspace(workspace_id=WORKSPACE)
        self._feeds = Feeds(self._workspace)
        self._clock = SystemClock()
        self._published: list[tuple[str, bytes]] = []
        for said in settled():
            self.carry_out(said.message(WORKSPACE, REPLY))

    def carry_out(self, message: Message) -> list[int]:
        """Carry the command out; nanoseconds of each of ``STAGES``."""
        marks = [perf_counter_ns()]
        asked = self._decoded(message)
        marks.append(perf_counter_ns())
        recorded, numbered, telling_ns = self._routed(asked)
        marks.append(perf_counter_ns())
        rows = [encode_event(one.envelope) for one in recorded]
        assert rows
        marks.append(perf_counter_ns())
        reply = self._reply(asked)
        marks.append(perf_counter_ns())
        feeds = [_fed(one) for one in numbered]
        marks.append(perf_counter_ns())
        for subject, data in [(REPLY, reply), *feeds]:
            publish_command(subject, "", data, None)
        marks.append(perf_counter_ns())
        decode, route, encode, reply_ns, feeds_ns, publish = _gaps(marks)
        return [decode, route - telling_ns, telling_ns, encode, reply_ns, feeds_ns, publish]

    def _decoded(self, message: Message) -> CommandRequest:
        call = parse_call(message.subject)
        assert isinstance(call, Call)
        asked = decode_command(call, message.data, message.headers)
        assert isinstance(asked, CommandRequest)
        return asked

    def _routed(self, asked: CommandRequest) -> tuple[list[Recorded], list[Numbered], int]:
        at = self._clock.wall_ms()
        outcome = decide(self._workspace, asked.command, Instruction(asked.by, at))
        assert isinstance(outcome, Facts), outcome
        stamp = Stamp(at, EPOCH, asked.by, asked.command_id, asked.request, asked.trace)
        recorded, numbered, telling_ns = [], [], 0
        for one in record(self._workspace, outcome.events, stamp):
            began = perf_counter_ns()
            numbered += self._feeds.number(one.position, one.envelope)
            telling_ns += perf_counter_ns() - began
            recorded.append(one)
        return recorded, numbered, telling_ns

    def _reply(self, asked: CommandRequest) -> bytes:
        conversation_id = getattr(asked.command, "conversation_id", None)
        conversation = self._workspace.conversations.get(ConversationId(conversation_id or ""))
        if conversation is None:
            return answered(self._workspace.position, self._workspace.at, {}).body
        view = for_visitor(conversation_view(self._workspace, conversation))
        result = ConversationResult(conversation=view)
        return answered(self._workspace.position, self._workspace.at, result).body


class Whole:
    """The same commands through the router's own classes, without the waiting in between."""

    def __init__(self) -> None:
        workspace = Workspace(workspace_id=WORKSPACE)
        sink, nowhere = cast("Any", _Sink()), cast("Any", None)
        self._decider = Decider(workspace, SystemClock(), EPOCH, nowhere)
        self._publishing = Publishing(sink, nowhere, nowhere)
        crowd, throttle = Crowd(SystemClock()), Throttle(SystemClock(), ALLOWANCES)
        turnstile = Turnstile(sink, throttle, nowhere)
        self._intake = Intake(
            sink, self._publishing, crowd, turnstile, create=nowhere, tasks=nowhere
        )
        for said in settled():
            self.carry_out(said.message(WORKSPACE, REPLY))

    def carry_out(self, message: Message) -> list[int]:
        """Carry the command out; the nanoseconds it took, alone in a list."""
        began = perf_counter_ns()
        job = self._intake._admitted(message, None)
        assert isinstance(job, Job)
        unit = self._decider.take(job)
        self._publishing.release(WORKSPACE, unit)
        spent_ns = perf_counter_ns() - began
        assert unit.answer is not None
        assert not isinstance(unit.answer.result, Refused), unit.answer.result
        return [spent_ns]


def rows(rounds: int, conversations: int) -> Iterator[Row]:
    """A line for each stage of opening a conversation, and for opening and closing as wholes."""
    staged, whole = Staged(), Whole()
    stages: dict[str, list[float]] = {name: [] for name in STAGES}
    opening: list[float] = []
    closing: list[float] = []
    visitors = Visitors(seed=1)
    for _ in range(rounds):
        openings = [visitors.opening() for _ in range(conversations)]
        closings = [visitors.closing(said) for said in openings]
        for name, us in zip(STAGES, _typical_us(staged, openings), strict=True):
            stages[name].append(us)
        _typical_us(staged, closings)
        opening += _typical_us(whole, openings)
        closing += _typical_us(whole, closings)
    for name, figures in stages.items():
        yield row(f"opening: {name}", "µs", figures)
    yield row("opening: all in one piece", "µs", opening)
    yield row("closing: all in one piece", "µs", closing)


def _typical_us(side: Staged | Whole, several: Sequence[Said]) -> list[float]:
    """Of each stage what half of the commands stay below: a pause of the machine is not its own."""
    messages = [said.message(WORKSPACE, REPLY) for said in several]
    spent = [side.carry_out(message) for message in messages]
    return [median(stage) / 1_000 for stage in zip(*spent, strict=True)]


def _fed(numbered: Numbered) -> tuple[str, bytes]:
    return feed_subject(WORKSPACE, numbered.notification.recipient), body_of(numbered, {})


def _gaps(marks: Sequence[int]) -> Iterator[int]:
    return (later - earlier for earlier, later in pairwise(marks))
