"""A workspace folded from its log in memory that does not grow with the log.

What is settled lies in a file that goes with the process, and is taken back when an event names it.
How a snapshot tells what is settled from what is live holds here, too (``snapshots``).
"""

import sqlite3
from collections.abc import Iterable, Iterator
from heapq import merge
from operator import itemgetter

from shared.audit.liveness import Keys
from shared.audit.snapshots import Abridged, Settled
from shared.ports.archive import SettledKey, SettledKind, SettledRow
from shared.routing.describe import hash_with
from shared.routing.events import Envelope
from shared.routing.ids import Position
from shared.routing.route import next_decision
from shared.routing.workspace import Workspace

PUT_AWAY_EVENTS = 5_000
"""Events after which what they settled is put away; more where as much is live."""

_TABLE = """
create table settled (
    kind text not null, id text not null, position integer not null, body blob not null,
    primary key (kind, id)
) without rowid
"""
_PUT = "insert or replace into settled values (?, ?, ?, ?)"
_GET = "select kind, id, position, body from settled where kind = ? and id = ?"
_ALL = "select kind, id, position, body from settled where kind = ? order by id"


class Shelf:
    """A workspace, and what of it was put away. To be closed."""

    def __init__(self, workspace: Workspace, put_away_events: int = PUT_AWAY_EVENTS) -> None:
        self.workspace = workspace
        self.abridged = Abridged(workspace)
        self._put_away_events = put_away_events
        # Without a name SQLite makes a file in the system's directory for temporary ones, as soon
        # as its cache is full, and deletes it in the end.
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("pragma journal_mode = off")
        self._file.execute(_TABLE)

    def close(self) -> None:
        """Delete what was put away."""
        self._file.close()

    # --- while it is folded -----------------------------------------------------------------

    def before(self, position: Position, envelope: Envelope) -> Keys:
        """The next event is this: take back what it names, which is returned.

        Where a group begins with it, what is settled is put away first, if it is time.
        """
        if envelope.first == position and self._is_due():
            self._put_away()
        named = self.abridged.foresee([(position, envelope)])
        # On what is here hangs nothing that is not: so most events ask no more than this.
        if any(self.abridged.here(key) is None for key in named):
            while lacking := self.abridged.lacking(named):
                self.abridged.take_in(lacking, self._rows(lacking))
        return named

    def _is_due(self) -> bool:
        live = len(self.workspace.operators) + len(self.workspace.open)
        since = self.workspace.position - self.abridged.since
        return since >= max(self._put_away_events, live)

    def _put_away(self) -> None:
        if self.workspace.is_cut or next_decision(self.workspace) is not None:
            return  # not at rest: perhaps after the next group
        self._file.execute("begin")
        self._file.executemany(_PUT, self.abridged.settled())
        self._file.execute("commit")
        self.abridged.let_go()

    def _rows(self, keys: Iterable[SettledKey]) -> Iterator[SettledRow]:
        for key in keys:
            for row in self._file.execute(_GET, key):
                yield SettledRow(*row)

    # --- as a whole -------------------------------------------------------------------------

    def thing(self, key: SettledKey) -> Settled | None:
        """What has this key, wherever it is; none if there is no such."""
        here = self.abridged.here(key)
        if here is not None:
            return here
        return next((self.abridged.restored(row) for row in self._rows([key])), None)

    def keys(self) -> Iterator[SettledKey]:
        """Of everything there is."""
        kinds: tuple[SettledKind, ...] = ("conversation", "visitor", "acquaintance")
        for kind in kinds:
            yield from ((kind, its_id) for its_id, _ in self._entries(kind))

    def state_hash(self) -> str:
        """That of the state as if nothing had been put away."""
        return hash_with(
            self.workspace,
            conversations=self._entries("conversation"),
            visitors=self._entries("visitor"),
            acquaintances=self._entries("acquaintance"),
        )

    def _entries(self, kind: SettledKind) -> Iterator[tuple[str, Settled]]:
        """A table in the order of ids. What was taken back lies here still, as it was before."""
        table = self.abridged.table(kind)
        away = (SettledRow(*row) for row in self._file.execute(_ALL, (kind,)))
        settled = ((row.id, self.abridged.restored(row)) for row in away if row.id not in table)
        return merge(sorted(table.items(), key=itemgetter(0)), settled, key=itemgetter(0))
