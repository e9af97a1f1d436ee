"""One engine, one console and one Chromium for all tests of this room."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.house import House, shop_in_a_house

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"]
WITHIN_MS = 20_000
"""For whatever a page is waited for, on a machine that others use as well."""

expect.set_options(timeout=WITHIN_MS)

NewPage = Callable[..., Page]
"""A page in a context of its own; keyword arguments are those of ``Browser.new_context``."""


def found_chromium() -> str | None:
    """Path of the machine's own Chromium: Playwright's would have to be downloaded."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), None)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    found = found_chromium()
    if found is None:
        pytest.skip("no Chromium: install it with `apt-get install chromium`, or put one on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def house() -> Iterator[House]:
    with shop_in_a_house() as opened:
        yield opened


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[NewPage]:
    """Pages that are closed after the test; a fault in a script of theirs fails it."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(**options: object) -> Page:
        settings = {"locale": "en-GB", "viewport": {"width": 1_280, "height": 800}, **options}
        context = chromium.new_context(**settings)  # type: ignore[arg-type]
        context.set_default_timeout(WITHIN_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A desktop in English."""
    return new_page()
