"""The lock on a data directory: one process at a time writes there."""

import fcntl
import os
from pathlib import Path
from typing import Self

from shared.ports import DirectoryInUse

FILE_NAME = "lock"


class DirectoryLock:
    """Held from ``take`` to ``release``, or until the process ends, however it ends.

    The file stays when the lock is released: removing it would let two processes each lock a
    file of that name.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, directory: Path) -> Self:
        """Lock the directory, which must exist. Raises ``DirectoryInUse`` at once if it is."""
        path = directory / FILE_NAME
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # flock and not lockf: the latter would let this process take it twice.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(descriptor)
            raise DirectoryInUse(
                f"{directory} is in use by process {holder}: stop that one first, "
                "or choose another directory"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Give the directory free. May be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
