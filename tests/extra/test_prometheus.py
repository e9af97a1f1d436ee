"""Dashboard and alerts, asked of a real Prometheus that looks at real services."""

import asyncio
import json
import math
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from shared.adapters.open_store import open_store
from tests.servers.client import connected
from tests.servers.health import Watched
from tests.servers.nats import NatsServer
from tests.servers.office import Office
from tests.servers.process import Process
from tests.servers.prometheus import Prometheus, checked, prometheus
from tests.servers.waiting import until
from tests.tidy.sources import ROOT

ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "fernamt.json"
VARIABLES = {"$instance": ".*", "$__rate_interval": "30s", "$__range": "5m"}
"""What Grafana puts in their place."""

EVERYTHING = ("router", "presence evaluator", "notifier archivist", "auditor console")


class Installation(NamedTuple):
    """Services at work, each process by what runs in it, and who looks at them."""

    processes: dict[str, Process]
    prometheus: Prometheus
    office: Office

    async def work(self) -> None:
        """A little of everything: heartbeats, conversations, messages, page views, questions."""
        client, its_id = self.office.client, uuid.uuid4().hex
        await self.office.visitor(its_id, "open", conversation_id=its_id, entry_point_id="shop")
        client.bus.publish("fernamt.v1.beat.shop.operator.ana.desk", b"{}")
        await self.office.visitor("v1", "write", conversation_id="c1")
        await self.office.ask("admin", "root", "queue")
        await client.send("fernamt.v1.audit.shop.admin.root.moment")
        view = {"session_id": "s", "entry_point_id": "site", "url": "https://shop.example/"}
        await client.send("fernamt.v1.seen.shop.visitor.v3", view)


@pytest.fixture
def watched(nats: NatsServer, tmp_path: Path) -> Iterator[Watched]:
    watched = Watched(nats.url, tmp_path)
    yield watched
    watched.end()


@pytest.fixture
async def installation(
    watched: Watched, nats: NatsServer, postgres_url: str, tmp_path: Path
) -> AsyncIterator[Installation]:
    await (await open_store(postgres_url, migrate=True)).close()
    begun = {services: watched.begin(services, postgres_url) for services in EVERYTHING}
    for process, _ in begun.values():
        await asyncio.to_thread(process.says, "ready")
    processes = {services: process for services, (process, _) in begun.items()}
    (tmp_path / "prometheus").mkdir()
    pages = [page for _, page in begun.values()]
    async with (
        prometheus(tmp_path / "prometheus", pages, ALERTS) as looking,
        connected(nats.url) as client,
    ):
        office = Office(client, "shop")
        await _open(office)
        yield Installation(processes, looking, office)


async def _open(office: Office) -> None:
    """ana accepts c1; c2 waits. What is opened in the shop goes to ben."""
    await office.set_up("ana", capacity=1)
    await office.admin("set_policy", scope={"workspace": True}, policy={"delivery": "offer"})
    await office.come_online("ana")
    await office.open("v1", "c1")
    told = await office.ask("admin", "root", "conversation", conversation_id="c1")
    number = told["result"]["conversation"]["offer"]["offer"]
    await office.operator("ana", "accept_offer", conversation_id="c1", offer=number)
    await office.open("v2", "c2")
    await office.admin("create_group", group_id="sales", name="Sales")
    await office.admin("define_entry_point", entry_point_id="shop", name="Shop", groups=["sales"])
    await office.admin("register_operator", operator_id="ben", capacity=100)
    await office.admin("join_group", operator_id="ben", group_id="sales")
    await office.come_online("ben")
    sales = {"scope": {"group": "sales"}, "policy": {"delivery": "auto"}}
    await office.admin("set_policy", **sales)


def _queries() -> list[tuple[str, str]]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [
        (panel["title"], _filled(target["expr"]))
        for panel in panels
        for target in panel.get("targets", ())
    ]


def _filled(expression: str) -> str:
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression
    return expression


async def test_each_query_of_the_dashboard_is_answered(installation: Installation) -> None:
    queries = _queries()
    assert len(queries) > 30
    unanswered = queries

    async def none_left() -> bool:
        nonlocal unanswered
        await installation.work()
        unanswered = [one for one in queries if not _numbers(installation.prometheus, one[1])]
        return not unanswered

    try:
        await until("every query is answered", none_left, every_s=1)
    except TimeoutError:
        assert unanswered == []


def _numbers(looking: Prometheus, expression: str) -> list[float]:
    numbers = [float(series["value"][1]) for series in looking.ask(expression)]
    return [number for number in numbers if not math.isnan(number)]


async def test_the_alerts_are_evaluated_and_silent_while_all_is_well(
    installation: Installation,
) -> None:
    rules = installation.prometheus.rules()

    async def evaluated() -> bool:
        nonlocal rules
        rules = installation.prometheus.rules()
        return all(rule["health"] != "unknown" for rule in rules)

    await until("every alert is evaluated", evaluated, every_s=1)
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}
    assert len(rules) == ALERTS.read_text(encoding="utf-8").count("- alert:")

    async def silent() -> bool:
        return not await _raised(installation.prometheus)

    await until("no alert is raised: everything was looked at", silent, every_s=1)


async def test_an_alert_is_raised_by_what_it_is_for(installation: Installation) -> None:
    """A router that is gone; the alert waits for its time before it calls."""

    async def silent() -> bool:
        return not await _raised(installation.prometheus)

    await until("everything was looked at", silent, every_s=1)
    await asyncio.to_thread(installation.processes["router"].kill)

    async def service_down() -> bool:
        return "FernamtServiceDown" in await _raised(installation.prometheus)

    await until("that a service is down is noticed", service_down, every_s=1)


async def _raised(looking: Prometheus) -> set[str]:
    """Alerts that call, or would if it lasted."""
    return {rule["name"] for rule in looking.rules() if rule["state"] != "inactive"}


def test_the_checker_of_prometheus_has_nothing_to_say() -> None:
    done = checked(ALERTS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_checker_would_say_something(tmp_path: Path) -> None:
    spoilt = tmp_path / "alerts.yaml"
    spoilt.write_text(ALERTS.read_text(encoding="utf-8").replace("sum(", "some(", 1))
    done: subprocess.CompletedProcess[str] = checked(spoilt)
    assert done.returncode != 0
    assert "some" in done.stdout + done.stderr
