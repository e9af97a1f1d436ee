"""Where a question about the past is asked: of a log or a file that is read here, or the auditor.

A log is read without a broker and without a way to write to it. Either way an answer is the bytes
that the auditor sends, so that what is printed cannot differ.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec
import typer
from rich.console import RenderableType

from services.auditor.works import works
from services.cli.asking import ACTOR, Admin, over_the_broker
from services.cli.moments import Clock, Now, read_moment, zone_named
from services.cli.opening import archive_at, failing_in_words, workspaces_in
from services.cli.options import DEFAULT_DATA, fail
from services.cli.progress_bar import progress_bar
from services.cli.tables import show
from shared.audit.answering import answer
from shared.audit.answers import Begun, JobView, MomentView
from shared.audit.history import History
from shared.audit.stored import Beyond
from shared.ports.archive import Archive
from shared.routing.commands import Refused
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.wire.audit import NOW, Moment, decode_audit
from shared.wire.queries import QueryRequest
from shared.wire.replies import Answered, answered
from shared.wire.subjects import Call

LOOK_EVERY_S = 0.2
"""How often a job of the auditor is asked after."""

Shape = TypeVar("Shape", bound=msgspec.Struct)
T = TypeVar("T")
Fields = Mapping[str, object]

# --- options --------------------------------------------------------------------------------

WorkspaceName = Annotated[
    str,
    typer.Option(
        "--workspace",
        envvar="FERNAMT_WORKSPACE",
        help="Whose past; may be left out where a log holds one workspace alone.",
    ),
]
Broker = Annotated[
    str,
    typer.Option(
        "--nats", help="Ask the auditor over this broker, nats://HOST:4222, in place of a log."
    ),
]
Zone = Annotated[
    str,
    typer.Option("--zone", help="Zone of times, as Europe/Berlin; the workspace's if not given."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="The answer as the auditor sends it, one JSON object.")
]
AtPosition = Annotated[
    int | None, typer.Option("--position", min=0, help="As of this position of the log.")
]
AtTime = Annotated[
    str, typer.Option("--at", help="As of a time: 14:03, '10 minutes ago', ISO 8601, @POSITION.")
]


class Where(NamedTuple):
    """Of whom a question is asked, in which workspace, and in which zone times are told."""

    workspace: str = ""
    data: Path = DEFAULT_DATA
    store: str = ""
    log: Path | None = None
    nats: str = ""
    zone: str = ""


# --- asking ---------------------------------------------------------------------------------


class Told(NamedTuple, Generic[Shape]):
    """An answer: what it reflects, what it says, and how it came."""

    position: Position
    at: UnixMs
    result: Shape
    line: str
    """The reply as it comes over the wire."""


class _Respondent(Protocol):
    async def reply(self, name: str, fields: Fields) -> Answered:
        """Raises ``ValueError`` with what is said where the question is refused."""
        ...

    async def job(self, name: str, fields: Fields, what: str) -> bytes:
        """The result of a question that takes long; ``what`` stands beside the progress bar.

        Raises ``ValueError``.
        """
        ...


class _Zone(msgspec.Struct, frozen=True):
    timezone: str


class Past:
    """The past of one workspace. All methods raise ``ValueError`` that says what is wrong, and
    whatever reading a log or asking over a broker does."""

    def __init__(self, respondent: _Respondent, zone: str) -> None:
        self._respondent = respondent
        self._wanted_zone = zone
        self._clock: Clock | None = None

    async def ask(self, name: str, fields: Fields, shape: type[Shape]) -> Told[Shape]:
        """The answer to a question."""
        reply = await self._respondent.reply(name, fields)
        result = _understood(reply.result, shape)
        return Told(reply.position, reply.at, result, msgspec.json.encode(reply).decode())

    async def job(self, name: str, fields: Fields, shape: type[Shape], what: str) -> Shape:
        """The result of a question that takes long, with a progress bar while it does."""
        return _understood(await self._respondent.job(name, fields, what), shape)

    async def clock(self) -> Clock:
        """How times are shown: in the zone that is asked for, else in the workspace's."""
        if self._clock is None:
            name = self._wanted_zone
            if not name:  # a workspace has one zone from its first event on
                name = (await self.ask("workspace", {"position": 1}, _Zone)).result.timezone
            self._clock = Clock(zone_named(name))
        return self._clock

    async def stamp(self, position: int) -> UnixMs:
        """When a position was."""
        return (await self.ask("moment", {"position": position}, MomentView)).result.at

    async def reach(self) -> MomentView:
        """How far the log reaches."""
        return (await self.ask("moment", {}, MomentView)).result

    async def moment(self, position: int | None, at: str, *, early: bool = False) -> Moment:
        """The moment that somebody means, by one of the two or by neither.

        ``early``: it may be before the log begins. One in the future is refused.
        """
        if position is not None and at:
            raise ValueError("either --position or --at")
        if position is not None:
            return Moment(position=position)
        return await self._read(at, early=early) if at else NOW

    async def _read(self, at: str, *, early: bool) -> Moment:
        reach, clock = await self.reach(), await self.clock()
        now = UnixMs(time.time_ns() // 1_000_000)
        moment = read_moment(at, Now(clock.zone, now, reach.head_at))
        if not early and moment.at is not None and moment.at < reach.first_at:
            began, meant = clock.named(reach.first_at), clock.named(moment.at)
            raise ValueError(f"the log begins {began}, after {meant}")
        if moment.at is not None and moment.at > max(now, reach.head_at):
            raise ValueError(f"{clock.named(moment.at)} is in the future")
        return moment


def _understood(result: bytes, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(result, type=shape)
    except msgspec.DecodeError as error:
        raise ValueError(f"the answer is not understood, it may be newer: {error}") from error


def as_fields(moment: Moment) -> dict[str, object]:
    """A moment as questions name it."""
    fields = {"position": moment.position, "at": moment.at}
    return {name: value for name, value in fields.items() if value is not None}


def merged(told: Told[Shape], result: Shape) -> Told[Shape]:
    """The same answer with more in it, as it would have come in one piece."""
    line = answered(told.position, told.at, result).body.decode()
    return Told(told.position, told.at, result, line)


def asked(where: Where, ask: Callable[[Past], Awaitable[T]]) -> T:
    """Ask where it is to be asked; what goes wrong ends the command with a message."""
    if where.nats:
        if not where.workspace:
            raise fail("over a broker the workspace has to be named: --workspace")

        def speak(admin: Admin) -> Awaitable[T]:
            return ask(Past(_OverTheBus(admin), where.zone))

        return over_the_broker(where.nats, where.workspace, speak, who_answers="auditor")
    with failing_in_words():
        return asyncio.run(_offline(where, ask))


async def _offline(where: Where, ask: Callable[[Past], Awaitable[T]]) -> T:
    async with archive_at(where.store, where.data, "fernamt audit", file=where.log) as archive:
        workspace_id = await _only_workspace(archive, where.workspace)
        return await ask(Past(_Offline(History(archive, workspace_id)), where.zone))


async def _only_workspace(archive: Archive, wanted: str) -> WorkspaceId:
    known = await workspaces_in(archive, wanted)
    if len(known) != 1:
        there_are = ", ".join(known)
        raise ValueError(
            f"which workspace? --workspace, one of: {there_are}"
            if known
            else "the log holds no workspaces"
        )
    return known[0]


def print_answer(
    told: Told[Shape], as_json: bool, in_words: Callable[[], Iterable[RenderableType]]
) -> None:
    """Print it as it came, or in words."""
    if as_json:
        typer.echo(told.line)
    else:
        show(in_words())


# --- who answers ----------------------------------------------------------------------------


class _Offline:
    """Reads the log itself."""

    def __init__(self, history: History) -> None:
        self._history = history

    def _decoded(self, name: str, fields: Fields) -> QueryRequest:
        call = Call("audit", self._history.workspace_id, "admin", ACTOR, name)
        asked_for = decode_audit(call, msgspec.json.encode(fields), {})
        if isinstance(asked_for, Refused):
            raise _refusal(asked_for)
        return asked_for

    async def job(self, name: str, fields: Fields, what: str) -> bytes:
        question = self._decoded(name, fields).question
        work = works(self._history.archive)[type(question)]
        try:
            total = await work.total(self._history, question)
            with progress_bar(what, total) as progress:
                return msgspec.json.encode(await work.do(self._history, question, progress))
        except Beyond as beyond:
            raise ValueError(str(beyond)) from beyond

    async def reply(self, name: str, fields: Fields) -> Answered:
        asked_for = self._decoded(name, fields)
        given = await answer(self._history, asked_for.question, asked_for.by)
        if isinstance(given.result, Refused):
            raise _refusal(given.result)
        result: Any = msgspec.Raw(msgspec.json.encode(given.result))
        return Answered(position=given.position, at=given.at, result=result)


def _refusal(refused: Refused) -> ValueError:
    return ValueError(f"{refused.code}: {refused.message}")


class _OverTheBus:
    """Asks the auditor."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    async def reply(self, name: str, fields: Fields) -> Answered:
        return await self._admin.send("audit", name, fields, {})

    async def job(self, name: str, fields: Fields, what: str) -> bytes:
        begun = await self._admin.send("audit", name, fields, {})
        about = {"job_id": msgspec.json.decode(begun.result, type=Begun).job_id}
        done = 0
        job = await self._look(about)
        with progress_bar(what, job.total) as progress:
            while job.state == "running":
                await asyncio.sleep(LOOK_EVERY_S)
                job = await self._look(about)
                progress(job.done - done)
                done = job.done
        if job.error is not None:
            raise ValueError(job.error)
        return msgspec.json.encode(job.result)

    async def _look(self, about: Fields) -> JobView:
        reply = await self._admin.send("audit", "job", about, {})
        return msgspec.json.decode(reply.result, type=JobView)
