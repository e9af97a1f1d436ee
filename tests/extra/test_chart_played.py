"""The chart at work: its pods played by processes, with Secrets that are there already."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from services.cli.nats_keys import nats_keys
from tests.deploy.at_work import AtWork
from tests.deploy.played import (
    DATABASE,
    Container,
    Installation,
    installed,
    make_database,
    make_roles,
    servers,
)
from tests.extra.helm import Manifest, component_of, manifests, of_kind, pod_of
from tests.servers.certificate import self_signed
from tests.servers.postgres import postgres_server
from tests.tidy.sources import ROOT

Secrets = Mapping[str, Mapping[str, Path]]
"""Files that hold what a key of a Secret holds, by the Secret's name and the key."""

SETTINGS = (
    *("--set", "services.console.enabled=true"),
    *("--set", "nats.ca.secret=nats-ca"),
    *("--set", "sealKey.secret=fernamt-seal-key"),
)
"""Everything that needs no server outside."""

PASSWORDS = {role: role * 3 for role in ("fernamt_owner", "fernamt_services", "fernamt_auditor")}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    directory = tmp_path_factory.mktemp("chart")
    certificate = self_signed(directory)
    keys = directory / "keys"
    nats_keys(keys)
    with postgres_server() as postgres, servers(keys, certificate, postgres) as standing:
        given = directory / "given"
        given.mkdir()
        for role, password in PASSWORDS.items():
            (given / f"{role}.pgpass").write_text(f"::::{password}\n")
        asyncio.run(make_database(postgres))
        make_roles(ROOT / "deploy" / "compose" / "roles.sh", given, postgres)
        secrets = _secrets(given, keys, certificate.certificate, standing.broker.platform.public)
        containers = _containers(secrets)
        with installed(standing, containers, tmp_path_factory.mktemp("pods")) as at_work:
            yield at_work


def _secrets(given: Path, keys: Path, certificate: Path, session_keys: bytes) -> Secrets:
    """What deploy/README.md has people make."""
    for role, password in PASSWORDS.items():
        address = f"postgresql://{role}:{password}@postgres/{DATABASE}?sslmode=verify-full"
        (given / role).write_text(address)
    (given / "session-keys").write_bytes(session_keys)
    (given / "seal-key").write_text("5e" * 32)
    (given / "token").write_text("t" * 32)
    return {
        "fernamt-nats-keys": {file.name: file for file in keys.iterdir()},
        "fernamt-database": {role.removeprefix("fernamt_"): given / role for role in PASSWORDS},
        "fernamt-session-keys": {"keys": given / "session-keys"},
        "fernamt-seal-key": {"seal-key": given / "seal-key"},
        "fernamt-console": {"token": given / "token"},
        "nats-ca": {"ca.crt": certificate},
    }


def _containers(secrets: Secrets) -> Mapping[str, Container]:
    workloads = of_kind(manifests("", *SETTINGS), "Deployment", "Job")
    return {component_of(each): _container(pod_of(each)["spec"], secrets) for each in workloads}


def _container(pod: Manifest, secrets: Secrets) -> Container:
    (container,) = pod["containers"]
    settings = {}
    for each in container["env"]:
        if "value" in each:
            settings[each["name"]] = each["value"]
        else:
            reference = each["valueFrom"]["secretKeyRef"]
            settings[each["name"]] = secrets[reference["name"]][reference["key"]].read_text()
    files = {
        f"/etc/fernamt/{item['path']}": secrets[source["secret"]["name"]][item["key"]]
        for volume in pod.get("volumes", ())
        for source in volume["projected"]["sources"]
        for item in source["secret"]["items"]
    }
    return Container(container["args"], settings, files)


class TestWhatTheChartStarts(AtWork):
    """All of it, with the fixture ``installation`` above."""
