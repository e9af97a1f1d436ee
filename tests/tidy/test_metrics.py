"""Catalogue, page, dashboard, alerts and runbooks say the same, in every direction."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from services.cli.main import VERBS, command_line
from shared.runtime.metrics import CATALOGUE, Metric
from tests.tidy.sources import ROOT

DEPLOY = ROOT / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yaml"
DASHBOARD = DEPLOY / "grafana" / "fernamt.json"
RUNBOOKS = DEPLOY / "runbooks"

OF_THE_CLIENT_LIBRARY = {"process_cpu_seconds_total", "process_resident_memory_bytes"}
OF_THE_SCRAPE = {"instance", "job"}
"""Labels that Prometheus itself puts on everything."""
HEADINGS = ["Symptom", "Look at", "Do"]

_SELECTED = re.compile(r"\b((?:fernamt|process)_\w+)\s*(?:\{([^}]*)\})?")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_BY = re.compile(r"\bby \(([^)]*)\)")


@cache
def by_name() -> dict[str, Metric]:
    """The names under which samples are stored, with what they belong to."""
    names: dict[str, Metric] = {}
    for metric in CATALOGUE:
        parts = ("_bucket", "_count", "_sum") if metric.kind == "histogram" else ("",)
        names.update({f"{metric.name}{part}": metric for part in parts})
    return names


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [panel for panel in told if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Everything that is asked of Prometheus, with where it stands."""
    for rule in alerts():
        yield f"alert {rule['alert']}", rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield f"panel {panel['title']}", target["expr"]


def faults_of(expression: str) -> list[str]:
    """Names that nobody exports, and labels that they do not have."""
    known = by_name()
    faults, labels = [], {"le"}
    for name, selector in _SELECTED.findall(expression):
        if name in OF_THE_CLIENT_LIBRARY:
            continue
        if name not in known:
            faults.append(f"{name} is in no catalogue")
            continue
        labels.update(known[name].labels)
        wrong = set(_LABEL.findall(selector)) - set(known[name].labels) - OF_THE_SCRAPE
        faults += [f"{name} has no label {label}" for label in sorted(wrong)]
    for grouped in _BY.findall(expression):
        wrong = {one.strip() for one in grouped.split(",")} - labels - OF_THE_SCRAPE
        faults += [f"no label {label} to group by" for label in sorted(wrong)]
    return faults


@pytest.mark.parametrize(
    "expression",
    [
        "fernamt_nothing_total > 0",
        "fernamt_commit_seconds > 1",
        'sum(fernamt_answers_total{workspace="w"})',
        "sum by (workspace) (fernamt_answers_total)",
        'fernamt_serving{services="router"}',
    ],
)
def test_what_nobody_exports_is_found(expression: str) -> None:
    assert faults_of(expression)


def test_whatever_is_asked_of_prometheus_is_exported() -> None:
    found = {where: faults_of(expression) for where, expression in expressions()}
    assert {where: faults for where, faults in found.items() if faults} == {}


def test_brackets_of_all_expressions_close() -> None:
    for where, expression in expressions():
        for left, right in ("()", "{}", "[]"):
            assert expression.count(left) == expression.count(right), where


def test_names_and_units_are_as_prometheus_has_them() -> None:
    assert len({metric.name for metric in CATALOGUE}) == len(CATALOGUE)
    for metric in CATALOGUE:
        assert re.fullmatch(r"fernamt_[a-z_]+[a-z]", metric.name)
        assert metric.name.endswith("_total") is (metric.kind == "counter"), metric.name
        assert metric.name.endswith("_seconds") is (metric.unit == "seconds"), metric.name
        assert metric.meaning.endswith("."), metric.name
        assert metric.remedy.endswith("."), metric.name


def test_no_label_holds_an_id() -> None:
    labels = {label for metric in CATALOGUE for label in metric.labels}
    assert not [label for label in labels if label.endswith("id") or label == "workspace"]


def test_every_metric_is_looked_at_by_somebody() -> None:
    asked = {name for _, text in expressions() for name, _ in _SELECTED.findall(text)}
    seen = {by_name()[name] for name in asked if name in by_name()}
    assert [metric.name for metric in CATALOGUE if metric not in seen] == [
        "fernamt_presence_stalls_total",
        "fernamt_snapshots_total",
    ], "these are for whoever looks closer"


def test_every_alert_has_its_runbook_and_the_other_way_round() -> None:
    linked = [rule["annotations"]["runbook"] for rule in alerts()]
    assert linked == [f"deploy/runbooks/{rule['alert']}.md" for rule in alerts()]
    files = [path.relative_to(ROOT).as_posix() for path in RUNBOOKS.iterdir()]
    assert sorted(files) == sorted(linked)


def test_every_alert_says_how_urgent_it_is() -> None:
    for rule in alerts():
        assert rule["labels"]["severity"] in {"page", "ticket"}, rule["alert"]
        assert rule["annotations"]["summary"], rule["alert"]


def _runbooks() -> Iterator[tuple[str, str]]:
    for path in sorted(RUNBOOKS.iterdir()):
        yield path.name, path.read_text(encoding="utf-8")


def test_a_runbook_says_what_is_seen_where_to_look_and_what_to_do() -> None:
    for name, text in _runbooks():
        assert text.startswith(f"# {name.removesuffix('.md')}\n"), name
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS, name
        assert "\n\n\n" not in text, name


def test_what_a_runbook_names_is_there() -> None:
    metrics = {metric.name for metric in CATALOGUE}
    for name, text in _runbooks():
        assert set(re.findall(r"\bfernamt_\w+", text)) <= metrics, name
        for other in re.findall(r"\b(Fernamt\w+\.md)\b", text):
            assert (RUNBOOKS / other).exists(), f"{name}: {other}"


def test_the_commands_of_runbooks_can_be_given_so() -> None:
    lines = [
        (name, line)
        for name, text in _runbooks()
        for block in re.findall(r"^```\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for line in re.findall(r"(?<![/\w])fernamt [a-z].*", block)
    ]
    assert len(lines) > 15
    for name, line in lines:
        _, verb, *rest = line.split()
        options = set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", " ".join(rest)))
        assert options <= _options(verb), f"{name}: {line}"


@cache
def _options(verb: str) -> set[str]:
    assert verb in VERBS
    surroundings = {"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"}
    said = CliRunner().invoke(command_line(VERBS), [verb, "--help"], env=surroundings)
    assert said.exit_code == 0
    return set(re.findall(r"(?<!\S)--?[a-z][a-z-]*", said.stdout))


def test_log_lines_that_runbooks_name_are_written_somewhere() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("services", "shared")
        for path in (ROOT / folder).rglob("*.py")
    )
    for name, text in _runbooks():
        for word in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", text):
            assert f'"{word}"' in sources or f"{word}:" in sources or word in sources, (
                f"{name}: nothing is called {word}"
            )


def test_the_page_of_metrics_is_up_to_date() -> None:
    said = CliRunner().invoke(command_line(VERBS), ["metrics"])
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert said.stdout == page, "fernamt metrics > docs/metrics.md"
