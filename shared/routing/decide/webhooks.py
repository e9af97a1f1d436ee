"""Webhooks: where messages go beside the feeds. Whether an address will do is judged before."""

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command, Refused
from shared.routing.decide.rights import unknown
from shared.routing.decide.verdict import NOTHING, Facts, Instruction, facts
from shared.routing.ids import Ref
from shared.routing.state import Webhook
from shared.routing.workspace import Workspace

T = TypeVar("T")

WEBHOOKS_MAX = 100
"""Of one workspace: each gets a copy of what happens."""


def _define_webhook(
    workspace: Workspace, command: c.DefineWebhook, instruction: Instruction
) -> Facts | Refused:
    known = workspace.webhooks.get(command.webhook_id)
    for field in ("url", "types", "secret") if known is None else ():
        if getattr(command, field) is UNSET:
            return Refused("malformed", f"a new webhook needs {field}", {"path": field})
    if known is None and len(workspace.webhooks) >= WEBHOOKS_MAX:
        text = f"there are {WEBHOOKS_MAX} webhooks already"
        return Refused("too_many", text, {"webhooks_max": WEBHOOKS_MAX})
    types = command.types if command.types is UNSET else tuple(dict.fromkeys(command.types))
    secret = instruction.refs.get("secret", UNSET)
    event = e.WebhookDefined(
        command.webhook_id,
        _kept(command.url, known.url if known else ""),
        _kept(types, known.types if known else ()),
        _kept(secret, known.secret if known else Ref("")),
    )
    if known is not None and event == _defined_as(known):
        return NOTHING
    return facts(event)


def _defined_as(webhook: Webhook) -> e.WebhookDefined:
    return e.WebhookDefined(webhook.webhook_id, webhook.url, webhook.types, webhook.secret)


def _kept(new: T | UnsetType, old: T) -> T:
    return old if new is UNSET else new


def _remove_webhook(
    workspace: Workspace, command: c.RemoveWebhook, _: Instruction
) -> Facts | Refused:
    if command.webhook_id not in workspace.webhooks:
        return unknown("webhook", command.webhook_id)
    return facts(e.WebhookRemoved(command.webhook_id))


DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts | Refused]] = {
    c.DefineWebhook: _define_webhook,
    c.RemoveWebhook: _remove_webhook,
}
