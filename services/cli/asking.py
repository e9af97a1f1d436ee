"""Speaking to a running engine over its broker, as an admin of one workspace."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TypeVar

import msgspec
import structlog
from msgspec.structs import replace

from services.cli.options import fail
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_identity import broker_settings
from shared.ports import NoResponders
from shared.routing.commands import Refused
from shared.routing.ids import WorkspaceId
from shared.wire.replies import Answered, read_reply
from shared.wire.subjects import Call, Purpose, subject_of

DEFAULT_NATS = "nats://127.0.0.1:4222"
ACTOR = "cli"
TIMEOUT_S = 10.0
CONNECT_WITHIN_S = 5.0

T = TypeVar("T")
Shape = TypeVar("Shape", bound=msgspec.Struct)


class Admin:
    """A connection that speaks in one workspace."""

    def __init__(self, bus: NatsBus, workspace_id: WorkspaceId) -> None:
        self._bus = bus
        self._workspace_id = workspace_id

    async def send(
        self, purpose: Purpose, name: str, body: Mapping[str, object], headers: Mapping[str, str]
    ) -> Answered:
        """One request. Raises ``ValueError`` with what the service says where it refuses."""
        subject = subject_of(Call(purpose, self._workspace_id, "admin", ACTOR, name))
        answer = await self._bus.request(
            subject, msgspec.json.encode(body), headers=headers, timeout_s=TIMEOUT_S
        )
        reply = read_reply(answer.data)
        if isinstance(reply, Refused):
            raise ValueError(f"{reply.code}: {reply.message}")
        return reply

    async def ask(self, query: str, body: Mapping[str, object], shape: type[Shape]) -> Shape:
        """The result of a query."""
        return msgspec.json.decode((await self.send("ask", query, body, {})).result, type=shape)


def over_the_broker(
    nats: str, workspace: str, speak: Callable[[Admin], Awaitable[T]], *, who_answers: str
) -> T:
    """Connect, ``speak`` and disconnect; what goes wrong ends the command with a message."""
    try:
        with _without_log_lines():
            return asyncio.run(_connected(nats, workspace, speak))
    except NoResponders:
        article = "an" if who_answers[0] in "aeiou" else "a"
        raise fail(f"nobody answers: is {article} {who_answers} running?") from None
    except (TimeoutError, ConnectionError, PermissionError, ValueError, OSError) as error:
        raise fail(str(error) or "no answer in time") from error


async def _connected(nats: str, workspace: str, speak: Callable[[Admin], Awaitable[T]]) -> T:
    settings = broker_settings(nats, "fernamt cli")
    bus = await NatsBus.connect(replace(settings, connect_within_s=CONNECT_WITHIN_S))
    try:
        return await speak(Admin(bus, WorkspaceId(workspace)))
    finally:
        await bus.close()


@contextlib.contextmanager
def _without_log_lines() -> Iterator[None]:
    """What goes wrong with a connection ends in one message; stdout is for answers alone."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)
