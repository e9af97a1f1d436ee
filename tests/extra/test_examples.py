"""The example pages in real browsers, against the shipped broker and services as processes."""

import asyncio
import json
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Locator, Page, expect

from shared.ports import Message
from tests.browser.conftest import WITHIN_MS
from tests.extra.chat_site import ChatSite, chat_site
from tests.servers.client import Client
from tests.servers.office import Office
from tests.servers.postgres import PostgresServer
from tests.servers.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
expect.set_options(timeout=WITHIN_MS)

_numbers = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ChatSite]:
    connection = await asyncpg.connect(postgres.url)
    await connection.execute("create database examples")
    async with chat_site(tmp_path_factory.mktemp("site"), postgres.url_of("examples")) as started:
        yield started
    await connection.execute("drop database examples with (force)")
    await connection.close()


@pytest_asyncio.fixture(loop_scope="module")
async def site(running: ChatSite) -> AsyncIterator[ChatSite]:
    """The same for all tests, with nobody's pages open."""
    yield running
    await running.leave()
    faults, running.faults = running.faults, []
    assert faults == []


@pytest_asyncio.fixture(loop_scope="module")
async def office(site: ChatSite) -> Office:
    """A workspace of the test's own."""
    return await site.office(f"shop-{next(_numbers)}")


async def _opens(widget: Page, text: str = "Hello") -> None:
    await widget.locator("#first").fill(text)
    await widget.locator("#begin").click()
    await expect(widget.locator("#lines .mine")).to_have_text([text])


async def _forwards(desk: Page, to: str) -> None:
    await desk.locator("#mine select").select_option(label=to)
    await desk.locator("#mine").get_by_role("button", name="Forward").click()
    await expect(desk.locator("#mine > li")).to_have_count(0)


async def _tones(desk: Page) -> int:
    heard: int = await desk.evaluate("window.tones")
    return heard


def _colleague(desk: Page, who: str) -> Locator:
    return desk.locator(f"#team [data-key={who}]")


async def test_it_rings_at_the_right_desk_and_where_it_is_forwarded(
    site: ChatSite, office: Office
) -> None:
    shop = office.workspace
    ana, cleo = await site.desk(shop, "ana"), await site.desk(shop, "cleo")
    vera = await site.widget(shop, "vera")
    await expect(vera.locator("#mode")).to_have_text("We are here, and answer right away.")
    await _opens(vera)
    await expect(ana.locator("#alerts li")).to_contain_text(["New conversation with vera"])
    await expect(ana.locator("#mine h3")).to_have_text(["vera"])
    await expect(vera.locator("#progress")).to_have_text("You are talking to ana.")
    await expect(_colleague(cleo, "ana")).to_contain_text("1/3")  # she has heard of it
    await expect(cleo.locator("#alerts li, #mine > li")).to_have_count(0)
    assert (await _tones(ana), await _tones(cleo)) == (2, 0)

    await _forwards(ana, "second-level")
    await expect(cleo.locator("#alerts li")).to_contain_text(["New conversation with vera"])
    await expect(ana.locator("#alerts li")).to_have_count(0)
    await expect(vera.locator("#progress")).to_have_text("You are talking to cleo.")
    lines = ["ana has joined.", "ana has left.", "cleo has joined."]
    await expect(vera.locator("#lines .event")).to_have_text(lines)
    assert (await _tones(ana), await _tones(cleo)) == (2, 2)

    await cleo.locator("#mine").get_by_role("button", name="Close").click()
    await expect(vera.locator("#progress")).to_contain_text("This chat has ended.")
    await expect(cleo.locator("#mine > li")).to_have_count(0)
    await vera.locator("#text").fill("One more thing")
    await vera.locator("#text").press("Enter")
    await expect(cleo.locator("#mine h3")).to_have_text(["vera"])
    await expect(vera.locator("#progress")).to_have_text("You are talking to cleo.")


async def test_the_widget_is_live_or_a_messenger_as_statuses_change(
    site: ChatSite, office: Office
) -> None:
    vera = await site.widget(office.workspace, "vera")
    await expect(vera.locator("body")).to_have_attribute("data-mode", "messenger")
    ana = await site.desk(office.workspace, "ana")
    await expect(vera.locator("body")).to_have_attribute("data-mode", "live")
    await ana.locator("#status").select_option("invisible")
    await expect(vera.locator("body")).to_have_attribute("data-mode", "messenger")
    await expect(vera.locator("#begin")).to_have_text("Leave the message")
    await _opens(vera)
    await expect(vera.locator("#progress")).to_have_text("Thank you. We will get back to you.")
    await expect(ana.locator("#waiting > li")).to_contain_text(["nobody is online"])
    await ana.locator("#status").select_option("online")
    await expect(vera.locator("body")).to_have_attribute("data-mode", "live")
    await expect(vera.locator("#progress")).to_have_text("You are talking to ana.")
    await expect(ana.locator("#alerts li")).to_have_count(1)
    await ana.get_by_role("button", name="Log out").click()
    await expect(vera.locator("body")).to_have_attribute("data-mode", "messenger")
    await expect(vera.locator("#progress")).to_have_text("ana is away just now.")


async def test_what_has_waited_rings_when_somebody_logs_in(site: ChatSite, office: Office) -> None:
    vera = await site.widget(office.workspace, "vera")
    await expect(vera.locator("body")).to_have_attribute("data-mode", "messenger")
    await _opens(vera)
    ana = await site.desk(office.workspace, "ana")
    await expect(ana.locator("#alerts li")).to_contain_text(["New conversation with vera"])
    assert await _tones(ana) == 2


async def test_a_widget_that_is_to_be_hidden_is_hidden(site: ChatSite, office: Office) -> None:
    await office.admin("define_entry_point", entry_point_id="site", offline_display="hidden")
    vera = await site.widget(office.workspace, "vera")
    await expect(vera.locator("body")).to_have_attribute("data-mode", "hidden")
    await expect(vera.locator("#widget")).to_be_hidden()
    await site.desk(office.workspace, "ana")
    await expect(vera.locator("#widget")).to_be_visible()


async def test_a_rule_speaks_to_the_visitor_and_asks_for_a_group(
    site: ChatSite, office: Office
) -> None:
    await office.admin(
        "save_rule",
        rule_id="hello",
        name="Hello",
        order=1,
        enabled=True,
        when={"field": "current_url", "op": "contains", "value": "widget.html"},
        then=[{"invite": {"message": "May we help?"}}, {"ask_group": ["second-level"]}],
    )
    shop = office.workspace
    ana, cleo = await site.desk(shop, "ana"), await site.desk(shop, "cleo")
    vera = await site.widget(shop, "vera")
    await expect(vera.locator("#invitation")).to_have_text("May we help?")
    await vera.locator("#group").select_option(label="Second level")
    await _opens(vera)
    await expect(cleo.locator("#alerts li")).to_have_count(1)
    await expect(ana.locator("#alerts li, #mine > li")).to_have_count(0)


async def test_an_offer_is_declined_by_one_and_accepted_by_another(
    site: ChatSite, office: Office
) -> None:
    policy = {"delivery": "offer"}
    await office.admin("set_policy", scope={"workspace": True}, policy=policy)
    ana, ben = await site.desk(office.workspace, "ana"), await site.desk(office.workspace, "ben")
    vera = await site.widget(office.workspace, "vera")
    await _opens(vera)
    await expect(ana.locator("#alerts li")).to_contain_text(["vera is offered to you"])
    await expect(vera.locator("#progress")).to_contain_text("We are looking for somebody")
    await expect(_colleague(ben, "ana")).to_contain_text("1/3")
    await expect(ben.locator("#alerts li")).to_have_count(0)
    await ana.get_by_role("button", name="Decline").click()
    await expect(ben.locator("#alerts li")).to_contain_text(["vera is offered to you"])
    await ben.get_by_role("button", name="Accept").click()
    await expect(ben.locator("#mine > li")).to_contain_text(["yours"])
    await expect(vera.locator("#progress")).to_have_text("You are talking to ben.")
    await expect(ana.locator("#alerts li, #mine > li")).to_have_count(0)


async def test_who_waits_is_told_the_place_and_may_be_taken(site: ChatSite, office: Office) -> None:
    await office.admin("update_operator", operator_id="ana", capacity=0)
    ana = await site.desk(office.workspace, "ana")
    for place, visitor in enumerate(("vera", "victor"), start=1):
        widget = await site.widget(office.workspace, visitor)
        await expect(widget.locator("body")).to_have_attribute("data-mode", "live")
        await _opens(widget)
        told = f"You are number {place} in the queue."
        await expect(widget.locator("#progress")).to_have_text(told)
    waiting = ana.locator("#waiting > li")
    await expect(waiting).to_contain_text(["everybody is full", "everybody is full"])
    await expect(ana.locator("#alerts li")).to_have_count(0)
    await waiting.filter(has_text="victor").get_by_role("button", name="Take it").click()
    await expect(ana.locator("#mine h3")).to_have_text(["victor"])
    await expect(waiting.locator("h3")).to_have_text(["vera"])


async def _told(site: ChatSite, office: Office, visitor: str) -> list[str]:
    """The ids of what the visitor was told so far that makes a line."""
    quiet = ("queued", "operator_presence")
    messages = await _feed(site, office, visitor)
    return [message["id"] for message in messages if message["type"] not in quiet]


async def _feed(site: ChatSite, office: Office, visitor: str) -> list[dict[str, Any]]:
    client = Client(await site.broker.somebody(office.workspace, "visitor", visitor))
    feed = await client.ask(office.workspace, "visitor", visitor, "feed", {"after": 0})
    messages: list[dict[str, Any]] = feed["result"]["messages"]
    return messages


async def _written(office: Office, visitor: str) -> int:
    """How often the log says that the visitor wrote in its one conversation."""
    asked = await office.ask("admin", "root", "visitor", visitor_id=visitor)
    (found,) = asked["result"]["visitor"]["conversations"]
    answer = await office.ask("admin", "root", "conversation", conversation_id=found)
    names = [entry["event"]["type"] for entry in answer["result"]["timeline"]]
    return names.count("visitor_wrote.v1")


async def _lines(widget: Page) -> list[str]:
    found: list[str] = await widget.locator("#lines .event").evaluate_all(
        "lines => lines.map((line) => line.dataset.id)"
    )
    return found


async def test_what_happens_while_the_connection_is_cut_is_shown_once(
    site: ChatSite, office: Office
) -> None:
    shop = office.workspace
    ana, ben = await site.desk(shop, "ana"), await site.desk(shop, "ben")
    vera = await site.widget(shop, "vera")
    await _opens(vera)
    await expect(vera.locator("#lines .event")).to_have_text(["ana has joined."])
    (conversation,) = await ana.locator("#mine > li").evaluate_all(
        "cards => cards.map((card) => card.dataset.key)"
    )
    async with site.cut():
        for page in (ana, ben, vera):
            await expect(page.locator("#link")).to_have_text("Connecting …")
        for who in ("ben", "ana", "ben"):
            await office.admin("forward", conversation_id=conversation, to={"operator": who})
    await expect(vera.locator("#lines .event")).to_have_count(7)
    await expect(vera.locator("#progress")).to_have_text("You are talking to ben.")
    await expect(ben.locator("#mine > li")).to_have_count(1)
    await expect(ana.locator("#mine > li, #alerts li")).to_have_count(0)
    assert await _lines(vera) == await _told(site, office, "vera")
    await vera.reload()
    await expect(vera.locator("#lines .event")).to_have_count(7)
    assert await _lines(vera) == await _told(site, office, "vera")


async def test_a_change_of_mode_while_cut_off_is_seen_afterwards(
    site: ChatSite, office: Office
) -> None:
    ana, vera = (
        await site.desk(office.workspace, "ana"),
        await site.widget(office.workspace, "vera"),
    )
    await expect(vera.locator("body")).to_have_attribute("data-mode", "live")
    async with site.cut():
        for page in (ana, vera):
            await expect(page.locator("#link")).to_have_text("Connecting …")
        await office.admin("log_out_operator", operator_id="ana")
    await expect(vera.locator("body")).to_have_attribute("data-mode", "messenger")
    await expect(_colleague(ana, "ana")).to_contain_text("Offline (logged out)")


async def test_what_comes_again_or_out_of_turn_is_not_shown(site: ChatSite, office: Office) -> None:
    """Feeds may repeat; and the broker lets strangers have an answer sent to a feed."""
    ana = await site.desk(office.workspace, "ana")
    vera = await site.widget(office.workspace, "vera")
    await _opens(vera)
    await expect(vera.locator("#lines .event")).to_have_text(["ana has joined."])
    (joined,) = [
        one for one in await _feed(site, office, "vera") if one["type"] == "operator_joined"
    ]
    far_ahead = {**joined, "id": "ahead", "seq": joined["seq"] + 5, "operator_id": "nobody"}
    notifier = await site.broker.service("notifier")
    for feed, said in (
        ("visitor.vera", joined),
        ("visitor.vera", far_ahead),
        ("entry.site", {"ok": True, "result": {}}),
    ):
        subject = f"fernamt.v1.feed.{office.workspace}.{feed}"
        notifier.publish(subject, json.dumps(said).encode())
    await notifier.flush()
    await _forwards(ana, "second-level")
    await ana.locator("#waiting").get_by_role("button", name="Take it").click()
    await expect(vera.locator("#progress")).to_have_text("You are talking to ana.")
    await expect(vera.locator("#lines .event")).to_have_count(3)
    assert await _lines(vera) == await _told(site, office, "vera")
    await ana.locator("#status").select_option("busy")
    await expect(vera.locator("body")).to_have_attribute("data-mode", "messenger")


async def test_what_was_done_and_not_answered_is_not_done_again(
    site: ChatSite, office: Office
) -> None:
    vera = await site.widget(office.workspace, "vera")
    await _opens(vera)
    site.proxy.swallow()
    await vera.locator("#text").fill("Are you there?")
    await vera.locator("#text").press("Enter")

    async def written() -> int:
        return await _written(office, "vera")

    await until("the engine has heard of it", written)
    site.proxy.cut()
    await expect(vera.locator("#lines .mine[data-state=sent]")).to_have_count(2)
    assert await written() == 1


async def test_after_the_broker_was_away_everything_goes_on(site: ChatSite, office: Office) -> None:
    ana, cleo = await site.desk(office.workspace, "ana"), await site.desk(office.workspace, "cleo")
    vera = await site.widget(office.workspace, "vera")
    await _opens(vera)
    await expect(ana.locator("#mine > li")).to_have_count(1)
    site.broker.server.kill()
    await expect(vera.locator("#link")).to_have_text("Connecting …")
    await vera.locator("#text").fill("Are you there?")
    await vera.get_by_role("button", name="Send").click()  # said into nowhere: said again later
    site.broker.server.start()
    for page in (ana, cleo, vera):
        await expect(page.locator("#link")).to_have_text("Connected")
    await expect(vera.locator("#lines .mine[data-state=sent]")).to_have_count(2)
    await _forwards(ana, "second-level")
    await expect(cleo.locator("#alerts li")).to_have_count(1)
    await expect(vera.locator("#progress")).to_have_text("You are talking to cleo.")
    assert await _lines(vera) == await _told(site, office, "vera")
    assert await _tones(cleo) == 2
    assert await _written(office, "vera") == 1


async def test_a_desk_that_is_loaded_again_goes_on_as_the_same_device(
    site: ChatSite, office: Office
) -> None:
    ana = await site.desk(office.workspace, "ana")
    await ana.reload()
    await expect(ana.locator("body")).to_have_attribute("data-working", "true")
    me = (await office.ask("admin", "root", "roster"))["result"]["operators"][0]
    assert (me["operator_id"], me["connected"]) == ("ana", True)
    ask = Client(await site.broker.somebody(office.workspace, "operator", "ana"))
    sessions = (await ask.ask(office.workspace, "operator", "ana", "me"))["result"]["sessions"]
    assert len(sessions) == 1


async def test_a_session_that_ended_goes_on_with_the_next_cookie(
    site: ChatSite, office: Office
) -> None:
    ana = await site.new_page()
    await ana.goto(site.pages.login(office.workspace, "operator", "ana", holds_s=10))
    await ana.locator("#login:enabled").click()
    await ana.locator("[data-working=true]").wait_for()
    await expect(ana.locator("#link")).to_contain_text("Not let in")
    elsewhere = await ana.context.new_page()
    await elsewhere.goto(site.pages.login(office.workspace, "operator", "ana"))
    await expect(ana.locator("#link")).to_have_text("Connected")
    vera = await site.widget(office.workspace, "vera")
    await _opens(vera)
    await expect(ana.locator("#alerts li")).to_have_count(1)


async def test_a_desk_says_again_and_again_that_it_is_there(site: ChatSite, office: Office) -> None:
    presence = await site.broker.service("presence")
    beats: asyncio.Queue[Message] = asyncio.Queue()
    await presence.subscribe("fernamt.v1.beat.*.operator.*.*", beats.put_nowait)
    ana = await site.desk(office.workspace, "ana")
    async with asyncio.timeout(60):
        first, second = await beats.get(), await beats.get()
    assert first.subject == second.subject
    assert first.subject.startswith(f"fernamt.v1.beat.{office.workspace}.operator.ana.")
    assert [json.loads(each.data) for each in (first, second)] == [
        {"active": True},
        {"active": False},
    ]
    await ana.keyboard.press("Shift")
    async with asyncio.timeout(60):
        assert json.loads((await beats.get()).data) == {"active": True}


async def test_without_a_session_the_page_says_so(site: ChatSite, office: Office) -> None:
    page = await site.new_page()
    await page.goto(f"{site.pages.url}/inbox.html?workspace={office.workspace}&actor=ana")
    await expect(page.locator("#link")).to_contain_text("Not let in")
    await expect(page.locator("#login")).to_be_disabled()


async def test_an_address_changes_nothing_that_the_platform_says(
    site: ChatSite, office: Office
) -> None:
    ana = await site.desk(office.workspace, "ana")
    await ana.goto(f"{site.pages.url}/inbox.html?actor=cleo&url=ws://127.0.0.1:1")
    await expect(ana.locator("#me")).to_have_text("ana")
    await expect(ana.locator("#link")).to_have_text("Connected")


async def test_a_refusal_is_shown_in_the_engines_words(site: ChatSite, office: Office) -> None:
    ana, vera = (
        await site.desk(office.workspace, "ana"),
        await site.widget(office.workspace, "vera"),
    )
    await _opens(vera)
    await ana.locator("#mine select").select_option(label="ben (Offline)")
    await ana.locator("#mine").get_by_role("button", name="Forward").click()
    await expect(ana.locator("#trouble")).to_contain_text("ben is offline")
    await expect(ana.locator("#mine > li")).to_have_count(1)


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1_100])
async def test_the_pages_keep_the_rules_of_accessibility(
    site: ChatSite, office: Office, colours: str, width: int
) -> None:
    look = {
        "color_scheme": colours,
        "viewport": {"width": width, "height": 800},
        "reduced_motion": "reduce",
    }
    vera = await site.widget(office.workspace, "vera", **look)
    await expect(vera.locator("body")).to_have_attribute("data-mode", "messenger")
    await _keeps_rules(vera)
    ana = await site.desk(office.workspace, "ana", **look)
    await expect(vera.locator("body")).to_have_attribute("data-mode", "live")
    await _opens(vera)
    await expect(ana.locator("#alerts li")).to_have_count(1)
    await _keeps_rules(vera)
    await _keeps_rules(ana)
    for page in (vera, ana):
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def _keeps_rules(page: Page) -> None:
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
