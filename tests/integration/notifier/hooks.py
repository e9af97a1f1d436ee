"""Webhooks as tests define them, and what a receiver makes of a post."""

import base64
from typing import Any

from standardwebhooks.webhooks import Webhook

from services.notifier.channel_settings import ChannelSettings, Pace
from shared.ports import Lane
from shared.routing.ids import WorkspaceId
from tests.servers.client import Fields
from tests.servers.http_receiver import Received
from tests.servers.office import Office
from tests.servers.town import Town
from tests.servers.waiting import until

SECRET = "whsec_" + base64.b64encode(b"a key of this test's own, 32 byte").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"another key, as after a rotation").decode()


def local(pace: Pace) -> ChannelSettings:
    return ChannelSettings(private_webhooks=True, pace=pace)


async def hook(office: Office, url: str, *types: str, hook_id: str = "hook", **more: Any) -> None:
    fields = {"webhook_id": hook_id, "url": url, "types": list(types), "secret": SECRET, **more}
    await office.admin("define_webhook", **fields)


def verified(received: Received, secret: str = SECRET) -> Fields:
    """The body, if the library of the receivers finds the signature right."""
    fields: Fields = Webhook(secret).verify(received.body, dict(received.headers))
    return fields


async def tried(here: Town, hook_id: str = "hook") -> None:
    """Wait until something in the queue of a webhook was tried and failed."""

    async def look() -> bool:
        lane = Lane(WorkspaceId("acme"), "webhook", hook_id)
        pending = await here.store.outbox.next_of(lane)
        return pending is not None and pending.attempts > 0

    await until("a try has failed", look)
