"""``verify`` on sound logs and on spoilt ones: the first bad position is named."""

from typing import Any, NamedTuple

import msgspec
import pytest

from shared.adapters.open_store import Store
from shared.audit.checking_order import OrderCheck
from shared.audit.verifying import verify
from shared.ports import StoredRow
from shared.routing.events import Decision, Envelope, Fact
from shared.routing.ids import Position
from tests.audit.sealed_log import (
    ACME,
    EACH,
    KEY,
    SEALED,
    Rows,
    archive_of,
    checked,
    envelope_of,
    keep,
    recoded,
    renumbered,
    seals_over,
    spoil_log,
    story_rows,
)

ROWS = story_rows()
SEALS = seals_over(ROWS[:SEALED])


def place_of(kind: type[Fact | Decision], after: int = EACH) -> int:
    """Position of the first event of a kind behind ``after``, which is sealed."""
    for row in ROWS[after:SEALED]:
        if isinstance(envelope_of(row).data, kind):
            return row.position
    raise LookupError(kind)


def place_of_two() -> int:
    """Two commands of one event each, next to each other."""
    firsts = [envelope_of(row).first for row in ROWS]
    for position in range(EACH, SEALED):
        if firsts[position - 1 : position + 2] == [position, position + 1, position + 2]:
            return position
    raise LookupError("no two commands of one event")


ALONE = place_of_two()
DECIDED = place_of(Decision)


def replaced(position: int, row: StoredRow) -> Rows:
    return [*ROWS[: position - 1], row, *ROWS[position:]]


def at(position: int) -> StoredRow:
    return ROWS[position - 1]


def bytes_changed(position: int, old: bytes, new: bytes) -> Rows:
    row = at(position)
    assert old in row.state
    return replaced(position, row._replace(state=row.state.replace(old, new, 1)))


def event_changed(position: int, **fields: Any) -> Rows:
    def change(envelope: Envelope) -> Envelope:
        return msgspec.structs.replace(envelope, **fields)

    return replaced(position, recoded(at(position), change))


def swapped(*, recode: bool) -> Rows:
    one, two = at(ALONE), at(ALONE + 1)
    return renumbered([*ROWS[: ALONE - 1], two, one, *ROWS[ALONE + 1 :]], recode=recode)


class Damage(NamedTuple):
    rows: Rows
    position: int


STAMP = envelope_of(at(ALONE)).at
DAMAGES = {
    "a changed byte in a trace": Damage(bytes_changed(ALONE, b'"t-', b'"u-'), ALONE),
    "a changed trace, written anew": Damage(event_changed(ALONE, trace="other"), ALONE),
    "a changed byte in a stamp": Damage(
        bytes_changed(ALONE, b"%d" % STAMP, b"%d" % (STAMP + 1)), ALONE
    ),
    "a changed stamp, written anew": Damage(event_changed(ALONE, at=STAMP + 1), ALONE),
    "a changed byte in a decision": Damage(bytes_changed(DECIDED, b'"at":1', b'"at":2'), DECIDED),
    "a decision of another revision, written anew": Damage(
        event_changed(DECIDED, rev=1_000), DECIDED
    ),
    "a byte after which nothing can be read": Damage(bytes_changed(ALONE, b"{", b"["), ALONE),
    "a byte that is no UTF-8": Damage(bytes_changed(ALONE, b"t-", b"\xff-"), ALONE),
    "white space": Damage(bytes_changed(ALONE, b",", b", "), ALONE),
    "a topic that is known": Damage(
        replaced(ALONE, at(ALONE)._replace(topic="conversation_closed.v1")), ALONE
    ),
    "a topic that is not": Damage(replaced(ALONE, at(ALONE)._replace(topic="x.v1")), ALONE),
    "a row without a state": Damage(replaced(ALONE, at(ALONE)._replace(state=b"")), ALONE),
    "a deleted row": Damage([row for row in ROWS if row.position != ALONE], ALONE),
    "a deleted row, renumbered": Damage(
        renumbered([*ROWS[: ALONE - 1], *ROWS[ALONE:]], recode=False), ALONE
    ),
    "a deleted row, renumbered and written anew": Damage(
        renumbered([*ROWS[: ALONE - 1], *ROWS[ALONE:]], recode=True), ALONE
    ),
    "a deleted decision, renumbered and written anew": Damage(
        renumbered([*ROWS[: DECIDED - 1], *ROWS[DECIDED:]], recode=True), DECIDED
    ),
    "two swapped rows": Damage(swapped(recode=False), ALONE),
    "two swapped rows, written anew": Damage(swapped(recode=True), ALONE),
    "an inserted row": Damage(
        renumbered([*ROWS[:ALONE], at(ALONE), *ROWS[ALONE:]], recode=False), ALONE + 1
    ),
    "an inserted row, written anew": Damage(
        renumbered([*ROWS[:ALONE], at(ALONE), *ROWS[ALONE:]], recode=True), ALONE + 1
    ),
    "a renumbered tail": Damage(
        [*ROWS[:120], *(row._replace(position=Position(row.position + 1)) for row in ROWS[120:])],
        121,
    ),
    "a tail that was cut off within the last seal": Damage(ROWS[: SEALED - 7], SEALED - 6),
    "nothing left": Damage([], 1),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_au05_the_first_row_that_was_touched_is_named(
    store: Store, store_url: str, damage: str
) -> None:
    await keep(store, ROWS, SEALS)
    rows, position = DAMAGES[damage]
    assert rows != ROWS
    await spoil_log(store_url, rows)
    found = await checked(store)
    assert found.findings, "nothing was found"
    assert found.findings[0].position == position, found.findings
    assert msgspec.json.decode(msgspec.json.encode(found))["findings"][0]["position"] == position


async def test_au05_a_sound_log_has_no_findings_and_its_tail_is_counted(store: Store) -> None:
    await keep(store, ROWS, SEALS)
    found = await checked(store)
    assert found.findings == ()
    assert found.events == len(ROWS)
    assert found.folded_only == 0
    assert found.decisions == sum(isinstance(envelope_of(row).data, Decision) for row in ROWS)
    assert (found.sealed.upto, found.sealed.unsealed) == (SEALED, len(ROWS) - SEALED)
    assert [(by.key, by.first, by.upto) for by in found.sealed.keys] == [
        (KEY.public.hex(), 1, SEALED)
    ]
    assert found.sealed.last == f"{SEALED}:{SEALS[-1].hash.hex()}"


async def test_au05_a_log_without_seals_is_verified_and_wholly_unsealed(store: Store) -> None:
    await keep(store, ROWS)
    found = await checked(store)
    assert found.findings == ()
    assert (found.sealed.upto, found.sealed.unsealed, found.sealed.last) == (0, len(ROWS), None)


async def test_au05_the_progress_tells_every_event(store: Store) -> None:
    await keep(store, ROWS, SEALS)
    told: list[int] = []
    await verify(archive_of(store), ACME, progress=told.append)
    assert sum(told) == len(ROWS)


# --- what only seals can tell -------------------------------------------------------------------


async def test_au05_with_the_seals_switched_off_a_changed_trace_passes(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ablation: the other checks do not see it."""
    await keep(store, ROWS, SEALS)
    await spoil_log(store_url, DAMAGES["a changed trace, written anew"].rows)
    assert await first_of(store) == (ALONE, "seal")
    monkeypatch.setattr("shared.audit.checking_seals._differs", lambda *_: None)
    assert (await checked(store)).findings == ()


async def test_au05_with_the_order_switched_off_a_falling_epoch_passes(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ablation, in the part of the log that is not sealed."""
    await keep(store, ROWS, SEALS[:1])
    spoilt = [recoded(row, falling) for row in ROWS]
    await spoil_log(store_url, [*ROWS[: ALONE - 1], spoilt[ALONE - 1], *ROWS[ALONE:]])
    assert await first_of(store) == (ALONE, "order")
    monkeypatch.setattr(OrderCheck, "check", lambda *_: None)
    assert (await checked(store)).findings == ()


def falling(envelope: Envelope) -> Envelope:
    return msgspec.structs.replace(envelope, epoch=envelope.epoch - 1)


async def first_of(store: Store) -> tuple[int, str]:
    finding = (await checked(store)).findings[0]
    return finding.position, finding.check


async def test_au05_a_difference_in_the_bytes_shows_both_versions(
    store: Store, store_url: str
) -> None:
    await keep(store, ROWS, SEALS)
    await spoil_log(store_url, DAMAGES["a changed trace, written anew"].rows)
    (finding,) = (await checked(store)).findings
    assert finding.what == "this is not the event that was sealed here"
    assert '"trace":"other"' in finding.recorded
    assert finding.expected.endswith(", as sealed")


async def test_au05_a_decision_that_differs_shows_both_versions(
    store: Store, store_url: str
) -> None:
    await keep(store, ROWS, SEALS)
    envelope = envelope_of(at(DECIDED))
    other = next(
        envelope_of(row).data
        for row in ROWS
        if isinstance(envelope_of(row).data, Decision) and envelope_of(row).data != envelope.data
    )
    await spoil_log(store_url, event_changed(DECIDED, data=other))
    decided, sealed = (await checked(store)).findings[:2]
    assert (decided.position, decided.check) == (DECIDED, "decision")
    assert (decided.recorded, decided.expected) == (other, envelope.data)
    assert (sealed.position, sealed.check) == (DECIDED, "seal")
