"""What a newcomer has in front of him: ``fernamt up``, and the example pages in one browser."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page

from tests.browser.conftest import WITHIN_MS
from tests.extra.chat_site import chromium
from tests.extra.pages import PageServer, page_server
from tests.servers.engine import Engine
from tests.servers.postgres import free_port


class TryOut:
    """The engine asks nobody who he is: the address of a page says it."""

    def __init__(self, pages: PageServer, browser: Browser) -> None:
        self._pages = pages
        self._browser = browser

    @asynccontextmanager
    async def window(self, look: Mapping[str, object]) -> AsyncIterator[BrowserContext]:
        """Pages that hear each other's texts, as those of one browser do."""
        context = await self._browser.new_context(**look)  # type: ignore[arg-type]
        context.set_default_timeout(WITHIN_MS)
        yield context
        await context.close()

    async def begin(self, window: BrowserContext, workspace: str = "tryout") -> Page:
        """The first page, which makes the workspace."""
        self._pages.settings["workspace"] = workspace
        page = await window.new_page()
        await page.goto(self._pages.url)
        await page.locator("#links").wait_for()
        return page

    @staticmethod
    async def follow(first: Page, link: str) -> Page:
        """The page that a link of the first one opens; an operator logs in there."""
        async with first.context.expect_page() as opening:
            await first.get_by_role("link", name=link).click()
        page = await opening.value
        if "inbox" in page.url:
            await page.locator("#login:enabled").click()
            await page.locator("[data-working=true]").wait_for()
        return page


@asynccontextmanager
async def tryout(directory: Path) -> AsyncIterator[TryOut]:
    """Start it all, and end it after use."""
    async with AsyncExitStack() as stack:
        pages = stack.enter_context(page_server())
        port = str(free_port())
        door = ("--websocket-port", port, "--websocket-origin", pages.url)
        engine = Engine(directory, options=door)
        engine.start()
        stack.callback(engine.kill)
        pages.settings = {"url": f"ws://127.0.0.1:{port}", "entry_point": "site"}
        yield TryOut(pages, await stack.enter_async_context(chromium()))
