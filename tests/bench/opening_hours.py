"""Before the first round: the engine is set up, and what it writes and says is recorded."""

import asyncio

from shared.ports import Message
from shared.wire.subjects import ROOT
from tests.bench.floor import Shape, Shapes
from tests.bench.office import Said, Visitors, settled
from tests.bench.sides import Servers, Side
from tests.servers.waiting import until

AT_ONCE = 64
_ANSWER_WITHIN_S = 30.0


async def settle(servers: Servers, engine: Side) -> None:
    """Have everything set up; every command must be accepted."""
    creation, *others = settled()
    await _ask(servers, engine, creation)
    for start in range(0, len(others), AT_ONCE):
        several = others[start : start + AT_ONCE]
        await asyncio.gather(*(_ask(servers, engine, said) for said in several))


async def shapes(servers: Servers, engine: Side) -> Shapes:
    """What opening and closing a conversation make the engine write and say."""
    visitors = Visitors(seed=0)
    opening = visitors.opening()
    closing = visitors.closing(opening)
    return {said.name: await _shape(servers, engine, said) for said in (opening, closing)}


async def _shape(servers: Servers, engine: Side, said: Said) -> Shape:
    feeds: list[tuple[str, str]] = []

    def on_feed(message: Message) -> None:
        feeds.append((message.subject, message.data.decode()))

    subscription = await servers.bus.subscribe(f"{ROOT}.feed.{engine.workspace_id}.>", on_feed)
    position = await engine.rows()
    reply = await _ask(servers, engine, said)
    last = await engine.rows()

    async def told() -> bool:
        return await engine.told() >= last

    await until("the feeds are sent", told)
    await subscription.stop()
    rows = [(topic, state.decode()) for topic, state in await engine.tail(position)]
    assert rows
    assert feeds
    return Shape(tuple(rows), reply.decode(), tuple(feeds))


async def _ask(servers: Servers, engine: Side, said: Said) -> bytes:
    message = said.message(engine.workspace_id)
    answer = await servers.bus.request(
        message.subject, message.data, headers=message.headers, timeout_s=_ANSWER_WITHIN_S
    )
    assert answer.data.startswith(b'{"ok":true,'), (said, answer.data)
    return answer.data
