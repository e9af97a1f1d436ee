"""From messages to jobs: who speaks, what is asked, and whether it can be read at all.

Handlers are called one after another while the socket is read: they decode, hand over and return.
What there is no room for is refused before anything of it is looked at.
"""

from collections.abc import Callable

import structlog

from services.router.crowd import Crowd
from services.router.live import LiveWorkspace
from services.router.publishing import Publishing
from services.router.units import Job
from shared.ports import Bus, Message, Subscription
from shared.routing.commands import Refused
from shared.routing.ids import WorkspaceId
from shared.routing.questions import QUERIES
from shared.wire.queries import QueryRequest, decode_query
from shared.wire.requests import CommandRequest, decode_command
from shared.wire.subjects import (
    WORKSPACE_CREATION,
    Call,
    commands_of,
    is_reply,
    parse_call,
    queries_of,
)

log = structlog.get_logger()

CREATE = "create_workspace"
CREATORS = "fernamt-router"
"""Queue group of all routers, of which one takes a creation."""


class Intake:
    """Listens, reads what comes and hands it to its workspace."""

    def __init__(self, bus: Bus, publishing: Publishing, crowd: Crowd) -> None:
        self._bus = bus
        self._publishing = publishing
        self._crowd = crowd
        self.hash_key = b""
        """Without it, what stands in the log would tell whether a guess at an erased text is right;
        so it is kept beside the log, and is the same for every router."""

    async def listen(self, live: LiveWorkspace) -> list[Subscription]:
        """Hear everything addressed to one workspace, from now on."""

        def on_message(message: Message) -> None:
            job = self._admitted(message, live.refusal())
            if job is not None and not _is_creation(job):
                live.submit(job)

        subjects = [commands_of(live.workspace_id)]
        subjects.extend(queries_of(live.workspace_id, query) for query in QUERIES)
        return [await self._bus.subscribe(subject, on_message) for subject in subjects]

    async def listen_for_creation(self, create: Callable[[WorkspaceId, Job], None]) -> Subscription:
        """Hear that workspaces are to be created, together with all other routers."""

        def on_message(message: Message) -> None:
            job = self._admitted(message, self._crowd.refusal(None))
            if job is not None:
                create(job.asked.workspace_id, job)

        return await self._bus.subscribe(WORKSPACE_CREATION, on_message, queue=CREATORS)

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
        call: Call | Refused = parse_call(message.subject)
        if isinstance(call, Refused):
            return call
        if call.purpose == "cmd":
            return decode_command(call, message.data, message.headers, hash_key=self.hash_key)
        return decode_query(call, message.data, message.headers)


def _is_creation(job: Job) -> bool:
    return isinstance(job.asked, CommandRequest) and job.asked.request.name == CREATE
