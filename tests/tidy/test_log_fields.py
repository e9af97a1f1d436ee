"""A line of the log has fields of the catalogue alone, and hands errors on as they are.

What may be told of an error is decided in one place (``shared.runtime.telling``). Where a caller
makes text of it before, or of anything else, that place has nothing left to decide.
"""

import ast
from collections.abc import Iterator

import pytest

from shared.runtime.log_fields import FIELDS
from tests.tidy.sources import Finding, modules

_LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
_OF_THE_LIBRARY = {"exc_info"}


def _says(call: ast.Call) -> bool:
    """Whether it logs a line, or prepares one."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="log"), attr=name):
            return name in {*_LEVELS, "bind"}
        case ast.Attribute(attr=name) if name in _LEVELS:
            return any(isinstance(one, ast.Constant) for one in call.args)
        case _:
            return False


def _makes_text(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr():
            return True
        case ast.BinOp(left=left):
            return isinstance(left, ast.JoinedStr) or _is_literal_text(left)
        case ast.Call(func=ast.Name(id=name)):
            return name in {"str", "repr", "format"}
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in {"format", "decode", "join"}
        case _:
            pass
    return False


def _is_literal_text(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def findings(tree: ast.AST) -> Iterator[Finding]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not _says(call):
            continue
        for field in call.keywords:
            if field.arg is None:
                yield Finding(call.lineno, "fields nobody can see")
            elif field.arg not in {*FIELDS, *_OF_THE_LIBRARY}:
                yield Finding(call.lineno, f"no field of the catalogue: {field.arg}")
            elif any(map(_makes_text, ast.walk(field.value))):
                yield Finding(call.lineno, f"text made of something: {field.arg}")


@pytest.mark.parametrize(
    "line",
    [
        'log.info("it_happened", note=text)',
        'log.info("it_happened", **fields)',
        'log.warning("it_failed", reason=str(error))',
        'log.warning("it_failed", reason=repr(error))',
        'log.warning("it_failed", reason=f"as {error}")',
        'log.warning("it_failed", reason="as %s" % error)',
        'log.warning("it_failed", reason=body.decode())',
        'log.warning("it_failed", reason=str(error) or "unknown")',
        'log.bind(name=name).info("it_happened")',
        'about(row).error("it_failed", body=row.body)',
    ],
)
def test_lines_that_could_tell_too_much_are_found(line: str) -> None:
    assert list(findings(ast.parse(line)))


def test_a_line_of_known_fields_passes() -> None:
    line = 'log.warning("it_failed", workspace=workspace_id, reason=error, position=len(rows))'
    assert list(findings(ast.parse(line))) == []


def test_every_line_of_every_log_has_known_fields() -> None:
    found = {
        f"{module.path}:{one.line}: {one.rule}"
        for module in modules("services", "shared")
        for one in findings(module.tree)
    }
    assert found == set()


def test_every_field_of_the_catalogue_is_used_and_explained() -> None:
    used = {
        field.arg
        for module in modules("services", "shared")
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call) and _says(call)
        for field in call.keywords
    }
    assert FIELDS.keys() - used == set()
    assert [name for name, meaning in FIELDS.items() if not meaning.endswith(".")] == []
