"""The live page while commands arrive, while somebody reads, and after a connection was lost."""

import re

from playwright.sync_api import Page, expect

from tests.browser.house import House


def live(house: House, page: Page) -> Page:
    page.goto(f"{house.url}/")
    expect(page.locator("#link")).to_have_class(re.compile(r"\blive\b"))
    return page


def test_au08_what_happens_is_seen_without_loading_again(house: House, page: Page) -> None:
    live(house, page)
    expect(page.locator("table.queue")).not_to_contain_text("c-301")
    house.do(house.shop.open("help", 301, "french"))
    line = page.locator("table.queue tbody tr").filter(has_text="c-301")
    expect(line).to_contain_text("nobody free has the skill")
    first = page.locator("#decisions li").first
    expect(first).to_contain_text("c-301 waits: nobody free has the skill")
    house.do(house.office.operator("ana", "set_status", status="busy"))
    ana = page.locator("table.roster tr").filter(has_text="ana")
    expect(ana).to_contain_text("busy")
    house.do(house.office.operator("ana", "set_status", status="online"))
    expect(ana).to_contain_text("online")
    house.do(house.office.admin("close", conversation_id="c-301"))
    expect(page.locator("table.queue")).not_to_contain_text("c-301")


def test_au08_an_age_goes_on_by_itself(house: House, page: Page) -> None:
    live(house, page)
    age = page.locator("table.queue .age").first
    expect(age).not_to_have_text(age.inner_text())


def test_au08_the_feed_stands_still_while_paused_and_catches_up(house: House, page: Page) -> None:
    live(house, page)
    page.get_by_role("button", name="Pause").click()
    before = page.locator("#decisions li").first.inner_text()
    house.do(house.shop.open("help", 302, "french"))
    held = page.get_by_role("button", name=re.compile(r"Go on · \d+ new"))
    expect(held).to_be_visible()
    assert page.locator("#decisions li").first.inner_text() == before
    held.click()
    expect(page.locator("#decisions li").first).to_contain_text("c-302")
    house.do(house.office.admin("close", conversation_id="c-302"))


def test_au08_a_decision_leads_to_its_explanation(house: House, page: Page) -> None:
    live(house, page)
    page.locator("#decisions li").filter(has_text="c-17 goes to ben").locator("a.why").click()
    expect(page).to_have_url(re.compile(r"/conversations/c-17\?decision=\d+#e\d+"))
    table = page.locator("li.target table.candidates")
    expect(table.locator("tr.chosen")).to_contain_text("ben")
    expect(table.locator("tr").filter(has_text="ana")).to_contain_text("lacks french")


def test_au08_after_the_console_was_away_the_page_catches_up(house: House, page: Page) -> None:
    live(house, page)
    house.ops.stop()
    expect(page.locator("#link")).to_contain_text("reconnecting")
    house.do(house.shop.open("help", 303, "french"))
    house.ops.start()
    expect(page.locator("#link")).to_have_class(re.compile(r"\blive\b"))
    expect(page.locator("table.queue")).to_contain_text("c-303")
    expect(page.locator("#decisions li").first).to_contain_text("c-303 waits")
    house.do(house.office.admin("close", conversation_id="c-303"))
