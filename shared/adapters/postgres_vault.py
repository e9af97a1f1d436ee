"""Personal texts in PostgreSQL. They are written by ``PostgresEventStore.append`` alone."""

import secrets
from collections.abc import Iterable, Mapping, Sequence

from shared.adapters.log_rows import storable
from shared.adapters.postgres_connection import PostgresConnection
from shared.adapters.postgres_reader import PostgresLogReader
from shared.ports import KEY_BYTES, Erasure
from shared.routing.ids import Ref, WorkspaceId

_ERASE = """
delete from vault using unnest($2::text[], $3::bigint[]) as gone(subject, upto)
where vault.workspace = $1 and vault.subject = gone.subject and vault.position <= gone.upto
returning ref
"""
_MAKE_KEY = """
insert into service_keys (name, value) values ($1, $2) on conflict (name) do nothing
"""
_KEY = "select value from service_keys where name = $1"


class PostgresVault:
    """``Vault`` on PostgreSQL."""

    def __init__(self, control: PostgresConnection, reader: PostgresLogReader) -> None:
        self._control = control
        self._reader = reader

    async def read(self, refs: Iterable[Ref]) -> Mapping[Ref, bytes]:
        """The bodies that still exist; an erased one is absent."""
        return await self._reader.vault_bodies(refs)

    async def erase(self, workspace_id: WorkspaceId, erasures: Sequence[Erasure]) -> int:
        """See ``Vault.erase``. May be called again after ``CommitInDoubt``."""
        rows = await self._control.fetch(
            _ERASE,
            storable(workspace_id),
            [storable(erasure.subject) for erasure in erasures],
            [erasure.upto for erasure in erasures],
        )
        return len(rows)

    async def key(self, name: str) -> bytes:
        """See ``Vault.key``. May be called again after ``CommitInDoubt``."""
        await self._control.fetch(_MAKE_KEY, storable(name), secrets.token_bytes(KEY_BYTES))
        rows = await self._control.fetch(_KEY, name)
        key: bytes = rows[0][0]
        return key
