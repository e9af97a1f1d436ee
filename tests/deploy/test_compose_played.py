"""``compose.yaml`` at work: prepared by its script, played by processes, asked by a front end."""

import asyncio
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.cli.nats_keys import nats_keys
from tests.deploy.at_work import AtWork
from tests.deploy.composition import DEPLOY, Fields, composition, mounted, ours, settings_of
from tests.deploy.image import image
from tests.deploy.played import (
    Container,
    Installation,
    copied,
    installed,
    make_database,
    make_roles,
    servers,
)
from tests.servers.certificate import Certificate, self_signed
from tests.servers.postgres import postgres_server

NOBODY = 65_534


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def prepared(certificate: Certificate) -> Iterator[Path]:
    """The directory of somebody who is not root and has done what README says."""
    with tempfile.TemporaryDirectory(prefix="fernamt-compose-") as name:
        copy = copied(DEPLOY, certificate, Path(name))
        if os.geteuid() == 0:
            for path in (Path(name), *Path(name).rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        assert _prepare(copy).returncode == 0
        nats_keys(copy / "secrets" / "keys")
        yield copy


def _prepare(directory: Path, path: str = "") -> "subprocess.CompletedProcess[str]":
    as_root = os.geteuid() == 0
    return subprocess.run(
        ["sh", "compose/prepare.sh"],
        cwd=directory,
        env={"PATH": f"{path}:{os.environ['PATH']}"},
        user=NOBODY if as_root else None,
        group=NOBODY if as_root else None,
        extra_groups=[] if as_root else None,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _contents(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): path.read_text()
        for path in (directory / ".env", *(directory / "secrets").rglob("*"))
        if path.is_file()
    }


def test_what_is_prepared_is_for_its_owner_alone_and_made_once(prepared: Path) -> None:
    made = _contents(prepared)
    open_to_others = [
        name for name in made if stat.S_IMODE((prepared / name).stat().st_mode) & 0o077
    ]
    assert sorted(open_to_others) == ["secrets/certificate", "secrets/keys/public.conf"]
    passwords = [text.split(":")[-1] for name, text in made.items() if name.endswith(".pgpass")]
    assert len({*passwords, made["secrets/postgres-password"]}) == 4
    assert all(len(password) >= 48 for password in passwords)
    assert _prepare(prepared).returncode == 0
    assert _contents(prepared) == made


def test_root_is_sent_away(prepared: Path) -> None:
    id_of_root = prepared.parent / "id"
    id_of_root.write_text("#!/bin/sh\necho 0\n")
    id_of_root.chmod(0o755)
    done = _prepare(prepared, path=str(prepared.parent))
    assert done.returncode == 1
    assert "not as root" in done.stderr


@pytest.fixture(scope="module")
def whole(prepared: Path) -> Fields:
    return composition(_variables(prepared / ".env"))


def _variables(file: Path) -> dict[str, str]:
    lines = file.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _containers(whole: Fields, directory: Path) -> dict[str, Container]:
    """Each with all that the file gives it, and nothing else."""
    source = {name: directory / each["file"] for name, each in whole["secrets"].items()}
    made = {}
    for name, service in ours(whole).items():
        settings = dict(settings_of(service))
        for file in service.get("env_file", ()):
            settings |= _variables(directory / file)
        files = {there: source[secret] for there, secret in mounted(service).items()}
        made[name] = Container(service["command"], settings, files)
    return made


@pytest.fixture(scope="module")
def installation(
    prepared: Path,
    whole: Fields,
    certificate: Certificate,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    secrets = prepared / "secrets"
    with (
        postgres_server() as postgres,
        servers(secrets / "keys", certificate, postgres) as standing,
    ):
        (secrets / "session-keys").write_bytes(standing.broker.platform.public)
        asyncio.run(make_database(postgres))
        make_roles(prepared / "compose" / "roles.sh", secrets, postgres)
        containers = _containers(whole, prepared)
        with installed(standing, containers, tmp_path_factory.mktemp("containers")) as at_work:
            yield at_work


class TestWhatComposeStarts(AtWork):
    """All of it, with the fixture ``installation`` above."""


def test_the_image_asks_the_process_whether_it_is_well(installation: Installation) -> None:
    port = installation.pages["console"].rstrip("/").rpartition(":")[2]
    well = _healthcheck(port)
    assert (well.returncode, well.stderr) == (0, "")
    nobody = _healthcheck("1")
    assert nobody.returncode == 1


def _healthcheck(port: str) -> "subprocess.CompletedProcess[str]":
    python, *rest = image().healthcheck
    assert python == "python"
    return subprocess.run(
        [sys.executable, *rest],
        env={"FERNAMT_HEALTH_PORT": port},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
