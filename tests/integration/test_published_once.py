"""In quiet times every event is sent once: two workers on one workspace would send some again."""

import asyncio

from tests.servers.client import Listening, connected
from tests.servers.engine import running_engine

GROUPS = 50


async def test_whoever_listens_hears_each_event_once_and_in_order() -> None:
    with running_engine() as engine:
        async with connected(engine.url) as client:
            heard = await client.listen("fernamt.v1.evt.w.>")
            await client.command("w", "admin", "boss", "create_workspace", {"name": "Work"})
            replies = await asyncio.gather(
                *(
                    client.command(
                        "w", "admin", "boss", "create_group", {"group_id": f"g{n}", "name": f"G{n}"}
                    )
                    for n in range(GROUPS)
                )
            )
            last = max(reply["position"] for reply in replies)
            ids = [f"w:{position}" for position in range(1, last + 1)]
            await heard.until(
                lambda _: bool(heard.messages) and _ids(heard)[-1] == ids[-1], within_s=10
            )
            await heard.stop()
            assert _ids(heard) == ids


def _ids(heard: Listening) -> list[str]:
    return [message.headers["Nats-Msg-Id"] for message in heard.messages]
