"""Every page: in both languages and colours, on a phone, and for whoever cannot see or point."""

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.browser.house import House

PAGES = {
    "": ("Live", "Live"),
    "/conversations/c-17": ("Conversation c-17", "Gespräch c-17"),
    "/conversations/c-17/why-not?operator=ana&position={queued}": (
        "Why not ana?",
        "Warum nicht ana?",
    ),
    "/conversations/c-17/why-waiting?position={queued}": ("Why it waited", "Warum es wartete"),
    "/conversations/c-17/free?begun={queued}": (
        "Who was free meanwhile, and what kept it away",
        "Wer inzwischen frei war, und was dagegen sprach",
    ),
    "/conversations/c-17/decisions/{queued}": (
        "Decision at position {queued}",
        "Entscheidung bei Position {queued}",
    ),
    "/at?at=14:08": ("Time machine", "Zeitmaschine"),
    "/incidents?pattern=waited_while_free": ("Incidents", "Vorfälle"),
    "/incidents/compare?before=14:05&after=14:08": (
        "Compare two moments",
        "Zwei Momente vergleichen",
    ),
    "/incidents/simulate": ("What if …?", "Was wäre, wenn …?"),
    "/incidents/export": ("Export", "Ausgeben"),
    "/health": ("Health", "Zustand"),
    "/search?q=v-17": ("Conversations of the visitor v-17", "Gespräche des Besuchers v-17"),
    "/conversations/nowhere": ("Not found", "Nicht gefunden"),
}
"""Every page below a workspace, with its heading in English and German."""


TOO_WIDE = """
() => document.documentElement.scrollWidth <= innerWidth ? [] :
  ["too wide", ...document.querySelectorAll("main *")]
  .filter((one) => !one.tagName || one.getBoundingClientRect().right > innerWidth)
  .map((one) => one.tagName ? `${one.tagName}.${one.className}` : one)
"""
"""What sticks out of the window, if anything makes it scroll sideways."""


def address(house: House, path: str) -> str:
    """Of one of these pages."""
    return house.url + (path.format(queued=house.shop.queued) or "/")


def opened(page: Page, house: House, path: str) -> Page:
    """The page, with every explanation on it opened."""
    page.goto(address(house, path))
    for details in page.locator("details.lazy").all():
        if details.get_attribute("open") is None:
            details.locator("summary").first.press("Enter")
        expect(details.locator(":scope > .inside")).to_have_attribute("data-filled", "1")
    expect(page.locator("[data-then]:not([data-filled])")).to_have_count(0)
    return page


@pytest.mark.parametrize("path", PAGES)
def test_au08_each_page_speaks_english_and_german(
    house: House, new_page: NewPage, path: str
) -> None:
    for locale, heading in zip(("en-GB", "de-DE"), PAGES[path], strict=True):
        page = new_page(locale=locale)
        page.goto(address(house, path))
        expect(page.locator("html")).to_have_attribute("lang", locale[:2])
        expect(page.get_by_role("heading", level=1)).to_have_text(
            heading.format(queued=house.shop.queued)
        )
        assert page.locator("h1").count() == 1


@pytest.mark.parametrize("path", PAGES)
def test_au08_each_page_is_for_everybody(house: House, new_page: NewPage, path: str) -> None:
    page = opened(new_page(color_scheme="light"), house, path)
    for colours in ("light", "dark"):
        page.emulate_media(color_scheme=colours)
        violations = Axe().run(page)
        assert violations.violations_count == 0, violations.generate_report()


@pytest.mark.parametrize("path", PAGES)
def test_au08_each_page_fits_a_phone(house: House, new_page: NewPage, path: str) -> None:
    page = opened(new_page(viewport={"width": 360, "height": 740}, locale="de-DE"), house, path)
    assert page.evaluate(TOO_WIDE) == []


def test_au08_language_and_colours_are_switched_by_hand_and_kept(house: House, page: Page) -> None:
    page.goto(f"{house.url}/health")
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Zustand")
    expect(page).to_have_url(f"{house.url}/health")
    page.get_by_role("button", name="Dunkel").click()
    page.goto(f"{house.url}/incidents")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("heading", level=1)).to_have_text("Vorfälle")
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert paper == "rgb(19, 21, 24)"


def test_au08_times_are_those_of_the_workspace(house: House, page: Page) -> None:
    page.goto(f"{house.url}/conversations/c-17")
    expect(page.get_by_text("Times in Europe/Berlin")).to_be_visible()
    expect(page.locator("main")).to_contain_text("14:06:")


def test_au08_whatever_is_not_there_is_said_so(house: House, page: Page) -> None:
    for path in ("/conversations/nowhere", "/nothing", "/search?q=nobody", "/jobs/none"):
        answer = page.goto(f"{house.url}{path}")
        assert answer is not None
        assert answer.status == 404, path
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    answer = page.goto(f"{house.url}/incidents?pattern=nonsense")
    assert answer is not None
    assert answer.status == 400
    expect(page.locator("main")).to_contain_text("Something in the form is not right: pattern")


def test_au08_nothing_comes_from_elsewhere_and_nothing_runs_inline(
    house: House, page: Page
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto(f"{house.url}/")
    assert answer is not None
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert all(address.startswith(house.ops.url) for address in asked)
    assert page.locator("script:not([src]), [style], style").count() == 0
