"""The same questions over a broker: the auditor says what is read from the log."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.integration.cli.terminal import fernamt
from tests.servers.client import connected
from tests.servers.engine import Engine, running_engine
from tests.servers.office import Office

WORKSPACE = "shop"
VERBS = (
    ("explain", "c1"),
    ("explain", "c3"),
    ("why-not", "ana", "c3"),
    ("why-not", "ben", "c3", "--at", "now"),
    ("why-waiting", "c3"),
    ("timeline", "c2"),
    ("roster", "--position", "14"),
    ("queue",),
    ("diff", "--position", "14", "--at", "now"),
    ("find", "--visitor", "v3"),
    ("find", "waited", "--over", "1h"),
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """c1 and c2 are ana's and ben's; c3 waits."""
    with running_engine(ops=True, environment={"FERNAMT_CONSOLE_PORT": "0"}) as started:
        asyncio.run(_full_house(started.url))
        yield started


async def _full_house(url: str) -> None:
    async with connected(url) as client:
        office = Office(client, WORKSPACE)
        await office.set_up("ana", "ben", capacity=1)
        await office.come_online("ana", "ben")
        for number in (1, 2, 3):
            await office.open(f"v{number}", f"c{number}")


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_au02_au03_au04_over_a_broker_the_same_is_said(
    engine: Engine, as_json: tuple[str, ...]
) -> None:
    for verb in VERBS:
        over = fernamt(*verb, *as_json, "--nats", engine.url, "--workspace", WORKSPACE)
        read = fernamt(*verb, *as_json, "--data", str(engine.data))
        assert over == read
        assert over.err == ""
        assert over.code == (4 if verb[-1] == "1h" else 0)


def test_a_refusal_and_a_missing_auditor_are_said(engine: Engine) -> None:
    there = ("--nats", engine.url, "--workspace", WORKSPACE)
    unknown = fernamt("explain", "c9", *there)
    assert unknown == fernamt("explain", "c9", "--data", str(engine.data))
    assert (unknown.code, unknown.out) == (2, "")
    unnamed = fernamt("explain", "c1", "--nats", engine.url)
    assert (unnamed.code, unnamed.out) == (2, "")
    assert "--workspace" in unnamed.err
    nowhere = fernamt("roster", "--nats", "nats://127.0.0.1:1", "--workspace", WORKSPACE)
    assert (nowhere.code, nowhere.out) == (2, "")


def test_without_an_auditor_it_says_who_is_missing() -> None:
    with running_engine() as engine:
        said = fernamt("roster", "--nats", engine.url, "--workspace", WORKSPACE)
    assert said.err == "fernamt: nobody answers: is an auditor running?\n"
    assert said.code == 2
