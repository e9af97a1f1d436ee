"""Answers to those who missed messages of their own feed."""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec
import structlog

from services.notifier.catching_up import Rereading, Wanted
from services.notifier.feeds import WorkspaceFeeds
from services.notifier.rendering import rendered
from shared.adapters.log_follower import LogFollower, Stopped
from shared.ports import Subscription
from shared.routing.commands import Refused
from shared.routing.decide.rights import unknown
from shared.routing.events import Actor
from shared.routing.ids import OperatorId, Position, WorkspaceId
from shared.routing.notify import Numbered, Recipient
from shared.routing.questions import AskFeed
from shared.routing.workspace import Workspace
from shared.runtime.duty import Duty
from shared.runtime.question_desk import QuestionDesk, refuse_late
from shared.runtime.tasks import Tasks
from shared.runtime.world import World
from shared.wire.queries import QueryRequest, decode_query
from shared.wire.replies import Reply, answered, refused
from shared.wire.subjects import queries_of

log = structlog.get_logger()

QUERY = "feed"
QUESTIONS_MAX = 1_000
"""Answers under way; beyond it ``overloaded``, at once."""
REACH_WITHIN_S = 5.0
"""How long an answer waits for the position that it is to reflect."""
BYTES_MAX = 512 * 1024
"""Of the messages in one answer; whoever gets fewer than there are asks again from the last."""


class FeedAnswer(msgspec.Struct, frozen=True):
    """The answer to the query ``feed``: messages as they were sent, in their order.

    ``last`` is the number of the newest there is, 0 if there is none.
    """

    messages: tuple[msgspec.Raw, ...]
    last: int


class Answering:
    """Hears the query ``feed`` of the workspaces that it is given, and answers it."""

    def __init__(
        self,
        world: World,
        duty: Duty,
        follower: LogFollower,
        feeds: Mapping[WorkspaceId, WorkspaceFeeds],
        tasks: Tasks,
    ) -> None:
        self._world = world
        self._follower = follower
        self._feeds = feeds
        self._rereading = Rereading(world.store.events)
        self._desk = QuestionDesk(
            world.bus,
            tasks,
            decode_query,
            self._give,
            may_speak=duty.holds,
            questions_max=QUESTIONS_MAX,
            tracer=world.tracer,
        )

    @property
    def outcomes(self) -> Mapping[str, int]:
        """How often it answered what."""
        return self._desk.outcomes

    async def listen(self, workspace_id: WorkspaceId) -> Subscription:
        """Answer for this workspace from now on."""
        return await self._desk.listen(queries_of(workspace_id, QUERY))

    async def _give(self, asked: QueryRequest) -> Reply:
        try:
            return await self._answer_to(asked)
        except Stopped as stopped:
            log.warning("answer_not_made", workspace=asked.workspace_id, reason=stopped)
            return refused(Refused("unavailable", "the log could not be read just now"))

    async def _answer_to(self, asked: QueryRequest) -> Reply:
        assert isinstance(asked.question, AskFeed)
        workspace_id, by = asked.workspace_id, asked.by
        await self._reach(workspace_id, asked.min_position)
        feeds = self._feeds.get(workspace_id)
        now = self._world.clock.wall_ms()
        known = Position(0) if feeds is None else feeds.position
        late = refuse_late(asked, now, known)
        if late is not None:
            return refused(late)
        if feeds is None:
            return refused(Refused("unavailable", "nothing of this workspace has come here yet"))
        refusal = _not_for(by, feeds.workspace)
        if refusal is not None:
            return refused(refusal)
        position = feeds.position
        recipient = Recipient("operator" if by.kind == "operator" else "visitor", by.id)
        last = feeds.last(recipient)
        after = last if asked.question.after is None else asked.question.after
        wanted = Wanted(recipient, after, asked.question.limit)
        messages = await self._messages(workspace_id, feeds, wanted, position)
        bodies = await rendered(self._world.store.vault, messages)
        answer = FeedAnswer(tuple(msgspec.Raw(body) for body in _fitting(bodies)), last)
        return answered(position, now, answer)

    async def _reach(self, workspace_id: WorkspaceId, min_position: Position) -> None:
        """Wait for what the asker knows of, and for what is known to be there."""
        wanted = max(min_position, self._follower.noticed(workspace_id))
        try:
            async with asyncio.timeout(REACH_WITHIN_S):
                await self._follower.reach(workspace_id, wanted)
        except TimeoutError:
            log.info("answer_not_up_to_date", workspace=workspace_id, wanted=wanted)

    async def _messages(
        self,
        workspace_id: WorkspaceId,
        feeds: WorkspaceFeeds,
        wanted: Wanted,
        position: Position,
    ) -> Sequence[Numbered]:
        if wanted.after >= feeds.last(wanted.recipient):
            return []
        known = feeds.remembered.messages(wanted)
        if known is None:
            return await self._rereading.messages(workspace_id, wanted, position)
        return [message for message in known if message.position <= position]


def _not_for(by: Actor, workspace: Workspace) -> Refused | None:
    """Why somebody gets no feed, if so."""
    if by.kind not in AskFeed.allowed:
        kinds = " or ".join(AskFeed.allowed)
        return Refused("not_allowed", f"a {by.kind} has no feed; a {kinds} has")
    if by.kind == "operator":
        operator = workspace.operators.get(OperatorId(by.id))
        if operator is None or operator.removed:
            return unknown("operator", by.id)
    return None


def _fitting(bodies: Sequence[bytes]) -> Sequence[bytes]:
    """As many from the first as fit into one answer, at least one."""
    size = 0
    for number, body in enumerate(bodies):
        size += len(body) + 1
        if size > BYTES_MAX and number:
            return bodies[:number]
    return bodies
