"""The vault, whatever it is kept in: what is erased with a commit, and again after a restore."""

from collections.abc import Iterable

from shared.adapters.open_store import Store, open_store
from shared.ports import KEY_BYTES, Erasure
from shared.routing.ids import Position, Ref
from tests.contract.log_samples import (
    NORTH,
    SOUTH,
    append,
    hold_everything,
    log_of,
    rows,
    text,
)


def gone(upto: int, *subjects: str) -> list[Erasure]:
    return [Erasure(subject, Position(upto)) for subject in subjects]


async def left(store: Store, refs: Iterable[str]) -> str:
    return "".join(sorted(await store.vault.read(map(Ref, refs))))


async def test_au09_a_commit_takes_the_texts_of_its_subjects_and_no_others(store: Store) -> None:
    leases = await hold_everything(store)
    vera = text("c", subject="visitor:vera")
    batch = [
        append(NORTH, rows(1, 1), [text("a"), text("b"), vera]),
        append(SOUTH, rows(1, 1), [text("d")]),
    ]
    await store.events.append(batch, leases)
    await store.events.append(
        [append(NORTH, rows(2, 2), erase=gone(2, "operator:ana", "operator:nobody"))], leases
    )
    assert await left(store, "abcd") == "cd"
    assert await log_of(store, NORTH) == rows(1, 2)


async def test_au09_what_is_said_after_an_erasure_stays(store: Store) -> None:
    leases = await hold_everything(store)
    before, after = text("a", position=1), text("b", position=3)
    batch = [append(NORTH, rows(1, 3), [before, after], erase=gone(2, "operator:ana"))]
    await store.events.append(batch, leases)
    assert await left(store, "ab") == "b"
    assert await store.vault.erase(NORTH, gone(2, "operator:ana")) == 0
    assert await left(store, "ab") == "b"


async def test_au09_what_is_not_committed_erases_nothing(store: Store) -> None:
    leases = await hold_everything(store)
    batch = [append(NORTH, rows(1, 1), [text("a")]), append(SOUTH, rows(1, 1), [text("b")])]
    await store.events.append(batch, leases)
    erase = gone(9, "operator:ana")
    lost = await store.events.append(
        [
            append(NORTH, rows(1, 1, by="another"), erase=erase),
            append(SOUTH, rows(3, 3), erase=erase),
        ],
        leases,
    )
    assert lost == {NORTH, SOUTH}
    assert await left(store, "ab") == "ab"


async def test_au09_the_one_workspace_of_a_batch_that_is_committed_erases(store: Store) -> None:
    leases = await hold_everything(store)
    batch = [append(NORTH, rows(1, 1), [text("a")]), append(SOUTH, rows(1, 1), [text("b")])]
    await store.events.append(batch, leases)
    erase = gone(9, "operator:ana")
    batch = [append(NORTH, rows(1, 1), erase=erase), append(SOUTH, rows(2, 2), erase=erase)]
    assert await store.events.append(batch, leases) == {NORTH}
    assert await left(store, "ab") == "a"


async def test_au09_what_came_back_is_erased_again(store: Store) -> None:
    leases = await hold_everything(store)
    texts = [text(ref, position=n) for n, ref in enumerate("abc", start=1)]
    batch = [
        append(NORTH, rows(1, 3), [*texts, text("d", subject="visitor:vera")]),
        append(SOUTH, rows(1, 1), [text("e")]),
    ]
    await store.events.append(batch, leases)
    erasures = [*gone(2, "operator:ana"), *gone(9, "visitor:vera", "visitor:wim")]
    assert await store.vault.erase(NORTH, erasures) == 3
    assert await store.vault.erase(NORTH, erasures) == 0
    assert await store.vault.erase(NORTH, []) == 0
    assert await left(store, "abcde") == "ce"
    assert await log_of(store, NORTH) == rows(1, 3)


async def test_a_key_is_made_once_and_kept(store_url: str) -> None:
    kept = []
    for _ in range(2):
        store = await open_store(store_url, migrate=True)
        kept.append([await store.vault.key(name) for name in ("one", "two", "one")])
        await store.close()
    first, second, first_again = kept[0]
    assert kept[0] == kept[1]
    assert first == first_again != second
    assert len(first) == len(second) == KEY_BYTES
