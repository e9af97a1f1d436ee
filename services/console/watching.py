"""What browsers are told while they look: the state after each change, and decisions as they fall.

One set of questions serves every browser that watches a workspace, and each text is made once for a
language. A browser that cannot keep up is dropped: it connects again and begins with what is so
then, as it does after any gap.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

import structlog

from services.console.asking import Engine, Trouble, unless_troubled
from services.console.decisions import DecisionLine, latest_decisions, line_of
from services.console.picture import Picture, picture_of
from services.console.wording import Language, Words
from shared.ports import Message, Subscription
from shared.routing.ids import Position, WorkspaceId
from shared.wire.headers import EVENT, MESSAGE_ID
from shared.wire.log_codec import UndecodableEvent, decode_event
from shared.wire.subjects import TeamFeed, events_of, subject_of

log = structlog.get_logger()

BROWSERS_MAX = 200
WAITING_MAX = 64
"""Messages that may wait for one browser."""
AT_ONCE_MAX = 40
"""Decisions told at once; of a flood the newest."""
PAUSE_S = 0.3
"""Between two states, and between two messages with decisions."""
AGAIN_S = 2.0
"""Until the engine is asked again after it did not answer."""
BEAT_S = 15.0
"""A sign of life for browsers and whatever stands between; the state is asked anew as well."""


class News(NamedTuple):
    """One message to browsers; its text is made once for a language."""

    kind: str
    its_id: int
    render: Callable[[Words], str]
    made: dict[Language, str]

    def text(self, words: Words) -> str:
        """As it goes over the line."""
        if words.language not in self.made:
            body = self.render(words).replace("\r", "").split("\n")
            data = "".join(f"data: {line}\n" for line in body)
            self.made[words.language] = f"event: {self.kind}\nid: {self.its_id}\n{data}\n"
        return self.made[words.language]


class Browser:
    """One open stream."""

    def __init__(self) -> None:
        self._waiting: deque[News] = deque()
        self._some = asyncio.Event()
        self.over = False

    def tell(self, news: News) -> None:
        """Let it have this after what waits already. Of states only the last one counts."""
        if news.kind == "state":
            self._waiting = deque(one for one in self._waiting if one.kind != "state")
        self._waiting.append(news)
        if len(self._waiting) > WAITING_MAX:
            self.end()
        self._some.set()

    def end(self) -> None:
        """Send nothing more; the browser is to connect again."""
        self.over = True
        self._waiting.clear()
        self._some.set()

    async def news(self) -> AsyncIterator[News | None]:
        """What it is told, until it is over; nothing now and then, to see whether it is there."""
        while not self.over:
            self._some.clear()
            if self._waiting:
                yield self._waiting.popleft()
                continue
            try:
                async with asyncio.timeout(BEAT_S):
                    await self._some.wait()
            except TimeoutError:
                yield None


Render = Callable[[Words, str, Picture], str]
RenderLines = Callable[[Words, str, Sequence[DecisionLine]], str]
"""The second of either is the workspace."""


class Watch:
    """One workspace, while at least one browser looks at it."""

    def __init__(
        self, engine: Engine, workspace_id: str, render: Render, render_lines: RenderLines
    ) -> None:
        self._engine = engine
        self._workspace_id = workspace_id
        self._render = render
        self._render_lines = render_lines
        self.browsers: set[Browser] = set()
        self.subscribed = asyncio.Event()
        self._seen = Position(0)
        self._fresh: list[DecisionLine] = []
        self._changed = asyncio.Event()
        self._settings_changed = True
        self._picture: Picture | None = None
        self._last: News | None = None
        self._subscriptions: list[Subscription] = []

    async def run(self) -> None:
        """Follow until cancelled. Subscribe, then query, then apply."""
        bus = self._engine.bus
        feed = subject_of(TeamFeed(WorkspaceId(self._workspace_id)))
        try:
            events = events_of(self._workspace_id)
            self._subscriptions.append(await bus.subscribe(events, self._on_event))
            self._subscriptions.append(await bus.subscribe(feed, self._on_change))
            self.subscribed.set()
            await self._keep_up()
        finally:
            for subscription in self._subscriptions:
                await subscription.stop()

    def join(self) -> Browser:
        """A browser that is told from now on; first the state, if that is known already."""
        browser = Browser()
        self.browsers.add(browser)
        if self._last is not None:
            browser.tell(self._last)
        return browser

    def settings_changed(self) -> None:
        """Nothing that was known of the workspace holds for sure: a connection was lost."""
        self._settings_changed = True
        self._changed.set()

    def end(self) -> None:
        for browser in self.browsers:
            browser.end()

    # --- what comes from the engine ---------------------------------------------------------

    def _on_event(self, message: Message) -> None:
        position = _position(message)
        if position <= self._seen:
            return  # told twice, as may happen
        try:
            envelope = decode_event(message.headers.get(EVENT, ""), message.data)
        except UndecodableEvent as error:
            log.warning("event_not_read", subject=message.subject, reason=error)
            return
        self._seen = position
        line = line_of(position, envelope)
        if line is not None:
            self._fresh.append(line)
        if not message.subject.rpartition(".")[2].startswith(("conversation_", "visitor_")):
            self._settings_changed = True
        self._changed.set()

    def _on_change(self, _message: Message) -> None:
        self._changed.set()

    # --- what goes to browsers --------------------------------------------------------------

    async def _keep_up(self) -> None:
        while True:
            self._changed.clear()
            pause_s = PAUSE_S
            if self._fresh:
                fresh, self._fresh = self._fresh[-AT_ONCE_MAX:], []
                self._tell(self.decisions(fresh))
            try:
                await self._look()
            except Trouble as trouble:
                self._tell(_of_trouble(trouble.who, self._seen))
                pause_s = AGAIN_S
                self._changed.set()
            await asyncio.sleep(pause_s)
            try:
                async with asyncio.timeout(BEAT_S):
                    await self._changed.wait()
            except TimeoutError:
                self._settings_changed = True

    async def _look(self) -> None:
        known = None if self._settings_changed else self._picture
        self._settings_changed = False
        try:
            picture = await picture_of(self._engine, self._workspace_id, self._seen, known)
        except Trouble:
            self._settings_changed = True
            raise
        self._picture = picture
        render, its_id = self._render, self._workspace_id
        self._last = News("state", picture.position, lambda w: render(w, its_id, picture), {})
        self._tell(self._last)

    def decisions(self, lines: Sequence[DecisionLine]) -> News:
        """A message with these decisions."""
        kept = tuple(lines[-AT_ONCE_MAX:])
        render, its_id = self._render_lines, self._workspace_id
        return News("decisions", kept[-1].position, lambda w: render(w, its_id, kept), {})

    def _tell(self, news: News) -> None:
        for browser in tuple(self.browsers):
            browser.tell(news)


def _of_trouble(who: str, position: Position) -> News:
    return News(
        "trouble", position, lambda words: words("trouble.nobody", who=words.of("who", who)), {}
    )


def _position(message: Message) -> Position:
    text = message.headers.get(MESSAGE_ID, "").rpartition(":")[2]
    return Position(int(text)) if text.isdecimal() else Position(0)


class TooMany(Exception):
    """No more browsers can watch."""


class Hub:
    """The workspaces that are being watched."""

    def __init__(self, engine: Engine, render: Render, render_lines: RenderLines) -> None:
        self._engine = engine
        self._render = render
        self._render_lines = render_lines
        self._watches: dict[str, tuple[Watch, asyncio.Task[None]]] = {}
        self._closed = False
        engine.bus.on_reconnect(self._on_reconnect)

    @property
    def browsers(self) -> int:
        """How many look on just now."""
        return sum(len(watch.browsers) for watch, _ in self._watches.values())

    async def stream(self, workspace_id: str, after: int, words: Words) -> AsyncIterator[str]:
        """The lines of one browser's stream. Raises ``TooMany``."""
        watch = self._watch(workspace_id)
        browser = watch.join()
        try:
            yield "retry: 1000\n\n"
            await watch.subscribed.wait()
            missed = await unless_troubled(latest_decisions(self._engine, workspace_id, after))
            if missed and not isinstance(missed, Trouble):
                yield watch.decisions(missed).text(words)
            async for news in browser.news():
                yield news.text(words) if news is not None else ": still here\n\n"
        finally:
            watch.browsers.discard(browser)
            await self._leave(workspace_id)

    def refuse_more(self) -> None:
        """Raises ``TooMany``."""
        if self._closed or self.browsers >= BROWSERS_MAX:
            raise TooMany

    async def close(self) -> None:
        """End every stream."""
        self._closed = True
        for watch, task in self._watches.values():
            watch.end()
            task.cancel()
        tasks = [task for _, task in self._watches.values()]
        await asyncio.gather(*tasks, return_exceptions=True)

    def _watch(self, workspace_id: str) -> Watch:
        if workspace_id not in self._watches:
            watch = Watch(self._engine, workspace_id, self._render, self._render_lines)
            task = asyncio.create_task(watch.run(), name=f"watch {workspace_id}")
            task.add_done_callback(lambda ended: _say_why(ended, watch))
            self._watches[workspace_id] = (watch, task)
        return self._watches[workspace_id][0]

    async def _leave(self, workspace_id: str) -> None:
        watch, task = self._watches[workspace_id]
        if not watch.browsers and not self._closed:
            del self._watches[workspace_id]
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _on_reconnect(self) -> None:
        for watch, _ in self._watches.values():
            watch.settings_changed()


def _say_why(ended: "asyncio.Task[None]", watch: Watch) -> None:
    """A watch that fails ends its streams: browsers connect again and get another."""
    watch.end()
    if not ended.cancelled() and ended.exception() is not None:
        log.error("watch_failed", exc_info=ended.exception())
