"""Known holes in what is locked, as pip-audit finds them, and whether it has looked at all.

pip-audit itself calls it "no known vulnerabilities" where its service knew none of the packages,
as one behind a mirror does. So its report is counted here, package by package.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

WITHIN_S = 600.0


class Holes(NamedTuple):
    """``known`` holes, a line each; ``looked_up`` of so many ``packages``, and else ``why`` not."""

    known: Sequence[str]
    looked_up: int
    packages: int
    why: str = ""

    @property
    def all_looked_up(self) -> bool:
        return self.looked_up == self.packages


def holes_in(file: Path, packages: int, options: Sequence[str] = ()) -> Holes:
    """Ask pip-audit about a lock of so many packages; ``options`` are its own."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(file), "--require-hashes"]
    quietly = ["--disable-pip", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run(
        [*command, *quietly, *options],
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    return counted(done.stdout, done.stderr, packages)


def counted(report: str, complaint: str, packages: int) -> Holes:
    """What a report in JSON says; one that is none leaves everything open."""
    try:
        found = json.loads(report)["dependencies"]
    except (ValueError, KeyError):
        last = complaint.strip().splitlines()[-1:] or ["pip-audit said nothing"]
        return Holes((), 0, packages, last[0])
    known = [
        f"{each['name']} {each['version']}: {hole['id']}, mended in "
        f"{', '.join(hole['fix_versions']) or 'no version'}"
        for each in found
        for hole in each.get("vulns", ())
    ]
    skipped = [each["skip_reason"] for each in found if "skip_reason" in each]
    return Holes(known, len(found) - len(skipped), packages, *skipped[:1])
