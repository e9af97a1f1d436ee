"""Reads ``tests/COVERAGE.md`` and the names of the tests, and compares them both ways.

As a program it prints the rows that the table lacks: ``python -m tests.tidy.coverage_table``.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tests.tidy.sources import ROOT, Module, modules

TABLE = ROOT / "tests" / "COVERAGE.md"

_BEHAVIOURS = "ST|GR|RO|OF|FW|OW|TM|TR|NO|QY|AU"
_SCENARIOS = "R|Q|C|F|P|O|W|T|B|G|E"
_ID = re.compile(rf"(?:{_BEHAVIOURS}|{_SCENARIOS})\d\d")
_FUNCTION = re.compile(rf"test_((?:(?:{_ID.pattern.lower()})_)+)")
_TEST = re.compile(r"tests/[\w/]+\.py::\w+(?:::\w+)?")
_REASON = re.compile(r"^[—-]\s*\S.{7,}")
_HEADERS = frozenset({"id", "---"})


class Row(NamedTuple):
    """One line of the table, as it stands there."""

    line: int
    id: str
    meaning: str
    covered_by: str

    @property
    def tests(self) -> frozenset[str]:
        return frozenset(_TEST.findall(self.covered_by))


def rows(text: str) -> list[Row]:
    """The rows of the table, its head left out; a row of another shape has an empty id."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
            if cells[0] not in _HEADERS:
                whole = len(cells) == 3
                found.append(Row(number, *cells) if whole else Row(number, "", line, ""))
    return found


def ids_of(function: str) -> list[str]:
    """``["RO03", "R08"]`` of ``test_ro03_r08_least_loaded_first``."""
    match = _FUNCTION.match(f"{function}_")
    return [part.upper() for part in match[1].split("_") if part] if match else []


def collected(tests: Iterable[Module]) -> frozenset[str]:
    """``path::function`` and ``path::Class::method`` of everything that pytest would collect."""
    names: set[str] = set()
    for module in tests:
        names.update(f"{module.path}::{name}" for name in _functions(module.tree.body))
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef):
                owner = f"{module.path}::{node.name}"
                names.update(f"{owner}::{name}" for name in _functions(node.body))
    return frozenset(names)


def _functions(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if name.startswith("test"):
                    yield name
            case _:
                pass


def malformed(table: list[Row]) -> Iterator[str]:
    """Rows of no known id, without a meaning, with neither test nor reason, or said twice."""
    seen: set[str] = set()
    for row in table:
        if not _ID.fullmatch(row.id):
            yield f"line {row.line}: no row of the table: {row.meaning or row.id}"
        elif row.id in seen:
            yield f"line {row.line}: {row.id} again"
        elif not row.meaning:
            yield f"line {row.line}: {row.id} means nothing"
        elif not row.tests and not _REASON.match(row.covered_by):
            yield f"line {row.line}: {row.id} has neither a test nor a reason why there is none"
        seen.add(row.id)


def vanished(table: list[Row], tests: frozenset[str]) -> Iterator[str]:
    """Tests that the table names and that do not exist."""
    for row in table:
        for name in sorted(row.tests - tests):
            yield f"line {row.line}: {row.id} names {name}, which does not exist"


def unlisted(table: list[Row], tests: frozenset[str]) -> Mapping[str, list[str]]:
    """Tests by the id in their name, where the row of that id does not name them."""
    listed = {row.id: row.tests for row in table}
    missing: dict[str, list[str]] = {}
    for name in sorted(tests):
        for covered in ids_of(name.rpartition("::")[2]):
            if name not in listed.get(covered, frozenset()):
                missing.setdefault(covered, []).append(name)
    return dict(sorted(missing.items()))


def _print_missing() -> None:
    missing = unlisted(rows(TABLE.read_text(encoding="utf-8")), collected(modules("tests")))
    for covered, names in missing.items():
        sys.stdout.write(f"| {covered} | | {', '.join(names)} |\n")


if __name__ == "__main__":
    _print_missing()
