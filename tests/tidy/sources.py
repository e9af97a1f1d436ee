"""The files the house rules are held against: what git knows, parsed once."""

import ast
import os
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]

_NOT_OURS = frozenset({".git", ".venv", "build", "data", "node_modules", "__pycache__"})


class Finding(NamedTuple):
    """One breach of a rule, with the line it stands in."""

    line: int
    rule: str


class Module(NamedTuple):
    """One Python file: its path from the root, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module


@cache
def committed_files() -> tuple[str, ...]:
    """Paths from the root of all files that are, or are about to be, under version control.

    Outside a git checkout (an unpacked archive, a clone of somebody else's) the tree is walked.
    """
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
        paths = listing.stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        paths = list(_walk())
    return tuple(sorted(path for path in set(paths) if path and (ROOT / path).is_file()))


def _walk() -> Iterator[str]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name
            for name in folders
            if name not in _NOT_OURS and not name.endswith((".egg-info", "_cache", ".hypothesis"))
        ]
        for name in names:
            yield str((Path(folder) / name).relative_to(ROOT))


@cache
def modules(*rooms: str) -> tuple[Module, ...]:
    """Every Python file below the named folders, for example ``shared`` or ``shared/routing``."""
    below = tuple(f"{room}/" for room in rooms)
    return tuple(
        _parsed(path)
        for path in committed_files()
        if path.endswith(".py") and path.startswith(below)
    )


@cache
def _parsed(path: str) -> Module:
    text = (ROOT / path).read_text(encoding="utf-8")
    return Module(path, text, ast.parse(text, path))


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of a name or a chain of attributes, empty for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            owner = dotted(value)
            return f"{owner}.{attr}" if owner else ""
        case _:
            return ""


def imports(tree: ast.Module) -> Iterator[tuple[ast.stmt, str, str | None]]:
    """Every import as (statement, module, name taken from it); a relative one starts with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name, None
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node, "." * node.level + (node.module or ""), alias.name


def report(breaches: Iterator[tuple[Module, Finding]]) -> list[str]:
    """Breaches as lines that an editor can jump to."""
    return [f"{module.path}:{finding.line}: {finding.rule}" for module, finding in breaches]
