"""Leases of an embedded store: the lock on its directory is the lease on every partition.

Only the epoch is kept in the file, so that it rises from one process to the next.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from shared.adapters.sqlite_writer import SqliteWriter
from shared.ports import Lease


class SqliteLeases:
    """``Leases`` within one process. They never expire: the lock goes when the process goes."""

    def __init__(self, writer: SqliteWriter) -> None:
        self._writer = writer
        self._held: dict[int, tuple[str, int]] = {}

    async def acquire(self, owner: str, partitions: Iterable[int]) -> Sequence[Lease]:
        """Take every named partition that is free or already ``owner``'s.

        Those newly taken get an epoch higher than any before. Raises ``StoreUnavailable``, and
        ``ValueError`` if ``owner`` is empty.
        """
        if not owner:
            raise ValueError("an owner needs a name: the empty one stands for a free lease")
        return await self._writer.run(partial(self._acquire, owner, sorted(set(partitions))))

    async def renew(self, owner: str, leases: Sequence[Lease]) -> Sequence[Lease]:
        """Those of the leases that are still ``owner``'s: there is nothing to extend."""
        return sorted(lease for lease in leases if self._is_owners(owner, lease))

    async def release(self, owner: str, leases: Sequence[Lease]) -> None:
        """Give the leases up, so that another owner in this process can take them."""
        for lease in leases:
            if self._is_owners(owner, lease):
                del self._held[lease.partition]

    async def taken(self, partitions: Iterable[int]) -> frozenset[int]:
        """See ``Leases.taken``."""
        return frozenset(self._held) & frozenset(partitions)

    def holds(self, partition: int, epoch: int) -> bool:
        """Whether somebody holds the partition under this epoch."""
        return partition in self._held and self._held[partition][1] == epoch

    def _is_owners(self, owner: str, lease: Lease) -> bool:
        return self._held.get(lease.partition) == (owner, lease.epoch)

    def _acquire(self, owner: str, partitions: Sequence[int]) -> Sequence[Lease]:
        free = [partition for partition in partitions if partition not in self._held]
        if free:
            epoch = self._next_epoch()
            self._held.update((partition, (owner, epoch)) for partition in free)
        held = {partition: self._held.get(partition) for partition in partitions}
        return [
            Lease(partition, one[1]) for partition, one in held.items() if one and one[0] == owner
        ]

    def _next_epoch(self) -> int:
        with self._writer.recorder.datastore.transaction(commit=True) as cursor:
            cursor.execute("update epochs set epoch = epoch + 1")
            cursor.execute("select epoch from epochs")
            epoch: int = cursor.fetchone()[0]
            return epoch
