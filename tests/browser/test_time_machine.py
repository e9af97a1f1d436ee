"""The time machine: slider, steps, keys, and the address of a moment."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import House


def machine(house: House, page: Page, query: str) -> Page:
    page.goto(f"{house.url}/at?{query}")
    return page


def shows(page: Page, position: int) -> None:
    expect(page.locator("#machine")).to_have_attribute("data-position", str(position))


def test_au08_the_slider_shows_things_as_they_were(house: House, page: Page) -> None:
    machine(house, page, "position=5")
    shows(page, 5)
    expect(page.locator("main")).to_contain_text("No operators then.")
    head = int(page.locator("#machine").get_attribute("data-head") or 0)
    page.locator("#slider").fill(str(head))
    shows(page, head)
    expect(page.locator("table.roster")).to_contain_text("cleo")
    expect(page).to_have_url(re.compile(rf"/at\?position={head}&by=event$"))
    page.reload()
    shows(page, head)


def test_au08_the_keys_step_and_jump(house: House, page: Page) -> None:
    machine(house, page, "position=30")
    slider = page.locator("#slider")
    for key, position in (
        ("ArrowRight", 31),
        ("ArrowLeft", 30),
        ("PageUp", 40),
        ("PageDown", 30),
        ("Home", 0),
    ):
        slider.press(key)
        shows(page, position)
        expect(slider).to_be_focused()
    expect(page.locator(".happened")).to_contain_text("Before the first event")
    slider.press("End")
    head = page.locator("#machine").get_attribute("data-head")
    expect(page.locator("#machine")).to_have_attribute("data-position", str(head))


def test_au08_arrows_step_wherever_one_is_on_the_page(house: House, page: Page) -> None:
    machine(house, page, "position=30")
    page.locator("h1").click()
    page.keyboard.press("ArrowRight")
    shows(page, 31)


def test_au08_steps_go_by_decision_and_by_minute(house: House, page: Page) -> None:
    machine(house, page, "position=30&by=decision")
    page.get_by_role("link", name="Forward").click()
    expect(page.locator(".happened .event")).to_have_class(re.compile(r"\bdecision\b"))
    after = int(page.locator("#machine").get_attribute("data-position") or 0)
    assert after > 30
    page.get_by_role("link", name="Back").click()
    expect(page.locator("#machine")).not_to_have_attribute("data-position", str(after))
    machine(house, page, "at=2000-01-01T00:00&by=time")
    shows(page, 0)
    page.locator("[data-step=last]").click()
    expect(page.locator("#machine")).not_to_have_attribute("data-position", "0")
    last = int(page.locator("#machine").get_attribute("data-at") or 0)
    page.get_by_role("link", name="Back").click()
    expect(page.locator("#machine")).not_to_have_attribute("data-at", str(last))
    then = int(page.locator("#machine").get_attribute("data-at") or 0)
    assert last - then >= 60_000, "a minute before, or the last event before that"


def test_au08_a_moment_is_found_by_its_local_time(house: House, page: Page) -> None:
    machine(house, page, "position=1")
    day = (page.locator("#goto").input_value())[:10]
    page.locator("#goto").fill(f"{day}T14:08:00")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.locator(".happened")).to_contain_text("c-17")
    expect(page.locator("table.queue")).to_contain_text("c-17")


@pytest.mark.parametrize("query", ["position=x", "at=teatime", "by=magic", "position=99999999999"])
def test_au08_a_moment_that_makes_no_sense_is_refused(house: House, page: Page, query: str) -> None:
    answer = page.goto(f"{house.url}/at?{query}")
    assert answer is not None
    assert 400 <= answer.status <= 503
    expect(page.locator(".trouble")).to_be_visible()


def test_au08_without_scripts_the_steps_are_links(house: House, new_page: object) -> None:
    page: Page = new_page(java_script_enabled=False)  # type: ignore[operator]
    machine(house, page, "position=30")
    page.get_by_role("link", name="Forward").click()
    shows(page, 31)
