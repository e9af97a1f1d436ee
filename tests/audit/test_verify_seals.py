"""``verify`` where somebody has been at the seals, or cut the log and its seals off together."""

from collections.abc import AsyncIterator, Sequence

import pytest

from shared.adapters.open_store import Store
from shared.audit.checking_seals import ANY, Accepted, SealCheck
from shared.audit.seals import chained, sealed
from shared.audit.verifying import Finding, Verified, verify
from shared.ports import StoredRow
from shared.ports.archive import Archive, Seal
from shared.routing.ids import Position, WorkspaceId
from tests.audit.sealed_log import (
    ACME,
    EACH,
    KEY,
    OTHER_KEY,
    SEALED,
    archive_of,
    checked,
    keep,
    seals_over,
    spoil_log,
    spoil_seals,
    story_rows,
    touched,
    whole_groups,
)

ROWS = story_rows()
SEALS = seals_over(ROWS[:SEALED])
OTHERS = seals_over(ROWS[:SEALED], OTHER_KEY)
SECOND = EACH + 1
"""Where the second seal begins."""


async def only_finding(store: Store, accepted: Accepted = ANY) -> Finding:
    found: Verified = await checked(store, accepted)
    (finding,) = found.findings
    assert finding.check == "seal"
    assert found.sealed.upto == finding.position - 1
    return finding


def second(seal: Seal) -> list[Seal]:
    """The chain with another seal in the second place."""
    return [SEALS[0], seal, *SEALS[2:]]


FORGERIES = {
    "a signature": (second(SEALS[1]._replace(signature=bytes(64))), "not signed by the key"),
    "another key's name": (second(SEALS[1]._replace(key=OTHER_KEY.public)), "not signed"),
    "a digest": (second(SEALS[1]._replace(digests=bytes(16 * EACH))), "does not follow"),
    "a digest too few": (second(SEALS[1]._replace(digests=SEALS[1].digests[:-16])), "a digest"),
    "a hash": (second(SEALS[1]._replace(hash=SEALS[0].hash)), "not signed"),
    "one that is missing": ([SEALS[0], *SEALS[2:]], "over positions 51 to 100 is missing"),
    "one that is twice": (
        [SEALS[0], SEALS[1], SEALS[1]._replace(first=Position(60)), *SEALS[2:]],
        "begins under another",
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_au05_a_seal_that_was_forged_or_is_missing_is_found(
    store: Store, store_url: str, forgery: str
) -> None:
    seals, what = FORGERIES[forgery]
    await keep(store, ROWS, SEALS)
    await spoil_seals(store_url, seals)
    finding = await only_finding(store)
    assert what in finding.what
    assert finding.position == (60 if "twice" in forgery else SECOND)


async def test_au05_the_first_seal_that_is_missing_is_found(store: Store, store_url: str) -> None:
    await keep(store, ROWS, SEALS)
    await spoil_seals(store_url, SEALS[1:])
    assert (await only_finding(store)).position == 1


async def test_au05_one_who_changes_a_row_and_its_digest_cannot_sign_for_it(
    store: Store, store_url: str
) -> None:
    """Without the key he breaks the chain; with one of his own he is found by the pinned one."""
    await keep(store, ROWS, SEALS)
    changed = touched(ROWS, 60)
    forged = seals_over(changed[:SEALED])[1]
    await spoil_log(store_url, changed)
    await spoil_seals(store_url, second(SEALS[1]._replace(digests=forged.digests)))
    assert "does not follow" in (await only_finding(store)).what
    own_hash = chained(SEALS[0].hash, SEALS[1].upto, forged.digests)
    await spoil_seals(store_url, second(SEALS[1]._replace(digests=forged.digests, hash=own_hash)))
    assert (await only_finding(store)).position == SECOND


async def test_au05_a_chain_by_another_key_is_told_by_the_pinned_one(
    store: Store, store_url: str
) -> None:
    await keep(store, ROWS, SEALS)
    await spoil_seals(store_url, OTHERS)
    found = await checked(store)
    assert found.findings == (), "a key may change: without a pin any may sign"
    assert [by.key for by in found.sealed.keys] == [OTHER_KEY.public.hex()]
    finding = await only_finding(store, Accepted(frozenset({KEY.public})))
    assert finding.position == 1
    assert OTHER_KEY.public.hex() in finding.what


async def test_au05_a_key_that_was_changed_is_named_with_its_stretch(store: Store) -> None:
    last = sealed(ACME, SEALS[1], ROWS[100:150], OTHER_KEY)
    await keep(store, ROWS, [*SEALS[:2], last])
    both = Accepted(frozenset({KEY.public, OTHER_KEY.public}))
    found = await checked(store, both)
    assert found.findings == ()
    assert [(by.key, by.first, by.upto) for by in found.sealed.keys] == [
        (KEY.public.hex(), 1, 100),
        (OTHER_KEY.public.hex(), 101, 150),
    ]
    assert (await only_finding(store, Accepted(frozenset({KEY.public})))).position == 101


async def test_au05_a_tail_cut_off_with_its_seals_is_found_by_what_was_kept_elsewhere(
    store: Store, store_url: str
) -> None:
    await keep(store, ROWS, SEALS)
    kept = (await checked(store)).sealed.last
    assert kept is not None
    position, _, its_hash = kept.partition(":")
    expected = Accepted(hashes={Position(int(position)): bytes.fromhex(its_hash)})
    assert (await checked(store, expected)).findings == ()
    await spoil_log(store_url, ROWS[:150])
    await spoil_seals(store_url, SEALS[:3])
    finding = await first_seal_finding(store, expected)
    assert finding.position == 151
    assert f"the log ends at position 150, and was sealed up to {SEALED}" in finding.what


async def first_seal_finding(store: Store, accepted: Accepted) -> Finding:
    return next(one for one in (await checked(store, accepted)).findings if one.check == "seal")


async def test_au05_a_tail_that_was_cut_and_has_grown_again_is_found(
    store: Store, store_url: str
) -> None:
    """Its new seals hold, but none of them is the one that was kept."""
    await keep(store, ROWS, SEALS)
    expected = Accepted(hashes={Position(SEALED): SEALS[-1].hash})
    changed = touched(ROWS, 160)
    await spoil_log(store_url, changed)
    await spoil_seals(store_url, seals_over(changed[:SEALED]))
    assert (await first_seal_finding(store, expected)).position == 151
    await spoil_seals(store_url, [*SEALS[:2], *seals_over(changed)[2:3]])
    finding = await first_seal_finding(store, expected)
    assert (finding.position, finding.what) == (
        151,
        f"no seal ends at position {SEALED}, where one was expected",
    )


async def test_au05_seals_that_were_deleted_at_the_end_leave_events_unsealed(
    store: Store, store_url: str
) -> None:
    await keep(store, ROWS, SEALS)
    await spoil_seals(store_url, SEALS[:2])
    found = await checked(store)
    assert (found.findings, found.sealed.upto) == ((), 100)
    assert found.sealed.unsealed == len(ROWS) - 100
    expected = Accepted(hashes={Position(SEALED): SEALS[-1].hash})
    assert (await first_seal_finding(store, expected)).position == 101


async def test_au05_up_to_a_position_what_follows_is_not_looked_at(
    store: Store, store_url: str
) -> None:
    await keep(store, ROWS, SEALS)
    changed = [*ROWS]
    changed[120] = ROWS[120]._replace(state=b"[]")
    await spoil_log(store_url, changed)
    found = await verify(archive_of(store), ACME, until=Position(110))
    assert (found.findings, found.events, found.sealed.upto) == ((), 110, 110)
    found = await verify(archive_of(store), ACME, until=Position(121))
    assert found.findings[0].position == 121


async def test_au05_with_the_signature_switched_off_a_forged_seal_passes(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ablation: the chain alone can be made by anybody."""
    await keep(store, ROWS, SEALS)
    changed = touched(ROWS, 60)
    forged = [seal._replace(signature=bytes(64)) for seal in seals_over(changed[:SEALED])]
    await spoil_log(store_url, changed)
    await spoil_seals(store_url, forged)
    assert (await first_seal_finding(store, ANY)).position == 1
    monkeypatch.setattr("shared.audit.checking_seals.is_signed", lambda *_: True)
    assert (await checked(store)).findings == ()


async def test_au05_with_the_chain_switched_off_a_missing_seal_passes(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(store, ROWS, SEALS)
    await spoil_seals(store_url, [SEALS[0], *SEALS[2:]])
    assert (await only_finding(store)).position == SECOND
    monkeypatch.setattr(SealCheck, "_wrong_with", lambda *_: None)
    assert (await checked(store)).findings == ()


class Growing:
    """A log that grows, and is sealed, just after somebody has read to its end."""

    def __init__(self, store: Store, seals: list[Seal]) -> None:
        self._store = store
        self._seals = seals
        self.heads = store.events.heads
        self.read_at = store.events.read_at
        self.workspaces = store.events.workspaces
        self.close = store.events.close

    async def head(self, workspace_id: WorkspaceId) -> Position:
        return await self._store.events.head(workspace_id)

    async def read(
        self, workspace_id: WorkspaceId, after: Position, upto: Position | None = None
    ) -> AsyncIterator[Sequence[StoredRow]]:
        async for rows in self._store.events.read(workspace_id, after, upto):
            yield rows
        for seal in self._seals:
            await self._store.seals.add(workspace_id, seal)


async def test_au05_what_is_sealed_while_it_is_verified_is_no_fault(store: Store) -> None:
    """Whoever is there first: seals that come later may reach further than what was read."""
    later = seals_over(ROWS[:SEALED])
    await keep(store, whole_groups(ROWS[:140]), later[:2])
    log = Growing(store, later[2:])
    found = await verify(Archive(log, store.snapshots, store.seals), ACME)
    assert (found.findings, found.sealed.upto) == ((), 100)
    assert (await store.seals.last(ACME)) == later[-1]
