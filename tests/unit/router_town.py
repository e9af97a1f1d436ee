"""Live workspaces without a broker and a store: the test says when something is committed."""

import asyncio
from typing import Any, cast

from services.router.crowd import Crowd
from services.router.live import LiveWorkspace
from services.router.turns import Turns
from services.router.units import Answer, Job, Unit
from shared.ports import StoredRow
from shared.routing.commands import Refused
from shared.routing.ids import Position, UnixMs, WorkspaceId
from tests.servers.hand_clock import HandClock
from tests.servers.waiting import until


class Everything:
    """Nothing is anywhere but in memory."""

    is_whole = True

    def lacking(self, _asked: Any) -> tuple[()]:
        return ()

    def end(self) -> None:
        """Nothing to end."""


class Deciding:
    """Decides every job with one row, or with none for a query, or fails."""

    def __init__(self) -> None:
        self.position = Position(0)
        self.fails = False
        self.timers_fail = False
        self.settled = Everything()

    def take(self, job: Job) -> Unit:
        if self.fails:
            raise ZeroDivisionError
        answer = Answer(self.position, UnixMs(0), None)
        if cast("Any", job.asked) == "query":
            return Unit(job, answer)
        self.position = Position(self.position + 1)
        return Unit(job, answer, [StoredRow(self.position, "t", b"")])

    def wake(self) -> None:
        """No timers, but for faulty ones."""
        if self.timers_fail:
            raise ZeroDivisionError


class Town:
    """Workspaces, their turns, and everything that they hand on."""

    def __init__(self) -> None:
        self.clock = HandClock(1_000)
        self.crowd = Crowd(self.clock)
        self.turns = Turns(lambda _live: None)
        self.units: list[tuple[LiveWorkspace, Unit]] = []
        self.answered: list[int] = []
        """How many milliseconds each answer took."""
        self.refused: list[tuple[str, str]] = []
        self.holds = True
        """Whether the leases last."""

    def workspace(self, name: str) -> LiveWorkspace:
        live = LiveWorkspace(WorkspaceId(name), self, self.crowd)
        live.loaded(cast("Any", Deciding()))
        return live

    def send(self, live: LiveWorkspace, count: int = 1, asked: str = "command") -> None:
        """As the intake does it: what is not refused is submitted."""
        for _ in range(count):
            job = Job(live.workspace_id, cast("Any", asked), self.crowd.now())
            refusal = live.refusal()
            if refusal is None:
                live.submit(job)
            else:
                self.refuse(job, refusal)

    async def decide_all(self) -> None:
        """Have everybody's turns come until nothing is left to decide."""
        work = asyncio.create_task(self.turns.run())
        await self.drained()
        work.cancel()

    async def drained(self) -> None:
        """Wait until everything is decided that could be, while somebody decides."""

        async def decided() -> bool:
            return not self.turns._line

        await until("nothing is left to decide", decided, every_s=0)

    def store(self, count: int) -> None:
        """The store has the oldest units."""
        several, self.units = self.units[:count], self.units[count:]
        for live, unit in several:
            live.committed(unit)

    # --- ``Outlet`` -----------------------------------------------------------------------------

    def decide(self, live: LiveWorkspace) -> None:
        self.turns.join(live)

    def commit(self, live: LiveWorkspace, unit: Unit) -> None:
        self.units.append((live, unit))

    def release(self, _live: LiveWorkspace, unit: Unit) -> None:
        assert unit.job is not None
        self.answered.append(self.clock.now_ms - unit.job.came_at)

    def may_answer(self) -> bool:
        return self.holds

    def announce(self, live: LiveWorkspace, position: Position) -> None:
        """Nobody listens."""

    def refuse(self, job: Job, refused: Refused) -> None:
        self.refused.append((job.reply, refused.code))

    def reload(self, live: LiveWorkspace) -> None:
        """Left to the test."""
