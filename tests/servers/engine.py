"""A real ``fernamt up`` for tests: a child process, which can be killed and started again."""

import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parents[2]
CLI = "services.cli"
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 60.0
QUIET_DESKS = {"FERNAMT_PRESENCE_LEASE_MS": "3600000"}
"""Nobody sends heartbeats where they are not the matter, so sessions hold for an hour."""
_READ_BYTES = 65_536


class Engine:
    """One embedded engine on a free port of 127.0.0.1, the same port at every start.

    Everything it writes lies below ``directory``: the log and the broker in ``data``, and what it
    says on stderr in ``stderr.log``, which errors quote.
    """

    def __init__(
        self,
        directory: Path,
        *,
        store: str = "",
        environment: Mapping[str, str] | None = None,
        module: str = CLI,
        options: Sequence[str] = (),
        ops: bool = False,
    ) -> None:
        """``store``: an address in place of a log in ``data``. See also ``start``.

        ``options``: more of what ``fernamt up`` takes. ``ops``: with the services of the ops team.
        ``module`` is run in place of the command line: the same with something changed.
        """
        self.data = directory / "data"
        self.url = ""
        """Address of its broker, once started."""
        self._store = store
        self._module = module
        self._options = (*options, "--ops" if ops else "--no-ops")
        self._environment = dict(environment or {})
        self._stderr = directory / "stderr.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the engine, once started."""
        return self._started().pid

    @property
    def store_url(self) -> str:
        """Address of its log."""
        return self._store or f"sqlite:///{self.data}"

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def stderr(self) -> str:
        """Everything said on stderr, by every process that was started here."""
        return self._stderr.read_text() if self._stderr.exists() else ""

    def start(self, **environment: str) -> None:
        """Start and wait until commands are accepted, also right after ``kill``.

        ``environment`` holds for this start alone: ``start(FERNAMT_FAILPOINT="after_commit:3")``.
        Raises ``TimeoutError``, or ``RuntimeError`` if the process ends before it is ready.
        """
        port = self.url.rpartition(":")[2] or "0"
        with self._stderr.open("ab") as stderr:
            self._process = subprocess.Popen(
                fernamt(
                    *("up", "--quiet", "--data", str(self.data), "--nats-port", port),
                    *self._options,
                    module=self._module,
                ),
                cwd=ROOT,
                env=surroundings(
                    {"FERNAMT_STORE_URL": self._store}
                    | QUIET_DESKS
                    | self._environment
                    | environment
                ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        try:
            self.url = self._ready_url()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> int:
        """Ask it to stop in order (SIGTERM) and return the exit code. Raises ``TimeoutExpired``."""
        self._started().send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, within_s: float = STOP_WITHIN_S) -> int:
        """Wait until it has ended by itself and return the exit code. Raises ``TimeoutExpired``."""
        process = self._started()
        code = process.wait(within_s)
        self._reap(process)
        return code

    def kill(self) -> None:
        """``kill -9``; returns when its broker is gone too. Does nothing if it is not running."""
        process = self._process
        if process is not None:
            process.kill()
            process.wait(STOP_WITHIN_S)
            self._reap(process)

    def kill_ops(self) -> None:
        """``kill -9`` the process of the ops team that it runs beside itself."""
        listing = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        for child in map(int, listing.read_text().split()):
            if b"--leash" in Path(f"/proc/{child}/cmdline").read_bytes():
                os.kill(child, signal.SIGKILL)

    def _reap(self, process: "subprocess.Popen[bytes]") -> None:
        """Close what is left of the process and wait for its broker, which the kernel ends."""
        if process.stdout is not None:
            process.stdout.close()
        _wait_for_broker(self.data / "nats" / "nats-server.pid")

    def _started(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise RuntimeError("the engine was never started")
        return self._process

    def _ready_url(self) -> str:
        words = self._first_line().split()
        if len(words) != 2 or words[0] != "ready":
            code = self._started().poll()
            raise RuntimeError(f"`fernamt up` said {words}, exit code {code}:\n{self.stderr}")
        return words[1]

    def _first_line(self) -> str:
        """What it prints up to the first line's end, or up to its own."""
        stdout = self._started().stdout
        assert stdout is not None
        deadline = monotonic() + READY_WITHIN_S
        said = b""
        while b"\n" not in said:
            if not select.select([stdout], [], [], max(deadline - monotonic(), 0))[0]:
                raise TimeoutError(f"not ready within {READY_WITHIN_S} s:\n{self.stderr}")
            more = os.read(stdout.fileno(), _READ_BYTES)
            if not more:
                self._started().wait(STOP_WITHIN_S)
                break
            said += more
        return said.decode()


@contextmanager
def running_engine(
    *, store: str = "", environment: Mapping[str, str] | None = None, ops: bool = False
) -> Iterator[Engine]:
    """Start one in a fresh temporary directory; kill it and remove the directory after use."""
    with tempfile.TemporaryDirectory(prefix="fernamt-engine-") as name:
        engine = Engine(Path(name), store=store, environment=environment, ops=ops)
        engine.start()
        try:
            yield engine
        finally:
            engine.kill()


def fernamt(*arguments: str, module: str = CLI) -> list[str]:
    """The command line of ``fernamt`` with ``arguments``; to be run in ``ROOT``."""
    return [sys.executable, "-m", module, *arguments]


def surroundings(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for it: ours without settings of Fernamt's own, and ``more``.

    Tests send more than people do: unless they say otherwise, nobody is told that it is too much.
    """
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FERNAMT_")}
    return (
        ours
        | {"FERNAMT_ALLOWANCES": "visitor=none operator=none"}
        | {name: value for name, value in (more or {}).items() if value}
    )


def _wait_for_broker(pid_file: Path) -> None:
    """Return when the process named in the file has ended; Linux ends it with its parent."""
    if not pid_file.exists() or not hasattr(os, "pidfd_open"):
        return
    try:
        broker = os.pidfd_open(int(pid_file.read_text()))
    except (ProcessLookupError, ValueError):
        return
    try:
        if not select.select([broker], [], [], STOP_WITHIN_S)[0]:
            raise TimeoutError("the broker has outlived its engine")
    finally:
        os.close(broker)
