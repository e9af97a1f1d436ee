"""Somebody who does to a database what no program of ours does, past everything that forbids it."""

import sqlite3
from contextlib import closing

import asyncpg

from shared.adapters.open_store import parse_store_url
from shared.adapters.sqlite_reader import DATABASE_FILE

_TRIGGERS = "select name from sqlite_master where type = 'trigger'"


def lay_open(embedded: sqlite3.Connection) -> None:
    """Drop the triggers that refuse changes."""
    for (name,) in embedded.execute(_TRIGGERS).fetchall():
        embedded.execute(f"drop trigger {name}")


async def as_vandal(url: str) -> asyncpg.Connection:
    """A connection whose statements no trigger refuses."""
    return await asyncpg.connect(url, server_settings={"session_replication_role": "replica"})


async def run_as_vandal(store_url: str, sql: str) -> None:
    """Run one statement."""
    directory = parse_store_url(store_url).directory
    if directory is not None:
        with closing(sqlite3.connect(directory / DATABASE_FILE, isolation_level=None)) as embedded:
            lay_open(embedded)
            embedded.execute(sql)
        return
    served = await as_vandal(store_url)
    await served.execute(sql)
    await served.close()
