"""What the core may not do, as a check of syntax trees. It says nothing about style.

A decision must come out the same on another machine years later. So the core sees no clock and no
chance, makes no float (whose rounding travels badly) and no hash (which differs between runs), and
walks no set in the order in which it happens to lie in memory. The *type* float may be named:
somebody else's attribute may be one, and is carried unread.
"""

import ast
from collections.abc import Iterator

from tests.tidy.set_order import set_walks
from tests.tidy.sources import Finding, imports

MAY_IMPORT = frozenset({
    "bisect",
    "collections.abc",
    "functools",
    "hashlib",
    "heapq",
    "msgspec",
    "shared.routing",
    "sortedcontainers",
    "typing",
})  # fmt: skip

_BANNED_NAMES = {
    "hash": "a hash differs between runs of Python",
    "id": "an address in memory differs between runs",
    "float": "no floats: milliseconds, basis points",
    "complex": "no floats: milliseconds, basis points",
    "print": "the core says nothing, it returns",
    "input": "the core asks nobody",
    "open": "the core reads no files",
    "eval": "no code from data",
    "exec": "no code from data",
    "__import__": "imports stand at the top, where they can be checked",
}


def core_breaches(tree: ast.Module) -> Iterator[Finding]:
    """Yield what in ``tree`` may not stand in ``shared/routing``."""
    for statement, module, name in imports(tree):
        if not _may_import(module, name):
            yield Finding(statement.lineno, f"imports {module}: not on the core's list")
    for node in ast.walk(tree):
        rule = _waits(node) or _fractions(node) or _names(node)
        if rule:
            yield Finding(getattr(node, "lineno", 0), rule)
    for line in set_walks(tree):
        yield Finding(line, "walks a set: its order differs between runs, sort it first")


def _may_import(module: str, name: str | None) -> bool:
    if module == "shared" and name == "routing":
        return True
    return any(module == allowed or module.startswith(f"{allowed}.") for allowed in MAY_IMPORT)


def _waits(node: ast.AST) -> str:
    match node:
        case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            return "async: the core never waits"
        case ast.comprehension(is_async=1):
            return "async: the core never waits"
        case _:
            return ""


def _fractions(node: ast.AST) -> str:
    match node:
        case ast.Constant(value=float() | complex()):
            return "float literal: milliseconds, basis points"
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            return "true division makes a float: use //"
        case _:
            return ""


def _names(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in _BANNED_NAMES:
            return f"{name}(): {_BANNED_NAMES[name]}"
        case ast.Attribute(attr="__hash__"):
            return f"__hash__: {_BANNED_NAMES['hash']}"
        case _:
            return ""
