"""What could not be delivered: listed for admins and, when they say so, sent again.

Sending again changes nothing in the log, so it is asked here as a question is, and not sent to the
router as a command.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
import structlog

from services.notifier.outbox import message_id
from shared.ports import Bus, Channel, Clock, DeadLetter, Outbox, Subscription
from shared.ports.tracing import Tracer
from shared.routing.commands import Refused
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.routing.queries import refuse_asker
from shared.routing.questions import AskDeadLetters, AskResendDeadLetters
from shared.routing.workspace import Workspace
from shared.runtime.question_desk import QuestionDesk, refuse_late
from shared.runtime.tasks import Tasks
from shared.wire.queries import QueryRequest, decode_query
from shared.wire.replies import Reply, answered, refused
from shared.wire.subjects import queries_everywhere

log = structlog.get_logger()

QUERIES = ("dead_letters", "resend_dead_letters")
QUESTIONS_MAX = 100
"""Answers under way; beyond it ``overloaded``, at once."""
REACH_WITHIN_S = 5.0
"""How long an answer waits for the position that it is to reflect."""
LOOK_EVERY_S = 0.02


class DeadLetterView(msgspec.Struct, frozen=True, kw_only=True):
    """One message that was given up. ``message`` is the id that its receiver would have seen."""

    id: str
    channel: Channel
    recipient: str
    message: str
    position: Position
    at: UnixMs
    attempts: int
    died_at: UnixMs
    error: str


class DeadLetters(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to ``dead_letters``; ``next`` is for ``after`` if there are more."""

    dead_letters: tuple[DeadLetterView, ...]
    next: str | None


class Resent(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to ``resend_dead_letters``: how many are tried again."""

    resent: int


Resend = Callable[[WorkspaceId, Sequence[str] | None], Awaitable[int]]


class DeadLetterDesk:
    """Hears both questions, for all workspaces, and answers them."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        outbox: Outbox,
        find: Callable[[WorkspaceId], Workspace | None],
        resend: Resend,
        *,
        tracer: Tracer | None = None,
    ) -> None:
        self._clock = clock
        self._outbox = outbox
        self._find = find
        self._resend = resend
        self._tasks = Tasks()
        self._desk = QuestionDesk(
            bus,
            self._tasks,
            decode_query,
            self._answer_to,
            questions_max=QUESTIONS_MAX,
            tracer=tracer,
        )

    @property
    def outcomes(self) -> Mapping[str, int]:
        """How often it answered what."""
        return self._desk.outcomes

    async def run(self) -> None:
        """Answer until cancelled."""
        subscriptions: list[Subscription] = []
        try:
            for subject in map(queries_everywhere, QUERIES):
                subscription = await self._desk.listen(subject)
                subscriptions.append(subscription)
            await self._tasks.failed()
        finally:
            await asyncio.gather(*(one.stop() for one in subscriptions), return_exceptions=True)
            await self._tasks.stop()

    async def _answer_to(self, asked: QueryRequest) -> Reply:
        workspace = await self._reached(asked.workspace_id, asked.min_position)
        now = self._clock.wall_ms()
        if workspace is None:
            return refused(Refused("unknown_workspace", "there is no such workspace"))
        refusal = refuse_late(asked, now, workspace.position) or refuse_asker(
            workspace, asked.question, asked.by
        )
        if refusal is not None:
            return refused(refusal)
        position = workspace.position
        result = await self._result(asked)
        return refused(result) if isinstance(result, Refused) else answered(position, now, result)

    async def _result(self, asked: QueryRequest) -> DeadLetters | Resent | Refused:
        if isinstance(asked.question, AskDeadLetters):
            return await self._list(asked.workspace_id, asked.question)
        assert isinstance(asked.question, AskResendDeadLetters)
        count = await self._resend(asked.workspace_id, asked.question.ids)
        log.info("dead_letters_resent", workspace=asked.workspace_id, count=count)
        return Resent(resent=count)

    async def _reached(self, workspace_id: WorkspaceId, min_position: Position) -> Workspace | None:
        """The workspace, read up to ``min_position`` if that comes soon enough."""
        deadline = self._clock.elapsed_ms() + REACH_WITHIN_S * 1_000
        workspace = self._find(workspace_id)
        while workspace is not None and workspace.position < min_position:
            if self._clock.elapsed_ms() > deadline:
                break
            await asyncio.sleep(LOOK_EVERY_S)
            workspace = self._find(workspace_id)
        return workspace

    async def _list(
        self, workspace_id: WorkspaceId, question: AskDeadLetters
    ) -> DeadLetters | Refused:
        after = _read_cursor(question.after)
        if after is None:
            return Refused("malformed", "after: not the `next` of an earlier answer")
        found = await self._outbox.dead_letters(workspace_id, after, question.limit + 1)
        page = found[: question.limit]
        more = len(found) > len(page)
        return DeadLetters(
            dead_letters=tuple(map(_view, page)),
            next=f"{page[-1].row.position}:{page[-1].row.id}" if more else None,
        )


def _read_cursor(cursor: str | None) -> tuple[Position, str] | None:
    """Position and id after which a page begins, or none if that is not what it says."""
    if cursor is None:
        return Position(0), ""
    position, colon, row_id = cursor.partition(":")
    if not colon or not position.isdecimal() or len(position) > len(str(2**53)):
        return None
    return Position(int(position)), row_id


def _view(letter: DeadLetter) -> DeadLetterView:
    row = letter.row
    return DeadLetterView(
        id=row.id,
        channel=row.channel,
        recipient=row.recipient,
        message=message_id(row),
        position=row.position,
        at=row.created_at,
        attempts=letter.attempts,
        died_at=letter.died_at,
        error=letter.error,
    )
