"""Leases as rows in the log's own database, which counts their life by its own clock."""

from collections.abc import Iterable, Sequence

from shared.adapters.log_rows import storable
from shared.adapters.postgres_connection import PostgresConnection
from shared.ports import Lease

LEASE_MS = 3_000
"""Life of a lease. It is renewed every second, so two renewals may fail."""

# Rows are locked in ascending order, as appends do, or the two could wait for each other.
_ACQUIRE = """
insert into leases (partition, owner, epoch, expires_at)
select partition, $1, 1, clock_timestamp() + $3::bigint * interval '1 ms'
from unnest($2::integer[]) as wanted(partition) order by partition
on conflict (partition) do update set
    owner = excluded.owner,
    expires_at = clock_timestamp() + $3::bigint * interval '1 ms',
    epoch = case
        when leases.owner = excluded.owner and leases.expires_at > clock_timestamp()
        then leases.epoch else leases.epoch + 1
    end
where leases.owner = excluded.owner or leases.expires_at <= clock_timestamp()
returning partition, epoch
"""

_MINE = """
with mine as materialized (
    select leases.partition
    from leases join unnest($2::integer[], $3::bigint[]) as held(partition, epoch)
        on leases.partition = held.partition and leases.epoch = held.epoch
    where leases.owner = $1 and leases.expires_at > clock_timestamp()
    order by leases.partition
    for update of leases
)
"""

_RENEW = f"""{_MINE}
update leases set expires_at = clock_timestamp() + $4::bigint * interval '1 ms'
from mine where leases.partition = mine.partition
returning leases.partition, leases.epoch
"""

_RELEASE = f"""{_MINE}
update leases set owner = '', expires_at = '-infinity'
from mine where leases.partition = mine.partition
"""

_TAKEN = """
select partition from leases
where partition = any($1::integer[]) and expires_at > clock_timestamp()
"""


class PostgresLeases:
    """``Leases`` on PostgreSQL.

    ``owner`` must be new for every start of a process: the epoch does not rise when an owner
    takes again what it still holds. All methods raise ``StoreUnavailable`` or ``CommitInDoubt``;
    after either, whoever acts as if the call had failed is on the safe side.
    """

    def __init__(self, control: PostgresConnection, *, lease_ms: int = LEASE_MS) -> None:
        self._control = control
        self._lease_ms = lease_ms

    async def acquire(self, owner: str, partitions: Iterable[int]) -> Sequence[Lease]:
        """Take every named partition that is free, expired or already ``owner``'s.

        The epoch is one higher than before, unless the lease was ``owner``'s and unexpired.
        Raises ``ValueError`` if ``owner`` is empty.
        """
        if not owner:
            raise ValueError("an owner needs a name: the empty one stands for a free lease")
        wanted = sorted(set(partitions))
        rows = await self._control.fetch(_ACQUIRE, storable(owner), wanted, self._lease_ms)
        return sorted(Lease(*row) for row in rows)

    async def renew(self, owner: str, leases: Sequence[Lease]) -> Sequence[Lease]:
        """Extend these leases; one that has expired is gone, even if nobody else took it."""
        rows = await self._control.fetch(
            _RENEW,
            storable(owner),
            [lease.partition for lease in leases],
            [lease.epoch for lease in leases],
            self._lease_ms,
        )
        return sorted(Lease(*row) for row in rows)

    async def release(self, owner: str, leases: Sequence[Lease]) -> None:
        """Give the leases up, so that another process need not wait for their expiry."""
        await self._control.fetch(
            _RELEASE,
            storable(owner),
            [lease.partition for lease in leases],
            [lease.epoch for lease in leases],
        )

    async def taken(self, partitions: Iterable[int]) -> frozenset[int]:
        """See ``Leases.taken``."""
        rows = await self._control.fetch(_TAKEN, sorted(partitions))
        return frozenset(row["partition"] for row in rows)
