"""The wire as releases had it, and as it is: the schemas of every body, and the subjects.

As a program it keeps today's for a release: ``python -m tests.contract.release 0.2.0``. What was
kept once stays as it is; it is what front ends out there were written for.
"""

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

from services.cli.schemas.exchanges import exchanges
from services.cli.schemas.json_schema import SUFFIX, documents

KEPT = Path(__file__).parent / "releases"
SUBJECTS = "subjects.json"
RELEASES = sorted(path.name for path in KEPT.iterdir())

Documents = dict[str, dict[str, Any]]


class Release(NamedTuple):
    """JSON Schemas by the name of their file, subjects by what is said on them."""

    documents: Documents
    subjects: dict[str, str]


def today() -> Release:
    """The wire of the code as it stands here."""
    return Release(documents(), {each.name: each.subject for each in exchanges()})


def released(version: str, kept: Path = KEPT) -> Release:
    """The wire of a release."""
    folder = kept / version
    schemas = {
        path.name.removesuffix(SUFFIX): json.loads(path.read_text(encoding="utf-8"))
        for path in folder.glob(f"*{SUFFIX}")
    }
    return Release(schemas, json.loads((folder / SUBJECTS).read_text(encoding="utf-8")))


def write(folder: Path) -> None:
    """Keep today's wire in a folder that is there and empty."""
    now = today()
    for name, document in now.documents.items():
        (folder / f"{name}{SUFFIX}").write_text(_text(document), encoding="utf-8")
    (folder / SUBJECTS).write_text(_text(now.subjects), encoding="utf-8")


def _text(document: object) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (version,) = sys.argv[1:]
    (KEPT / version).mkdir()
    write(KEPT / version)
