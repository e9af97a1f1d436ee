"""Nothing is committed that belongs to one machine, to one person or to nobody."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

import pytest

from tests.tidy import hygiene_rules as rules
from tests.tidy.sources import ROOT, committed_files

KNOWN_SECRETS: dict[str, str] = {
    # path: which throw-away key lies there, and why it cannot be made when needed
}

TRACED = [
    "https://py" + "pi.org/simple",
    "files.python" + "hosted.org",
    "https://registry.np" + "mjs.org/x",
    "http://deb." + "debian.org/debian",
    "cd /wo" + "rk/main",
    "see /ro" + "ot/.cache",
    '"/ho' + 'me/ana/fernamt"',
    "see ../sha" + "red/X.md",
    "as STYLE" + ".md says",
    "closes issue" + " #12",
]
UNTRACED = [
    "https://shop.example/home/sale",
    "frame/work/flow",
    "from shared.routing import ids",
    "see README.md",
    "freeswitch#1216",
    "an issue of 12 pages",
]
SECRET = [
    "-----BE" + "GIN EC PRIVATE KEY-----",
    "SU" + "A" * 56,
    "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "AK" + "IA" + "A" * 16,
    "gh" + "p_" + "a" * 36,
    "postgresql://fernamt:" + "correct-horse@db.example",
]
OPEN = [
    "postgresql://fernamt@localhost/fernamt",
    "postgresql://fernamt:${PASSWORD}@db.example/fernamt",
    "nats://127.0.0.1:4222",
]


@pytest.mark.parametrize(("line", "kind"), [(x, rules.TRACES) for x in TRACED])
def test_traces_are_found(line: str, kind: Mapping[str, re.Pattern[str]]) -> None:
    assert list(rules.suspicious_text(line, kind))


@pytest.mark.parametrize("line", UNTRACED)
def test_what_is_no_trace_passes(line: str) -> None:
    assert list(rules.suspicious_text(line, rules.TRACES)) == []


@pytest.mark.parametrize("line", SECRET)
def test_secrets_are_found(line: str) -> None:
    assert list(rules.suspicious_text(line, rules.SECRETS))


@pytest.mark.parametrize("line", OPEN)
def test_what_is_no_secret_passes(line: str) -> None:
    assert list(rules.suspicious_text(line, rules.SECRETS)) == []


def test_large_files_and_odd_binaries_are_found() -> None:
    assert list(rules.unfit_size("a.txt", b"x" * (rules.BYTES_MAX + 1)))
    assert list(rules.unfit_size("a.png", b"\0" * (rules.BINARY_BYTES_MAX + 1)))
    assert list(rules.unfit_size("a.db", b"SQLite\0"))
    assert not list(rules.unfit_size("a.png", b"\x89PNG\0"))


def _texts() -> list[tuple[str, str]]:
    contents = ((path, (ROOT / path).read_bytes()) for path in committed_files())
    return [
        (path, content.decode("utf-8", "replace"))
        for path, content in contents
        if not rules.is_binary(content)
    ]


def test_no_trace_of_a_machine() -> None:
    names = {PurePosixPath(path).name for path in committed_files()}
    found = [
        f"{path}:{finding.line}: {finding.rule}"
        for path, text in _texts()
        for finding in rules.suspicious_text(text, rules.TRACES)
        if finding.rule.split()[-1] not in names  # a document that is in the repository after all
    ]
    assert found == []


def test_no_secret() -> None:
    found = [
        f"{path}:{finding.line}: {finding.rule}"
        for path, text in _texts()
        if path not in KNOWN_SECRETS
        for finding in rules.suspicious_text(text, rules.SECRETS)
    ]
    assert found == []
    assert KNOWN_SECRETS.keys() - set(committed_files()) == set()


def test_files_are_small_and_readable() -> None:
    found = [
        f"{path}: {finding.rule}"
        for path in committed_files()
        for finding in rules.unfit_size(path, (ROOT / path).read_bytes())
    ]
    assert found == []
