"""What may not be committed: traces of the machine it was written on, secrets, large binaries.

The patterns are put together from pieces, so that this file does not break its own rules.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from tests.tidy.sources import Finding

BYTES_MAX = 1_048_576
BINARY_BYTES_MAX = 524_288

_BINARY_KINDS = frozenset({".gif", ".ico", ".jpg", ".jpeg", ".png", ".webp", ".woff2"})

_NO_NAME_BEFORE = r"(?<![\w.-])"  # so that shop.example/home/sale is an address, not a directory
_REGISTRIES = (
    ("py", "pi.org"),
    ("python", "hosted.org"),
    ("np", "mjs.org"),
    ("np", "mjs.com"),
    ("deb.", "debian.org"),
    ("crates", ".io"),
    ("proxy.", "golang.org"),
)
_INTERNAL = "BEHAVIOUR|DESIGN|FAULTS|LIMITS|NATS|PROTOCOL|SCENARIOS|STYLE"

TRACES: Mapping[str, re.Pattern[str]] = {
    "address of a package registry": re.compile(
        "|".join(re.escape(left + right) for left, right in _REGISTRIES), re.IGNORECASE
    ),
    "path of one machine": re.compile(
        _NO_NAME_BEFORE
        + "(?:/wo"
        + "rk/|/ro"
        + "ot/|/ho"
        + r"me/\w|/Us"
        + r"ers/\w|/opt/py"
        + "pi)"
    ),
    "document that is not in the repository": re.compile(
        r"\.\./sha" + r"red/[A-Z.]|" + rf"\b(?:{_INTERNAL})" + r"\.md\b|\.libr" + "ary/"
    ),
    "number of an issue nobody outside can read": re.compile(r"\b[Ii]ssue" + r"s? #?\d"),
}

SECRETS: Mapping[str, re.Pattern[str]] = {
    "private key": re.compile("-----BE" + "GIN [A-Z ]*PRIVATE KEY"),
    "seed of a NATS key": re.compile(r"\bS[ACNOUX][A-Z2-7]{56}\b"),
    "signed token": re.compile(r"\bey" + r"J[\w-]{8,}\.ey" + r"J[\w-]{8,}\.[\w-]{16,}"),
    "cloud access key": re.compile(r"\bAK" + r"IA[0-9A-Z]{16}\b"),
    "forge token": re.compile(r"\bgh" + r"[pousr]_[A-Za-z0-9]{36}|\bglp" + r"at-[\w-]{20}"),
    "chat token": re.compile(r"\bxo" + r"x[abprs]-[\w-]{10,}"),
    "password in an address": re.compile(
        r"\w+://[^\s/:@{}$]+:(?!//)[^\s/@{}$<*]{8,}@[\w.-]*\.[a-z]"
    ),
}


def suspicious_text(text: str, rules: Mapping[str, re.Pattern[str]]) -> Iterator[Finding]:
    """Yield every line of ``text`` in which one of ``rules`` finds something."""
    for number, line in enumerate(text.splitlines(), start=1):
        for what, pattern in rules.items():
            if found := pattern.search(line):
                yield Finding(number, f"{what}: {found[0]}")


def is_binary(content: bytes) -> bool:
    return b"\0" in content[:8192]


def unfit_size(path: str, content: bytes) -> Iterator[Finding]:
    """Yield what is too large, or a binary of a kind that people cannot look at."""
    limit = BINARY_BYTES_MAX if is_binary(content) else BYTES_MAX
    if len(content) > limit:
        yield Finding(1, f"{len(content)} bytes, {limit} at most")
    if is_binary(content) and PurePosixPath(path).suffix.lower() not in _BINARY_KINDS:
        yield Finding(1, "a binary that is not a picture or a font")
