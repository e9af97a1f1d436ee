"""Under which licence each package is, by its own word, and which of them we may ship with ours."""

import re
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, metadata

from tests.supply.lock import Pinned

ACCEPTED = frozenset(
    {
        *("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0"),
        "MPL-2.0",  # certifi: a list of certificates, shipped as it is
        *("Apache 2.0", "BSD License", "ISC License", "MIT License"),  # in words of old releases
    }
)
_LENGTH_MAX = 40  # beyond that the field holds the text of a licence, not its name
_CLASSIFIER = "License :: OSI Approved :: "


def licence_of(name: str) -> str | None:
    """Of the package that is installed here; null where it is not, or says nothing."""
    try:
        told = metadata(name)
    except PackageNotFoundError:
        return None
    if "License-Expression" in told:
        return str(told["License-Expression"])
    named = str(told["License"]).strip() if "License" in told else ""
    if named and "\n" not in named and len(named) <= _LENGTH_MAX:
        return named
    classifiers = told.get_all("Classifier") or []
    found = [each.removeprefix(_CLASSIFIER) for each in classifiers if each.startswith(_CLASSIFIER)]
    return " OR ".join(found) or None


def unaccepted(packages: Iterable[Pinned]) -> Iterator[str]:
    """What a person has to look at: ``NAME: LICENCE``."""
    for package in packages:
        licence = licence_of(package.name)
        parts = re.split(r" (?:OR|AND) ", licence or "none that it names")
        if not ACCEPTED.issuperset(parts):
            yield f"{package.name}: {licence}"
