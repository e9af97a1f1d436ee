"""Finds walks over sets in a syntax tree, as far as the text alone can tell that it is a set.

A set is known by how it is written (``{a, b}``, ``set(...)``, ``a & b`` of such), by a name that
was given one or annotated as one in the same function, or by a field annotated as one in the same
file. What does not depend on the order is let through: ``sorted(s)``, ``len(s)``, ``x in s``,
``{f(x) for x in s}`` and ``any(f(x) for x in s)``.
"""

import ast

from tests.tidy.sources import dotted

_MAKERS = frozenset({"set", "frozenset"})
_TYPES = frozenset({"set", "frozenset", "Set", "AbstractSet", "FrozenSet", "MutableSet"})
_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference"})
_OPERATORS = (ast.BitAnd, ast.BitOr, ast.BitXor, ast.Sub)
_IN_ORDER = frozenset(
    {"dict.fromkeys", "enumerate", "filter", "iter", "list", "map", "tuple", "zip"}
)
_ANY_ORDER = frozenset({"all", "any", "frozenset", "len", "max", "min", "set", "sorted", "sum"})

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def set_walks(tree: ast.Module) -> list[int]:
    """Lines in which the order of a set decides something."""
    finder = _Finder(_fields(tree))
    finder.visit(tree)
    return sorted(finder.lines)


def _fields(tree: ast.Module) -> frozenset[str]:
    """Names of fields that this file annotates as sets, and never as anything else."""
    sets: set[str] = set()
    others: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for statement in node.body:
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                    (sets if _is_set_type(statement.annotation) else others).add(
                        statement.target.id
                    )
    return frozenset(sets - others)


def _is_set_type(annotation: ast.expr | None) -> bool:
    match annotation:
        case ast.Subscript(value=value):
            return _is_set_type(value)
        case ast.Name() | ast.Attribute():
            return dotted(annotation).rpartition(".")[2] in _TYPES
        case _:
            return False


def _sorts_by_key(call: ast.Call) -> bool:
    """``min`` and ``max`` with a key take the first of equals; ``sorted`` keeps their order."""
    return any(keyword.arg == "key" for keyword in call.keywords)


class _Finder(ast.NodeVisitor):
    def __init__(self, fields: frozenset[str]) -> None:
        self.lines: set[int] = set()
        self._fields = fields
        self._scopes: list[set[str]] = [set()]
        self._harmless: set[ast.expr] = set()

    def _is_set(self, node: ast.expr) -> bool:
        match node:
            case ast.Set() | ast.SetComp():
                return True
            case ast.Name(id=name):
                return any(name in scope for scope in self._scopes)
            case ast.Attribute(attr=attr):
                return attr in self._fields
            case ast.Call(func=ast.Name(id=name)) if name in _MAKERS:
                return True
            case ast.Call(func=ast.Attribute(value=value, attr=attr)):
                return attr in _METHODS or (attr == "copy" and self._is_set(value))
            case ast.BinOp(left=left, op=op, right=right) if isinstance(op, _OPERATORS):
                return any(self._is_set(side) or _is_keys(side) for side in (left, right))
            case ast.IfExp(body=body, orelse=orelse):
                return self._is_set(body) or self._is_set(orelse)
            case ast.NamedExpr(value=value):
                return self._is_set(value)
            case _:
                return False

    def _walk(self, iterated: ast.expr) -> None:
        if self._is_set(iterated):
            self.lines.add(iterated.lineno)

    # -- names that hold sets ------------------------------------------------------------------

    def _visit_function(self, node: _Function) -> None:
        arguments = node.args
        known = {
            argument.arg
            for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
            if _is_set_type(argument.annotation)
        }
        self._scopes.append(known)
        self.generic_visit(node)
        self._scopes.pop()

    visit_FunctionDef = _visit_function  # noqa: N815 - the name NodeVisitor looks for
    visit_AsyncFunctionDef = _visit_function  # noqa: N815
    visit_Lambda = _visit_function  # noqa: N815

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._assign(target, is_set=self._is_set(node.value))
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._assign(node.target, is_set=_is_set_type(node.annotation))
        self.generic_visit(node)

    def _assign(self, target: ast.expr, *, is_set: bool) -> None:
        if isinstance(target, ast.Name):
            (self._scopes[-1].add if is_set else self._scopes[-1].discard)(target.id)

    # -- places where an order is taken --------------------------------------------------------

    def visit_For(self, node: ast.For) -> None:
        self._walk(node.iter)
        self.generic_visit(node)

    def visit_Starred(self, node: ast.Starred) -> None:
        self._walk(node.value)
        self.generic_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self._walk(node.value)
        self.generic_visit(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._harmless.update(generator.iter for generator in node.generators)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        if node.iter not in self._harmless:
            self._walk(node.iter)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = dotted(node.func)
        for argument in node.args:
            self._argument(node, name, argument)
        if isinstance(node.func, ast.Attribute):
            self._method(node.func, node.args)
        self.generic_visit(node)

    def _argument(self, call: ast.Call, name: str, argument: ast.expr) -> None:
        if name in _IN_ORDER or (name in _ANY_ORDER and _sorts_by_key(call)):
            self._walk(argument)
        elif name in _ANY_ORDER and isinstance(argument, ast.GeneratorExp):
            self._harmless.update(generator.iter for generator in argument.generators)

    def _method(self, method: ast.Attribute, arguments: list[ast.expr]) -> None:
        if method.attr == "pop" and not arguments:
            self._walk(method.value)
        if method.attr in {"join", "extend"}:
            for argument in arguments:
                self._walk(argument)


def _is_keys(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(attr="keys")):
            return True
        case _:
            return False
