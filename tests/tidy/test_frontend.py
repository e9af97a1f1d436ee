"""The front end of the tests knows Fernamt's page about the wire and none of its code.

Otherwise its tests could pass because both sides share a mistake.
"""

import ast
import sys
from collections.abc import Iterator

from tests.tidy.sources import Finding, Module, imports, modules, report

ROOM = "tests/integration/frontend"
MAY_IMPORT = frozenset({"nats", "pytest", ROOM.replace("/", ".")})
SERVERS = frozenset({"tests.servers.engine", "tests.servers.nats_proxy", "tests.servers.waiting"})
"""They start what it speaks with, and know none of Fernamt's code either."""
OURS = ("services", "shared")


def _strangers(module: Module) -> Iterator[Finding]:
    """Yield imports from anywhere but the standard library, NATS's client and the room itself."""
    for statement, name, _ in imports(module.tree):
        first = name.partition(".")[0]
        known = any(name == may or name.startswith(f"{may}.") for may in MAY_IMPORT | SERVERS)
        if not (known or first in sys.stdlib_module_names):
            yield Finding(statement.lineno, f"imports {name}: a front end has only the wire")


def _of_ours(module: Module) -> Iterator[Finding]:
    for statement, name, _ in imports(module.tree):
        if name.partition(".")[0] in OURS or name.startswith("tests."):
            yield Finding(statement.lineno, f"imports {name}")


def _sample(source: str) -> Module:
    return Module("sample.py", source, ast.parse(source))


def test_the_rule_bites() -> None:
    for bad in ("import shared", "from services.cli import up", "from tests.servers import client"):
        assert list(_strangers(_sample(bad))), bad
    assert not list(_strangers(_sample("import asyncio\nfrom nats.aio.client import Client")))


def test_the_front_end_knows_nothing_but_the_wire() -> None:
    found = modules(ROOM)
    assert found
    assert report((module, finding) for module in found for finding in _strangers(module)) == []


def test_what_starts_its_servers_knows_nothing_more() -> None:
    paths = {f"{name.replace('.', '/')}.py" for name in SERVERS}
    found = [module for module in modules("tests/servers") if module.path in paths]
    assert {module.path for module in found} == paths
    assert report((module, finding) for module in found for finding in _of_ours(module)) == []
