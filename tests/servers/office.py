"""One workspace as people use it: who sends what, over a client, and the log read beside it."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.open_store import open_log
from shared.ports import NoResponders
from shared.routing.ids import Position, WorkspaceId
from shared.routing.transaction import Recorded
from shared.wire.log_codec import decode_event
from tests.servers.client import Client, Fields, Listening


class RefusedError(Exception):
    """The engine said no; ``error`` is what it said."""

    def __init__(self, error: Fields) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.error = error


class Office:
    """Speaks in one workspace, as whoever is named."""

    def __init__(self, client: Client, workspace: str) -> None:
        self.client = client
        self.workspace = workspace

    async def admin(self, command: str, **fields: Any) -> Fields:
        return await self.send("admin", "root", command, fields)

    async def operator(self, who: str, command: str, **fields: Any) -> Fields:
        return await self.send("operator", who, command, fields)

    async def visitor(self, who: str, command: str, **fields: Any) -> Fields:
        return await self.send("visitor", who, command, fields)

    async def send(
        self,
        kind: str,
        who: str,
        command: str,
        fields: Fields,
        *,
        command_id: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Fields:
        """The whole reply. Raises ``RefusedError``."""
        return _accepted(
            await self.client.command(
                self.workspace, kind, who, command, fields, command_id=command_id, headers=headers
            )
        )

    async def ask(
        self, kind: str, who: str, query: str, /, *, min_position: int = 0, **fields: Any
    ) -> Fields:
        """The whole reply. Raises ``RefusedError``."""
        headers = {"Fernamt-Min-Position": str(min_position)} if min_position else None
        return _accepted(
            await self.client.ask(self.workspace, kind, who, query, fields, headers=headers)
        )

    async def feed(self, kind: str, who: str = "") -> Listening:
        """What a feed tells of everything that happens from now on; no ``who`` is the team's.

        What happened before may be told later: whoever subscribes asks where the log ends, and
        drops what belongs to before.
        """
        subject = f"fernamt.v1.feed.{self.workspace}.{kind}"
        listening = await self.client.listen(f"{subject}.{who}" if who else subject)
        with contextlib.suppress(NoResponders):  # there is no workspace yet
            listening.forget(upto=await self.position())
        return listening

    async def set_up(self, *operators: str, capacity: int = 3) -> None:
        """A workspace with the group ``support``, the entry point ``site`` and these people."""
        await self.admin("create_workspace", name=self.workspace)
        await self.admin("create_group", group_id="support", name="Support")
        await self.admin(
            "define_entry_point", entry_point_id="site", name="Site", groups=["support"]
        )
        for who in operators:
            await self.admin("register_operator", operator_id=who, capacity=capacity)
            await self.admin("join_group", operator_id=who, group_id="support")

    async def come_online(self, *operators: str) -> None:
        for who in operators:
            await self.operator(who, "log_in", session_id="desk")

    async def open(self, visitor: str, conversation: str, **fields: Any) -> Fields:
        """Open a conversation at ``site``."""
        return await self.visitor(
            visitor, "open", conversation_id=conversation, entry_point_id="site", **fields
        )

    async def position(self) -> int:
        """Where the log ends, as the engine says."""
        position: int = (await self.ask("admin", "root", "workspace"))["position"]
        return position


def _accepted(reply: Fields) -> Fields:
    if not reply["ok"]:
        raise RefusedError(reply["error"])
    return reply


async def read_log(store_url: str, workspace: str) -> Sequence[Recorded]:
    """Every event of the workspace, read beside whoever writes it."""
    log = await open_log(store_url, name="test reader")
    try:
        return [
            Recorded(row.position, decode_event(row.topic, row.state))
            async for rows in log.read(WorkspaceId(workspace), Position(0))
            for row in rows
        ]
    finally:
        await log.close()
