"""``/metrics`` of real processes: all of the catalogue, nothing beside it, and true."""

import asyncio
from collections.abc import Iterable, Mapping

from prometheus_client import Metric as Family
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from shared.adapters.open_store import open_store
from shared.runtime.metrics import CATALOGUE, Metric
from tests.integration.operation.conftest import Start
from tests.servers.client import connected
from tests.servers.health import page
from tests.servers.nats import NatsServer
from tests.servers.office import Office
from tests.servers.vandal import run_as_vandal
from tests.servers.waiting import until

SERVICES = ("router", "presence", "evaluator", "notifier", "archivist", "auditor", "console")

Families = Mapping[str, Family]


async def _families(*urls: str) -> Families:
    """What these processes tell, by the names in the catalogue."""
    told: dict[str, Family] = {}
    for url in urls:
        for family in text_string_to_metric_families(await page(url, "metrics")):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            told.setdefault(name, Family(family.name, family.documentation, family.type))
            told[name].samples += family.samples
    return told


def _values(family: Family) -> dict[tuple[str, ...], float]:
    """By the labels' values, in the order of the labels' names."""
    return {tuple(s.labels[name] for name in sorted(s.labels)): s.value for s in family.samples}


async def _traffic(office: Office) -> None:
    """A conversation that finds an owner and one that waits, a page view, questions, and a command
    that is refused."""
    await office.set_up("ana", capacity=1)
    await office.open("v1", "c1")
    await office.come_online("ana")
    await office.open("v2", "c2")
    client, workspace = office.client, office.workspace
    nowhere = {"operator_id": "ana", "group_id": "nowhere"}
    refused = await client.command(workspace, "admin", "root", "join_group", nowhere)
    assert refused["error"]["code"] == "unknown_group"
    await client.send(
        f"fernamt.v1.seen.{workspace}.visitor.v3",
        {"session_id": "s", "entry_point_id": "site", "url": "https://shop.example/"},
    )
    await office.ask("admin", "root", "queue")
    answer = await client.send(f"fernamt.v1.audit.{workspace}.admin.root.moment")
    assert answer["ok"]


async def test_all_of_the_catalogue_is_told_and_nothing_beside_it(
    start: Start, nats: NatsServer, postgres_url: str
) -> None:
    await (await open_store(postgres_url, migrate=True)).close()
    begun = [start(service, postgres_url) for service in SERVICES]
    for process, _ in begun:
        await asyncio.to_thread(process.says, "ready")
    urls = [url for _, url in begun]
    async with connected(nats.url) as client:
        await _traffic(Office(client, "shop"))

        async def everything() -> Families | None:
            client.bus.publish("fernamt.v1.beat.shop.operator.ana.desk", b"{}")
            told = await _families(*urls)
            return told if told["fernamt_heartbeats_total"].samples[0].value else None

        told = await until("the heartbeat was heard", everything)
    assert told is not None
    ours = {name for name in told if name.startswith("fernamt_")}
    assert ours == {metric.name for metric in CATALOGUE}
    for metric in CATALOGUE:
        _is_as_described(metric, told[metric.name])
    _is_true(told)
    for service, url in zip(SERVICES, urls, strict=True):
        _is_told_by(service, await _families(url))


def _is_told_by(service: str, told: Families) -> None:
    ours = {name for name in told if name.startswith("fernamt_")}
    assert ours == {
        metric.name
        for metric in CATALOGUE
        if metric.told_by == "all" or service in metric.told_by.split(", ")
    }, service


def _is_as_described(metric: Metric, family: Family) -> None:
    assert (family.type, family.documentation) == (metric.kind, metric.meaning), metric.name
    assert family.samples, metric.name
    for sample in family.samples:
        assert set(sample.labels) - {"le"} == set(metric.labels), metric.name


def _is_true(told: Families) -> None:
    assert _values(told["fernamt_serving"]) == {(service,): 1 for service in SERVICES}
    waiting = _values(told["fernamt_conversations_waiting"])
    assert waiting["all_full",] == 1
    assert sum(waiting.values()) == 1
    assert _values(told["fernamt_waiting_oldest_seconds"])[()] >= 0
    assert _values(told["fernamt_conversations_stuck"]) == {(): 0}
    assert _values(told["fernamt_workspaces"])["on_duty",] == 1
    assert _values(told["fernamt_partitions_held"]) == {(): 64}
    answers = _values(told["fernamt_answers_total"])
    assert answers["unknown_group", "router"] == 1
    assert answers["overloaded", "router"] == 0
    assert answers["answered", "auditor"] == 1
    events = _values(told["fernamt_events_total"])
    assert events["conversation_opened",] == 2
    assert events["conversation_assigned",] == 1
    assert sum(events.values()) == _values(told["fernamt_log_events"])[()]
    assert _values(told["fernamt_commit_rows_total"]) == {(): sum(events.values())}
    assert _count(told["fernamt_assignment_wait_seconds"].samples) == 1
    assert _count(told["fernamt_command_seconds"].samples) > 0
    assert set(_values(told["fernamt_logs_unfollowed"]).values()) == {0}


def _count(samples: Iterable[Sample]) -> float:
    return next(sample.value for sample in samples if sample.name.endswith("_count"))


async def test_what_verifying_finds_is_counted(
    start: Start, nats: NatsServer, postgres_url: str
) -> None:
    await (await open_store(postgres_url, migrate=True)).close()
    process, url = start("router auditor", postgres_url)
    await asyncio.to_thread(process.says, "ready")
    async with connected(nats.url) as client:
        office = Office(client, "shop")
        await office.set_up("ana")
        await office.come_online("ana")
        await office.open("v1", "c1")
        for spoilt, findings in ((False, 0), (True, 1)):
            if spoilt:
                await run_as_vandal(
                    postgres_url,
                    "update stored_events set state = convert_to(replace(convert_from(state,"
                    """ 'UTF8'), '"pool_size":1', '"pool_size":2'), 'UTF8')"""
                    " where topic = 'conversation_assigned.v1'",
                )
            begun = await client.send("fernamt.v1.audit.shop.admin.root.verify")
            job = {"job_id": begun["result"]["job_id"]}

            async def is_done(asked: Mapping[str, str] = job) -> bool:
                told = await client.send("fernamt.v1.audit.shop.admin.root.job", dict(asked))
                return bool(told["result"]["state"] == "done")

            await until("the log is verified", is_done)
            told = await _families(url)
            assert _values(told["fernamt_verify_findings_total"]) == {(): findings}
