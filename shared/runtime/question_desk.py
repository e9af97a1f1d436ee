"""Where a service hears questions and answers them: reading, bounds, and sending back.

Handlers are called one after another while the socket is read, so a question is answered in a task
of its own.
"""

from collections.abc import Awaitable, Callable, Mapping

import structlog

from shared.adapters.clocks import SystemClock
from shared.adapters.nats_bus import NotSent
from shared.ports import Bus, LogCorrupt, Message, StoreError, Subscription
from shared.ports.tracing import Span, Tracer
from shared.routing.commands import Refused
from shared.routing.ids import Position, UnixMs
from shared.runtime import spans
from shared.runtime.figures import new_outcomes
from shared.runtime.tasks import Tasks
from shared.runtime.throttle import Throttle, allowances_from
from shared.wire.headers import ERROR
from shared.wire.queries import QueryRequest
from shared.wire.replies import Reply, refused
from shared.wire.subjects import Call, is_reply, parse_call

log = structlog.get_logger()

QUESTIONS_MAX = 256
"""Answers under way; beyond it ``overloaded``, at once."""
ANSWER_BYTES_MAX = 1_000_000
"""What a broker carries unless told otherwise, less what stands around the body."""

Decode = Callable[[Call, bytes, Mapping[str, str]], QueryRequest | Refused]
Give = Callable[[QueryRequest], Awaitable[Reply | None]]
"""Answers a question; none where somebody else does."""


def _always() -> bool:
    return True


class QuestionDesk:
    """Hears questions on the subjects it is given. ``may_speak``: whether to answer right now."""

    def __init__(
        self,
        bus: Bus,
        tasks: Tasks,
        decode: Decode,
        give: Give,
        *,
        may_speak: Callable[[], bool] = _always,
        questions_max: int = QUESTIONS_MAX,
        tracer: Tracer | None = None,
    ) -> None:
        self._bus = bus
        self._tasks = tasks
        self._decode = decode
        self._give = give
        self._may_speak = may_speak
        self._questions_max = questions_max
        self._throttle = Throttle(SystemClock(), allowances_from())
        self._tracer = tracer
        self._under_way = 0
        self.outcomes = new_outcomes()
        """How often it answered what: ``answered``, or the code of a refusal."""

    async def listen(self, subject: str, *, queue: str = "") -> Subscription:
        """Answer what is asked on this subject from now on."""
        return await self._bus.subscribe(subject, self._on_message, queue=queue)

    def _on_message(self, message: Message) -> None:
        if not self._may_speak():
            return
        if not is_reply(message.reply):
            log.warning("reply_subject_refused", subject=message.subject)
            return
        asked = self._read(message)
        if isinstance(asked, Refused):
            self._send(message.reply, refused(asked))
            return
        self._under_way += 1
        self._tasks.start(self._answer(message.reply, asked), "answer")

    def _read(self, message: Message) -> QueryRequest | Refused:
        call = parse_call(message.subject)
        if isinstance(call, Refused):
            return call
        asked = self._throttle.refusal(call) or self._decode(call, message.data, message.headers)
        if not isinstance(asked, Refused) and self._under_way >= self._questions_max:
            return Refused("overloaded", f"{self._questions_max} answers are under way")
        return asked

    async def _answer(self, reply: str, asked: QueryRequest) -> None:
        span = self._begun(asked)
        try:
            answer = await self._give(asked)
        except LogCorrupt as error:
            log.error("log_corrupt", workspace=asked.workspace_id, reason=error)
            answer = refused(Refused("unavailable", f"the log cannot be read: {error}"))
        except StoreError as error:
            log.warning("answer_not_made", workspace=asked.workspace_id, reason=error)
            answer = refused(Refused("unavailable", "the store could not be read just now"))
        except Exception:
            # A fault met by one question must not keep all others from being answered.
            log.exception("answer_failed", question=type(asked.question).__name__)
            text = "this could not be answered because of a fault in the service; it is in its log"
            answer = refused(Refused("unavailable", text))
        finally:
            self._under_way -= 1
        if answer is not None and len(answer.body) > ANSWER_BYTES_MAX:
            text = f"the answer has {len(answer.body)} bytes, {ANSWER_BYTES_MAX} at most"
            answer = refused(Refused("too_large", text))
        if answer is not None and self._may_speak():
            self._send(reply, answer)
            if span is not None:
                span.end(outcome=_outcome_of(answer))

    def _begun(self, asked: QueryRequest) -> Span | None:
        if self._tracer is None:
            return None
        name = type(asked.question).__name__
        return self._tracer.begin(
            spans.QUESTION, asked.trace, workspace=asked.workspace_id, question=name
        )

    def _send(self, reply: str, answer: Reply) -> None:
        self.outcomes[_outcome_of(answer)] += 1
        try:
            self._bus.publish(reply, answer.body, headers=answer.headers)
        except NotSent as error:
            log.warning("not_sent", reason=error)


def _outcome_of(answer: Reply) -> str:
    return answer.headers.get(ERROR, "answered")


def refuse_late(asked: QueryRequest, now: UnixMs, position: Position) -> Refused | None:
    """Refuse what came too late, or what wants a later position than is known."""
    if asked.expires_at is not None and asked.expires_at < now:
        return Refused("expired", f"this expired {now - asked.expires_at} ms ago")
    if asked.min_position > position:
        text = f"position {asked.min_position} has not come here yet; the last is {position}"
        return Refused("unavailable", text)
    return None
