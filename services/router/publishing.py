"""Everything the router says: answers, and notices to other services.

Nothing is handed over to be said here before its commit, or while the leases may be over.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import structlog

from services.router.spans import end_answered
from services.router.units import Answer, Job, Unit
from shared.adapters.nats_bus import NotSent
from shared.adapters.open_store import Store
from shared.ports import Bus, Message, StoreError
from shared.routing.commands import Refused
from shared.routing.events import REF_FIELDS, Actor
from shared.routing.ids import Position, Ref, UnixMs, WorkspaceId
from shared.routing.queries import ConversationAnswer, Operators
from shared.routing.settings_views import WorkspaceView
from shared.routing.views import ConversationView, View
from shared.runtime.failpoints import FAILPOINTS
from shared.runtime.figures import new_outcomes
from shared.runtime.tasks import Tasks
from shared.wire.log_codec import decode_event
from shared.wire.notices import position_body
from shared.wire.replies import answered, refused
from shared.wire.sealed import unseal
from shared.wire.subjects import Head, Sign, subject_of

log = structlog.get_logger()

ANSWER_BYTES_MAX = 1_000_000
"""What fits into one message of a broker with its usual limit of 1 MiB, headers included."""
TIMELINE_MAX = 1_000
"""Events of a conversation's timeline in one answer, the newest."""
TIMELINE_BYTES_MAX = 512 * 1024
"""... and at most so much of it: notes are long, and the broker carries 1 MiB."""

Fields = dict[str, Any]
Texts = Mapping[Any, object]

_NOTHING: Fields = {}
_encode = msgspec.json.Encoder().encode


class TimelineEntry(View, frozen=True, kw_only=True):
    """One event of a conversation, with notes and other personal texts as text."""

    position: Position
    at: UnixMs
    by: Actor | None
    event: Fields


class ConversationWithTimeline(View, frozen=True, kw_only=True):
    """The answer to the query ``conversation``."""

    conversation: ConversationView
    timeline: tuple[TimelineEntry, ...]


class Publishing:
    """Sends what units have to say, when they may say it."""

    def __init__(self, bus: Bus, store: Store, tasks: Tasks) -> None:
        self._bus = bus
        self._store = store
        self._tasks = tasks
        self.outcomes = new_outcomes()
        """How often it answered what: ``answered``, ``repeated``, or the code of a refusal."""

    def announce(self, workspace_id: WorkspaceId, position: Position) -> None:
        """Tell the other services how far the log reaches.

        Messages of one connection stay in order: whoever has an answer that relies on ``position``
        and then turns to another service finds that it has been told.
        """
        self._publish(_head_subject(workspace_id), position_body(position))

    def release(self, workspace_id: WorkspaceId, unit: Unit) -> None:
        """Answer: the unit's rows are durable, or it needed none."""
        if unit.sign and unit.job is not None:
            self._sign(workspace_id, unit.job.asked.by)
        if unit.job is None or unit.answer is None:
            return
        if not unit.job.reply:
            end_answered(unit.job, unit.answer)
            return
        FAILPOINTS.passing("before_reply")
        self._answer(workspace_id, unit.job, unit.answer)
        FAILPOINTS.passing("after_reply")

    def refuse(self, job: Job, refusal: Refused) -> None:
        """Answer at once with something that was decided on nothing."""
        self.refuse_to(job.reply, refusal)
        if job.span is not None:
            job.span.end(outcome=refusal.code)

    def refuse_to(self, reply: str, refusal: Refused) -> None:
        self.outcomes[refusal.code] += 1
        if reply:
            sent = refused(refusal)
            self._publish(reply, sent.body, sent.headers)

    def pass_on(self, reply: str, answer: Message) -> None:
        """Send the answer that another router gave."""
        self._publish(reply, answer.data, answer.headers)

    def _sign(self, workspace_id: WorkspaceId, by: Actor) -> None:
        """Show that somebody is there of whom the log says nothing new."""
        if by.kind in {"operator", "visitor"}:
            self._publish(subject_of(Sign(workspace_id, by.kind, by.id)), b"")

    def _publish(self, subject: str, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Send, or drop what the bus does not take: what is said is in the log.

        Whoever waits for an answer asks again; in vain if the server takes no message of that size.
        """
        try:
            self._bus.publish(subject, data, headers=headers)
        except (NotSent, ValueError) as error:
            log.warning("not_sent", subject=subject, reason=error)

    def _answer(self, workspace_id: WorkspaceId, job: Job, answer: Answer) -> None:
        if isinstance(answer.result, Refused):
            self.refuse(job, answer.result)
        elif isinstance(answer.result, ConversationAnswer | Operators | WorkspaceView):
            self._tasks.start(self._complete(workspace_id, job, answer), "answer")
        else:
            self._send(job, answer, answer.result)

    def _send(self, job: Job, answer: Answer, result: object) -> None:
        sent = answered(answer.position, answer.at, result or _NOTHING, repeated=answer.repeated)
        if len(sent.body) > ANSWER_BYTES_MAX:
            text = f"the answer has {len(sent.body)} bytes, {ANSWER_BYTES_MAX} at most"
            self.refuse(job, Refused("too_large", text))
        else:
            self.outcomes["repeated" if answer.repeated else "answered"] += 1
            self._publish(job.reply, sent.body)
            end_answered(job, answer)

    # --- what has to be read first ----------------------------------------------------------

    async def _complete(self, workspace_id: WorkspaceId, job: Job, answer: Answer) -> None:
        """Fill in what only the log and the vault know: timelines and personal texts."""
        try:
            if isinstance(answer.result, ConversationAnswer):
                result: object = await self._with_timeline(workspace_id, answer.result)
            elif isinstance(answer.result, Operators):
                result = await self._with_names(answer.result)
            else:
                assert isinstance(answer.result, WorkspaceView)
                result = await self._with_invitations(answer.result)
        except StoreError as error:
            log.warning("answer_not_completed", workspace=workspace_id, reason=error)
            self.refuse(job, Refused("unavailable", "the store could not be read just now"))
        else:
            self._send(job, answer, result)

    async def _with_timeline(
        self, workspace_id: WorkspaceId, answer: ConversationAnswer
    ) -> ConversationWithTimeline:
        rows = await self._store.events.read_at(workspace_id, answer.positions[-TIMELINE_MAX:])
        told = [(row.position, decode_event(row.topic, row.state)) for row in rows]
        fields = [(msgspec.to_builtins(e.data), REF_FIELDS[type(e.data)]) for _, e in told]
        texts = await self._texts_of(fields)
        timeline = [
            TimelineEntry(position=position, at=e.at, by=e.by, event=_readable(event, refs, texts))
            for (position, e), (event, refs) in zip(told, fields, strict=True)
        ]
        return ConversationWithTimeline(
            conversation=answer.conversation, timeline=tuple(_newest(timeline, TIMELINE_BYTES_MAX))
        )

    async def _with_names(self, answer: Operators) -> dict[str, object]:
        fields = [(msgspec.to_builtins(one), ("name", "email")) for one in answer.operators]
        texts = await self._texts_of(fields)
        return {"operators": [_readable(one, refs, texts) for one, refs in fields]}

    async def _with_invitations(self, answer: WorkspaceView) -> Fields:
        rules: list[Fields] = msgspec.to_builtins(answer.rules)
        invitations = [a["invite"] for rule in rules for a in rule["then"] if "invite" in a]
        texts = await self._texts_of([(invitation, ("message",)) for invitation in invitations])
        for invitation in invitations:
            invitation["message"] = texts.get(invitation["message"])
        named = {name: getattr(answer, name) for name in answer.__struct_fields__}
        return named | {"rules": rules}

    async def _texts_of(self, fields: Sequence[tuple[Fields, Sequence[str]]]) -> Texts:
        refs = [Ref(one[name]) for one, names in fields for name in names if one[name]]
        if not refs:
            return {}
        return {ref: unseal(body) for ref, body in (await self._store.vault.read(refs)).items()}


def _newest(timeline: Sequence[TimelineEntry], bytes_max: int) -> Sequence[TimelineEntry]:
    """As many entries from the end as fit into ``bytes_max``."""
    size = 0
    for kept, entry in enumerate(reversed(timeline)):
        size += len(_encode(entry))
        if size > bytes_max:
            return timeline[len(timeline) - kept :]
    return timeline


def _readable(fields: Fields, refs: Sequence[str], texts: Texts) -> Fields:
    """The same with each reference replaced by its text, null where that was erased."""
    return fields | {name: texts.get(fields[name]) for name in refs}


@lru_cache(maxsize=65_536)
def _head_subject(workspace_id: WorkspaceId) -> str:
    return subject_of(Head(workspace_id))
