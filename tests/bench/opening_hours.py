"""Before the first round: the engine is set up, and what it writes and says is recorded."""

import asyncio

from shared.adapters.nats_bus import NatsBus
from shared.ports import Message
from shared.routing.ids import WorkspaceId
from shared.wire.subjects import ROOT
from tests.bench.floor import Shape, Shapes
from tests.bench.office import Said, Visitors, settled
from tests.bench.sides import Servers, Side

AT_ONCE = 64
_ANSWER_WITHIN_S = 30.0


async def settle(bus: NatsBus, workspace_id: WorkspaceId) -> None:
    """Have everything set up; every command must be accepted."""
    creation, *others = settled()
    await _ask(bus, workspace_id, creation)
    for start in range(0, len(others), AT_ONCE):
        several = others[start : start + AT_ONCE]
        await asyncio.gather(*(_ask(bus, workspace_id, said) for said in several))


async def shapes(servers: Servers, engine: Side) -> Shapes:
    """What every command of a round makes the engine write and say."""
    visitors = Visitors(seed=0)
    found: Shapes = {}
    life = visitors.life()
    said: Said | None = life.opening
    while said is not None:
        shape = found[said.sort] = await _shape(servers, engine, said)
        said = life.next(shape.reply.encode())
    opening = visitors.opening()
    await _ask(servers.bus, engine.workspace_id, opening)
    closing = visitors.closing(opening)
    found[closing.sort] = await _shape(servers, engine, closing)
    return found


async def _shape(servers: Servers, engine: Side, said: Said) -> Shape:
    feeds: list[tuple[str, str]] = []

    def on_feed(message: Message) -> None:
        feeds.append((message.subject, message.data.decode()))

    await engine.feeds_sent()  # or what was said before would be taken for a part of this
    subscription = await servers.bus.subscribe(f"{ROOT}.feed.{engine.workspace_id}.>", on_feed)
    position = await engine.rows()
    reply = await _ask(servers.bus, engine.workspace_id, said)
    await engine.feeds_sent()
    await subscription.stop()
    rows = [(topic, state.decode()) for topic, state in await engine.tail(position)]
    assert rows
    return Shape(tuple(rows), reply.decode(), tuple(feeds))


async def _ask(bus: NatsBus, workspace_id: WorkspaceId, said: Said) -> bytes:
    message = said.message(workspace_id)
    answer = await bus.request(
        message.subject, message.data, headers=message.headers, timeout_s=_ANSWER_WITHIN_S
    )
    assert answer.data.startswith(b'{"ok":true,'), (said, answer.data)
    return answer.data
