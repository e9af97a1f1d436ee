"""The ways to the outside together: what is planned for an event, kept in the outbox, and sent."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence

import httpx
import structlog

from services.notifier.channel_settings import ChannelSettings, channel_settings
from services.notifier.dead_letters import DeadLetterDesk
from services.notifier.delivering import Delivering, Sender
from services.notifier.mail import MailSender
from services.notifier.outbox import Planning
from services.notifier.spans import DeliverySpans
from services.notifier.webhooks import WebhookSender
from shared.ports import Channel, Lane, OutboxRow, StoreError
from shared.routing.events import Envelope
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.routing.notify import Numbered
from shared.routing.workspace import Workspace
from shared.runtime.figures import Figure, of_answers
from shared.runtime.tasks import Tasks
from shared.runtime.world import World

log = structlog.get_logger()

FORGET_EVERY_S = 60.0


class Channels:
    """E-mail and webhooks of one notifier. ``run`` sends while it is on duty."""

    def __init__(
        self,
        world: World,
        find: Callable[[WorkspaceId], Workspace | None],
        settings: ChannelSettings,
    ) -> None:
        """``find`` gives a workspace as far as the notifier has read it, if at all."""
        self._store = world.store
        self._clock = world.clock
        self._planning = Planning(with_mails=settings.mail is not None)
        tls = httpx.create_ssl_context()
        self._webhooks = WebhookSender(
            world.store.vault, world.clock, tls, private=settings.private_webhooks
        )
        senders: dict[Channel, Sender] = {"webhook": self._webhooks}
        if settings.mail is not None:
            vault, bus = world.store.vault, world.bus
            senders["mail"] = MailSender(settings.mail, vault, bus, world.clock, tls)
        self._desk = DeadLetterDesk(
            world.bus, world.clock, world.store.outbox, find, self.resend, tracer=world.tracer
        )
        delivery_spans = DeliverySpans(world.tracer, world.store.events)
        self._delivering = Delivering(
            world.store.outbox, world.clock, senders, find, settings.pace, spans=delivery_spans
        )

    def plan(
        self,
        workspace: Workspace,
        position: Position,
        envelope: Envelope,
        numbered: Sequence[Numbered],
    ) -> Sequence[OutboxRow]:
        """The rows that an event calls for, with the notifications it brought."""
        return self._planning.plan(workspace, position, envelope, numbered)

    def planned(self, rows: Sequence[OutboxRow]) -> None:
        """These are in the outbox now: send them soon."""
        self._delivering.wake(_lanes(rows))

    def figures(self) -> Iterator[Figure]:
        """What was sent, and how questions about dead letters were answered."""
        yield from self._delivering.figures()
        yield from of_answers("notifier", self._desk.outcomes)

    async def resend(self, workspace_id: WorkspaceId, row_ids: Sequence[str] | None) -> int:
        """Try dead letters again, all of them if none are named; says how many there were."""
        now = UnixMs(self._clock.wall_ms())
        lanes = await self._store.outbox.resend(workspace_id, row_ids, now)
        self._delivering.wake(list(dict.fromkeys(lanes)))
        return len(lanes)

    async def run(self) -> None:
        """Send until cancelled, also what waits from before; finish what is under way then."""
        beside = Tasks()
        beside.start(self._forget(), "forget what is sent")
        beside.start(self._desk.run(), "dead letters")
        beside.start(self._delivering.run(), "deliver")
        try:
            await beside.failed()
        finally:
            await beside.stop()
            await self._webhooks.close()

    async def _forget(self) -> None:
        """Now and then drop rows that are done and will not be made again."""
        while True:
            try:
                await self._store.outbox.forget(await self._store.progress.load())
            except StoreError as error:
                log.warning("outbox_not_tidied", reason=error)
            await asyncio.sleep(FORGET_EVERY_S)


def outside(
    world: World, environment: Mapping[str, str]
) -> Callable[[Callable[[WorkspaceId], Workspace | None]], Channels]:
    """What makes the channels of a notifier, as the environment says. Raises ``ValueError``."""
    settings = channel_settings(environment)
    return lambda find: Channels(world, find, settings)


def _lanes(rows: Sequence[OutboxRow]) -> Sequence[Lane]:
    found = (Lane(row.workspace_id, row.channel, row.recipient) for row in rows)
    return list(dict.fromkeys(found))
