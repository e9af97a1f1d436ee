"""``python -m tests.tracing``: one trace of real services, printed as a tree."""

import asyncio
import sys
import tempfile
from pathlib import Path

from shared.runtime.logs import configure_logs
from tests.servers.nats import nats_server
from tests.servers.postgres import postgres_server
from tests.tracing.collector import tree
from tests.tracing.scene import TRACE, open_traced, scene, set_up


async def _shown(nats_url: str, store_url: str, directory: Path) -> str:
    async with scene(nats_url, store_url, directory) as here:
        await set_up(here, "conversation_assigned")
        await here.office.come_online("ana")
        await open_traced(here)
        await here.collector.until(
            lambda spans: (
                {"tell", "deliver", "question", "publish", "command"}
                <= {span.name for span in spans if span.trace == TRACE}
            )
        )
        return "\n".join(tree([span for span in here.collector.spans if span.trace == TRACE]))


def main() -> None:
    configure_logs(level="warning")
    with (
        tempfile.TemporaryDirectory() as directory,
        nats_server() as nats,
        postgres_server() as sql,
    ):
        shown = asyncio.run(_shown(nats.url, sql.url, Path(directory)))
    sys.stdout.write(f"{shown}\n")


if __name__ == "__main__":
    main()
