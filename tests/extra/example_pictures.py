"""Pictures of the example pages: light and dark, wide and narrow, English and German.

``python -m tests.extra.example_pictures`` writes them to ``build/screenshots``, for people to look
at.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import NamedTuple

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.screenshots import FOLDER
from tests.extra.tryout import TryOut, tryout
from tests.servers.engine import ROOT

WIDGET_WIDTH, INBOX_WIDTH, HEIGHT = 440, 1_100, 640


class Look(NamedTuple):
    """How the pages are looked at. ``width``: of the screen."""

    language: str
    colours: str
    width: int

    @property
    def name(self) -> str:
        return f"{'narrow' if self.width < 500 else 'wide'}-{self.colours}-{self.language}"


LOOKS = [
    Look(language, colours, width)
    for language in ("en-GB", "de-DE")
    for colours in ("light", "dark")
    for width in (360, INBOX_WIDTH)
]


async def main() -> None:
    """Take them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        async with tryout(Path(directory)) as site:
            for number, look in enumerate(LOOKS):
                options = {
                    "locale": look.language,
                    "color_scheme": look.colours,
                    "reduced_motion": "reduce",
                }
                async with site.window(options) as window:
                    await _take(site, window, f"shop-{number}", look)
    made = len(list(FOLDER.glob("example-*.png")))
    print(f"{made} pictures in {FOLDER.relative_to(ROOT)}")  # noqa: T201


async def _take(site: TryOut, window: BrowserContext, shop: str, look: Look) -> None:
    """A visitor who comes too early, is answered, and goes on to somebody else."""
    first = await site.begin(window, shop)
    await _picture(first, "start", look)
    vera = await site.follow(first, "vera")
    await expect(vera.locator("body")).to_have_attribute("data-mode", "messenger")
    await _picture(vera, "widget-messenger", look)
    ana, cleo = await site.follow(first, "Inbox of ana"), await site.follow(first, "Inbox of cleo")
    ben = await site.follow(first, "Inbox of ben")
    await ben.locator("#status").select_option("busy")
    await expect(vera.locator("body")).to_have_attribute("data-mode", "live")
    await vera.locator("#first").fill("Hello, my parcel has been in Leipzig since Monday.")
    await _picture(vera, "widget-live", look)
    await vera.locator("#begin").click()
    await expect(vera.locator("#progress")).to_have_attribute("data-state", "assigned")
    await expect(ana.locator("#alerts li")).to_have_count(1)
    victor = await site.follow(first, "victor")
    await victor.locator("#first").fill("Do you ship to Norway?")
    await victor.locator("#begin").click()
    await expect(ana.locator("#alerts li")).to_have_count(2)
    await _picture(ana, "inbox-ringing", look)
    await _goes_on(vera, ana)
    await expect(cleo.locator("#alerts li")).to_have_count(1)
    await _picture(cleo, "inbox-forwarded-to", look)
    await expect(vera.locator("#lines .event")).to_have_count(3)
    await _picture(vera, "widget-conversation", look)
    await _picture(ana, "inbox-forwarded", look)


async def _goes_on(vera: Page, ana: Page) -> None:
    """An answer, a question, and over to the second level."""
    card = ana.locator("#mine > li").filter(has_text="vera")
    await card.locator("textarea").fill("Let me see where it is.")
    await card.locator("[data-part=reply] button").click()
    await vera.locator("#text").fill("It says: held by customs.")
    await vera.locator("#compose button").click()
    await expect(card.locator(".texts li")).to_have_count(3)
    await card.locator("select").select_option(label="second-level")
    await card.locator("[data-part=forward] button").click()


async def _picture(page: Page, name: str, look: Look) -> None:
    widest = WIDGET_WIDTH if name.startswith("widget") else INBOX_WIDTH
    await page.set_viewport_size({"width": min(look.width, widest), "height": HEIGHT})
    await page.screenshot(path=FOLDER / f"example-{name}-{look.name}.png")


if __name__ == "__main__":
    asyncio.run(main())
