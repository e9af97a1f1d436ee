"""Names, sizes and habits of the files, each rule with a sample that shows it bite."""

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.tidy import shape_rules as rules
from tests.tidy.sources import Finding, Module, modules, report

Rule = Callable[[Module], Iterator[Finding]]

LONG_FUNCTIONS: dict[tuple[str, str], str] = {
    # (path, function): why cutting it up would make it harder to read
}

SUPERVISORS: dict[str, str] = {
    # path: whose failures it catches, and what it does with them
    "services/notifier/delivering.py": "a fault in a channel: logged, counted as a try that failed",
    "services/router/live.py": "a fault in the rules: logged, the job answered, the state dropped",
    "shared/adapters/log_follower.py": "a fault in one workspace's reader: logged, that one stops",
    "services/trigger_evaluator/judging.py": "a rule: logged, counted, passed over for the next",
    "shared/runtime/question_desk.py": "a fault met by a question: logged, its asker told",
    "shared/adapters/nats_client.py": "message handlers: counted, logged, the reading goes on",
}

POLLING: dict[str, str] = {
    # path: the condition it waits for, and its deadline
    "tests/servers/waiting.py": "whatever its caller names, by default within 30 s",
    "tests/chaos/workload.py": "for nothing: people who take their time",
    "tests/bench/routers.py": "an accepted command, sent again and again; calm before and after",
}


def _module(source: str, path: str = "shared/sample.py") -> Module:
    return Module(path, source, ast.parse(source))


def _breaches(rule: Rule, *rooms: str) -> list[str]:
    return report((module, found) for module in modules(*rooms) for found in rule(module))


def _beside(rule: Rule, allowed: dict[str, str]) -> Rule:
    return lambda module: iter(() if module.path in allowed else rule(module))


BAD: list[tuple[Rule, str]] = [
    (rules.too_long, "x = 1\n" * (rules.LINES_MAX + 1)),
    (rules.undescribed, "x = 1"),
    (rules.undescribed, '"" " "\nx = 1'),
    (rules.undone, "x = 1  # TODO: later"),
    (rules.undone, "# FIXME() some day"),
    (rules.mocks, "import unittest.mock"),
    (rules.mocks, "from unittest import mock"),
    (rules.mocks, "from unittest.mock import AsyncMock"),
    (rules.swallowed, "try: ...\nexcept: pass"),
    (rules.swallowed, "try: ...\nexcept Exception: pass"),
    (rules.swallowed, "try: ...\nexcept (OSError, BaseException) as e: print(e)"),
    (rules.swallowed, "try: ...\nexcept Exception as e: raise ValueError from e"),
    (rules.swallowed, "with contextlib.suppress(Exception): ..."),
    (rules.sleeps, "import time\ntime.sleep(1)"),
    (rules.sleeps, "from time import sleep\nsleep(0.1)"),
    (rules.sleeps, "import asyncio as aio\nasync def f():\n    await aio.sleep(pause)"),
]

GOOD: list[tuple[Rule, str]] = [
    (rules.too_long, "x = 1\n" * rules.LINES_MAX),
    (rules.undescribed, '"""Holds one number."""\nx = 1'),
    (rules.undone, "x = 'TODO'  # TODO(nats.py#123): drop once released"),
    (rules.swallowed, "try: ...\nexcept OSError: pass"),
    (rules.swallowed, "try: ...\nexcept BaseException:\n    x = 1\n    raise"),
    (rules.swallowed, "with contextlib.suppress(OSError): ..."),
    (rules.sleeps, "import asyncio\nasync def f():\n    await asyncio.sleep(0)"),
    (rules.sleeps, "class A:\n    def sleep(self, s): ...\nA().sleep(1)"),
]


@pytest.mark.parametrize(("rule", "source"), BAD)
def test_the_rule_bites(rule: Rule, source: str) -> None:
    assert list(rule(_module(source)))


@pytest.mark.parametrize(("rule", "source"), GOOD)
def test_what_is_harmless_passes(rule: Rule, source: str) -> None:
    assert list(rule(_module(source))) == []


@pytest.mark.parametrize(
    "path", ["shared/utils.py", "services/router/_common.py", "shared/base/x.py"]
)
def test_an_empty_name_is_found(path: str) -> None:
    assert list(rules.empty_name(_module("", path)))


def test_a_long_function_is_found() -> None:
    body = "    x = 1\n" * rules.FUNCTION_LINES_MAX
    assert [name for name, _ in rules.long_functions(_module(f"def f():\n{body}"))] == ["f"]


def test_a_hidden_import_is_found_in_modules_of_structs_only() -> None:
    hidden = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import x\n"
    above = _module("class Event(msgspec.Struct): ...")
    below = _module(f"{hidden}class Opened(Event): ...")
    plain = _module(f"{hidden}class Plain: ...")
    structs = rules.struct_names((above, below, plain))
    assert list(rules.hidden_imports(below, structs))
    assert not list(rules.hidden_imports(plain, structs))


def test_files_are_named_after_what_they_hold() -> None:
    assert _breaches(rules.empty_name, "services", "shared") == []


def test_files_fit_in_a_head() -> None:
    assert _breaches(rules.too_long, "services", "shared") == []


def test_functions_fit_on_a_page() -> None:
    found = {
        (module.path, name): finding
        for module in modules("services", "shared")
        for name, finding in rules.long_functions(module)
    }
    unexplained = [
        f"{path}:{finding.line}: {finding.rule}"
        for (path, name), finding in found.items()
        if (path, name) not in LONG_FUNCTIONS
    ]
    assert unexplained == []
    assert LONG_FUNCTIONS.keys() - found.keys() == set(), "short by now: strike the entry"


def test_modules_say_what_they_hold() -> None:
    assert _breaches(rules.undescribed, "services", "shared", "tests") == []


def test_nothing_is_left_undone_without_a_reference() -> None:
    assert _breaches(rules.undone, "services", "shared", "tests") == []


def test_nothing_is_mocked() -> None:
    assert _breaches(rules.mocks, "tests") == []


def test_structs_can_be_decoded() -> None:
    structs = rules.struct_names(modules("services", "shared"))
    assert _breaches(lambda m: rules.hidden_imports(m, structs), "services", "shared") == []


def test_only_supervisors_catch_everything() -> None:
    assert _breaches(_beside(rules.swallowed, SUPERVISORS), "services", "shared") == []


def test_tests_wait_for_conditions_not_for_time() -> None:
    assert _breaches(_beside(rules.sleeps, POLLING), "tests") == []


@pytest.mark.parametrize("allowed", [SUPERVISORS, POLLING], ids=["supervisors", "polling"])
def test_exceptions_from_the_rules_exist(allowed: dict[str, str]) -> None:
    paths = {module.path for module in modules("services", "shared", "tests")}
    assert allowed.keys() - paths == set()
