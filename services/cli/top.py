"""``fernamt top``: who is there, who waits and what is decided, as it goes on."""

import asyncio
import contextlib
import time
from collections import deque
from typing import Annotated, Final

import typer
from rich.live import Live

from services.cli.moments import Clock
from services.cli.options import DEFAULT_DATA, DataDir, StoreUrl
from services.cli.past import Broker, Past, Where, WorkspaceName, Zone, asked
from services.cli.tables import console, show
from services.cli.top_shown import LATEST, WINDOW_MS, Decided, Seen, on_a_page, on_a_screen
from shared.audit.answers import StoredEvents
from shared.ports import NoResponders, StoreError
from shared.routing.events import Decision
from shared.routing.ids import Position, UnixMs
from shared.routing.queries import Queue, Roster
from shared.wire.log_codec import decode_event

PAGE: Final = 1_000
"""Events asked for at once."""
PAGES_MAX: Final = 5
"""... and so many times between two looks. Of more than that the newest are read."""

_PASSING = (TimeoutError, ConnectionError, NoResponders, StoreError, OSError)
"""What keeps one look from succeeding, and maybe not the next."""


def top(
    workspace: WorkspaceName = "",
    data: DataDir = DEFAULT_DATA,
    store: StoreUrl = "",
    nats: Broker = "",
    zone: Zone = "",
    every: Annotated[
        float, typer.Option("--every", min=0.2, max=60.0, help="Seconds between two looks.")
    ] = 1.0,
    once: Annotated[
        bool, typer.Option("--once", help="One look, printed; so it is where no terminal is.")
    ] = False,
) -> None:
    """Watch a workspace: operators, the queue, decisions a second. Ctrl-C ends it.

    Follows the log, or asks the auditor over a broker; writes nothing.

    Exit code 0: shown. 1: the log is damaged. 2: nothing could be read.
    """

    async def watch(past: Past) -> None:
        following = Following(past)
        seen = await following.look()
        if once or not console().is_terminal:
            show(on_a_page(seen, await past.clock()))
        else:
            await _go_on(following, seen, await past.clock(), every)

    with contextlib.suppress(KeyboardInterrupt):
        asked(Where(workspace, data, store, None, nats, zone), watch)


async def _go_on(following: "Following", seen: Seen, clock: Clock, every_s: float) -> None:
    """Show what is seen, again and again, until cancelled."""
    trouble = ""
    with Live(console=console(), screen=True, auto_refresh=False) as live:
        while True:
            live.update(on_a_screen(seen, clock, live.console.size, trouble), refresh=True)
            await asyncio.sleep(every_s)
            try:
                seen, trouble = await following.look(), ""
            except _PASSING as error:
                trouble = f"no answer since {clock.beside(seen.now, _now())}: {error or 'too late'}"


class Following:
    """Looks at a workspace, each time from where it was."""

    def __init__(self, past: Past) -> None:
        self._past = past
        self._read = Position(0)
        self._whole_since = UnixMs(0)
        """From then on no event was left out."""
        self._decided: deque[Decided] = deque()

    async def look(self) -> Seen:
        """As it is now."""
        reach = await self._past.reach()
        await self._read_on(reach.head)
        then = {"position": reach.head}
        roster = await self._past.ask("roster", then, Roster)
        queue = await self._past.ask("queue", then, Queue)
        now = max(_now(), reach.head_at)
        self._forget(UnixMs(now - WINDOW_MS))
        return Seen(
            now=now,
            position=reach.head,
            quiet_ms=now - reach.head_at,
            operators=roster.result.operators,
            waiting=queue.result.waiting,
            waiting_total=queue.result.total,
            decided=tuple(self._decided),
            complete=self._whole_since <= now - WINDOW_MS,
        )

    async def _read_on(self, head: Position) -> None:
        """Read the events since the last look, or the newest of them."""
        newest = Position(max(head - PAGE * PAGES_MAX, 0))
        leaves_out, self._read = self._read < newest, max(self._read, newest)
        while self._read < head:
            fields = {"after": self._read, "limit": PAGE}
            for stored in (await self._past.ask("events", fields, StoredEvents)).result.events:
                envelope = decode_event(stored.topic, bytes(stored.state))
                if leaves_out:
                    leaves_out, self._whole_since = False, envelope.at
                if isinstance(envelope.data, Decision):
                    self._decided.append(Decided(stored.position, envelope.at, envelope.data))
                self._read = stored.position

    def _forget(self, before: UnixMs) -> None:
        """Keep what is counted, and what is shown as the latest however old it is."""
        while len(self._decided) > LATEST and self._decided[0].at < before:
            self._decided.popleft()


def _now() -> UnixMs:
    return UnixMs(time.time_ns() // 1_000_000)
