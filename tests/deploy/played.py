"""An installation played without a container engine: the same commands, settings and files.

Every container becomes a process with exactly the environment and the secrets that the description
gives it; names of other machines become ports of this one. What an engine does, nothing here shows:
users, networks, read-only file systems. Between the processes and PostgreSQL there is no TLS, which
the server that the tests have does not speak.
"""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_identity import broker_settings
from tests.servers.certificate import Certificate
from tests.servers.engine import ROOT, fernamt, surroundings
from tests.servers.guarded import Guarded, Platform, guarded_server
from tests.servers.postgres import PostgresServer
from tests.servers.process import Process

TLS = 'tls {{ cert_file: "{0.certificate}", key_file: "{0.key}" }}\n'
DATABASE = "fernamt"


class Container(NamedTuple):
    """What a description says of one: its command, its settings, and its files by their paths."""

    command: list[str]
    environment: Mapping[str, str]
    files: Mapping[str, Path]


class Servers(NamedTuple):
    """What stands in for the machines that a description names."""

    broker: Guarded
    postgres: PostgresServer
    certificate: Certificate

    def here(self, text: str) -> str:
        """The same text with their addresses on this machine."""
        for there, here in {
            "nats:4222": f"127.0.0.1:{self.broker.server.port}",
            "postgres:5432:": f"127.0.0.1:{self.postgres.port}:",
            "@postgres/": f"@127.0.0.1:{self.postgres.port}/",
            "sslmode=verify-full": "sslmode=disable",
        }.items():
            text = text.replace(there, here)
        return text


@contextlib.contextmanager
def servers(keys: Path, certificate: Certificate, postgres: PostgresServer) -> Iterator[Servers]:
    """The broker as it is shipped, over TLS, with these keys; the database as it is."""
    with tempfile.TemporaryDirectory(prefix="fernamt-played-") as name:
        directory = Path(name)
        (directory / "keys").symlink_to(keys)
        with guarded_server(directory, TLS.format(certificate)) as server:
            broker = Guarded(server, directory, Platform(directory))
            yield Servers(broker, postgres, certificate)


class Playing:
    """Containers at work, each in a directory of its own below ``directory``."""

    def __init__(self, servers: Servers, directory: Path) -> None:
        self._servers = servers
        self._directory = directory
        self._processes: list[Process] = []

    def environment(self, name: str, container: Container) -> Mapping[str, str]:
        """Its settings with the names of this machine; its files are laid out for them."""
        directory = self._directory / name
        directory.mkdir(exist_ok=True)
        settings = {key: self._servers.here(value) for key, value in container.environment.items()}
        for there, file in container.files.items():
            here = directory / Path(there).name
            here.write_text(self._servers.here(file.read_text()))
            here.chmod(0o600)
            settings = {key: value.replace(there, str(here)) for key, value in settings.items()}
        return {
            **settings,
            "PATH": os.environ["PATH"],
            "FERNAMT_HEALTH_HOST": "127.0.0.1",
            "FERNAMT_HEALTH_PORT": "0",
            "FERNAMT_CONSOLE_PORT": "0",
        }

    def begin(self, name: str, container: Container) -> str:
        """Start a service and wait until it serves; where its pages are."""
        verb, service = container.command
        assert verb == "run"
        environment = self.environment(name, container)
        process = Process(service, self._directory / name, environment)
        self._processes.append(process)
        process.begin()
        page = process.says("health")
        process.says("ready")
        return page

    def done(self, name: str, container: Container) -> "subprocess.CompletedProcess[str]":
        """Let a command come to its end."""
        return subprocess.run(
            fernamt(*container.command),
            cwd=ROOT,
            env=surroundings(self.environment(name, container)),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def end(self) -> list[int]:
        """Stop all of them in order; their exit codes."""
        codes = [process.stop() for process in reversed(self._processes)]
        self._processes.clear()
        return codes

    def kill(self) -> None:
        for process in self._processes:
            process.kill()


class Installation(NamedTuple):
    """All of it at work; ``pages`` are those of health, by the name of the container."""

    playing: Playing
    servers: Servers
    containers: Mapping[str, Container]
    pages: Mapping[str, str]

    async def served(self) -> dict[str, Any]:
        """The answer that an admin gets who shows a token of the chat platform."""
        broker = self.servers.broker
        environment = {
            "FERNAMT_NATS_TOKEN": broker.platform.token("shop", "admin", "root"),
            "FERNAMT_NATS_INBOX": "_INBOX.shop.admin.root",
            "FERNAMT_NATS_CA_FILE": str(self.servers.certificate.certificate),
        }
        bus = await NatsBus.connect(broker_settings(broker.server.url, "root", environment))
        subject = "fernamt.v1.cmd.shop.admin.root.create_workspace"
        answer = await bus.request(subject, b'{"name": "Shop"}', timeout_s=30)
        await bus.close()
        told: dict[str, Any] = json.loads(answer.data)
        return told


@contextlib.contextmanager
def installed(
    standing: Servers, containers: Mapping[str, Container], directory: Path
) -> Iterator[Installation]:
    """Let what migrates come to its end, then every service begin; stop them in order."""
    playing = Playing(standing, directory)
    for name, container in containers.items():
        if container.command[0] == "migrate":
            migrated = playing.done(name, container)
            assert (migrated.returncode, migrated.stdout) == (0, "the schema is up to date\n")
    try:
        pages = {
            name: playing.begin(name, container)
            for name, container in containers.items()
            if container.command[0] == "run"
        }
        yield Installation(playing, standing, containers, pages)
        assert set(playing.end()) == {0}
    finally:
        playing.kill()


async def make_database(postgres: PostgresServer) -> None:
    """The one that stands in the addresses, on a server that asks for passwords from now on."""
    connection = await asyncpg.connect(postgres.url)
    await connection.execute(f"create database {DATABASE}")
    file = await connection.fetchval("show hba_file")
    await connection.execute(
        "copy (values ('host all fernamt 127.0.0.1/32 trust'), "
        f"('host all all 127.0.0.1/32 scram-sha-256')) to '{file}'"
    )
    await connection.execute("select pg_reload_conf()")
    await connection.close()


def make_roles(script: Path, secrets: Path, postgres: PostgresServer) -> None:
    """Run the script that PostgreSQL's image runs once, by the superuser that the tests have."""
    done = subprocess.run(
        ["sh", script],
        env={
            "PATH": f"{postgres.binaries}:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(postgres.port),
            "POSTGRES_USER": "fernamt",
            "POSTGRES_DB": DATABASE,
            "SECRETS": str(secrets),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def copied(deploy: Path, certificate: Certificate, directory: Path) -> Path:
    """A copy of ``deploy`` as its README has it made, with this certificate."""
    copy = directory / "deploy"
    shutil.copytree(deploy, copy)
    (copy / "secrets").mkdir()
    shutil.copyfile(certificate.certificate, copy / "secrets" / "certificate")
    key = copy / "secrets" / "certificate-key"
    key.touch(0o600)
    key.write_bytes(certificate.key.read_bytes())
    return copy
