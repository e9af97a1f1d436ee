"""The example pages as a newcomer meets them: beside ``fernamt up``, in one browser."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import expect

from tests.browser.conftest import WITHIN_MS
from tests.extra.tryout import TryOut, tryout

expect.set_options(timeout=WITHIN_MS)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[TryOut]:
    async with tryout(tmp_path) as started:
        yield started


async def test_a_newcomer_chats_with_himself_in_three_pages(site: TryOut) -> None:
    async with site.window({"locale": "en-GB"}) as window:
        first = await site.begin(window)
        found = await Axe().run(first)
        assert found.violations_count == 0, found.generate_report()
        ana, cleo = (
            await site.follow(first, "Inbox of ana"),
            await site.follow(first, "Inbox of cleo"),
        )
        vera = await site.follow(first, "Widget of the visitor vera")
        await vera.locator("#first").fill("Where is my parcel?")
        await vera.locator("#begin").click()
        await expect(ana.locator("#mine .theirs")).to_have_text(["Where is my parcel?"])
        await ana.locator("#mine textarea").fill("Let me look.")
        await ana.get_by_role("button", name="Reply").click()
        await expect(vera.locator("#lines .theirs")).to_have_text(["Let me look."])
        await vera.locator("#text").fill("Thank you")
        await vera.locator("#text").press("Enter")
        await ana.locator("#mine select").select_option(label="second-level")
        await ana.get_by_role("button", name="Forward").click()
        written = ["Where is my parcel?", "Let me look.", "Thank you"]
        await expect(cleo.locator("#mine .texts li")).to_have_text(written)
        await first.reload()  # everything is there already
        await expect(first.locator("#links")).to_be_visible()
        await expect(first.locator("#trouble")).to_be_empty()


async def test_a_conversation_that_is_known_no_more_gives_way_to_another(site: TryOut) -> None:
    """As after the engine's data was thrown away."""
    async with site.window({"locale": "en-GB"}) as window:
        vera = await site.follow(await site.begin(window), "Widget of the visitor vera")
        await vera.evaluate(
            'sessionStorage.setItem(\'tryout.vera.conversation\', \'{"id": "gone", "after": 9}\')'
        )
        await vera.reload()
        await expect(vera.locator("#trouble")).to_contain_text("gone")
        await vera.get_by_role("button", name="Start another chat").click()
        await expect(vera.locator("#start")).to_be_visible()


async def test_it_speaks_german(site: TryOut) -> None:
    async with site.window({"locale": "de-DE"}) as window:
        vera = await site.follow(await site.begin(window), "Widget of the visitor vera")
        await expect(vera.locator("html")).to_have_attribute("lang", "de")
        await expect(vera.locator("#mode")).to_contain_text("Gerade ist niemand da.")
        await expect(vera.get_by_role("button", name="Nachricht hinterlassen")).to_be_visible()
