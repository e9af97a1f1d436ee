"""Pictures of every page: light and dark, desktop and phone, English and German.

``python -m tests.browser.screenshots`` writes them to ``build/screenshots``, for people to look at.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, found_chromium
from tests.browser.house import House, shop_in_a_house
from tests.servers.engine import ROOT

FOLDER = ROOT / "build" / "screenshots"

PAGES: Mapping[str, str] = {
    "live": "/",
    "conversation": "/conversations/c-17",
    "decision": "/conversations/c-17?decision={queued}",
    "why-not": "/conversations/c-17/why-not?operator=ana&position={queued}",
    "time-machine": "/at?at=14:08",
    "incidents": "/incidents?pattern=waited_while_free&over_s=60",
    "compare": "/incidents/compare?before=14:05&after=14:08",
    "simulate": "/incidents/simulate",
    "export": "/incidents/export",
    "health": "/health",
    "search": "/search?q=v-17",
    "not-found": "/conversations/nowhere",
}
SIZES = {"desktop": (1_280, 800), "phone": (360, 740)}


def main() -> None:
    """Take them all."""
    chromium = found_chromium()
    if chromium is None:
        sys.exit("no Chromium: install it with `apt-get install chromium`, or put one on PATH")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with shop_in_a_house() as house, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        pages = {**PAGES, **_jobs(browser, house)}
        for look in LOOKS:
            _take(browser, house, pages, look)
        browser.close()
    print(f"{len(list(FOLDER.glob('*.png')))} pictures in {FOLDER.relative_to(ROOT)}")  # noqa: T201


def _jobs(browser: Browser, house: House) -> Mapping[str, str]:
    """The reports of a verification and of a simulation, once they are there."""
    page = browser.new_page()
    page.goto(f"{house.url}/health")
    page.locator("main button.primary").click()
    verified = _done(page, house)
    page.goto(f"{house.url}/incidents/simulate")
    page.locator("#operator").fill("ben")
    page.locator("#capacity").fill("3")
    page.locator("main button.primary").click()
    simulated = _done(page, house)
    page.close()
    return {"verified": verified, "simulated": simulated}


def _done(page: Page, house: House) -> str:
    page.wait_for_selector(".state.done")
    return page.url.removeprefix(house.url)


class Look(NamedTuple):
    """How a page is looked at."""

    language: str
    colours: Literal["light", "dark"]
    size: str


LOOKS = [
    Look(language, colours, size)
    for language in ("en", "de")
    for colours in ("light", "dark")
    for size in SIZES
]


def _take(browser: Browser, house: House, pages: Mapping[str, str], look: Look) -> None:
    width, height = SIZES[look.size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale=look.language,
        color_scheme=look.colours,
        reduced_motion="reduce",
    )
    page = context.new_page()
    for name, path in pages.items():
        page.goto(house.url + path.format(queued=house.shop.queued))
        expect(page.locator("details[open] > .inside:not([data-filled])")).to_have_count(0)
        expect(page.locator("[data-then]:not([data-filled])")).to_have_count(0)
        if name == "live":
            page.wait_for_selector("#link.live")
        page.screenshot(path=_file(name, look), full_page=True)
    context.close()


def _file(name: str, look: Look) -> Path:
    return FOLDER / f"{name}-{look.size}-{look.colours}-{look.language}.png"


if __name__ == "__main__":
    main()
