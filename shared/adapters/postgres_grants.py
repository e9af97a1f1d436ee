"""What roles of the services may do in PostgreSQL: what their statements need, and no more."""

from collections.abc import Mapping

import asyncpg

from shared.adapters.postgres_connection import connect
from shared.adapters.postgres_errors import translated
from shared.ports import StoreError

_ADDED_TO = "select, insert"
_KEPT = "select, insert, update, delete"

GRANTS: Mapping[str, str] = {
    "stored_events": _ADDED_TO,
    "workspaces": _ADDED_TO,
    "log_seals": _ADDED_TO,
    "service_keys": _ADDED_TO,
    "vault": "select, insert, delete",
    "leases": "select, insert, update",
    "notifier_positions": "select, insert, update",
    "outbox": _KEPT,
    "snapshots": _KEPT,
    "snapshot_commands": _KEPT,
    "settled": _KEPT,
    "schema_migrations": "select",
}
"""Every table, with what services that write may do to it."""

READS: Mapping[str, str] = dict.fromkeys(
    (
        *("stored_events", "workspaces", "log_seals", "schema_migrations"),
        *("snapshots", "snapshot_commands", "settled"),
    ),
    "select",
)
"""What questions about the past need: no personal texts, and no keys."""

_SEQUENCE = "stored_events_notification_id_seq"

_ROLE = """
select rolsuper, exists (
    select from pg_class
    where oid = 'stored_events'::regclass and pg_has_role(rolname, relowner, 'member')
) as owns
from pg_roles where rolname = $1
"""


async def grant(url: str, role: str, grants: Mapping[str, str]) -> None:
    """Give the role this, and take from it what else it has on our tables.

    Raises ``ValueError`` for a role that is not there or that no grant would hold back, else as
    ``connect`` and the server do.
    """
    connection = await connect(url, "fernamt grants", {})
    try:
        async with connection.transaction():
            await _grant(connection, role, grants)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        failure: StoreError = translated(error)
    else:
        return
    finally:
        await connection.close(timeout=1)
    raise failure


async def _grant(connection: asyncpg.Connection, role: str, grants: Mapping[str, str]) -> None:
    known = await connection.fetchrow(_ROLE, role)
    if known is None:
        raise ValueError(f"there is no role {role}: create role {role} login password '...'")
    if known["rolsuper"] or known["owns"]:
        what = "is a superuser" if known["rolsuper"] else "owns the tables"
        raise ValueError(f"the role {role} {what}, so no grant holds it back: choose another")
    name = await connection.fetchval("select quote_ident($1)", role)
    schema = await connection.fetchval("select quote_ident(current_schema())")
    await connection.execute(f"grant usage on schema {schema} to {name}")
    await connection.execute(f"revoke all on sequence {_SEQUENCE} from {name}")
    if "insert" in grants["stored_events"]:
        await connection.execute(f"grant usage on sequence {_SEQUENCE} to {name}")
    for table in GRANTS:
        await connection.execute(f"revoke all on {table} from {name}")
    for table, privileges in grants.items():
        await connection.execute(f"grant {privileges} on {table} to {name}")
