"""Connections that are cut, replies that are lost, and what front ends have missed meanwhile."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.integration.frontend.company import Company, agrees
from tests.integration.frontend.line import RefusedError
from tests.servers.engine import Engine
from tests.servers.nats_proxy import NatsProxy, nats_proxy
from tests.servers.waiting import until

MESSAGES = 20


@pytest.fixture
async def wire(engine: Engine) -> AsyncIterator[NatsProxy]:
    """A way to the broker that can be cut."""
    async with nats_proxy(engine.url) as proxy:
        yield proxy


async def test_two_devices_of_one_operator_show_the_same(company: Company) -> None:
    await company.hire("ana")
    desk = await company.desk("ana", "desk")
    vera = await company.widget("vera")
    await vera.open("c1")
    phone = await company.desk("ana", "phone")
    assert phone.mine == {"c1": "owner"}
    await vera.write("c1")
    await desk.feed.told("visitor_wrote", conversation_id="c1")
    await phone.feed.told("visitor_wrote", conversation_id="c1")
    assert phone.feed.messages == desk.feed.messages[-1:], "what came before is in the inbox"
    await desk.log_out()
    assert (await company.roster())["ana"]["effective"] == "online"
    await phone.close("c1")
    await agrees(phone)
    await phone.log_out()
    assert (await company.roster())["ana"]["effective"] == "offline"


async def test_e06_no04_a_desk_that_was_gone_hears_everything_it_missed(company: Company) -> None:
    await company.hire("ana", capacity=MESSAGES)
    vera = await company.widget("vera")
    first = await company.desk("ana")
    await vera.open("c0")
    await first.feed.told("assigned", conversation_id="c0")
    await first.hang_up()
    for number in range(1, MESSAGES):
        visitor = await company.widget(f"v{number}")
        await visitor.open(f"c{number}")
        await visitor.write(f"c{number}")
    second = await company.desk("ana", seq=first.feed.seq)
    await second.feed.until("all of it", lambda told: len(told) == 2 * (MESSAGES - 1))
    assert [message["seq"] for message in first.feed.messages] == [1]
    assert [m["seq"] for m in second.feed.messages] == [*range(2, 2 * MESSAGES)]
    ids = [message["id"] for message in (*first.feed.messages, *second.feed.messages)]
    assert len(set(ids)) == len(ids)
    await agrees(second)
    assert set(second.mine.values()) == {"owner"}


async def test_e06_a_connection_that_is_cut_in_the_middle_comes_back_by_itself(
    company: Company, wire: NatsProxy
) -> None:
    await company.hire("ana", capacity=MESSAGES)
    ana = await company.desk("ana", url=wire.url)
    vera = await company.widget("vera")
    await vera.open("c1")
    await ana.feed.told("assigned", conversation_id="c1")
    await wire.close()
    for _ in range(MESSAGES):
        await vera.write("c1")
    await wire.open()
    await ana.feed.until(
        "everything", lambda _: ana.feed.types().count("visitor_wrote") == MESSAGES
    )
    assert [m["seq"] for m in ana.feed.messages] == [*range(1, MESSAGES + 2)]
    await ana.close("c1")
    await agrees(ana)


# nats-py may drop a connection that was made at the very moment its time for connecting ran out.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_e06_cut_again_and_again_while_much_happens_nothing_is_missed(
    company: Company, wire: NatsProxy
) -> None:
    await company.hire("ana", capacity=2 * MESSAGES)
    ana = await company.desk("ana", url=wire.url)
    vera = await company.widget("vera", url=wire.url)
    for number in range(MESSAGES):
        visitor = await company.widget(f"v{number}")
        await visitor.open(f"c{number}")
        await visitor.write(f"c{number}")
        if number % 3 == 0:
            wire.cut()
        if number == MESSAGES // 2:
            await vera.open("own")
    await agrees(ana)
    await vera.feed.told("operator_joined", operator_id="ana")
    told = await ana.feed.until("everything", lambda told: len(told) == 2 * MESSAGES + 1)
    assert [m["seq"] for m in told] == [*range(1, len(told) + 1)]
    mine = await ana.line.ask("feed", {"after": 0})
    assert mine.result["messages"] == told


async def test_no04_a_feed_is_read_again_in_pages_that_say_what_was_said(company: Company) -> None:
    await company.hire("ana", capacity=MESSAGES)
    ana = await company.desk("ana")
    for number in range(MESSAGES):
        visitor = await company.widget(f"v{number}")
        await visitor.open(f"c{number}")
    heard = await ana.feed.until("all", lambda told: len(told) == MESSAGES)
    pages = []
    for after in range(0, MESSAGES, 6):
        answer = await ana.line.ask("feed", {"after": after, "limit": 6})
        pages.append(answer.result["messages"])
    assert [len(page) for page in pages] == [6, 6, 6, 2]
    assert [message for page in pages for message in page] == heard
    beyond = await ana.line.ask("feed", {"after": MESSAGES + 5})
    assert beyond.result["messages"] == []


async def test_a_reply_that_is_lost_is_asked_for_again_and_nothing_happens_twice(
    company: Company, wire: NatsProxy
) -> None:
    await company.hire("ana")
    ana = await company.desk("ana", url=wire.url)
    vera = await company.widget("vera", url=wire.url)
    vera.line.tries = 0
    wire.swallow()
    opening = asyncio.create_task(
        vera.line.command(
            "open", {"conversation_id": "c1", "entry_point_id": "site"}, command_id="open-c1"
        )
    )
    await until("the office sees it opened", lambda: _exists(company, "c1"))
    wire.cut()
    opened = await opening
    assert opened.repeated
    assert vera.line.tries > 1
    assert opened.result["conversation"]["owner"] == "ana"
    told = await ana.feed.told("assigned", conversation_id="c1")
    assert told["position"] >= opened.position
    assert ana.feed.types().count("assigned") == 1
    with pytest.raises(RefusedError, match="command_id_reused"):
        await vera.line.command(
            "open", {"conversation_id": "c2", "entry_point_id": "site"}, command_id="open-c1"
        )
    await agrees(ana)


async def _exists(company: Company, conversation: str) -> bool:
    try:
        await company.conversation(conversation)
    except RefusedError:
        return False
    return True


async def test_a_lost_answer_to_an_acceptance_leaves_no_doubt(
    company: Company, wire: NatsProxy
) -> None:
    for who in ("ana", "ben"):
        await company.hire(who)
    await company.policy(delivery="offer", offer_timeout_s=600)
    ana = await company.desk("ana", url=wire.url)
    vera = await company.widget("vera")
    await vera.open("c1")
    await ana.feed.told("offered", conversation_id="c1")
    wire.swallow()
    accepting = asyncio.create_task(ana.accept("c1"))
    await until("ana has it", lambda: _is_anas(company))
    wire.cut()
    assert (await accepting)["owner"] == "ana"
    await ana.feed.told("offer_ended", how="accepted")
    await agrees(ana)
    assert ana.mine == {"c1": "owner"}


async def _is_anas(company: Company) -> bool:
    return bool((await company.conversation("c1"))["owner"] == "ana")
