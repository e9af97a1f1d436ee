"""How a file may look: its name, its size, what it imports, catches and leaves undone."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from tests.tidy.sources import Finding, Module, dotted, imports

LINES_MAX = 400
FUNCTION_LINES_MAX = 60

_SAY_NOTHING = frozenset({"utils", "helpers", "common", "misc", "base", "manager"})
_UNDONE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?P<reference>\([^()\s][^()]*\))?")
_TOO_WIDE = frozenset({"Exception", "BaseException"})
_SLEEPS = frozenset({"time.sleep", "asyncio.sleep"})


def empty_name(module: Module) -> Iterator[Finding]:
    """A file called after nothing in particular collects everything in particular."""
    path = PurePosixPath(module.path)
    for part in (*path.parts[:-1], path.stem):
        if part.lstrip("_").lower() in _SAY_NOTHING:
            yield Finding(1, f"{part}: name it after what it holds")


def too_long(module: Module) -> Iterator[Finding]:
    lines = len(module.text.splitlines())
    if lines > LINES_MAX:
        yield Finding(lines, f"{lines} lines, {LINES_MAX} at most: is this two rooms?")


def long_functions(module: Module) -> Iterator[tuple[str, Finding]]:
    """Yield (name, finding) for every function that is too long to be read in one go."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                rule = f"{node.name} has {lines} lines, {FUNCTION_LINES_MAX} at most"
                yield node.name, Finding(node.lineno, rule)


def undescribed(module: Module) -> Iterator[Finding]:
    if not (ast.get_docstring(module.tree) or "").strip():
        yield Finding(1, "no docstring: say in a sentence what the module holds")


def undone(module: Module) -> Iterator[Finding]:
    """A note to come back, with nothing to find it by: ``TODO(nats.py#123)`` has something."""
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type == tokenize.COMMENT:
            for match in _UNDONE.finditer(token.string):
                if not match["reference"]:
                    yield Finding(token.start[0], f"{match[1]} without a reference in brackets")


def mocks(module: Module) -> Iterator[Finding]:
    for statement, name, taken in imports(module.tree):
        if f"{name}.".startswith("unittest.mock.") or (name == "unittest" and taken == "mock"):
            yield Finding(
                statement.lineno, "unittest.mock: a fake passes the contract suite instead"
            )


def struct_names(modules: tuple[Module, ...]) -> frozenset[str]:
    """Names of all classes that are msgspec Structs, directly or by way of another one."""
    bases: dict[str, set[str]] = {}
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                names = {dotted(base).rpartition(".")[2] for base in node.bases}
                bases.setdefault(node.name, set()).update(names)
    structs = {"Struct"}
    while found := {name for name, above in bases.items() if above & structs} - structs:
        structs |= found
    return frozenset(structs)


def hidden_imports(module: Module, structs: frozenset[str]) -> Iterator[Finding]:
    """msgspec resolves annotations at run time; what only a type checker imports is not there."""
    defines = any(
        dotted(base).rpartition(".")[2] in structs
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
    )
    if not defines:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.If) and dotted(node.test).rpartition(".")[2] == "TYPE_CHECKING":
            yield Finding(node.lineno, "TYPE_CHECKING in a module that defines Structs")


def swallowed(module: Module) -> Iterator[Finding]:
    """Catching everything hides bugs. A handler that ends in a bare ``raise`` hides nothing."""
    for node in ast.walk(module.tree):
        match node:
            case ast.ExceptHandler(type=caught, body=[*_, last]) if _too_wide(caught):
                if not (isinstance(last, ast.Raise) and last.exc is None):
                    yield Finding(node.lineno, "catches everything: name what may be raised")
            case ast.Call(func=func, args=args) if dotted(func).endswith("suppress"):
                if any(_too_wide(argument) for argument in args):
                    yield Finding(node.lineno, "suppresses everything: name what may be raised")


def _too_wide(caught: ast.expr | None) -> bool:
    match caught:
        case None:
            return True
        case ast.Tuple(elts=kinds):
            return any(_too_wide(kind) for kind in kinds)
        case _:
            return dotted(caught).removeprefix("builtins.") in _TOO_WIDE


def sleeps(module: Module) -> Iterator[Finding]:
    """Waiting a while for something to start: too short on one machine, too long on the others.

    ``asyncio.sleep(0)`` is no wait; it lets others run.
    """
    names = _imported_as(module.tree)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and _full_name(dotted(node.func), names) in _SLEEPS:
            match node.args:
                case [ast.Constant(value=0)]:
                    continue
                case _:
                    yield Finding(
                        node.lineno, "sleeps: wait for a named condition, with a deadline"
                    )


def _imported_as(tree: ast.Module) -> Mapping[str, str]:
    """What imported names stand for: ``{"sleep": "time.sleep", "aio": "asyncio"}``."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _full_name(name: str, names: Mapping[str, str]) -> str:
    first, dot, rest = name.partition(".")
    return f"{names.get(first, first)}{dot}{rest}"
