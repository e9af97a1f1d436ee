"""The walk for which the console exists, with the mouse and with the keyboard alone.

"Visitor v-17 says he waited four minutes at ten past two." Who was free, and why did he not get it?
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import House, sample_with_ops

CLICKS_MAX = 6


@pytest.fixture(scope="module")
def sample() -> Iterator[str]:
    """Address of the workspace `sample` in the console of `fernamt up --sample`."""
    with sample_with_ops() as url:
        yield url


def test_au08_from_a_complaint_to_who_was_free_and_why_he_did_not_get_it(
    sample: str, page: Page
) -> None:
    page.goto(sample.removesuffix("sample"))
    expect(page).to_have_url(f"{sample}/")
    clicks = 0

    def click(name: str | re.Pattern[str], role: str = "link") -> None:
        nonlocal clicks
        clicks += 1
        page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]

    page.get_by_role("searchbox").fill("v-17")
    click("Search", "button")
    expect(page.locator("table.found")).to_contain_text(re.compile(r"4 min 0\d s"))
    click("c-17")
    wait = page.locator("details.wait")
    expect(wait).to_contain_text(re.compile(r"4 min 0\d s"))
    free = wait.locator("table.free tr").filter(has_text="ana")
    expect(free).to_contain_text("lacks a skill")
    click("Why not ana?")
    answer = wait.locator(".answer .answer .answer")
    expect(answer).to_contain_text("lacks customs")
    expect(answer).to_contain_text(
        re.compile(r"ana was online \(own choice\), \d of 5 slots taken")
    )
    assert clicks < CLICKS_MAX


def test_au08_the_same_by_pattern(house: House, page: Page) -> None:
    page.goto(f"{house.url}/incidents")
    page.get_by_label("From (Europe/Berlin)").fill("14:00")
    page.get_by_label("To (Europe/Berlin)", exact=True).fill("14:15")
    page.get_by_label("Waited over (s)").fill("180")
    page.locator("main").get_by_role("button", name="Find").click()
    found = page.locator("table.found tbody tr")
    expect(found).to_have_count(1)
    expect(found).to_contain_text("c-17")
    expect(found).to_contain_text("ana")
    expect(found).to_contain_text("lacks a skill")


def test_au08_the_same_with_the_keyboard_alone(house: House, page: Page) -> None:
    page.goto(f"{house.url}/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("v-17")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("v-17")
    _tab_to(page, "c-17")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Conversation c-17")
    expect(page.locator("table.free")).to_be_visible()
    _tab_to(page, "Why not ana?")
    page.keyboard.press("Enter")
    expect(page.locator(".answer .answer .answer")).to_contain_text("lacks french")


def _tab_to(page: Page, text: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == text:
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid", "one sees where one is"
            return
    raise AssertionError(f"no way to {text} by tabbing")


def test_au08_why_not_can_be_asked_of_anybody_at_any_decision(house: House, page: Page) -> None:
    page.goto(f"{house.url}/conversations/c-17")
    page.get_by_label("Operator", exact=True).select_option("cleo")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#why-not-answer")).to_contain_text("not in the group it is for")
