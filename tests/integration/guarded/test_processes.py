"""The command line with a guarded broker: keys, and services over TLS."""

import asyncio
import json
import shutil
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.cli.nats_keys import ISSUER, USERS
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_identity import broker_settings
from shared.adapters.nats_server import find_binary
from tests.integration.guarded.site import Site, said
from tests.servers.certificate import self_signed
from tests.servers.guarded import SHIPPED

# --- keys ---------------------------------------------------------------------------------------


def test_keys_are_made_once_and_secrets_stay_where_they_are(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    assert said("nats-keys", str(keys)).code == 0
    public = (keys / "public.conf").read_text()
    for name in (ISSUER, *USERS):
        file = keys / f"{name}.nk"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text().strip() not in public
        assert f"{name.upper()}_KEY: " in public
    (keys / "router.nk").unlink()
    assert said("nats-keys", str(keys)).code == 0
    again = (keys / "public.conf").read_text()
    changed = set(public.splitlines()) ^ set(again.splitlines())
    assert {line.partition(":")[0] for line in changed} == {"ROUTER_KEY"}
    (keys / "auth.nk").write_text("nothing")
    failed = said("nats-keys", str(keys))
    assert failed.code == 2
    assert "auth.nk: this is no nkey" in failed.err


def test_the_shipped_configuration_is_one(tmp_path: Path) -> None:
    """nats-server checks it as a whole, with what an installation has to bring."""
    shutil.copytree(SHIPPED, tmp_path, dirs_exist_ok=True)
    assert said("nats-keys", str(tmp_path / "keys")).code == 0
    made = self_signed(tmp_path)
    (tmp_path / "tls").mkdir()
    made.certificate.rename(tmp_path / "tls" / "server.crt")
    made.key.rename(tmp_path / "tls" / "server.key")
    done = subprocess.run(
        [find_binary(), "-t", "-c", "nats.conf"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# --- services -----------------------------------------------------------------------------------


@pytest.fixture
async def root(site: Site) -> AsyncIterator[NatsBus]:
    """An admin with a token, over TLS."""
    environment = {
        "FERNAMT_NATS_TOKEN": site.broker.platform.token("shop", "admin", "root"),
        "FERNAMT_NATS_INBOX": "_INBOX.shop.admin.root",
        "FERNAMT_NATS_CA_FILE": str(site.certificate.certificate),
    }
    bus = await NatsBus.connect(broker_settings(site.broker.server.url, "root", environment))
    yield bus
    await bus.close()


async def test_a_command_is_answered_over_tls(root: NatsBus) -> None:
    subject = "fernamt.v1.cmd.shop.admin.root.create_workspace"
    answer = await root.request(subject, b'{"name": "Shop"}', timeout_s=30)
    assert json.loads(answer.data)["ok"]


async def test_the_command_line_shows_a_token_too(site: Site, root: NatsBus) -> None:
    environment = {
        "FERNAMT_NATS_URL": site.broker.server.url,
        "FERNAMT_NATS_CA_FILE": str(site.certificate.certificate),
        "FERNAMT_NATS_TOKEN": site.broker.platform.token("elsewhere", "admin", "cli"),
        "FERNAMT_NATS_INBOX": "_INBOX.elsewhere.admin.cli",
    }
    wrong = await asyncio.to_thread(
        said, "erase", "visitor:vera", "--workspace", "shop", environment=environment
    )
    assert wrong.code == 2
    assert "permissions violation" in wrong.err.lower()


@pytest.mark.parametrize(
    ("without", "why"),
    [
        ("FERNAMT_AUTH_KEYS", "FERNAMT_AUTH_KEYS"),
        ("FERNAMT_AUTH_ISSUER_FILE", "issuer.nk"),
        ("FERNAMT_NATS_URL", "where is the broker"),
    ],
)
def test_what_the_service_lacks_is_named(site: Site, without: str, why: str) -> None:
    environment = {**site.environment("auth")}
    del environment[without]
    failed = said("run", "auth", environment=environment)
    assert failed.code == 2
    assert why in failed.err
