"""Feeds of a whole engine: texts, the queue, what was missed, and who has no part in it."""

import asyncio
import itertools
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.chaos.notifications import whole_feed
from tests.servers.client import Fields, connected
from tests.servers.engine import ROOT, STOP_WITHIN_S, Engine, fernamt, running_engine, surroundings
from tests.servers.office import Office, RefusedError

MANY = 5_000
"""More messages than are remembered."""
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with running_engine() as started:
        yield started


@pytest.fixture
async def office(engine: Engine) -> AsyncIterator[Office]:
    async with connected(engine.url) as client:
        office = Office(client, f"w{next(_numbers)}")
        await office.set_up("ana", "ben")
        yield office


async def _missed(office: Office, kind: str, who: str, after: int, **fields: int) -> list[Fields]:
    messages: list[Fields] = (await office.ask(kind, who, "feed", after=after, **fields))["result"][
        "messages"
    ]
    return messages


# --- what was missed ------------------------------------------------------------------------


async def test_qy03_no04_whoever_missed_messages_gets_them_as_they_were(office: Office) -> None:
    heard = await office.feed("operator", "ana")
    vera = await office.feed("visitor", "vera")
    await office.come_online("ana")
    await office.open("vera", "c1", language="de")
    for _ in range(7):
        await office.visitor("vera", "write", conversation_id="c1")
    await office.operator("ana", "close", conversation_id="c1")
    await heard.count(9)
    await vera.until(lambda bodies: bodies[-1:] and bodies[-1]["type"] == "closed")
    assert await _missed(office, "operator", "ana", 0) == heard.bodies
    assert await _missed(office, "visitor", "vera", 0) == vera.bodies
    assert await _missed(office, "operator", "ana", 3, limit=2) == heard.bodies[3:5]
    assert await _missed(office, "operator", "ana", 9) == []
    assert await _missed(office, "operator", "ana", 900) == []
    assert await _missed(office, "operator", "ben", 0) == []


async def test_qy02_the_answer_holds_what_an_earlier_answer_spoke_of(office: Office) -> None:
    await office.come_online("ana")
    last = 0
    for number in range(20):
        last = (await office.open(f"v{number}", f"c{number}"))["position"]
        answer = await office.ask("visitor", f"v{number}", "feed", after=0)
        assert answer["position"] >= last
        assert answer["result"]["messages"]
    with pytest.raises(RefusedError, match="unavailable"):
        await office.ask("operator", "ana", "feed", min_position=last + 1_000, after=0)


async def test_qy03_a_new_device_asks_where_the_feed_stands(office: Office) -> None:
    nothing = await office.ask("visitor", "vera", "feed")
    assert nothing["result"] == {"messages": [], "last": 0}
    for number in range(3):
        await office.open("vera", f"c{number}")
    told = await _missed(office, "visitor", "vera", 0)
    stands = await office.ask("visitor", "vera", "feed")
    assert stands["result"] == {"messages": [], "last": told[-1]["seq"]}
    page = await office.ask("visitor", "vera", "feed", after=1, limit=1)
    assert page["result"] == {"messages": told[1:2], "last": told[-1]["seq"]}


@pytest.mark.parametrize(
    ("kind", "who", "fields", "code"),
    [
        ("admin", "root", {"after": 0}, "not_allowed"),
        ("service", "shop", {"after": 0}, "not_allowed"),
        ("operator", "nobody", {"after": 0}, "unknown_operator"),
        ("operator", "ana", {"after": "1"}, "malformed"),
        ("operator", "ana", {"after": -1}, "malformed"),
        ("operator", "ana", {"after": 0, "limit": 1_001}, "malformed"),
        ("operator", "ana", {"after": 0, "of": "ben"}, "unknown_field"),
    ],
)
async def test_qy03_it_is_ones_own_feed_and_nobody_elses(
    office: Office, kind: str, who: str, fields: Fields, code: str
) -> None:
    with pytest.raises(RefusedError, match=code):
        await office.ask(kind, who, "feed", **fields)


async def test_qy03_a_back_end_asks_for_the_visitor_it_speaks_for(office: Office) -> None:
    await office.open("vera", "c1")
    asked: Fields = {"after": 0, "as": {"visitor": "vera"}}
    answer = await office.ask("service", "shop", "feed", **asked)
    assert [body["type"] for body in answer["result"]["messages"]] == ["queued"]


# --- texts ----------------------------------------------------------------------------------


async def test_gr11_no01_a_visitor_is_spoken_to_in_its_language(office: Office) -> None:
    slow = [{"after_s": 1, "action": "message_visitor"}]
    await office.admin("set_policy", scope={"workspace": True}, policy={"on_slow": slow})
    german, english = await office.feed("visitor", "vera"), await office.feed("visitor", "wim")
    await office.open("vera", "c1", language="de-AT")
    await office.open("wim", "c2", language="sv")
    await german.until(lambda _: german.of("notice"))
    await english.until(lambda _: english.of("notice"))
    assert "Geduld" in german.of("notice")[0]["text"]
    assert "bear with us" in english.of("notice")[0]["text"]
    assert await _missed(office, "visitor", "vera", 0) == german.bodies


# --- the queue ------------------------------------------------------------------------------


async def test_no01_the_team_hears_of_a_flood_in_the_queue_once_a_second_and_of_its_end(
    office: Office,
) -> None:
    team = await office.feed("team")
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(60):
        last = await office.open(f"v{number}", f"c{number}")
    await team.until(
        lambda _: (
            team.of("queue_changed")[-1:]
            and team.of("queue_changed")[-1]["position"] >= last["position"]
        )
    )
    took_s = loop.time() - began
    changes = team.of("queue_changed")
    assert 2 <= len(changes) <= took_s + 2
    assert all("seq" not in change for change in changes)
    waiting = await office.ask("admin", "root", "queue", min_position=changes[-1]["position"])
    assert waiting["result"]["total"] == 60


# --- who has no part in it ------------------------------------------------------------------


async def test_no04_a_reader_who_does_not_read_delays_nobody(
    engine: Engine, office: Office
) -> None:
    host, port = engine.url.removeprefix("nats://").split(":")
    with socket.create_connection((host, int(port))) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        deaf.sendall(b"CONNECT {}\r\nSUB fernamt.v1.feed.> 1\r\nPING\r\n")
        await office.come_online("ana")
        feed = await office.feed("operator", "ana")
        await office.open("vera", "c1")
        for _ in range(40):
            writing = [office.visitor("vera", "write", conversation_id="c1") for _ in range(50)]
            await asyncio.gather(*writing)
        bodies = await feed.count(2_001)
        assert [body["seq"] for body in bodies] == list(range(1, 2_002))


async def test_no05_a_replay_sends_nothing(engine: Engine, office: Office) -> None:
    feeds = await office.client.listen("fernamt.v1.feed.>")
    await office.come_online("ana")
    await office.open("vera", "c1")
    await office.visitor("vera", "write", conversation_id="c1")
    before = len(await feeds.until(lambda _: feeds.of("visitor_wrote")))
    verifying = ("verify", "--data", str(engine.data), "--workspace", office.workspace)
    said = await asyncio.to_thread(
        subprocess.run,
        fernamt(*verifying),
        cwd=ROOT,
        env=surroundings(),
        capture_output=True,
        timeout=STOP_WITHIN_S,
        check=True,
    )
    assert b"identical" in said.stdout
    # Whatever the replay had sent would have come before what is said from here on.
    await office.visitor("vera", "write", conversation_id="c1")
    await feeds.until(lambda _: len(feeds.of("visitor_wrote")) == 2)
    assert [body["type"] for body in feeds.bodies[before:]] == ["visitor_wrote"]


# --- over a restart -------------------------------------------------------------------------


@pytest.fixture
def own_engine() -> Iterator[Engine]:
    with running_engine() as started:
        yield started


async def test_no04_e06_more_than_is_remembered_is_read_out_of_the_log(own_engine: Engine) -> None:
    """Before and after a restart, and the same each time."""
    async with connected(own_engine.url) as client:
        office = Office(client, "w")
        await office.set_up("ana")
        await office.come_online("ana")
        heard = await office.feed("operator", "ana")
        await office.open("vera", "c1")
        for _ in range(MANY // 100):
            writing = [office.visitor("vera", "write", conversation_id="c1") for _ in range(100)]
            await asyncio.gather(*writing)
        bodies = await heard.count(MANY + 1)
        several = [whole_feed(client, "w", "operator", "ana", 0) for _ in range(3)]
        assert await asyncio.gather(*several) == [bodies] * 3
    assert await asyncio.to_thread(own_engine.stop) == 0
    own_engine.start()
    async with connected(own_engine.url) as client:
        office = Office(client, "w")
        after = await office.feed("operator", "ana")
        assert await whole_feed(client, "w", "operator", "ana", 0) == bodies
        await office.operator("ana", "close", conversation_id="c1")
        (closed,) = await after.count(1)
        assert closed["seq"] == MANY + 2  # and nothing was sent again
