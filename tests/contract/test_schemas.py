"""The generated files in ``schemas`` are what the code says today: ``make schemas`` writes them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.cli.schemas.catalogue import QUERY_RESULTS
from services.cli.schemas.command import DIRECTORY, generated
from services.cli.schemas.json_schema import FOLDER, _anything, everything
from shared.audit.answering import RESULTS as AUDIT_RESULTS
from shared.routing.commands import COMMANDS
from shared.routing.events import EVENT_TYPES
from shared.routing.questions import EVERY_QUERY
from shared.wire.audit import AUDIT_QUESTIONS
from shared.wire.feeds import FEEDS
from shared.wire.replies import STATUS
from tests.servers.engine import fernamt, surroundings
from tests.tidy.sources import ROOT

FILES = generated()
SCHEMAS = sorted(name for name in FILES if name.startswith(f"{FOLDER}/"))


def test_the_files_are_those_that_the_code_gives() -> None:
    written = _written(ROOT / DIRECTORY)
    different = [
        name for name in sorted({**written, **FILES}) if written.get(name) != FILES.get(name)
    ]
    assert different == [], "the wire has changed: run `make schemas`"


@pytest.mark.parametrize("seed", ["1", "2"])
def test_they_come_out_the_same_in_every_process(seed: str, tmp_path: Path) -> None:
    subprocess.run(
        fernamt("schemas", "--to", str(tmp_path)),
        cwd=ROOT,
        env=surroundings({"PYTHONHASHSEED": seed}),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    assert _written(tmp_path) == FILES


def test_what_no_longer_exists_is_removed(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    stale = tmp_path / FOLDER / "heads.schema.json"
    kept = [tmp_path / "CHANGES.md", tmp_path / FOLDER / "README.md"]
    for path in (stale, *kept):
        path.touch()
    done = subprocess.run(
        fernamt("schemas", "--to", str(tmp_path)), cwd=ROOT, capture_output=True, check=True
    )
    assert done.stdout == f"wrote {len(FILES)} files into {tmp_path}{os.linesep}".encode()
    assert not stale.exists()
    assert [path.exists() for path in kept] == [True, True]


def test_nothing_on_the_wire_is_left_out() -> None:
    assert set(COMMANDS) <= set(_defs("commands"))
    assert set(EVERY_QUERY) <= set(_defs("queries"))
    assert set(EVENT_TYPES) <= set(_defs("events"))
    assert set(QUERY_RESULTS) == set(EVERY_QUERY)
    assert {"seen", "SeenAnswer"} <= set(_defs("views"))
    assert set(STATUS) == set(_defs("results")["ErrorCode"]["enum"])
    for name in AUDIT_QUESTIONS:
        assert {f"question.{name}", f"result.{name}"} <= set(_defs("audit"))
    assert set(AUDIT_RESULTS) == set(AUDIT_QUESTIONS)
    messages = {
        f"{feed}.{shape.__struct_config__.tag}"
        for feed, shapes in FEEDS.items()
        for shape in shapes
    }
    assert messages <= set(_defs("feeds"))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_reference_leads_somewhere(name: str) -> None:
    document = json.loads(FILES[name])
    known = {f"#/$defs/{part}" for part in document["$defs"]}
    assert set(_values(document, "$ref")) <= known


def test_no_two_things_have_one_name() -> None:
    """Types are called by it in other languages, where no module stands before it."""
    _, schemas = everything("{name}")
    assert [name for name in schemas if not name.isidentifier()] == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_patterns_are_not_pythons_alone(name: str) -> None:
    patterns = list(_values(json.loads(FILES[name]), "pattern"))
    assert [pattern for pattern in patterns if "\\Z" in pattern] == []


def test_a_type_without_a_schema_does_not_pass_for_any_json() -> None:
    with pytest.raises(NotImplementedError, match="complex"):
        _anything(complex)


def _written(folder: Path) -> dict[str, str]:
    """The text of every file in the places that are generated."""
    top = [folder / name for name in FILES if "/" not in name]
    below = [path for name in FILES if "/" in name for path in (folder / name).parent.iterdir()]
    return {str(path.relative_to(folder)): path.read_text() for path in {*top, *below}}


def _defs(name: str) -> dict[str, Any]:
    document = msgspec.json.decode(FILES[f"{FOLDER}/{name}.schema.json"], type=dict[str, Any])
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
