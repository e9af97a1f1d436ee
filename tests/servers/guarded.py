"""A broker with the accounts that are shipped, who may enter by a token, and who signs tokens."""

import asyncio
import re
import shutil
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.auth.service import Auth
from services.auth.settings import ISSUER_FILE, KEYS, settings_from
from services.cli.nats_keys import nats_keys
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from tests.servers.engine import ROOT
from tests.servers.nats import NatsServer

SHIPPED = ROOT / "deploy" / "nats"
TOKEN_HOLDS_S = 3_600


class Platform:
    """The chat platform, as far as it signs session tokens with its Ed25519 key."""

    def __init__(self, directory: Path) -> None:
        self._key = Ed25519PrivateKey.generate()
        self.public = self._key.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        self.keys_file = directory / "platform.pem"
        self.keys_file.write_bytes(self.public)

    def token(
        self, workspace: str, kind: str, actor: str, *, key_id: str = "", **claims: Any
    ) -> str:
        """A good token; ``claims`` take the place of its own, and ``None`` leaves one out."""
        whole = {
            "sub": actor,
            "aud": "fernamt",
            "iat": int(time.time()),
            "exp": int(time.time()) + TOKEN_HOLDS_S,
            "fernamt": {"workspace": workspace, "kind": kind},
            **claims,
        }
        said = {name: value for name, value in whole.items() if value is not None}
        headers = {"kid": key_id} if key_id else None
        return jwt.encode(said, self._key, algorithm="EdDSA", headers=headers)


class Guarded:
    """The broker, its keys, and connections to it, all closed at the end."""

    def __init__(self, server: NatsServer, directory: Path, platform: Platform) -> None:
        self.server = server
        self.keys = directory / "keys"
        self.platform = platform
        self._opened: list[NatsBus] = []

    def identity(self, service: str) -> Mapping[str, str]:
        """What the environment of a service says about the broker."""
        return {
            "FERNAMT_NATS_URL": self.server.url,
            "FERNAMT_NATS_NKEY_FILE": str(self.keys / f"{service}.nk"),
            "FERNAMT_NATS_INBOX": f"_INBOX.{service}",
        }

    def auth_environment(self) -> Mapping[str, str]:
        """The same of the service ``auth``, and what it needs beside it."""
        return {
            **self.identity("auth"),
            ISSUER_FILE: str(self.keys / "issuer.nk"),
            KEYS: str(self.platform.keys_file),
        }

    async def service(self, name: str) -> NatsBus:
        """A connection as one of our services."""
        return await self._connect(
            name=name, nkey_file=str(self.keys / f"{name}.nk"), inbox_prefix=f"_INBOX.{name}"
        )

    async def somebody(
        self,
        workspace: str,
        kind: str,
        actor: str,
        *,
        token: str | None = None,
        within_s: float = 5.0,
        **claims: Any,
    ) -> NatsBus:
        """A connection with a token. Raises ``ConnectionError`` if it is not let in."""
        shown = (
            token if token is not None else self.platform.token(workspace, kind, actor, **claims)
        )
        inbox = f"_INBOX.{workspace}.{kind}.{actor}"
        return await self._connect(
            name=actor, token=shown, inbox_prefix=inbox, connect_within_s=within_s
        )

    async def _connect(self, **settings: Any) -> NatsBus:
        whole = NatsSettings(url=self.server.url, **settings)
        self._opened.append(await NatsBus.connect(whole))
        return self._opened[-1]

    async def close(self) -> None:
        for bus in self._opened:
            await bus.close()


def websocket_section(port: int = -1, origin: str = "") -> str:
    """What the shipped file says of browsers, without TLS and on loopback; by default any port.

    ``origin`` takes the place of those in it.
    """
    found = re.search(r"^websocket \{.*?^\}", (SHIPPED / "nats.conf").read_text(), re.M | re.S)
    assert found
    section = re.sub(r'listen: ".*?"', f'listen: "127.0.0.1:{port}"', found[0])
    if origin:
        section = re.sub(r"allowed_origins: \[.*?\]", f'allowed_origins: [ "{origin}" ]', section)
    return re.sub(r"tls \{.*?\}", "no_tls: true", section) + "\n"


@contextmanager
def guarded_server(directory: Path, extra_config: str = "") -> Iterator[NatsServer]:
    """The broker by itself, with its keys beside it: nobody with a token gets in.

    ``extra_config`` are further lines of its configuration.
    """
    for file in SHIPPED.glob("*.conf"):
        shutil.copy(file, directory)
    nats_keys(directory / "keys")
    server = NatsServer(directory, f'{extra_config}include "accounts.conf"')
    server.start()
    try:
        yield server
    finally:
        server.stop()


@asynccontextmanager
async def guarded(
    server: NatsServer, directory: Path, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Guarded]:
    """The broker, and the service ``auth`` in the test's own process, with this environment."""
    broker = Guarded(server, directory, Platform(directory))
    settings = settings_from({**broker.auth_environment(), **(environment or {})})
    auth = Auth(await broker.service("auth"), settings)
    work = asyncio.create_task(auth.run())
    try:
        await asyncio.wait_for(auth.ready.wait(), 30)
        yield broker
    finally:
        auth.stop()
        await work
        await broker.close()
