"""``make audit``: writes the bill of materials, and says what is known of what is in it.

Exit code 0: everything was looked up and nothing is known. 1: a hole is known, or a licence that
nobody has accepted. 3: it could not be looked up, so that nothing is said about holes. Arguments
are pip-audit's: ``--vulnerability-service osv`` asks another service.
"""

import sys
from collections.abc import Sequence

from tests.supply import bom
from tests.supply.holes import Holes, holes_in
from tests.supply.licences import unaccepted
from tests.supply.lock import DEV, RUN, locked
from tests.tidy.sources import ROOT

NOTHING_KNOWN, SOMETHING_KNOWN, NOT_LOOKED_UP = 0, 1, 3


def main(options: Sequence[str]) -> int:
    shipped, all_of_them = locked(RUN), locked(DEV)
    bom.write(shipped)
    _say("bill of materials", f"{bom.FILE.relative_to(ROOT)}, {len(shipped)} packages")
    strange = list(unaccepted(package for package in shipped if package.is_for_here))
    _say("licences", "; ".join(strange) or "all accepted")
    here = sum(package.is_for_here for package in all_of_them)
    holes = holes_in(DEV, here, options)
    for line in told(holes, {package.name for package in shipped}):
        _say("known holes", line)
    if holes.known or strange:
        return SOMETHING_KNOWN
    return NOTHING_KNOWN if holes.all_looked_up else NOT_LOOKED_UP


def told(holes: Holes, shipped: set[str]) -> list[str]:
    """A line for each hole, then how much was looked up; tools of development say that they are."""
    lines = [
        line if line.partition(" ")[0] in shipped else f"{line} (not shipped)"
        for line in holes.known
    ]
    if holes.all_looked_up:
        return [*lines, f"{len(lines)} in {holes.packages} packages"]
    looked_up = f"{holes.packages - holes.looked_up} of {holes.packages} packages NOT LOOKED UP"
    return [*lines, f"{looked_up}: {holes.why or 'left out of the report'}"]


def _say(what: str, line: str) -> None:
    sys.stdout.write(f"{what:17}  {line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
