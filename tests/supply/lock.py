"""A lock as uv writes it: versions, hashes, for which machines, and who asked for each package."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.markers import Marker

from tests.tidy.sources import ROOT

RUN, DEV = (ROOT / "requirements" / f"{name}.txt" for name in ("run", "dev"))

_PIN = re.compile(r"(?P<name>[a-z0-9._-]+)==(?P<version>[^\s;]+)(?: ; (?P<marker>.+))? \\")
_HASH = re.compile(r"    --hash=sha256:(?P<hash>[0-9a-f]{64})")
_VIA = re.compile(r"    #(?: via)?(?:   | )?(?P<via>.*)")


@dataclass
class Pinned:
    """One package. ``via`` are the names of those that ask for it, Fernamt's own among them."""

    name: str
    version: str
    marker: str
    hashes: list[str] = field(default_factory=list)
    via: list[str] = field(default_factory=list)

    @property
    def is_for_here(self) -> bool:
        """Whether it is installed on a machine such as this."""
        return not self.marker or Marker(self.marker).evaluate()


def locked(file: Path) -> Sequence[Pinned]:
    return list(_read(file.read_text(encoding="utf-8")))


def _read(text: str) -> Iterator[Pinned]:
    pinned: Pinned | None = None
    for line in text.splitlines():
        if pin := _PIN.fullmatch(line):
            if pinned:
                yield pinned
            pinned = Pinned(pin["name"], pin["version"], pin["marker"] or "")
        elif pinned and (found := _HASH.match(line)):
            pinned.hashes.append(found["hash"])
        elif pinned and (asks := _VIA.fullmatch(line)) and asks["via"]:
            pinned.via.append(asks["via"].partition(" (")[0])
    if pinned:
        yield pinned
