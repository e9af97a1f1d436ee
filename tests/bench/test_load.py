"""The load generator tells the truth: shown against nats-py, and against a server that stalls."""

import asyncio
import statistics
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import pytest
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg

from tests.bench.lean_nats import LeanNats
from tests.bench.load import (
    LoadResult,
    Request,
    arrivals,
    closed_loop,
    lasting_loop,
    open_loop,
    precise_loop,
)
from tests.servers.nats import NatsServer, nats_server


@pytest.fixture
async def served(nats: NatsServer) -> AsyncIterator[NatsServer]:
    """A server with nats-py answering on ``echo`` with the same body and headers."""
    client = Client()
    await client.connect(nats.url)

    async def echo(message: Msg) -> None:
        await client.publish(message.reply, message.data, headers=message.headers)

    await client.subscribe("echo", cb=echo)
    await client.flush()
    yield nats
    await client.close()


@pytest.fixture
async def lean(nats: NatsServer) -> AsyncIterator[LeanNats]:
    client = await LeanNats.connect(nats.url)
    yield client
    await client.close()


async def test_nats_py_and_the_lean_client_understand_each_other(
    served: NatsServer, lean: LeanNats
) -> None:
    seen: dict[int, tuple[bytes, bytes]] = {}

    def make(number: int) -> Request:
        headers = {"Fernamt-Command-Id": f"c-{number}"} if number % 2 else None
        return Request("echo", b"\r\n" * number, headers)

    def judge(number: int, headers: bytes, data: bytes) -> bool:
        seen[number] = (headers, data)
        return number % 10 > 0

    result = await closed_loop(lean, make, in_flight=64, total=2_000, judge=judge)
    assert result.n == 2_000
    assert result.errors == 200
    assert 0 < result.p50_ms <= result.p99_ms <= result.max_ms
    assert result.rate > 0
    for number, (headers, data) in seen.items():
        assert data == b"\r\n" * number
        assert (f"Fernamt-Command-Id: c-{number}\r\n".encode() in headers) is bool(number % 2)


async def test_a_request_may_depend_on_earlier_answers(served: NatsServer, lean: LeanNats) -> None:
    answers: list[bytes] = [b"1"]

    def judge(_number: int, _headers: bytes, data: bytes) -> bool:
        answers.append(data)
        return True

    def make(_number: int) -> Request:
        return Request("echo", b"%d" % (2 * int(answers[-1])))

    await closed_loop(lean, make, in_flight=1, total=10, judge=judge)
    assert answers[-1] == b"1024"


async def test_nobody_there_counts_as_an_error(lean: LeanNats) -> None:
    result = await closed_loop(lean, lambda _: Request("nobody", b""), in_flight=5, total=100)
    assert (result.n, result.errors) == (100, 100)


async def test_an_answer_that_never_comes_counts_as_an_error(lean: LeanNats) -> None:
    lean.subscribe("silent", lambda *_: None)
    await lean.flush()
    result = await closed_loop(
        lean, lambda _: Request("silent", b""), in_flight=3, total=5, within_s=0.05
    )
    assert (result.n, result.errors, result.rate) == (0, 5, 0)


async def test_a_lasting_load_ends_by_itself_with_every_answer(
    served: NatsServer, lean: LeanNats
) -> None:
    seen: list[int] = []

    def judge(number: int, _headers: bytes, _data: bytes) -> bool:
        seen.append(number)
        return True

    result = await lasting_loop(
        lean, lambda _: Request("echo", b""), in_flight=8, seconds=0.1, judge=judge
    )
    assert (result.n, result.errors) == (len(seen), 0)
    assert sorted(seen) == list(range(len(seen)))
    assert seen


async def test_a_lasting_load_that_is_not_answered_ends_too(lean: LeanNats) -> None:
    lean.subscribe("silent", lambda *_: None)
    await lean.flush()
    result = await lasting_loop(
        lean, lambda _: Request("silent", b""), in_flight=3, seconds=0.1, within_s=0
    )
    assert result.n == 0
    assert 1 <= result.errors <= 3


async def test_a_stall_is_felt_by_all_who_would_have_come_during_it(
    served: NatsServer, lean: LeanNats
) -> None:
    """A generator that waits for answers would send one request into the stall, and report one."""
    loop = asyncio.get_running_loop()
    loop.call_later(0.2, served.pause)
    loop.call_later(0.5, served.resume)
    result = await open_loop(lean, lambda _: Request("echo", b""), rate=1_000, total=800, seed=1)
    assert (result.n, result.errors) == (800, 0)
    assert result.max_ms > 250
    assert result.p99_ms > 200
    assert result.p50_ms < 150


async def test_a_lost_connection_ends_the_measurement(nats: NatsServer, lean: LeanNats) -> None:
    asyncio.get_running_loop().call_later(0.05, nats.kill)
    with pytest.raises(ConnectionError):
        await open_loop(lean, lambda _: Request("nobody", b""), rate=100, total=10_000, seed=1)


async def test_a_refused_connection_says_why() -> None:
    with (
        nats_server("authorization { user: a, password: b }") as server,
        pytest.raises(ConnectionError, match="Authorization Violation"),
    ):
        await LeanNats.connect(server.url)


def test_arrivals_are_random_and_the_same_for_a_seed() -> None:
    moments = arrivals(1_000, 20_000, seed=7)
    assert moments == arrivals(1_000, 20_000, seed=7) != arrivals(1_000, 20_000, seed=8)
    gaps = [later - sooner for sooner, later in pairwise(moments)]
    assert 0.00097 < statistics.mean(gaps) < 0.00103
    assert 0.00097 < statistics.stdev(gaps) < 0.00103  # as wide as their mean: a Poisson process


@pytest.mark.parametrize(
    ("loop_factory", "late_max_ms"), [(precise_loop, 20), (uvloop.new_event_loop, 50)]
)
def test_open_loop_keeps_to_its_plan_on_both_loops(
    loop_factory: Callable[[], asyncio.AbstractEventLoop], late_max_ms: float
) -> None:
    async def measure(url: str) -> LoadResult:
        client = await LeanNats.connect(url)
        client.subscribe("echo", lambda _, reply, __, data: client.publish(reply.decode(), data))
        await client.flush()
        result = await open_loop(
            client, lambda _: Request("echo", b""), rate=500, total=250, seed=2
        )
        await client.close()
        return result

    with nats_server() as server, asyncio.Runner(loop_factory=loop_factory) as runner:
        result = runner.run(measure(server.url))
    assert (result.n, result.errors) == (250, 0)
    assert result.late_p99_ms < late_max_ms
