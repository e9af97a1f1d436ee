"""The role that services have in PostgreSQL, in place of the owner that tests are otherwise."""

import contextlib

import asyncpg

from shared.adapters.postgres_grants import GRANTS, grant

ROLE = "fernamt_services"


async def as_services(url: str) -> str:
    """Let the role use this database, whose schema is up to date; its address."""
    owner = await asyncpg.connect(url)
    with contextlib.suppress(asyncpg.DuplicateObjectError):  # roles are the whole server's
        await owner.execute(f"create role {ROLE} login")
    await owner.close()
    await grant(url, ROLE, GRANTS)
    return url.replace("//fernamt@", f"//{ROLE}@")
