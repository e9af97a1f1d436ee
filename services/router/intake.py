"""From messages to jobs: who speaks, what is asked, and whether it can be read at all.

Handlers are called one after another while the socket is read: they decode, hand over and return.
What there is no room for is refused before anything of it is looked at.
"""

from collections.abc import Callable

import msgspec
import structlog

from services.router.crowd import Crowd
from services.router.live import LiveWorkspace
from services.router.publishing import Publishing
from services.router.spans import traced
from services.router.turnstile import Turnstile
from services.router.units import Job
from shared.adapters.nats_bus import NotSent
from shared.ports import Bus, Message, NoResponders, Subscription
from shared.ports.tracing import Tracer
from shared.routing.commands import Refused
from shared.routing.ids import WorkspaceId
from shared.routing.partition import partition_of
from shared.routing.questions import QUERIES
from shared.runtime.tasks import Tasks
from shared.wire.queries import QueryRequest, decode_query
from shared.wire.requests import CommandRequest, decode_command
from shared.wire.subjects import (
    WORKSPACE_CREATION,
    as_sent,
    commands_of,
    handed_on,
    handed_on_to,
    is_reply,
    parse_call,
    queries_of,
)

log = structlog.get_logger()

CREATE = "create_workspace"
CREATORS = "fernamt-router"
"""Queue group of all routers, of which one takes a creation."""
HANDED_ON_WITHIN_S = 5.0

_CHANGES_HANDS = Refused("unavailable", "the workspace changes hands just now; ask again")

Create = Callable[[WorkspaceId, Job], bool]
"""Takes the creation of a workspace; false where somebody else holds its partition."""


class Intake:
    """Listens, reads what comes and hands it to its workspace."""

    def __init__(
        self,
        bus: Bus,
        publishing: Publishing,
        crowd: Crowd,
        turnstile: Turnstile,
        *,
        create: Create,
        tasks: Tasks,
        tracer: Tracer | None = None,
    ) -> None:
        self._bus = bus
        self._publishing = publishing
        self._crowd = crowd
        self._turnstile = turnstile
        self._create = create
        self._tasks = tasks
        self._tracer = tracer
        self.hash_key = b""
        """Without it, what stands in the log would tell whether a guess at an erased text is right;
        so it is kept beside the log, and is the same for every router."""

    async def listen(self, live: LiveWorkspace) -> list[Subscription]:
        """Hear everything addressed to one workspace, from now on."""

        def on_message(message: Message) -> None:
            job = self._admitted(message, live.refusal())
            if job is not None and not _is_creation(job):
                live.submit(job if self._tracer is None else traced(self._tracer, job))

        subjects = [commands_of(live.workspace_id)]
        subjects.extend(queries_of(live.workspace_id, query) for query in QUERIES)
        return [await self._bus.subscribe(subject, on_message) for subject in subjects]

    async def listen_for_creation(self) -> Subscription:
        """Hear that workspaces are to be created, together with all other routers.

        One of them gets the message, and hands it on where another holds the partition.
        """

        def on_message(message: Message) -> None:
            job = self._admitted(message, self._crowd.refusal(None))
            if job is not None and not self._create_traced(job):
                self._tasks.start(self._hand_on(job, message), "hand on")

        return await self._bus.subscribe(WORKSPACE_CREATION, on_message, queue=CREATORS)

    async def listen_for_handed_on(self, partition: int) -> list[Subscription]:
        """Hear what other routers got and was for the owner of this partition."""

        def on_message(message: Message) -> None:
            sent = msgspec.structs.replace(message, subject=as_sent(message.subject))
            job = self._admitted(sent, self._crowd.refusal(None))
            if job is not None and not self._create_traced(job):
                self._publishing.refuse_to(job.reply, _CHANGES_HANDS)

        return [await self._bus.subscribe(handed_on_to(partition), on_message)]

    def _create_traced(self, job: Job) -> bool:
        """Only whoever takes it traces it: a command is to have one span."""
        traced_job = job if self._tracer is None else traced(self._tracer, job)
        return self._create(job.asked.workspace_id, traced_job)

    async def _hand_on(self, job: Job, message: Message) -> None:
        """Let the owner answer, through us: only its asker learns that nobody is subscribed."""
        subject = handed_on(partition_of(job.asked.workspace_id), message.subject)
        try:
            answer = await self._bus.request(
                subject, message.data, headers=message.headers, timeout_s=HANDED_ON_WITHIN_S
            )
        except (NoResponders, TimeoutError, NotSent):
            self._publishing.refuse_to(job.reply, _CHANGES_HANDS)
        else:
            if job.reply:
                self._publishing.pass_on(job.reply, answer)

    def _admitted(self, message: Message, refusal: Refused | None) -> Job | None:
        """The job that a message is; none if it was refused or cannot be answered."""
        if message.reply and not is_reply(message.reply):
            log.warning("reply_subject_refused", subject=message.subject)
            return None
        asked = refusal or self._decode(message)
        if isinstance(asked, Refused):
            self._publishing.refuse_to(message.reply, asked)
            return None
        return Job(message.reply, asked, self._crowd.now())

    def _decode(self, message: Message) -> CommandRequest | QueryRequest | Refused:
        call = parse_call(message.subject)
        if isinstance(call, Refused):
            return call
        refused = self._turnstile.refusal(call, message.headers)
        if refused is not None:
            return refused
        if call.purpose == "cmd":
            return decode_command(call, message.data, message.headers, hash_key=self.hash_key)
        return decode_query(call, message.data, message.headers)


def _is_creation(job: Job) -> bool:
    return isinstance(job.asked, CommandRequest) and job.asked.request.name == CREATE
