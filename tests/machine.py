"""Compares a machine before and after: accounts, owners, permissions, when folders changed.

What a run may change is its clone and the temporary directory, nothing else. So no account may
appear, and no folder above those two may get another owner or other permissions.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

ACCOUNTS = tuple(
    Path("/etc", name) for name in ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")
)
SYSTEM = tuple(
    Path(name)
    for name in ("/", "/etc", "/home", "/opt", "/usr", "/usr/bin", "/usr/lib", "/usr/local/bin")
)


class Entry(NamedTuple):
    """What is remembered of one file or folder."""

    owner: int
    group: int
    mode: int
    changed_ns: int
    """When its content changed last: for a folder, when something was made or removed in it."""
    digest: str
    """SHA-256 of a file's content, empty for a folder and for what may not be read."""


Listing = Mapping[Path, Entry]


def above(*paths: Path) -> tuple[Path, ...]:
    """All folders above the given ones, each once, up to the root."""
    return tuple(dict.fromkeys(parent for path in paths for parent in path.resolve().parents))


def listing(strict: Iterable[Path], busy: Iterable[Path] = ()) -> Listing:
    """Look at every path that exists. In a ``busy`` folder things may come and go meanwhile."""
    timeless = {path: entry._replace(changed_ns=0) for path, entry in _entries(busy)}
    return {**dict(_entries(strict)), **timeless}


def differences(before: Listing, after: Listing) -> list[str]:
    """What changed, one line each; empty if nothing did."""
    lines = [f"{path}: appeared" for path in after.keys() - before.keys()]
    for path, entry in before.items():
        now = after.get(path)
        if now is None:
            lines.append(f"{path}: vanished")
        elif now != entry:
            changes = zip(Entry._fields, entry, now, strict=True)
            lines.extend(
                f"{path}: {name} was {old}, is {new}" for name, old, new in changes if old != new
            )
    return sorted(lines)


def _entries(paths: Iterable[Path]) -> Iterable[tuple[Path, Entry]]:
    for path in paths:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        digest = ""
        if path.is_file() and os.access(path, os.R_OK):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        yield path, Entry(status.st_uid, status.st_gid, status.st_mode, status.st_mtime_ns, digest)
