"""The core stays pure: the rules hold for ``shared/routing``, and each of them bites."""

import ast

import pytest

from tests.tidy.core_rules import MAY_IMPORT, core_breaches
from tests.tidy.sources import modules, report

BAD = {
    "clock": "import time",
    "clock_from": "from time import time_ns",
    "date": "import datetime",
    "chance": "import random",
    "chance_secrets": "from secrets import token_hex",
    "made_id": "from uuid import uuid4",
    "log": "import logging",
    "log_library": "import structlog",
    "environment": "import os",
    "loop": "import asyncio",
    "collections": "from collections import defaultdict",
    "the_wire": "from shared.wire import codec",
    "the_ports": "import shared.ports",
    "look_alike": "import shared.routing_extras",
    "relative": "from . import ids",
    "late_import": "def f():\n    import time",
    "import_call": "__import__('time')",
    "async_function": "async def f(): ...",
    "async_walk": "async def f(xs):\n    return [x async for x in xs]",
    "awaits": "async def f(x):\n    await x",
    "float": "x = 0.5",
    "float_exponent": "x = 1e3",
    "complex": "x = 1j",
    "float_made": "x = float('1')",
    "division": "x = 4 / 2",
    "division_in_place": "x = 4\nx /= 2",
    "hash": "x = hash('a')",
    "hash_method": "x = 'a'.__hash__()",
    "address": "x = id(object())",
    "print": "print('x')",
    "file": "open('x')",
    "set_for": "for x in {1, 2}: ...",
    "set_call": "for x in set([1]): ...",
    "set_frozen": "for x in frozenset([1]): ...",
    "set_comprehension": "for x in {y for y in [1]}: ...",
    "set_in_list_comprehension": "[x for x in {1, 2}]",
    "set_in_dict_comprehension": "{x: 1 for x in {1, 2}}",
    "set_in_generator": "dict((x, 1) for x in {1, 2})",
    "set_listed": "list({1, 2})",
    "set_numbered": "for i, x in enumerate({1, 2}): ...",
    "set_unpacked": "[*{1, 2}]",
    "set_next": "next(iter({1, 2}))",
    "set_popped": "{1, 2}.pop()",
    "set_joined": "''.join({'a', 'b'})",
    "set_least_by_key": "min({1, 2}, key=abs)",
    "set_sorted_by_key": "sorted({1, 2}, key=abs)",
    "set_named": "def f():\n    xs = {1}\n    for x in xs: ...",
    "set_parameter": "def f(xs: frozenset[int]):\n    return tuple(xs)",
    "set_field": "class A:\n    xs: set[int]\ndef f(a):\n    return [x for x in a.xs]",
    "set_difference": "def f(a, b):\n    return list(a.keys() - b.keys())",
    "set_union": "def f(a: set[int], b):\n    for x in a | b: ...",
    "set_method": "def f(a, b):\n    for x in a.union(b): ...",
    "set_yielded": "def f():\n    yield from {1, 2}",
}

GOOD = {
    "allowed_imports": "\n".join(f"import {name}" for name in sorted(MAY_IMPORT)),
    "own_modules": "from shared.routing import ids\nfrom shared.routing.ids import UnixMs",
    "whole_division": "x = 4 // 2\nx //= 2",
    "float_carried": "x: float | None",
    "member": "def f(x, xs: set[int]):\n    return x in xs",
    "sorted": "for x in sorted({2, 1}): ...",
    "counted": "len({1, 2})",
    "least": "min({1, 2})",
    "any_of": "any(x > 1 for x in {1, 2})",
    "set_of_set": "{x + 1 for x in {1, 2}}",
    "dict": "for x in {1: 2}: ...",
    "integers_or": "def f(a: int, b: int):\n    for x in range(a | b): ...",
    "renamed": "def f():\n    xs = {1}\n    xs = sorted(xs)\n    for x in xs: ...",
    "other_function": "def f():\n    xs = {1}\ndef g(xs: list[int]):\n    for x in xs: ...",
    "same_field_twice": (
        "class A:\n    x: set[int]\nclass B:\n    x: list[int]\ndef f(b):\n    [y for y in b.x]"
    ),
    "hash_library": "import hashlib\nx = hashlib.sha256(b'').hexdigest()",
}


@pytest.mark.parametrize("source", BAD.values(), ids=BAD.keys())
def test_the_rule_bites(source: str) -> None:
    assert list(core_breaches(ast.parse(source)))


@pytest.mark.parametrize("source", GOOD.values(), ids=GOOD.keys())
def test_what_is_harmless_passes(source: str) -> None:
    assert list(core_breaches(ast.parse(source))) == []


def test_the_core_is_there() -> None:
    assert len(modules("shared/routing")) > 1


def test_the_core_is_pure() -> None:
    found = (
        (module, finding)
        for module in modules("shared/routing")
        for finding in core_breaches(module.tree)
    )
    assert report(found) == []
