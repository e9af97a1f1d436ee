"""How far the feeds were sent, whatever it is kept in: it goes forward, and back only on demand."""

import sqlite3
from pathlib import Path

from shared.adapters.migrations import migrate_sqlite, migrations
from shared.adapters.open_store import Store
from shared.routing.ids import Position
from tests.contract.log_samples import NORTH, SOUTH


async def test_nothing_was_sent_of_an_empty_log(store: Store) -> None:
    assert await store.progress.load() == {}


async def test_what_is_saved_is_there_again_and_no_older_one_replaces_it(store: Store) -> None:
    await store.progress.save({NORTH: Position(7), SOUTH: Position(3)})
    await store.progress.save({NORTH: Position(5), SOUTH: Position(4)})
    assert await store.progress.load() == {NORTH: 7, SOUTH: 4}


async def test_a_position_is_put_back_where_the_log_was_cut(store: Store) -> None:
    await store.progress.save({NORTH: Position(7), SOUTH: Position(3)})
    await store.progress.reset(NORTH, Position(2))
    assert await store.progress.load() == {NORTH: 2, SOUTH: 3}
    await store.progress.save({NORTH: Position(6)})
    assert await store.progress.load() == {NORTH: 6, SOUTH: 3}


def test_what_a_log_held_before_there_was_an_account_counts_as_sent(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "log.sqlite3", isolation_level=None)
    known = migrations("sqlite")
    ours = next(one for one in known if one.name.endswith("notifier_positions.sql"))
    migrate_sqlite(connection, [one for one in known if one.number < ours.number])
    insert = "insert into stored_events values (?, ?, 'tag', x'')"
    connection.executemany(insert, [("north", 1), ("north", 2), ("south", 1)])
    migrate_sqlite(connection, known)
    kept = connection.execute("select workspace, position from notifier_positions").fetchall()
    assert sorted(kept) == [("north", 2), ("south", 1)]
    connection.close()
