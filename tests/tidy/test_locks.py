"""Locks name every file by its hash and no place to fetch it from; every choice has a reason."""

import json
import re
import tomllib
from collections.abc import Mapping
from itertools import pairwise
from typing import NamedTuple

import pytest

from tests.tidy.sources import ROOT

LOCKS = ("run", "otel", "dev")

_PIN = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^\s;\\]+)(?P<marker> ; [^\\]+)? \\$"
)
_HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$")
_COMMENT = re.compile(r"^ *#")
_ADDRESS = re.compile(r"://|--(extra-)?index|--find-links|--trusted-host|^-|@ |^\.?/")
_QUOTED = re.compile(r'^\s+"[^"]+",\s+#\s+\S.{5,}$')


class Lock(NamedTuple):
    """A lock as read: versions by name, number of hashes by name, and lines that are neither."""

    versions: dict[str, str]
    hashes: dict[str, int]
    strange: list[str]


def _read(text: str) -> Lock:
    lock = Lock({}, {}, [])
    name = ""
    for line in text.splitlines():
        if pin := _PIN.match(line):
            name = pin["name"]
            lock.versions[name] = pin["version"]
        elif _HASH.match(line) and name:
            lock.hashes[name] = lock.hashes.get(name, 0) + 1
        elif not _COMMENT.match(line):
            lock.strange.append(line)
    return lock


def _text(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def _normal(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_a_line_without_hash_or_with_an_address_is_found() -> None:
    sample = "a==1 \\\n    --hash=sha256:" + "0" * 64 + "\nb==2\n--index-url x\nc @ file:///c.whl\n"
    lock = _read(sample)
    assert lock.versions == {"a": "1"}
    assert lock.strange == ["b==2", "--index-url x", "c @ file:///c.whl"]
    assert _ADDRESS.search("--find-links /opt")
    assert _ADDRESS.search("c @ file:///c.whl")


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_is_a_pin_with_hashes(name: str) -> None:
    lock = _read(_text(name))
    assert lock.strange == []
    assert lock.versions.keys() == lock.hashes.keys()


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_says_where_to_fetch(name: str) -> None:
    assert [line for line in _text(name).splitlines() if _ADDRESS.search(line)] == []


def test_compiled_packages_are_locked_for_more_than_this_machine() -> None:
    hashes = _read(_text("run")).hashes
    assert all(hashes[name] > 10 for name in ("asyncpg", "msgspec", "uvloop")), hashes


def test_each_lock_contains_the_one_before() -> None:
    locks = [_read(_text(name)).versions.items() for name in LOCKS]
    assert all(less <= more for less, more in pairwise(locks))


def test_the_locks_belong_to_the_project_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    run = {_normal(name) for name in project["project"]["dependencies"]}
    dev = {_normal(name) for name in project["dependency-groups"]["dev"]}
    assert run - _read(_text("run")).versions.keys() == set(), "run `make lock`"
    assert dev - _read(_text("dev")).versions.keys() == set(), "run `make lock`"
    otel = {_normal(name) for name in project["project"]["optional-dependencies"]["otel"]}
    assert otel - _read(_text("otel")).versions.keys() == set(), "run `make lock`"


@pytest.mark.parametrize("start", ["dependencies = [", "dev = [", "ignore = ["])
def test_every_dependency_and_every_ignored_rule_has_a_reason(start: str) -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    first = lines.index(start) + 1
    entries = lines[first : lines.index("]", first)]
    assert entries
    assert [line for line in entries if not _QUOTED.match(line)] == []


@pytest.mark.parametrize("folder", ["tests/extra", "deploy/examples"])
def test_what_comes_from_npm_has_hashes_and_no_address_either(folder: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))
    packages = lock["packages"]
    named = _named(packages.pop(""))
    assert named == _named(json.loads((ROOT / folder / "package.json").read_text()))
    assert [version for version in named.values() if not version[0].isdecimal()] == []
    assert len(packages) > len(named)
    assert [name for name, entry in packages.items() if "integrity" not in entry] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def _named(project: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {**project.get("dependencies", {}), **project["devDependencies"]}


@pytest.mark.parametrize("folder", ["tests/extra", "deploy/examples"])
def test_nothing_of_npm_runs_a_script_when_it_is_installed(folder: str) -> None:
    settings = (ROOT / folder / ".npmrc").read_text(encoding="utf-8").splitlines()
    assert {"ignore-scripts=true", "omit-lockfile-registry-resolved=true"} <= set(settings)
