"""A chat platform's installation: the shipped broker, every service, the example pages, a browser.

Everybody comes with a session of the platform's: services by their keys, people by cookie.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from shared.adapters.open_store import open_store
from tests.browser.conftest import ARGUMENTS, WITHIN_MS, found_chromium
from tests.extra.pages import PageServer, page_server
from tests.servers.client import Client
from tests.servers.guarded import Guarded, Platform, guarded_server, websocket_section
from tests.servers.nats_proxy import NatsProxy, nats_proxy
from tests.servers.office import Office
from tests.servers.postgres import free_port
from tests.servers.process import Process
from tests.servers.service_role import as_services

SERVICES = ("auth", "router", "presence", "evaluator", "notifier")

COUNT_TONES = """
window.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) { window.tones += 1; start.apply(this, when); };
"""
"""Nobody listens to a browser without a screen."""


class ChatSite:
    """People and their pages. ``faults`` are those of scripts."""

    def __init__(
        self, broker: Guarded, pages: PageServer, proxy: NatsProxy, browser: Browser
    ) -> None:
        self.broker = broker
        self.pages = pages
        self.proxy = proxy
        """All pages are connected through it."""
        self.faults: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    async def office(self, workspace: str) -> Office:
        """A workspace with ana and ben in support, and cleo in the second level."""
        office = Office(Client(await self.broker.somebody(workspace, "admin", "root")), workspace)
        await office.set_up("ana", "ben")
        await office.admin("create_group", group_id="second-level", name="Second level")
        await office.admin("register_operator", operator_id="cleo")
        await office.admin("join_group", operator_id="cleo", group_id="second-level")
        return office

    async def widget(self, workspace: str, visitor: str, **options: object) -> Page:
        return await self._page(workspace, "visitor", visitor, options)

    async def desk(self, workspace: str, operator: str, **options: object) -> Page:
        """The inbox of an operator who has logged in."""
        page = await self._page(workspace, "operator", operator, options)
        await page.locator("#login:enabled").click()
        await page.locator("[data-working=true]").wait_for()
        return page

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[None]:
        """No page is connected while the block runs; the broker and its services are."""
        await self.proxy.close()
        try:
            yield
        finally:
            await self.proxy.open()

    async def new_page(self, options: Mapping[str, object] | None = None) -> Page:
        """An empty one of a browser that knows nothing yet."""
        wanted = {"locale": "en-GB", "viewport": {"width": 1_100, "height": 800}} | dict(
            options or {}
        )
        context = await self._browser.new_context(**wanted)  # type: ignore[arg-type]
        context.set_default_timeout(WITHIN_MS)
        await context.add_init_script(COUNT_TONES)
        self._contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        return page

    async def leave(self) -> None:
        """Close every page."""
        for context in self._contexts:
            await context.close()
        self._contexts.clear()

    async def _page(
        self, workspace: str, kind: str, actor: str, options: Mapping[str, object]
    ) -> Page:
        page = await self.new_page(options)
        await page.goto(self.pages.login(workspace, kind, actor))
        return page


@asynccontextmanager
async def chat_site(directory: Path, database: str) -> AsyncIterator[ChatSite]:
    """Start everything, with its log in this empty database; end everything after use."""
    await (await open_store(database, migrate=True)).close()
    store = await as_services(database)
    async with AsyncExitStack() as stack:
        pages = stack.enter_context(page_server())
        port = free_port()
        section = websocket_section(port, pages.url)
        server = stack.enter_context(guarded_server(directory, section))
        broker = Guarded(server, directory, Platform(directory))
        stack.push_async_callback(broker.close)
        processes = [_process(broker, name, directory, store) for name in SERVICES]
        for process in processes:
            stack.callback(process.kill)
            process.begin()
        for process in processes:
            await asyncio.to_thread(process.says, "ready")
        proxy = await stack.enter_async_context(nats_proxy(f"ws://127.0.0.1:{port}"))
        pages.sign = broker.platform.token
        pages.settings = {"url": proxy.url.replace("nats:", "ws:"), "entry_point": "site"}
        yield ChatSite(broker, pages, proxy, await stack.enter_async_context(chromium()))


def _process(broker: Guarded, name: str, directory: Path, store: str) -> Process:
    identity = broker.auth_environment() if name == "auth" else broker.identity(name)
    return Process(name, directory, {**identity, "FERNAMT_STORE_URL": store})


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """The machine's own. Raises ``FileNotFoundError``."""
    found = found_chromium()
    if found is None:
        raise FileNotFoundError("no Chromium: install it with `apt-get install chromium`")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        await browser.close()
