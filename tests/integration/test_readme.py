"""The README's examples do what it says, and its commands exist."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import pytest

from services.cli.main import VERBS
from tests.servers.client import Client, Fields, connected
from tests.servers.engine import ROOT, Engine, fernamt, running_engine, surroundings
from tests.tidy.coverage_table import TABLE
from tests.tidy.coverage_table import rows as coverage_rows

QUESTION = "explain"
"""Stands for all commands that ask about the past: they share their settings."""
WITHIN_S = 60


@cache
def _page() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", _page(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with running_engine() as started:
        yield started


def test_the_python_example_runs_and_runs_again(engine: Engine) -> None:
    (example,) = _blocks("python")
    for had_before in (0, 1):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", example],
            env=surroundings({"FERNAMT_NATS_URL": engine.url}),
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        assert done.stderr == ""
        assert done.returncode == 0
        has, opened, hears = done.stdout.splitlines()
        assert has.startswith("ana has [")
        assert has.count("chat-") == had_before
        assert re.fullmatch(r"opened at position \d+ owner ana", opened)
        assert re.fullmatch(r"ana hears assigned chat-[0-9a-f]{8} alert True", hears)


async def test_the_commands_for_the_shell_do_what_is_said(engine: Engine) -> None:
    """Subjects, headers and bodies are sent as they stand there, by a client of ours."""
    listen, speak = _blocks("sh")
    tool, verb, subject = shlex.split(listen)
    assert (tool, verb) == ("nats", "subscribe")
    async with connected(engine.url) as client:
        feeds = await client.listen(subject)
        replies = [await _request(client, line) for line in speak.splitlines()]
        assert [reply["ok"] for reply in replies] == [True] * len(replies)
        queue, conversation = replies[-3]["result"], replies[-1]["result"]
        assert [waiting["reason"] for waiting in queue["waiting"]] == ["nobody_online"]
        assert conversation["conversation"]["owner"] == "ana"
        names = [entry["event"]["type"] for entry in conversation["timeline"]]
        assert names == [
            *("conversation_opened.v1", "conversation_queued.v1", "conversation_assigned.v1")
        ]
        await feeds.until(lambda _: feeds.of("assigned"))


async def _request(client: Client, line: str) -> Fields:
    tool, verb, *arguments = shlex.split(line)
    assert (tool, verb) == ("nats", "request")
    headers = {}
    if arguments[0] == "-H":
        name, _, value = arguments[1].partition(":")
        headers[name] = value
        arguments = arguments[2:]
    subject, body = arguments
    return await client.send(subject, json.loads(body), headers=headers)


def test_settings_are_those_of_the_command_line() -> None:
    rows = re.findall(r"^\| `(FERNAMT_\w+)` \| `(--[\w-]+)` \| ([\w, ]+) \|", _page(), re.MULTILINE)
    described = {
        (variable, option, verb) for variable, option, verbs in rows for verb in verbs.split(", ")
    }
    assert described == set(_settings())


def _settings() -> Iterator[tuple[str, str, str]]:
    """Every option with an environment variable, from each verb's own help."""
    for verb in ("up", "run", "migrate", "verify", "demo", "schemas", QUESTION):
        done = subprocess.run(
            fernamt(verb, "--help"),
            cwd=ROOT,
            env=surroundings({"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}),
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=True,
        )
        for line in done.stdout.splitlines():
            option = re.search(r"(--[a-z-]+)", line)
            variable = re.search(r"env var: (FERNAMT_\w+)", line)
            if option and variable:
                yield variable[1], option[1], "questions" if verb == QUESTION else verb


def test_every_target_and_verb_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b(?= |`|\n)", _code())) <= targets
    named = set(re.findall(r"(?:bin/|\$ |`)fernamt ([a-z-]+)", _code()))
    assert len(named) > 15
    assert named <= set(VERBS)


def test_ci_runs_what_is_named_for_it() -> None:
    named = re.search(r"^CI runs (`make check`) in a .* clone, and then (`[\w -]+`)", _page(), re.M)
    assert named
    runs = re.findall(
        r"^timeout .* (make [\w-]+) \|\|", (ROOT / ".ci/run").read_text(), re.MULTILINE
    )
    assert [f"`{target}`" for target in runs] == list(named.groups())


def test_links_lead_to_files() -> None:
    for page in (ROOT / "README.md", ROOT / "docs/wire.md"):
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert target.startswith("https://") or (page.parent / target).exists(), target


def test_what_is_there_and_what_is_not_agrees_with_the_table_of_coverage() -> None:
    covered = {row.id: bool(row.tests) for row in coverage_rows(TABLE.read_text(encoding="utf-8"))}
    lines = [line.strip("|").split("|") for line in re.findall(r"^\| .*COVERAGE.*$", _page(), re.M)]
    assert len(lines) == 11
    for title, there, missing, behaviours in lines:
        ids = _from_to(behaviours)
        tried = [covered[its_id] for its_id in ids]
        assert any(tried) == bool(there.strip()), f"{title}: {ids}"
        assert missing.strip() or all(tried), f"{title}: {dict(zip(ids, tried, strict=True))}"


def _from_to(link: str) -> list[str]:
    found = re.fullmatch(r" \[(\w\w)(\d\d) to \1(\d\d)\]\(tests/COVERAGE.md\) ", link)
    assert found, link
    return [f"{found[1]}{number:02}" for number in range(int(found[2]), int(found[3]) + 1)]


def test_rooms_exist() -> None:
    for cell in re.findall(r"^\| ((?:`[\w/.]+`(?:, )?)+) \|", _page(), re.MULTILINE):
        for path in re.findall(r"`([\w/.]+)`", cell):
            if "/" in path or path in {"schemas", "tests"}:
                assert (ROOT / path).exists(), path


def _code() -> str:
    """Everything in code blocks and backticks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```$", _page(), re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`[^`\n]+`", _page())])
