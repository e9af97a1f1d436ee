"""Services in one process: ready together, stopped in order, and a fault of one ends all."""

import asyncio
from collections.abc import Iterable

import pytest

from services.cli.running import Running
from shared.runtime.figures import Figure

WITHIN_S = 10


class Worker:
    """A service that does nothing but note in ``diary`` what becomes of it."""

    def __init__(self, name: str, diary: list[str]) -> None:
        self.name = name
        self.ready = asyncio.Event()
        self.fault: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._diary = diary

    async def run(self) -> None:
        try:
            await self.fault
            self._diary.append(f"{self.name} has drained")
        finally:
            self._diary.append(f"{self.name} has ended")

    async def figures(self) -> Iterable[Figure]:
        return ()

    def stop(self) -> None:
        self._diary.append(f"{self.name} is told to stop")
        if not self.fault.done():
            self.fault.set_result(None)


@pytest.fixture
async def diary() -> list[str]:
    return []


@pytest.fixture
async def first(diary: list[str]) -> Worker:
    return Worker("first", diary)


@pytest.fixture
async def second(diary: list[str]) -> Worker:
    return Worker("second", diary)


@pytest.fixture
async def running(first: Worker, second: Worker) -> Running:
    return Running({"first": first, "second": second})


async def test_they_are_ready_when_all_are(running: Running, first: Worker, second: Worker) -> None:
    ready = asyncio.create_task(running.ready())
    second.ready.set()
    await asyncio.wait({ready}, timeout=0)
    assert not ready.done()
    first.ready.set()
    async with asyncio.timeout(WITHIN_S):
        await ready
    await running.stop()


async def test_a_fault_before_all_are_ready_comes_out(
    running: Running, first: Worker, second: Worker
) -> None:
    first.ready.set()
    second.fault.set_exception(OSError("cannot start"))
    with pytest.raises(OSError, match="cannot start"):
        await running.ready()
    with pytest.raises(OSError, match="cannot start"):
        await running.stop()


async def test_a_fault_of_one_ends_the_waiting(running: Running, second: Worker) -> None:
    ended = asyncio.create_task(running.ended())
    second.fault.set_exception(OSError("broken"))
    with pytest.raises(OSError, match="broken"):
        await ended


async def test_they_stop_one_after_another_in_their_order(
    running: Running, diary: list[str]
) -> None:
    await running.stop()
    assert diary == [
        "first is told to stop",
        "first has drained",
        "first has ended",
        "second is told to stop",
        "second has drained",
        "second has ended",
    ]


async def test_a_fault_while_stopping_keeps_nobody_from_draining(
    running: Running, first: Worker, diary: list[str]
) -> None:
    first.fault.set_exception(OSError("broken"))
    with pytest.raises(OSError, match="broken"):
        await running.stop()
    assert diary[-2:] == ["second has drained", "second has ended"]
