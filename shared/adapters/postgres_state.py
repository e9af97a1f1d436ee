"""What a PostgreSQL says about itself that matters to a log which must not be lost or changed."""

from typing import NamedTuple

import asyncpg

from shared.adapters.postgres_connection import CONNECT_TIMEOUT_S, connect
from shared.adapters.postgres_errors import translated
from shared.ports import StoreError

_STATE = """
select
    current_user as role,
    current_setting('is_superuser') = 'on' as superuser,
    coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as encrypted,
    coalesce(host(inet_server_addr()), '') as address,
    array(
        select name
        from unnest(array['fsync', 'full_page_writes', 'synchronous_commit']) as asked(name)
        where current_setting(name) = 'off'
    ) as off,
    array(
        select privilege from unnest(array['update', 'delete', 'truncate', 'trigger'])
            as asked(privilege)
        where has_table_privilege('stored_events', privilege)
    ) as changes_log,
    exists (
        select from pg_trigger where tgrelid = 'stored_events'::regclass
        and tgname = 'only_added_to' and tgenabled <> 'D'
    ) as guarded
"""


class PostgresState(NamedTuple):
    """``off`` are settings that are; ``changes_log`` what the role may do to the log beside
    reading and appending; ``address`` is the server's, empty over a socket of this machine."""

    role: str
    superuser: bool
    encrypted: bool
    address: str
    off: list[str]
    changes_log: list[str]
    guarded: bool
    asks_no_proof: bool
    """It let the same role in with a password that is none."""


async def state_of(url: str) -> PostgresState:
    """Look at the server. Raises ``StoreError``, or ``ValueError`` for a bad address."""
    connection = await connect(url, "fernamt doctor", {})
    try:
        row = await connection.fetchrow(_STATE)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        failure: StoreError = translated(error)
    else:
        assert row is not None
        return PostgresState(**dict(row), asks_no_proof=await _lets_in_anybody(url))
    finally:
        await connection.close(timeout=1)
    raise failure


async def _lets_in_anybody(url: str) -> bool:
    try:
        connection = await asyncpg.connect(url, password="-", timeout=CONNECT_TIMEOUT_S)  # noqa: S106
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return False
    await connection.close(timeout=1)
    return True
