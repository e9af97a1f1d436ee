"""A guarded broker that speaks TLS alone, services as processes, and the command line beside."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.servers.certificate import Certificate, self_signed
from tests.servers.engine import ROOT, fernamt, surroundings
from tests.servers.guarded import Guarded, Platform, guarded_server
from tests.servers.process import Process

TLS = 'tls {{ cert_file: "{0.certificate}", key_file: "{0.key}" }}\n'


class Said(NamedTuple):
    code: int
    out: str
    err: str


def said(*arguments: str, environment: Mapping[str, str] | None = None) -> Said:
    done = subprocess.run(
        fernamt(*arguments),
        cwd=ROOT,
        env=surroundings(environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


class Site(NamedTuple):
    broker: Guarded
    certificate: Certificate
    directory: Path

    def environment(self, service: str) -> Mapping[str, str]:
        given = self.broker.auth_environment() if service == "auth" else {}
        return {
            **self.broker.identity(service),
            **given,
            "FERNAMT_NATS_CA_FILE": str(self.certificate.certificate),
            "FERNAMT_STORE_URL": f"sqlite:///{self.directory}/data",
        }


@contextmanager
def running_site(directory: Path) -> Iterator[Site]:
    """The broker, `auth` and `router`."""
    certificate = self_signed(directory)
    with guarded_server(directory, TLS.format(certificate)) as server, ExitStack() as stack:
        made = Site(Guarded(server, directory, Platform(directory)), certificate, directory)
        for service in ("auth", "router"):
            stack.enter_context(_running(made, service))
        yield made


@contextmanager
def _running(site: Site, service: str) -> Iterator[None]:
    process = Process(service, site.directory, site.environment(service))
    process.start()
    try:
        yield
        assert process.stop() == 0
    finally:
        process.kill()
