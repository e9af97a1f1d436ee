"""Putting generated logs into a store, as the router on duty would have."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

from services.cli.sample.generating import generated
from services.cli.sample.shop import WORKSPACE
from services.cli.sample.writing import Written
from shared.adapters.clocks import SystemClock
from shared.adapters.open_store import Store
from shared.ports import Append, Clock, LeaseLost
from shared.routing.ids import Position, WorkspaceId
from shared.routing.partition import partition_of
from shared.runtime.duty import LEASE_MS, Duty, new_owner
from shared.runtime.tasks import Tasks

TRIES_MAX = 8
"""For the lease. Whoever died with it is waited for."""


async def ensure_sample(
    store: Store, clock: Clock, *, lease_ms: int = LEASE_MS, days: int = 1, scale: int = 1
) -> int:
    """Write the sample's log unless there is one; the number of its events if it is new, else 0.

    Of one day all is written in one transaction: it is there as a whole or not at all. Raises
    ``LeaseLost`` while somebody else is on duty for its partition, and ``StoreError``.
    """
    if await store.events.head(WORKSPACE) == 0:
        async with _on_duty(store, lease_ms, WORKSPACE) as duty:
            now, epoch = clock.wall_ms(), duty.epochs[partition_of(WORKSPACE)]
            batches: Iterable[Written] = generated(now, days=days, scale=scale, epoch=epoch)
            if days == 1 and scale == 1:
                batches = [_together(batches)]
            written = await append(store, duty, WORKSPACE, batches)
    else:
        written = 0
    # Registered last: no service serves a workspace of which nothing is there yet.
    await store.events.register_workspace(WORKSPACE, clock.wall_ms())
    return written


async def append(
    store: Store, duty: Duty, workspace_id: WorkspaceId, batches: Iterable[Written]
) -> int:
    """Append the batches, one transaction each; how many rows these were.

    Raises ``LeaseLost`` if somebody else wrote there meanwhile.
    """
    position = Position(0)
    for rows, vault, erase in batches:
        lost = await store.events.append([Append(workspace_id, rows, vault, erase)], duty.epochs)
        if lost:
            raise LeaseLost(f"another writer took the position after {position}")
        position = rows[-1].position
        await asyncio.sleep(0)  # a long play must not keep the leases from being renewed
    return position


def _together(batches: Iterable[Written]) -> Written:
    whole = Written([], [], [])
    for rows, vault, erase in batches:
        whole.rows.extend(rows)
        whole.vault.extend(vault)
        whole.erase.extend(erase)
    return whole


@contextlib.asynccontextmanager
async def _on_duty(store: Store, lease_ms: int, workspace_id: WorkspaceId) -> AsyncIterator[Duty]:
    """Hold the lease of the one partition that is written, and give it back."""
    duty = Duty(store.leases, SystemClock(), new_owner(), lease_ms=lease_ms)
    await _take(duty, partition_of(workspace_id), lease_ms)
    renewals = Tasks()
    renewals.start(duty.keep(), "leases of the sample")
    try:
        yield duty
    finally:
        await renewals.stop()
        await duty.give_up()


async def _take(duty: Duty, partition: int, lease_ms: int) -> None:
    for _ in range(TRIES_MAX):
        if await duty.take([partition]):
            return
        await asyncio.sleep(lease_ms / 4 / 1_000)
    raise LeaseLost("the sample cannot be written: another process is on duty for its partition")
