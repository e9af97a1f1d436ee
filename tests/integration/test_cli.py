"""The command line as people and supervisors meet it: starting, stopping, refusing, replaying."""

import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.servers.client import connected
from tests.servers.engine import ROOT, STOP_WITHIN_S, fernamt, running_engine, surroundings
from tests.servers.nats import nats_server

NOWHERE = "nats://127.0.0.1:1"
"""Nobody may listen on the port of a service that died out decades ago."""


class Said(NamedTuple):
    code: int
    out: str
    err: str


def run(*arguments: str, **environment: str) -> Said:
    """Run a command to its end."""
    done = subprocess.run(
        fernamt(*arguments),
        cwd=ROOT,
        env=surroundings(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=STOP_WITHIN_S,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


# --- up: from start to stop -------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_up_stops_in_order_when_told_to(number: signal.Signals) -> None:
    with running_engine() as engine:
        os.kill(engine.pid, number)
        assert engine.wait() == 0
        assert engine.stderr == ""


async def test_up_goes_on_where_it_stopped() -> None:
    with running_engine() as engine:
        async with connected(engine.url) as client:
            await client.command("w", "admin", "boss", "create_workspace", {"name": "Work"})
            body = {"operator_id": "ana", "name": "Ana", "capacity": 3}
            await client.command("w", "admin", "boss", "register_operator", body)
            await client.command("w", "operator", "ana", "log_in", {"session_id": "s"})
            before = [await client.ask("w", "admin", "boss", q) for q in ("operators", "roster")]
        assert engine.stop() == 0
        engine.start()
        async with connected(engine.url) as client:
            after = [await client.ask("w", "admin", "boss", q) for q in ("operators", "roster")]
        assert [answer["result"] for answer in after] == [answer["result"] for answer in before]
        assert after[0]["position"] == before[0]["position"]


def test_up_says_more_unless_it_is_to_be_quiet(tmp_path: Path) -> None:
    ports = ("--nats-port", "0", "--console-port", "0")
    with _process("up", "--data", str(tmp_path / "data"), *ports) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("Fernamt is up. Log: ")
        assert "may speak as anybody" in first
        assert process.stdout.readline().startswith("console http://127.0.0.1:")
        assert process.stdout.readline().startswith("ready nats://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=STOP_WITHIN_S)
        assert (process.returncode, rest) == (0, "stopping\n")


def test_quiet_is_one_line_on_stdout_and_nothing_on_stderr(tmp_path: Path) -> None:
    ports = ("--nats-port", "0", "--console-port", "0")
    with _process("up", "--quiet", "--data", str(tmp_path / "data"), *ports) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("ready nats://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=STOP_WITHIN_S) == ("", "")


@pytest.mark.parametrize("service", ["up", "router"])
def test_what_is_still_starting_can_be_told_to_end(service: str, tmp_path: Path) -> None:
    """It waits half a minute for a broker; whoever tells it to end shall not have to."""
    command = ["run", "router"] if service == "router" else ["up"]
    more = {"FERNAMT_NATS_URL": NOWHERE, "FERNAMT_STORE_URL": f"sqlite:///{tmp_path}/data"}
    with _process(*command, **more) as process:
        assert process.stderr is not None
        assert "refused" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
        assert process.returncode == 0


# --- up: what it refuses ----------------------------------------------------------------------


def test_a_second_up_on_the_same_directory_is_refused() -> None:
    with running_engine() as engine:
        said = run("up", "--quiet", "--data", str(engine.data), "--nats-port", "0")
        assert said.code == 2
        assert said.out == ""
        assert f"{engine.data} is in use by process {engine.pid}: stop that one" in said.err
        assert engine.running


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = run("up", "--quiet", "--data", str(tmp_path / "data"), "--nats-port", str(port))
    assert said.code == 2
    assert f"port {port} on 127.0.0.1 is taken by another program" in said.err


@pytest.mark.parametrize(
    ("store", "complaint"),
    [
        ("mysql://localhost/fernamt", "no store of the kind 'mysql'"),
        ("postgresql://localhost", "names no database"),
        ("postgresql://127.0.0.1:1/fernamt", "the connection to PostgreSQL was lost"),
    ],
)
def test_a_bad_address_of_the_store_is_explained(
    store: str, complaint: str, tmp_path: Path
) -> None:
    said = run(
        *("up", "--quiet", "--data", str(tmp_path), "--nats-port", "0"), FERNAMT_STORE_URL=store
    )
    assert said.code == 2
    assert said.err.startswith("fernamt: ")
    assert complaint in said.err


def test_an_unknown_log_level_is_a_message_and_no_trace() -> None:
    said = run("up", FERNAMT_LOG_LEVEL="loud")
    assert said.code == 2
    assert "loud" in said.err
    assert "Traceback" not in said.err


# --- services of a larger deployment ------------------------------------------------------------


def test_a_router_asks_for_its_servers() -> None:
    assert run("run", "router") == Said(
        2, "", "fernamt: where is the broker? --nats or FERNAMT_NATS_URL\n"
    )
    assert run("run", "router", FERNAMT_NATS_URL=NOWHERE) == Said(
        2, "", "fernamt: where is the log? --store or FERNAMT_STORE_URL\n"
    )


def test_there_is_no_service_of_another_name() -> None:
    said = run("run", "telegraph")
    assert said.code == 2
    assert "telegraph" in said.err


async def test_a_router_runs_on_servers_of_ones_own(postgres_url: str) -> None:
    """As in production: the schema first, then the service, addresses in the environment."""
    with nats_server() as broker:
        servers = {"FERNAMT_STORE_URL": postgres_url, "FERNAMT_NATS_URL": broker.url}
        assert "fernamt migrate" in run("verify", **servers).err
        said = run("run", "router", **servers)
        assert said.code == 2
        assert "fernamt migrate" in said.err
        assert run("migrate", **servers) == Said(0, "the schema is up to date\n", "")
        assert run("migrate", **servers) == Said(0, "the schema is up to date\n", "")
        with _process("run", "router", **servers) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            async with connected(broker.url) as client:
                made = await client.command("w", "admin", "a", "create_workspace", {"name": "W"})
            assert made["ok"]
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=STOP_WITHIN_S)
            assert process.returncode == 0
    assert run("verify", **servers).out.endswith(": identical\n")


# --- children that are looked at line by line -----------------------------------------------------


class _process:  # noqa: N801 - reads as the thing it is
    """A command that runs while the block does."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._process = subprocess.Popen(
            fernamt(*arguments),
            cwd=ROOT,
            env=surroundings(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "subprocess.Popen[str]":
        return self._process

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.communicate()
