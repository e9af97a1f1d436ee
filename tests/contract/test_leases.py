"""Leases, whatever they are kept in: one holder at a time, and an epoch that only rises."""

import pytest

from shared.adapters.open_store import Store, open_store
from shared.ports import Lease, LeaseLost
from tests.contract.log_samples import NORTH, append, hold_everything, log_of, rows


async def test_free_partitions_are_taken(store: Store) -> None:
    taken = await store.leases.acquire("a", [5, 0, 63, 5])
    assert [lease.partition for lease in taken] == [0, 5, 63]
    assert all(lease.epoch >= 1 for lease in taken)


async def test_what_another_holds_is_not_taken(store: Store) -> None:
    await store.leases.acquire("a", [1, 2])
    assert [lease.partition for lease in await store.leases.acquire("b", [1, 2, 3])] == [3]


async def test_taking_again_what_one_holds_keeps_the_epoch(store: Store) -> None:
    first = await store.leases.acquire("a", [1, 2])
    assert await store.leases.acquire("a", [1, 2]) == first


async def test_a_released_lease_goes_to_the_next_with_a_higher_epoch(store: Store) -> None:
    (first,) = await store.leases.acquire("a", [1])
    await store.leases.release("a", [first])
    (second,) = await store.leases.acquire("b", [1])
    assert second.epoch > first.epoch


async def test_a_released_lease_writes_nothing(store: Store) -> None:
    leases = await hold_everything(store, "a")
    await store.leases.release("a", [Lease(*item) for item in leases.items()])
    with pytest.raises(LeaseLost):
        await store.events.append([append(NORTH, rows(1, 1))], leases)
    assert await log_of(store, NORTH) == []


async def test_a_former_holder_writes_nothing(store: Store) -> None:
    old = await hold_everything(store, "a")
    await store.leases.release("a", [Lease(*item) for item in old.items()])
    new = await hold_everything(store, "b")
    with pytest.raises(LeaseLost):
        await store.events.append([append(NORTH, rows(1, 1, "a"))], old)
    await store.events.append([append(NORTH, rows(1, 1, "b"))], new)
    assert await log_of(store, NORTH) == rows(1, 1, "b")


async def test_only_the_holder_renews(store: Store) -> None:
    mine = await store.leases.acquire("a", [1, 2])
    (theirs,) = await store.leases.acquire("b", [3])
    stale = Lease(2, mine[1].epoch - 1)
    assert await store.leases.renew("a", mine) == mine
    assert await store.leases.renew("a", [mine[0], stale, theirs, Lease(9, 1)]) == [mine[0]]
    assert await store.leases.renew("a", []) == []


async def test_only_the_holder_releases(store: Store) -> None:
    (mine,) = await store.leases.acquire("a", [1])
    await store.leases.release("b", [mine])
    await store.leases.release("a", [Lease(1, mine.epoch + 1)])
    await store.leases.release("a", [])
    assert await store.leases.renew("a", [mine]) == [mine]


async def test_an_owner_has_a_name(store: Store) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        await store.leases.acquire("", [1])


async def test_the_epoch_rises_from_one_start_to_the_next(store_url: str) -> None:
    epochs = []
    for start in range(3):
        store = await open_store(store_url, migrate=True)
        (lease,) = await store.leases.acquire(f"start {start}", [7])
        await store.leases.release(f"start {start}", [lease])
        await store.close()
        epochs.append(lease.epoch)
    assert epochs == sorted(set(epochs))
