"""The files in ``schemas/json`` are what the code says today: ``make schemas`` writes them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.cli.schemas import DIRECTORY, QUERY_RESULTS, _anything, generated
from shared.audit.answering import RESULTS as AUDIT_RESULTS
from shared.routing.commands import COMMANDS
from shared.routing.events import EVENT_TYPES
from shared.routing.questions import EVERY_QUERY
from shared.wire.audit import AUDIT_QUESTIONS
from shared.wire.feeds import FEEDS
from tests.servers.engine import fernamt, surroundings
from tests.tidy.sources import ROOT

FILES = generated()


def test_the_files_are_those_that_the_code_gives() -> None:
    written = {path.name: path.read_text() for path in (ROOT / DIRECTORY).iterdir()}
    assert written == FILES, "the wire has changed: `make schemas` writes its description again"


@pytest.mark.parametrize("seed", ["1", "2"])
def test_they_come_out_the_same_in_every_process(seed: str, tmp_path: Path) -> None:
    subprocess.run(
        fernamt("schemas", "--to", str(tmp_path)),
        cwd=ROOT,
        env=surroundings({"PYTHONHASHSEED": seed}),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == FILES


def test_what_no_longer_exists_is_removed(tmp_path: Path) -> None:
    stale = tmp_path / "beats.schema.json"
    kept = tmp_path / "README.md"
    stale.touch()
    kept.touch()
    done = subprocess.run(
        fernamt("schemas", "--to", str(tmp_path)), cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout == f"wrote {len(FILES)} files into {tmp_path}{os.linesep}".encode()
    assert not stale.exists()
    assert kept.exists()


def test_nothing_on_the_wire_is_left_out() -> None:
    assert set(COMMANDS) <= set(_defs("commands"))
    assert set(EVERY_QUERY) <= set(_defs("queries"))
    assert set(EVENT_TYPES) <= set(_defs("events"))
    assert set(QUERY_RESULTS) == set(EVERY_QUERY)
    assert {"seen", "SeenAnswer"} <= set(_defs("views"))
    for name in AUDIT_QUESTIONS:
        assert {f"question.{name}", f"result.{name}"} <= set(_defs("audit"))
    assert set(AUDIT_RESULTS) == set(AUDIT_QUESTIONS)
    messages = {
        f"{feed}.{shape.__struct_config__.tag}"
        for feed, shapes in FEEDS.items()
        for shape in shapes
    }
    assert messages <= set(_defs("feeds"))


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_reference_leads_somewhere(name: str) -> None:
    document = json.loads(FILES[name])
    known = {f"#/$defs/{part}" for part in document["$defs"]}
    assert set(_values(document, "$ref")) <= known


@pytest.mark.parametrize("name", sorted(FILES))
def test_patterns_are_not_pythons_alone(name: str) -> None:
    patterns = list(_values(json.loads(FILES[name]), "pattern"))
    assert [pattern for pattern in patterns if "\\Z" in pattern] == []


def test_a_type_without_a_schema_does_not_pass_for_any_json() -> None:
    with pytest.raises(NotImplementedError, match="complex"):
        _anything(complex)


def _defs(name: str) -> dict[str, Any]:
    document = msgspec.json.decode(FILES[f"{name}.schema.json"], type=dict[str, Any])
    defs: dict[str, Any] = document["$defs"]
    return defs


def _values(value: object, key: str) -> list[str]:
    """Every text that stands under ``key``, at any depth."""
    match value:
        case dict():
            own = [value[key]] if isinstance(value.get(key), str) else []
            return own + [found for item in value.values() for found in _values(item, key)]
        case list():
            return [found for item in value for found in _values(item, key)]
        case _:
            return []
