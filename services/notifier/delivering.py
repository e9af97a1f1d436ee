"""Sends what stands in the outbox: a queue for each recipient, so that a dead one delays no other.

A lane sends one row after another. First tries therefore go out in the order of the events; what
failed waits for its next try while the rows behind it go on, so that it blocks nobody for ever. A
lane whose tries fail pauses for longer and longer, and shares a few slots with others like it: the
other slots are for those who answer.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

import structlog

from services.notifier.channel_settings import Pace
from services.notifier.spans import DeliverySpans
from shared.ports import Channel, Clock, Lane, Outbox, OutboxRow, Pending, StoreError
from shared.routing.ids import UnixMs, WorkspaceId
from shared.routing.workspace import Workspace
from shared.runtime import metrics
from shared.runtime.figures import Figure
from shared.runtime.tasks import Tasks

log = structlog.get_logger()

SLOTS: Mapping[Channel, int] = {"mail": 4, "webhook": 32}
"""Tries under way at a time, with recipients whose last try did not fail."""
SLOTS_DOUBTFUL: Mapping[Channel, int] = {"mail": 2, "webhook": 8}
"""... and with the others."""
LOOK_AGAIN_S = 1.0
"""After a store that failed, or for a workspace that has not been read that far yet."""
LOOK_AROUND_S = 60.0
TIMER_MAX_S = 60.0
"""A lane's timer, so that a wall clock that was set is noticed."""
RETRY_AFTER_MAX_MS = 24 * 3_600_000
FINISHING_S = 4.0
"""What is under way when the service ends may take so long; else it is tried again by the next."""
GROWTH = 4
OUTCOMES = ("sent", "not_needed", "failed", "dead")
"""Of a try. After the first two nothing is left to do, after the third it is tried again."""
LANE_PAUSE_SHARES = 16
JITTER = 0.2

Result = Literal["sent", "not_needed", "failed", "hopeless"]


class Outcome(NamedTuple):
    """What became of one try. ``why`` is a few words of ours, without any content."""

    result: Result
    why: str = ""
    retry_after_ms: int = 0
    """What the receiver asked for, 0 if nothing."""


SENT = Outcome("sent")


class Sender(Protocol):
    """One channel. ``send`` raises nothing that the world can cause."""

    async def send(self, workspace: Workspace, row: OutboxRow, trace: str | None) -> Outcome:
        """One try; ``trace`` is what the receiver may go on from."""
        ...


class _LaneState:
    """What is known of a lane while something waits in it."""

    def __init__(self) -> None:
        self.failures = 0
        """Tries in a row that failed."""
        self.news = False
        """Rows came since it was last looked at."""
        self.timer: asyncio.TimerHandle | None = None
        self.working = False


class Delivering:
    """Works through the outbox while ``run`` does; ``wake`` tells it of new rows."""

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        senders: Mapping[Channel, Sender],
        find: Callable[[WorkspaceId], Workspace | None],
        pace: Pace,
        *,
        spans: DeliverySpans | None = None,
    ) -> None:
        """``find`` gives a workspace as far as it has been read, if at all."""
        self._outbox = outbox
        self._clock = clock
        self._senders = senders
        self._find = find
        self._pace = pace
        self._spans = spans
        self._lanes: dict[Lane, _LaneState] = {}
        self._slots = {channel: asyncio.Semaphore(SLOTS[channel]) for channel in senders}
        self._doubtful = {c: asyncio.Semaphore(SLOTS_DOUBTFUL[c]) for c in senders}
        self._tasks: Tasks | None = None
        self._outcomes = {(channel, outcome): 0 for channel in senders for outcome in OUTCOMES}
        self._sending = 0
        self._nothing_under_way = asyncio.Event()
        self._nothing_under_way.set()

    def figures(self) -> Iterator[Figure]:
        """What became of the tries, and how many recipients are in trouble now."""
        for (channel, outcome), number in self._outcomes.items():
            yield Figure(metrics.DELIVERIES, number, (channel, outcome))
        failing = Counter(lane.channel for lane, state in self._lanes.items() if state.failures)
        for channel in self._senders:
            yield Figure(metrics.RECIPIENTS_FAILING, failing[channel], (channel,))

    def wake(self, lanes: Sequence[Lane]) -> None:
        """Something new waits in these lanes, in the outbox already."""
        if self._tasks is None:
            return
        for lane in lanes:
            if lane.channel not in self._senders:
                continue  # kept until this channel is set up again
            state = self._lanes.setdefault(lane, _LaneState())
            state.news = True
            if not state.working and (state.timer is None or not state.failures):
                self._start(lane, state)

    async def run(self) -> None:
        """Send until cancelled; then what is under way is finished, if that takes not too long."""
        tasks = self._tasks = Tasks()
        tasks.start(self._look_around(), "look around")
        try:
            await tasks.failed()
        finally:
            self._tasks = None
            for state in self._lanes.values():
                if state.timer is not None:
                    state.timer.cancel()
            await self._finish(tasks)

    async def _look_around(self) -> None:
        """Find what waits from before, and now and then what somebody else let wait again."""
        while True:
            try:
                lanes = await self._outbox.lanes()
            except StoreError as error:
                log.warning("outbox_not_read", reason=error)
                await asyncio.sleep(LOOK_AGAIN_S)
            else:
                self.wake([lane for lane, _ in lanes if lane not in self._lanes])
                await asyncio.sleep(LOOK_AROUND_S)

    async def _finish(self, tasks: Tasks) -> None:
        try:
            async with asyncio.timeout(FINISHING_S):
                await self._nothing_under_way.wait()
        except TimeoutError:
            log.warning("sending_abandoned", under_way=self._sending)
        await tasks.stop()
        self._lanes.clear()

    # --- one lane ---------------------------------------------------------------------------

    def _start(self, lane: Lane, state: _LaneState) -> None:
        if state.timer is not None:
            state.timer.cancel()
            state.timer = None
        if self._tasks is not None:
            state.working = True
            self._tasks.start(self._work(lane, state), f"send {lane.channel}")

    def _later(self, lane: Lane, state: _LaneState, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        state.timer = loop.call_later(min(seconds, TIMER_MAX_S), self._start, lane, state)

    async def _work(self, lane: Lane, state: _LaneState) -> None:
        """Send what is due, then wait for what is not, or forget the lane."""
        pause_s: float | None = 0.0
        try:
            while self._tasks is not None and pause_s == 0.0:
                pause_s = await self._next(lane, state)
        except StoreError as error:
            log.warning("outbox_not_read", workspace=lane.workspace_id, reason=error)
            pause_s = LOOK_AGAIN_S
        state.working = False
        if self._tasks is None:
            return
        if pause_s is None and not state.news:
            del self._lanes[lane]
        elif pause_s is None or (state.news and not state.failures):
            self._start(lane, state)
        else:
            self._later(lane, state, pause_s)

    async def _next(self, lane: Lane, state: _LaneState) -> float | None:
        """Do one thing, and say after how many seconds to look again; none: nothing is left."""
        state.news = False
        pending = await self._outbox.next_of(lane)
        if pending is None:
            return None
        due_in_ms = pending.next_at - self._clock.wall_ms()
        if pending.attempts and due_in_ms > 0:  # a first try is due at once, wherever the clock is
            return due_in_ms / 1_000
        workspace = self._find(lane.workspace_id)
        if workspace is None or workspace.position < pending.row.position:
            return LOOK_AGAIN_S
        slots = self._doubtful if state.failures else self._slots
        async with slots[lane.channel]:
            if self._tasks is None:
                return LOOK_AGAIN_S
            self._begin()
            try:
                fine = await self._try(workspace, pending)
            finally:
                self._end()
        state.failures = 0 if fine else state.failures + 1
        return 0.0 if fine else self._pause_s(state.failures)

    def _begin(self) -> None:
        self._sending += 1
        self._nothing_under_way.clear()

    def _end(self) -> None:
        self._sending -= 1
        if not self._sending:
            self._nothing_under_way.set()

    def _pause_s(self, failures: int) -> float:
        """What a lane waits after so many failures: an eighth of a row's first pause, up to it."""
        share = min(2 ** min(failures, LANE_PAUSE_SHARES), LANE_PAUSE_SHARES)
        return _jittered(self._pace.first_retry_ms * share // LANE_PAUSE_SHARES) / 1_000

    # --- one row ----------------------------------------------------------------------------

    async def _try(self, workspace: Workspace, pending: Pending) -> bool:
        """Send one row and write down what became of it; false if the receiver is in trouble."""
        row, attempts = pending.row, pending.attempts + 1
        span = await self._spans.begin(row) if self._spans is not None else None
        outcome = await self._sent(workspace, row, span.trace if span is not None else None)
        if span is not None:
            span.end(outcome=outcome.result, attempt=attempts)
        if outcome.result in ("sent", "not_needed"):
            self._outcomes[row.channel, outcome.result] += 1
            await self._written(lambda: self._outbox.done(row.id))
            if outcome.result == "sent":
                _about(row).debug("delivered")
            else:
                _about(row).info("not_needed", reason=outcome.why)
            return True
        hopeless = outcome.result == "hopeless"
        now = self._clock.wall_ms()
        if hopeless or attempts >= self._pace.attempts_max:
            self._outcomes[row.channel, "dead"] += 1
            await self._written(lambda: self._outbox.dead(row.id, attempts, now, outcome.why))
            _about(row).error("dead_letter", attempts=attempts, reason=outcome.why)
            return hopeless
        self._outcomes[row.channel, "failed"] += 1
        next_at = UnixMs(now + self._retry_ms(attempts, outcome.retry_after_ms))
        await self._written(lambda: self._outbox.retry(row.id, attempts, next_at, outcome.why))
        _about(row).warning("not_delivered", attempts=attempts, reason=outcome.why)
        return False

    async def _sent(self, workspace: Workspace, row: OutboxRow, trace: str | None) -> Outcome:
        """One try. A fault of ours is one that failed: it must not keep all others from leaving."""
        try:
            return await self._senders[row.channel].send(workspace, row, trace)
        except Exception as error:  # noqa: BLE001 - one row's fault is not the service's end
            _about(row).exception("sending_failed")
            return Outcome("failed", f"fault {type(error).__name__}")

    async def _written(self, write: Callable[[], Awaitable[None]]) -> None:
        """Write an outcome until that succeeds: it happened, whatever the store does."""
        while True:
            try:
                await write()
            except StoreError as error:
                log.warning("outcome_not_written", reason=error)
                await asyncio.sleep(LOOK_AGAIN_S)
            else:
                return

    def _retry_ms(self, attempts: int, asked_for_ms: int) -> int:
        pause_ms = self._pace.first_retry_ms * GROWTH ** (attempts - 1)
        return max(_jittered(pause_ms), min(asked_for_ms, RETRY_AFTER_MAX_MS))


def _jittered(milliseconds: int) -> int:
    """About so long, so that what failed together does not come again together."""
    return round(milliseconds * random.uniform(1 - JITTER, 1 + JITTER))


def _about(row: OutboxRow) -> structlog.typing.FilteringBoundLogger:
    bound: structlog.typing.FilteringBoundLogger = log.bind(
        workspace=row.workspace_id,
        channel=row.channel,
        recipient=row.recipient,
        position=row.position,
    )
    return bound
