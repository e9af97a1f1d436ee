"""The notifier as a service: it tells people and programs what happened, once it is in the log.

In each term of duty it reads the log of every workspace from the beginning, so that messages get
their numbers, and sends what stands behind the position that was saved. Always in this order: rows
of the outbox are written, messages sent, the server has seen them, the position is saved.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import structlog

from services.notifier.answering import Answering
from services.notifier.feeds import Events, Outlet, WorkspaceFeeds
from services.notifier.sending import Sending
from shared.adapters.log_follower import HEADS_AT_ONCE, LogFollower
from shared.ports import OutboxRow, StoreError, Subscription
from shared.routing.events import Envelope
from shared.routing.ids import Position, WorkspaceId
from shared.routing.notify import Numbered
from shared.routing.workspace import Workspace
from shared.runtime import metrics
from shared.runtime.duty import Duty, new_owner
from shared.runtime.figures import Figure, of_answers, of_follower
from shared.runtime.tasks import Tasks
from shared.runtime.terms import serve_in_terms
from shared.runtime.world import World

log = structlog.get_logger()

CHUNK_EVENTS = 512
"""Read at once when there is much to read; others get their turn in between all the same."""
REST_S = 0.01
"""Between two readings of a log that grows all the time; one that was quiet is read at once."""
DRAIN_S = 5.0
"""How long stopping may take before what is left is left to the next; what mails and webhooks are
under way have their own time after it."""

Find = Callable[[WorkspaceId], Workspace | None]
"""A workspace as far as it was read, if at all."""


class Channels(Protocol):
    """What goes out by other ways than the feeds. Rows are planned here and sent when it likes."""

    def plan(
        self,
        workspace: Workspace,
        position: Position,
        envelope: Envelope,
        numbered: Sequence[Numbered],
    ) -> Sequence[OutboxRow]:
        """The rows for one event and its messages; the same whenever it is asked."""
        ...

    def planned(self, rows: Sequence[OutboxRow]) -> None:
        """These are in the outbox now."""
        ...

    def figures(self) -> Iterable[Figure]:
        """What became of them."""
        ...

    async def run(self) -> None:
        """Send until cancelled."""
        ...


class FeedsAlone:
    """No other channels."""

    def __init__(self, _find: Find) -> None:
        """Nothing has to be found."""

    def plan(self, *_event: object) -> Sequence[OutboxRow]:
        return ()

    def planned(self, _rows: Sequence[OutboxRow]) -> None:
        """Nothing is."""

    def figures(self) -> Iterable[Figure]:
        return ()

    async def run(self) -> None:
        """Nothing to do."""


class Notifier:
    """One notifier process. ``run`` serves until ``stop``; ``ready`` is set while it is on duty."""

    def __init__(
        self,
        world: World,
        *,
        owner: str | None = None,
        channels: Callable[[Find], Channels] = FeedsAlone,
    ) -> None:
        """``channels`` makes what a term of duty sends with beside the feeds."""
        self._world = world
        self._owner = owner or new_owner()
        self._channels = channels
        self._term: Term | None = None
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()

    def stop(self) -> None:
        """Ask ``run`` to end; it drains first."""
        self._stopping.set()

    async def figures(self) -> Iterable[Figure]:
        """Of the present term of duty; none while it stands by."""
        return self._term.figures() if self._term is not None else ()

    async def run(self) -> None:
        """Serve, one term of duty after the other, until told to stop."""
        await serve_in_terms(self._world, "notifier", self._owner, self._stopping, self._serve)

    async def _serve(self, duty: Duty) -> None:
        self._term = Term(self._world, duty, self._channels)
        try:
            await self._term.serve(self.ready, self._stopping)
        finally:
            self._term = None
            self.ready.clear()


class Term:
    """One term of duty: from taking the leases to losing them or giving them up."""

    def __init__(self, world: World, duty: Duty, channels: Callable[[Find], Channels]) -> None:
        self._world = world
        self._duty = duty
        self._tasks = Tasks()
        self._sent: dict[WorkspaceId, Position] = {}
        self._feeds: dict[WorkspaceId, WorkspaceFeeds] = {}
        self._subscriptions: list[Subscription] = []
        self._channels = channels(self._find)
        self._sending = Sending(world.bus, world.store.progress, duty.holds)
        self._outlet = Outlet(
            world.store,
            self._sending,
            self._channels.plan,
            self._channels.planned,
            world.tracer,
        )
        self._follower = LogFollower(
            world.store.events,
            world.bus,
            self._on_events,
            chunk_events=CHUNK_EVENTS,
            rest_s=REST_S,
        )
        self._answering = Answering(world, duty, self._follower, self._feeds, self._tasks)

    def figures(self) -> Iterator[Figure]:
        """How far behind it is, and what it has sent and answered."""
        yield from of_follower("notifier", self._follower)
        yield from of_answers("notifier", self._answering.outcomes)
        yield Figure(metrics.FEEDS_UNSEEN, self._sending.unseen)
        yield from self._channels.figures()

    async def serve(self, ready: asyncio.Event, stopping: asyncio.Event) -> None:
        """Raises ``LeaseLost``, or whatever else ended one of the background tasks."""
        self._tasks.start(self._duty.keep(), "leases")
        try:
            await self._tasks.beside(self._serve(ready, stopping))
        finally:
            await self._end()

    async def _serve(self, ready: asyncio.Event, stopping: asyncio.Event) -> None:
        self._sent = await self._where_to_begin()
        self._tasks.start(self._sending.run(), "sending")
        self._tasks.start(self._follower.run(), "follower")
        self._tasks.start(self._channels.run(), "channels")
        await self._follower.caught_up()
        log.info("notifier_on_duty", workspaces=len(self._feeds))
        ready.set()
        await stopping.wait()
        ready.clear()
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._follower.catch_up()
                await self._stop_listening()
                await self._follower.catch_up()
                await self._sending.drained()
        except (TimeoutError, StoreError) as error:
            log.warning("drain_abandoned", reason=error)

    async def _where_to_begin(self) -> dict[WorkspaceId, Position]:
        """What was sent; a log that is shorter was restored, and is sent anew from its end."""
        store = self._world.store
        sent = dict(await store.progress.load())
        known = list(sent)
        for start in range(0, len(known), HEADS_AT_ONCE):
            some = known[start : start + HEADS_AT_ONCE]
            heads = await store.events.heads(some)
            for workspace_id in some:
                head = heads.get(workspace_id, Position(0))
                if sent[workspace_id] > head:
                    log.warning(
                        "sent_beyond_the_log",
                        workspace=workspace_id,
                        sent=sent[workspace_id],
                        head=head,
                    )
                    await store.outbox.cut(workspace_id, head)
                    await store.progress.reset(workspace_id, head)
                    sent[workspace_id] = head
        return sent

    async def _stop_listening(self) -> None:
        subscriptions, self._subscriptions = self._subscriptions, []
        await asyncio.gather(*(subscription.stop() for subscription in subscriptions))

    async def _end(self) -> None:
        for feeds in self._feeds.values():
            feeds.end()
        await self._tasks.stop()
        await self._stop_listening()

    # --- workspaces -------------------------------------------------------------------------

    async def _on_events(self, workspace_id: WorkspaceId, events: Events) -> None:
        feeds = self._feeds.get(workspace_id)
        if feeds is None:
            sent = self._sent.get(workspace_id, Position(0))
            feeds = self._feeds[workspace_id] = WorkspaceFeeds(workspace_id, sent, self._outlet)
            self._tasks.start(self._listen(workspace_id), f"listen {workspace_id}")
        await feeds.take(events)

    async def _listen(self, workspace_id: WorkspaceId) -> None:
        self._subscriptions.append(await self._answering.listen(workspace_id))

    def _find(self, workspace_id: WorkspaceId) -> Workspace | None:
        feeds = self._feeds.get(workspace_id)
        return feeds.workspace if feeds is not None else None
