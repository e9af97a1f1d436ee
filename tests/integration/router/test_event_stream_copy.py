"""The copy of the log for back ends: complete, in order, whatever the load and across restarts."""

import asyncio

from tests.servers.engine import Engine
from tests.servers.office import Office, read_log
from tests.servers.streams import events_of_stream

WAVES = 30
ABREAST = 50


async def test_under_load_the_stream_becomes_the_log(
    engine: Engine, office: Office, log_url: str
) -> None:
    await office.come_online("ana")
    await office.open("vera", "c1")
    for _ in range(WAVES):
        writing = (office.visitor("vera", "write", conversation_id="c1") for _ in range(ABREAST))
        await asyncio.gather(*writing)
    log = await read_log(log_url, office.workspace)
    stream = await events_of_stream(office.client, office.workspace, upto=len(log))
    assert [event.position for event in stream] == [position for position, _ in log]
    assert [event.topic for event in stream] == [
        envelope.data.__struct_config__.tag for _, envelope in log
    ]
    assert "relay_overtaken" not in engine.stderr, "two publish the same workspace"
    assert "task_failed" not in engine.stderr
