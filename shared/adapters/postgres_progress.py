"""How far the feeds were sent, in PostgreSQL."""

from collections.abc import Mapping

from shared.adapters.log_rows import storable
from shared.adapters.postgres_connection import PostgresConnection
from shared.routing.ids import Position, WorkspaceId

_LOAD = "select workspace, position from notifier_positions"
_SAVE = """
insert into notifier_positions (workspace, position)
select * from unnest($1::text[], $2::bigint[])
on conflict (workspace) do update set position = excluded.position
where notifier_positions.position < excluded.position
"""
_RESET = "update notifier_positions set position = $2 where workspace = $1"


class PostgresProgress:
    """``Progress`` on PostgreSQL. All methods raise ``StoreError`` and may be called again."""

    def __init__(self, connection: PostgresConnection) -> None:
        self._connection = connection

    async def load(self) -> Mapping[WorkspaceId, Position]:
        """See ``Progress.load``."""
        rows = await self._connection.fetch(_LOAD)
        return {WorkspaceId(row["workspace"]): Position(row["position"]) for row in rows}

    async def save(self, positions: Mapping[WorkspaceId, Position]) -> None:
        """See ``Progress.save``."""
        # Always in the same order, or two processes could wait for each other's rows.
        workspaces = sorted(positions)
        names = [storable(workspace_id) for workspace_id in workspaces]
        await self._connection.fetch(_SAVE, names, [positions[its_id] for its_id in workspaces])

    async def reset(self, workspace_id: WorkspaceId, position: Position) -> None:
        """See ``Progress.reset``."""
        await self._connection.fetch(_RESET, storable(workspace_id), position)

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close()
