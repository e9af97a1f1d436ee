"""``tests/COVERAGE.md`` and the tests say the same: neither names what the other does not know."""

import ast

import pytest

from tests.tidy import coverage_table as coverage
from tests.tidy.sources import Module, modules

SOURCE = """
def test_ro03_r08_least_loaded_first(): ...
async def test_st01_online(): ...
def test_rounding(): ...
class TestQueue:
    def test_q02_in_order(self): ...
"""
TESTS = coverage.collected([Module("tests/x.py", SOURCE, ast.parse(SOURCE))])
TABLE = """
| id | what it says | tests |
| --- | --- | --- |
| RO03 | least loaded first | tests/x.py::test_ro03_r08_least_loaded_first |
| R08 | the same under load | `tests/x.py::test_ro03_r08_least_loaded_first` |
| ST01 | online | tests/x.py::test_st01_online, tests/x.py::test_rounding |
| Q02 | in order | tests/x.py::TestQueue::test_q02_in_order |
| R05 | a lease stalls | — one process holds all leases here |
"""


def test_a_table_that_agrees_passes() -> None:
    rows = coverage.rows(TABLE)
    assert [row.id for row in rows] == ["RO03", "R08", "ST01", "Q02", "R05"]
    assert list(coverage.malformed(rows)) == []
    assert list(coverage.vanished(rows, TESTS)) == []
    assert coverage.unlisted(rows, TESTS) == {}


@pytest.mark.parametrize(
    "row",
    [
        "| RO3 | too short | tests/x.py::test_st01_online |",
        "| XY01 | no such family | tests/x.py::test_st01_online |",
        "| RO01 | two cells |",
        "| RO01 | | tests/x.py::test_st01_online |",
        "| RO01 | no test, no reason | |",
        "| RO01 | a reason that says nothing | — no |",
        "| RO03 | said twice | tests/x.py::test_st01_online |",
    ],
)
def test_a_row_that_says_nothing_is_found(row: str) -> None:
    assert len(list(coverage.malformed(coverage.rows(TABLE + row)))) == 1


@pytest.mark.parametrize("name", ["tests/y.py::test_st01_online", "tests/x.py::test_st01_offline"])
def test_a_test_that_does_not_exist_is_found(name: str) -> None:
    rows = coverage.rows(f"| ST01 | online | {name} |")
    assert len(list(coverage.vanished(rows, TESTS))) == 1


def test_a_test_that_is_not_listed_under_each_of_its_ids_is_found() -> None:
    lacking = TABLE.replace("| R08 |", "| R09 |").replace("Q02", "Q03")
    assert list(coverage.unlisted(coverage.rows(lacking), TESTS)) == ["Q02", "R08"]


def test_the_ids_of_a_test_stand_at_the_head_of_its_name() -> None:
    assert coverage.ids_of("test_ro03_r08_x") == ["RO03", "R08"]
    assert coverage.ids_of("test_q08") == ["Q08"]
    assert coverage.ids_of("test_x_ro03_y") == []
    assert coverage.ids_of("test_ro031_x") == []


def test_the_table_is_well_formed() -> None:
    assert list(coverage.malformed(_table())) == []


def test_every_test_in_the_table_exists() -> None:
    assert list(coverage.vanished(_table(), _tests())) == []


def test_every_test_with_a_number_stands_in_the_table() -> None:
    missing = coverage.unlisted(_table(), _tests())
    assert missing == {}, "python -m tests.tidy.coverage_table prints the rows"


def _table() -> list[coverage.Row]:
    return coverage.rows(coverage.TABLE.read_text(encoding="utf-8"))


def _tests() -> frozenset[str]:
    return coverage.collected(modules("tests"))
