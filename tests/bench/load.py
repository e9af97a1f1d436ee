"""Load on request/reply subjects: closed loop (how much) and open loop (how long at this rate)."""

import asyncio
import random
import selectors
import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from time import perf_counter
from typing import NamedTuple

import msgspec

from tests.bench.lean_nats import LeanNats, TooManyWaiting

START_AFTER_S = 0.05


class Request(NamedTuple):
    """What to send."""

    subject: str
    data: bytes
    headers: Mapping[str, str] | None = None


Make = Callable[[int], Request]
"""Makes request 0, 1, 2 ...; it may look at what ``Judge`` has seen of earlier answers."""


Judge = Callable[[int, bytes, bytes], bool]
"""Sees number, header block and body of every answer as it arrives; says whether it is right."""


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """Latencies are those of answered requests, in milliseconds."""

    n: int
    """Requests answered, rightly or wrongly."""
    rate: float
    """Answers a second, from the first request to the last answer."""
    p50_ms: float
    p99_ms: float
    max_ms: float
    errors: int
    """Answers that were judged wrong, and requests without an answer."""
    late_p99_ms: float = 0.0
    """Open loop: how late the generator itself was. It is part of the latencies."""
    seconds: Sequence[float] = ()
    """Each latency, in the order in which the answers came and were judged."""


def no_error(_number: int, headers: bytes, _data: bytes) -> bool:
    """Judge by the headers: nobody there, or an error of a service."""
    return not headers or not (
        headers.startswith(b"NATS/1.0 503") or b"\r\nNats-Service-Error" in headers
    )


async def closed_loop(
    client: LeanNats,
    make: Make,
    *,
    in_flight: int,
    total: int,
    judge: Judge = no_error,
    within_s: float = 120,
) -> LoadResult:
    """Send ``total`` requests, a new one for every answer, ``in_flight`` at the start.

    Latency counts from the sending. Raises ``ConnectionError``.
    """
    run = _Run(client, make, judge, total)
    run.began = perf_counter()

    def next_one() -> None:
        if run.sent < total:
            run.send(perf_counter(), next_one)

    for _ in range(min(in_flight, total)):
        next_one()
    await run.finished(within_s)
    return run.result()


async def lasting_loop(
    client: LeanNats,
    make: Make,
    *,
    in_flight: int,
    seconds: float,
    judge: Judge = no_error,
    within_s: float = 60,
) -> LoadResult:
    """Send a new request for every answer, and after so many seconds no more.

    Waits ``within_s`` longer for the last answers. Raises ``ConnectionError``.
    """
    run = _Run(client, make, judge, sys.maxsize)
    run.began = perf_counter()

    def next_one() -> None:
        if perf_counter() - run.began < seconds:
            run.send(perf_counter(), next_one)
        else:
            run.send_no_more()

    for _ in range(in_flight):
        next_one()
    await run.finished(seconds + within_s)
    run.send_no_more()  # where the last answer did not come, so that what is missing counts
    return run.result()


async def open_loop(
    client: LeanNats,
    make: Make,
    *,
    rate: float,
    total: int,
    seed: int,
    judge: Judge = no_error,
    within_s: float = 120,
) -> LoadResult:
    """Send ``total`` requests at random moments, ``rate`` a second on average, answered or not.

    Latency counts from the moment a request should have been sent, so that a stall is felt by all
    who would have come during it. Use ``precise_loop``: others round timers up to a millisecond.
    Raises ``ConnectionError``.
    """
    run = _Run(client, make, judge, total)
    run.began = perf_counter() + START_AFTER_S
    moments = [run.began + at for at in arrivals(rate, total, seed)]
    late = array("d")

    def send_due() -> None:
        now = perf_counter()
        while run.sent < total and moments[run.sent] <= now:
            late.append(now - moments[run.sent])
            run.send(moments[run.sent])
        if run.sent < total:
            run.loop.call_later(max(0.0, moments[run.sent] - perf_counter()), send_due)

    run.loop.call_later(START_AFTER_S / 2, send_due)
    await run.finished(within_s)
    return msgspec.structs.replace(run.result(), late_p99_ms=quantile_ms(sorted(late), 0.99))


def arrivals(rate: float, total: int, seed: int) -> list[float]:
    """Seconds after the start at which requests are due: a Poisson process, the same for a seed."""
    chance = random.Random(seed)
    return list(accumulate(chance.expovariate(rate) for _ in range(total)))


def precise_loop() -> asyncio.AbstractEventLoop:
    """A loop with timers of microseconds, for ``asyncio.Runner(loop_factory=precise_loop)``."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


class _Run:
    """What one measurement knows while it goes on."""

    def __init__(self, client: LeanNats, make: Make, judge: Judge, total: int) -> None:
        self.loop = asyncio.get_running_loop()  # whose clock, under uvloop, counts milliseconds
        self.began = 0.0
        self.sent = 0
        self._client = client
        self._make = make
        self._judge = judge
        self._total = total
        self._latencies = array("d")
        self._wrong = 0
        self._settled = 0
        self._ended = 0.0
        self._done = self.loop.create_future()

    def send(self, counted_from: float, then: Callable[[], None] | None = None) -> None:
        number = self.sent
        self.sent += 1
        request = self._make(number)

        def answered(headers: bytes, data: bytes) -> None:
            self._ended = perf_counter()
            self._latencies.append(self._ended - counted_from)
            self._settle(right=self._judge(number, headers, data))
            if then is not None:
                then()

        try:
            self._client.request(request.subject, request.data, answered, headers=request.headers)
        except TooManyWaiting:
            self._settle(right=False)

    def send_no_more(self) -> None:
        """What was sent by now is all there is."""
        self._total = self.sent
        self._end_if_all_settled()

    def _settle(self, *, right: bool) -> None:
        self._wrong += not right
        self._settled += 1
        self._end_if_all_settled()

    def _end_if_all_settled(self) -> None:
        if self._settled == self._total and not self._done.done():
            self._done.set_result(None)

    async def finished(self, within_s: float) -> None:
        await asyncio.wait(
            (self._done, self._client.lost),
            timeout=within_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if self._client.lost.done():
            self._client.lost.result()
            raise ConnectionError("the client was closed during the measurement")

    def result(self) -> LoadResult:
        ordered = sorted(self._latencies)
        n = len(ordered)
        return LoadResult(
            n=n,
            rate=n / (self._ended - self.began) if n else 0.0,
            p50_ms=quantile_ms(ordered, 0.5),
            p99_ms=quantile_ms(ordered, 0.99),
            max_ms=quantile_ms(ordered, 1),
            errors=self._wrong + self._total - self._settled,
            seconds=self._latencies,
        )


def quantile_ms(ordered: Sequence[float], share: float) -> float:
    """The value that ``share`` of the ``ordered`` seconds do not exceed, in milliseconds."""
    if not ordered:
        return 0.0
    return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))]
