"""Webhooks: signed posts to addresses that the admins of a workspace name.

An address is looked up by us, judged, and then connected to as it was judged: a name that changes
its mind in between leads nowhere. Nothing that an answer says is read but its status.
"""

import asyncio
import binascii
import contextlib
import ipaddress
import socket
import ssl
from collections import OrderedDict
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import httpx
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from services.notifier.channel_settings import is_loopback
from services.notifier.delivering import SENT, Outcome
from services.notifier.outbox import message_id
from shared.ports import Clock, OutboxRow, StoreError, Vault
from shared.routing import state
from shared.routing.ids import WebhookId
from shared.routing.workspace import Workspace
from shared.wire.headers import TRACE
from shared.wire.sealed import unseal

TIMEOUT_S = 10.0
"""For one try, from the look-up of the name to the status."""
ANSWER_BYTES_MAX = 65_536
ANSWER_WITHIN_S = 1.0
CLIENTS_MAX = 256
"""Hosts to which connections are kept open."""
AGENT = "Fernamt"

_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""Where a network without IPv4 of its own keeps the addresses of those that have it (RFC 6052)."""
_GONE = 410
_LATER = (429, 503)


class _Target(NamedTuple):
    """Where to post, judged already."""

    scheme: str
    host: str
    port: int
    address: str
    path: str

    @property
    def url(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme]
        return host if self.port == usual else f"{host}:{self.port}"


class _Unfit(Exception):
    """This address is not posted to; the message says why, without the address."""


class WebhookSender:
    """The channel ``webhook``."""

    def __init__(
        self, vault: Vault, clock: Clock, tls: ssl.SSLContext, *, private: bool = False
    ) -> None:
        """``private``: whether addresses in private networks and on this machine will do."""
        self._vault = vault
        self._clock = clock
        self._tls = tls
        self._private = private
        self._clients: OrderedDict[str, _Kept] = OrderedDict()

    async def send(self, workspace: Workspace, row: OutboxRow, trace: str | None) -> Outcome:
        """Post one message as the webhook is defined now, unless it was removed."""
        webhook = workspace.webhooks.get(WebhookId(row.recipient))
        if webhook is None:
            return Outcome("not_needed", "the webhook was removed")
        try:
            headers = await self._signed(webhook, row)
        except StoreError:
            return Outcome("failed", "the vault could not be read")
        if isinstance(headers, Outcome):
            return headers
        if trace is not None:
            headers[TRACE] = trace
        try:
            async with asyncio.timeout(TIMEOUT_S):
                target = await self._judged(webhook.url)
                return await self._post(target, headers, row.body)
        except _Unfit as error:
            return Outcome("failed", str(error))
        except TimeoutError:
            return Outcome("failed", f"no answer within {TIMEOUT_S:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            return Outcome("failed", f"no answer: {type(error).__name__}")

    async def close(self) -> None:
        """Close the connections that are kept."""
        while self._clients:
            await self._clients.popitem()[1].client.aclose()

    async def _signed(self, webhook: state.Webhook, row: OutboxRow) -> dict[str, str] | Outcome:
        secret = (await self._vault.read([webhook.secret])).get(webhook.secret)
        if secret is None:
            return Outcome("hopeless", "the secret was erased")
        now = datetime.fromtimestamp(self._clock.wall_ms() // 1_000, UTC)
        try:
            signer = Webhook(str(unseal(secret)))
        except (EmptyWebhookSecretError, binascii.Error, ValueError):
            return Outcome("hopeless", "the secret is no base64")
        its_id = message_id(row)
        return {
            "webhook-id": its_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signer.sign(its_id, now, row.body.decode()),
            "content-type": "application/json",
            "user-agent": AGENT,
        }

    # --- where it goes ----------------------------------------------------------------------

    async def _judged(self, url: str) -> _Target:
        """Raises ``_Unfit``."""
        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL:
            raise _Unfit("the address cannot be taken apart") from None
        host = parts.host
        if parts.scheme not in ("http", "https") or not host:
            raise _Unfit("the address is not https")
        if parts.scheme == "http" and not is_loopback(host):
            raise _Unfit("the address is not https")
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
        path = parts.raw_path.decode("ascii")
        return _Target(parts.scheme, host, port, await self._look_up(host, port), path)

    async def _look_up(self, host: str, port: int) -> str:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(
                host, port, type=socket.SOCK_STREAM
            )
        except (OSError, UnicodeError):
            raise _Unfit("the name is not known") from None
        addresses = [str(address[4][0]) for address in found]
        if not addresses:
            raise _Unfit("the name is not known")
        if not self._private and not all(map(_is_public, addresses)):
            raise _Unfit("the address is in a private network")
        return addresses[0]

    # --- posting ----------------------------------------------------------------------------

    async def _post(self, target: _Target, headers: dict[str, str], body: bytes) -> Outcome:
        request = httpx.Request(
            "POST",
            target.url,
            headers={**headers, "host": target.host_header},
            content=body,
            extensions={"sni_hostname": target.host, "timeout": httpx.Timeout(TIMEOUT_S).as_dict()},
        )
        kept = self._kept(target)
        kept.users += 1
        try:
            answer = await kept.client.send(request, stream=True)
            try:
                outcome = self._judge(answer)
                if outcome is SENT:
                    await _empty(answer)
            finally:
                await answer.aclose()
        finally:
            kept.users -= 1
            await self._drop_unused()
        return outcome

    def _judge(self, answer: httpx.Response) -> Outcome:
        status = answer.status_code
        if answer.is_success:
            return SENT
        if status == _GONE:
            return Outcome("hopeless", f"status {status}")
        asked_for_ms = self._retry_after_ms(answer) if status in _LATER else 0
        return Outcome("failed", f"status {status}", asked_for_ms)

    def _retry_after_ms(self, answer: httpx.Response) -> int:
        """What ``Retry-After`` asks for, in seconds or as a date; 0 if nothing that makes sense."""
        text = answer.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdecimal():
            return int(text[:9]) * 1_000
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return 0
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return max(round(moment.timestamp() * 1_000) - self._clock.wall_ms(), 0)

    def _kept(self, target: _Target) -> "_Kept":
        """A client for each host: a connection made to one must not serve another's name."""
        key = f"{target.scheme}://{target.host}:{target.port}"
        kept = self._clients.get(key)
        if kept is None:
            kept = self._clients[key] = _Kept(
                httpx.AsyncClient(
                    verify=self._tls,
                    trust_env=False,  # a proxy would undo the choice of address
                    follow_redirects=False,
                    timeout=TIMEOUT_S,
                    limits=httpx.Limits(max_keepalive_connections=1),
                )
            )
        self._clients.move_to_end(key)
        return kept

    async def _drop_unused(self) -> None:
        """Close the client that was used least recently, where there are too many."""
        if len(self._clients) > CLIENTS_MAX:
            key, kept = next(iter(self._clients.items()))
            if not kept.users:
                del self._clients[key]
                await kept.client.aclose()


class _Kept:
    """A client and how many tries use it just now."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.users = 0


def _is_public(address: str) -> bool:
    """Whether an address is one of the open internet, whatever it is wrapped in."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inside = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo or (None, None))[1]
        if parsed in _TRANSLATED:
            inside = ipaddress.IPv4Address(int(parsed) & 0xFFFF_FFFF)
        if inside is not None and not inside.is_global:
            return False
    return parsed.is_global and not parsed.is_multicast


async def _empty(answer: httpx.Response) -> None:
    """Read the rest, so that the connection can be used again; not at any price."""
    read = 0
    with contextlib.suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(ANSWER_WITHIN_S):
            async for chunk in answer.aiter_raw():
                read += len(chunk)
                if read > ANSWER_BYTES_MAX:
                    return
