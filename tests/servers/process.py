"""A real ``fernamt run SERVICE`` for tests: a child process, which can be stopped and killed."""

import os
import select
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from tests.servers.engine import CLI, READY_WITHIN_S, ROOT, STOP_WITHIN_S, fernamt, surroundings


class Process:
    """One service against given servers. What it says on stderr is kept in ``stderr``."""

    def __init__(
        self,
        service: str,
        directory: Path,
        environment: Mapping[str, str],
        *,
        module: str = CLI,
        ready_within_s: float = READY_WITHIN_S,
    ) -> None:
        """``module`` is run in place of the command line: the same with something changed."""
        self._ready_within_s = ready_within_s
        self._service = service
        self._module = module
        self._stderr = directory / f"{service}.log"
        self._environment = dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._said = b""

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def stderr(self) -> str:
        return self._stderr.read_text() if self._stderr.exists() else ""

    def start(self, **environment: str) -> None:
        """Start and wait until it serves. Raises ``TimeoutError`` or ``RuntimeError``.

        ``environment`` holds for this start alone: ``start(FERNAMT_FAILPOINT="after_feed:3")``.
        """
        self.begin(**environment)
        self.says("ready")

    def begin(self, **environment: str) -> None:
        """Start, without waiting for anything."""
        self._said = b""
        with self._stderr.open("ab") as stderr:
            self._process = subprocess.Popen(
                fernamt("run", *self._service.split(), module=self._module),
                cwd=ROOT,
                env=surroundings(self._environment | environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )

    def says(self, word: str) -> str:
        """Wait for the line that begins with this word; the rest of it. Raises as ``start`` does.

        Lines are said once: what came before it is read, and gone.
        """
        assert self._process is not None
        stdout = self._process.stdout
        assert stdout is not None
        deadline = monotonic() + self._ready_within_s
        while True:
            while b"\n" not in self._said:
                if not select.select([stdout], [], [], max(deadline - monotonic(), 0))[0]:
                    self.kill()
                    raise TimeoutError(f"{self._service} did not say {word!r}:\n{self.stderr}")
                more = os.read(stdout.fileno(), 65_536)
                if not more:
                    raise RuntimeError(f"{self._service} has ended:\n{self.stderr}")
                self._said += more
            line, _, self._said = self._said.partition(b"\n")
            first, _, rest = line.decode().partition(" ")
            if first == word:
                return rest

    def pause(self) -> None:
        """SIGSTOP, as a debugger would."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM; the exit code. Raises ``TimeoutExpired``."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(STOP_WITHIN_S)
        self._close()
        return code

    def wait(self) -> int:
        """Wait until it has ended by itself; the exit code. Raises ``TimeoutExpired``."""
        assert self._process is not None
        code = self._process.wait(STOP_WITHIN_S)
        self._close()
        return code

    def kill(self) -> None:
        """``kill -9``. Does nothing if it is not running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_WITHIN_S)
            self._close()

    def _close(self) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
