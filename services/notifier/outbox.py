"""What leaves for the outside: from an event and its notifications to rows of the outbox.

A row is the same however often the event is read again, so that it is kept once. It holds ids and
references; names, addresses and texts are looked up when it is sent.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog

from services.notifier.channel_settings import SMTP_URL
from shared.ports import Channel, OutboxRow
from shared.routing.events import Envelope, Event
from shared.routing.ids import Position, UnixMs, WebhookId, WorkspaceId
from shared.routing.notify import Numbered
from shared.routing.notify.mails import Mail, mails
from shared.routing.state import Webhook
from shared.routing.workspace import Workspace

log = structlog.get_logger()

EVERY_EVENT = "*"
NO_MAILS = f"{SMTP_URL} is not set"

Fields = dict[str, Any]

_encode = msgspec.json.Encoder().encode


class Planning:
    """Turns what happened into rows, for one notifier."""

    def __init__(self, *, with_mails: bool) -> None:
        self._with_mails = with_mails
        self._said_no_mails = False
        self._wanted: dict[tuple[str, WebhookId], tuple[Webhook, frozenset[str]]] = {}

    def plan(
        self,
        workspace: Workspace,
        position: Position,
        envelope: Envelope,
        numbered: Sequence[Numbered],
    ) -> Sequence[OutboxRow]:
        """The rows for one event; ``workspace`` is as it is right after it."""
        called_for = mails(workspace, envelope)
        rows = self._mails(workspace, position, envelope, called_for) if called_for else []
        if workspace.webhooks:
            rows += self._webhooks(workspace, position, envelope, numbered)
        return rows

    def _mails(
        self,
        workspace: Workspace,
        position: Position,
        envelope: Envelope,
        called_for: Sequence[Mail],
    ) -> list[OutboxRow]:
        if not self._with_mails:
            if not self._said_no_mails:
                self._said_no_mails = True
                log.warning("mails_not_sent", reason=NO_MAILS)
            return []
        workspace_id = WorkspaceId(workspace.workspace_id)
        return [
            _row(
                event_id(workspace_id, position),
                (workspace_id, "mail", mail.operator_id),
                position,
                envelope.at,
                _encode(mail),
            )
            for mail in called_for
        ]

    def _webhooks(
        self,
        workspace: Workspace,
        position: Position,
        envelope: Envelope,
        numbered: Sequence[Numbered],
    ) -> list[OutboxRow]:
        workspace_id = WorkspaceId(workspace.workspace_id)
        name = name_of(envelope.data)
        event_body = b""
        messages: dict[str, bytes] = {}
        rows: list[OutboxRow] = []
        for webhook in workspace.webhooks.values():
            wanted = self._types(workspace_id, webhook)
            lane: tuple[WorkspaceId, Channel, str] = (workspace_id, "webhook", webhook.webhook_id)
            if name in wanted or EVERY_EVENT in wanted:
                event_body = event_body or _encode(event_message(workspace_id, position, envelope))
                its_id = event_id(workspace_id, position)
                rows.append(_row(its_id, lane, position, envelope.at, event_body))
            for one in numbered:
                if one.notification.type in wanted:
                    if one.id not in messages:
                        messages[one.id] = _encode(feed_message(workspace_id, one))
                    rows.append(_row(one.id, lane, one.position, one.at, messages[one.id]))
        return rows

    def _types(self, workspace_id: WorkspaceId, webhook: Webhook) -> frozenset[str]:
        key = (workspace_id, webhook.webhook_id)
        known = self._wanted.get(key)
        if known is None or known[0] is not webhook:
            known = self._wanted[key] = (webhook, frozenset(webhook.types))
        return known[1]


def _row(
    its_id: str,
    lane: tuple[WorkspaceId, Channel, str],
    position: Position,
    at: UnixMs,
    body: bytes,
) -> OutboxRow:
    workspace_id, channel, recipient = lane
    row_id = f"{its_id}:{channel}:{recipient}"
    return OutboxRow(row_id, workspace_id, channel, recipient, position, body, at)


def message_id(row: OutboxRow) -> str:
    """Id of the event or of the feed message that a row carries, whoever gets it."""
    return row.id.removesuffix(f":{row.channel}:{row.recipient}")


def event_id(workspace_id: WorkspaceId, position: Position) -> str:
    return f"{workspace_id}:{position}"


def name_of(event: Event) -> str:
    """The event's name without its version, as it stands in subjects."""
    tag = type(event).__struct_config__.tag
    return str(tag).partition(".")[0]


def event_message(workspace_id: WorkspaceId, position: Position, envelope: Envelope) -> Fields:
    """An event as a webhook gets it: what the log keeps of it, and where it stands there."""
    beside: Fields = {"workspace": workspace_id, "position": position, "at": envelope.at}
    if envelope.by is not None:
        beside["by"] = msgspec.to_builtins(envelope.by)
    return _message(
        name_of(envelope.data), envelope.at, beside | msgspec.to_builtins(envelope.data)
    )


def feed_message(workspace_id: WorkspaceId, numbered: Numbered) -> Fields:
    """A message of a feed as a webhook gets it: with whose feed it is; texts stay references."""
    notification = numbered.notification
    recipient = notification.recipient
    whose = {"kind": recipient.kind, **({"id": recipient.id} if recipient.id else {})}
    message: Fields = {
        "workspace": workspace_id,
        "recipient": whose,
        "id": numbered.id,
        **({} if numbered.seq is None else {"seq": numbered.seq}),
        "type": notification.type,
        "position": numbered.position,
        "at": numbered.at,
        "alert": notification.alert,
        **notification.fields,
    }
    return _message(notification.type, numbered.at, message)


def _message(name: str, at: UnixMs, data: Fields) -> Fields:
    moment = datetime.fromtimestamp(at / 1_000, UTC).isoformat(timespec="milliseconds")
    return {"type": name, "timestamp": moment.replace("+00:00", "Z"), "data": data}
