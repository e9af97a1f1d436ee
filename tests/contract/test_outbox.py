"""The outbox, whatever it is kept in: a row is made once, is not lost, and holds up no other."""

from shared.adapters.open_store import Store, open_store
from shared.ports import Channel, Lane, OutboxRow
from shared.routing.ids import Position, UnixMs
from tests.contract.log_samples import NORTH, SOUTH

ANA = Lane(NORTH, "mail", "ana")
HOOK = Lane(NORTH, "webhook", "hook")


def made(
    position: int, channel: Channel = "webhook", recipient: str = "hook", workspace: str = NORTH
) -> OutboxRow:
    """The row that the event at this position calls for; events are a second apart."""
    its_id = f"{workspace}:{position}:{channel}:{recipient}"
    whose = SOUTH if workspace == SOUTH else NORTH
    at = UnixMs(position * 1_000)
    body = f'{{"n":{position}}}'.encode()
    return OutboxRow(its_id, whose, channel, recipient, Position(position), body, at)


async def ids_waiting(store: Store, lane: Lane) -> list[str]:
    """Take everything out of a lane, in the order in which it comes."""
    found = []
    while (pending := await store.outbox.next_of(lane)) is not None:
        found.append(pending.row.id)
        await store.outbox.done(pending.row.id)
    return found


async def test_a_row_comes_back_as_it_was_made(store: Store) -> None:
    row = made(7)._replace(body=b'{"n": "\xc3\xa4"}')
    await store.outbox.add([row])
    pending = await store.outbox.next_of(HOOK)
    assert pending is not None
    assert (pending.row, pending.attempts, pending.next_at) == (row, 0, 7_000)


async def test_nothing_waits_in_an_empty_outbox(store: Store) -> None:
    await store.outbox.add([])
    assert await store.outbox.lanes() == []
    assert await store.outbox.next_of(HOOK) is None


async def test_no04_rows_of_a_lane_come_in_the_order_of_their_events(store: Store) -> None:
    await store.outbox.add([made(12), made(3), made(101)])
    assert await ids_waiting(store, HOOK) == [made(n).id for n in (3, 12, 101)]


async def test_lanes_say_for_whom_something_waits_and_since_when(store: Store) -> None:
    await store.outbox.add([made(4), made(3), made(5, "mail", "ana"), made(6, workspace=SOUTH)])
    assert sorted(await store.outbox.lanes()) == [
        (ANA, 5_000),
        (HOOK, 3_000),
        (Lane(SOUTH, "webhook", "hook"), 6_000),
    ]


async def test_no04_what_is_made_again_is_there_once(store: Store) -> None:
    await store.outbox.add([made(1), made(2)])
    await store.outbox.retry(made(1).id, 3, UnixMs(9_000), "timeout")
    await store.outbox.add([made(1), made(2), made(3)])
    pending = await store.outbox.next_of(HOOK)
    assert pending is not None
    assert pending.row.id == made(2).id
    assert await ids_waiting(store, HOOK) == [made(n).id for n in (2, 3, 1)]


async def test_no04_what_was_sent_is_not_made_again(store: Store) -> None:
    await store.outbox.add([made(1)])
    await store.outbox.done(made(1).id)
    await store.outbox.add([made(1)])
    assert await store.outbox.next_of(HOOK) is None


async def test_what_is_done_is_forgotten_once_nobody_will_make_it_again(store: Store) -> None:
    await store.outbox.add([made(1), made(2), made(3), made(1, workspace=SOUTH)])
    for row in (made(1), made(3), made(1, workspace=SOUTH)):
        await store.outbox.done(row.id)
    await store.outbox.forget({NORTH: Position(2)})
    await store.outbox.add([made(1), made(2), made(3), made(1, workspace=SOUTH)])
    assert await ids_waiting(store, HOOK) == [made(1).id, made(2).id]
    assert await store.outbox.next_of(Lane(SOUTH, "webhook", "hook")) is None


async def test_what_a_log_lost_that_was_cut_is_dropped_whatever_became_of_it(store: Store) -> None:
    rows = [made(n) for n in range(1, 6)]
    await store.outbox.add([*rows, made(5, workspace=SOUTH)])
    await store.outbox.done(made(3).id)
    await store.outbox.dead(made(4).id, 8, UnixMs(99_000), "timeout")
    await store.outbox.cut(NORTH, Position(2))
    assert await store.outbox.dead_letters(NORTH) == []
    assert await store.outbox.next_of(Lane(SOUTH, "webhook", "hook")) is not None
    await store.outbox.add(rows)
    assert await ids_waiting(store, HOOK) == [row.id for row in rows]


async def test_no04_a_failed_row_waits_behind_the_others(store: Store) -> None:
    await store.outbox.add([made(1), made(2)])
    await store.outbox.retry(made(1).id, 1, UnixMs(60_000), "status 500")
    first = await store.outbox.next_of(HOOK)
    assert first is not None
    assert first.row.id == made(2).id
    await store.outbox.done(made(2).id)
    second = await store.outbox.next_of(HOOK)
    assert second is not None
    assert (second.row, second.attempts, second.next_at) == (made(1), 1, 60_000)
    assert await store.outbox.lanes() == [(HOOK, 60_000)]


async def test_no04_dead_letters_are_listed_in_order_and_page_by_page(store: Store) -> None:
    rows = [made(n) for n in (2, 10, 3)] + [made(3, "mail", "ana")]
    await store.outbox.add([*rows, made(4), made(2, workspace=SOUTH)])
    for row in (*rows, made(2, workspace=SOUTH)):
        await store.outbox.dead(row.id, 8, UnixMs(99_000), "status 500")
    first = await store.outbox.dead_letters(NORTH, limit=3)
    assert [letter.row for letter in first] == [made(2), made(3, "mail", "ana"), made(3)]
    assert {(one.attempts, one.died_at, one.error) for one in first} == {(8, 99_000, "status 500")}
    last = first[-1].row
    rest = await store.outbox.dead_letters(NORTH, (last.position, last.id), 3)
    assert [letter.row for letter in rest] == [made(10)]
    assert await ids_waiting(store, HOOK) == [made(4).id]


async def test_no04_a_dead_letter_is_not_made_again_either(store: Store) -> None:
    await store.outbox.add([made(1)])
    await store.outbox.dead(made(1).id, 8, UnixMs(99_000), "status 500")
    await store.outbox.add([made(1)])
    await store.outbox.forget({NORTH: Position(1)})
    assert await store.outbox.next_of(HOOK) is None
    assert len(await store.outbox.dead_letters(NORTH)) == 1


async def test_no04_dead_letters_are_resent_as_if_never_tried(store: Store) -> None:
    await store.outbox.add([made(1), made(2), made(3, "mail", "ana"), made(1, workspace=SOUTH)])
    for row in (made(1), made(2), made(3, "mail", "ana"), made(1, workspace=SOUTH)):
        await store.outbox.dead(row.id, 8, UnixMs(99_000), "timeout")
    assert await store.outbox.resend(NORTH, [made(1).id, "another"], UnixMs(100_000)) == [HOOK]
    pending = await store.outbox.next_of(HOOK)
    assert pending is not None
    assert (pending.row, pending.attempts, pending.next_at) == (made(1), 0, 100_000)
    assert sorted(await store.outbox.resend(NORTH, None, UnixMs(100_001))) == [ANA, HOOK]
    assert await store.outbox.resend(NORTH, None, UnixMs(100_002)) == []
    assert await store.outbox.dead_letters(NORTH) == []
    assert len(await store.outbox.dead_letters(SOUTH)) == 1


async def test_an_outcome_that_comes_late_changes_nothing(store: Store) -> None:
    await store.outbox.add([made(1), made(2)])
    await store.outbox.done(made(1).id)
    await store.outbox.retry(made(1).id, 1, UnixMs(5_000), "timeout")
    await store.outbox.dead(made(1).id, 8, UnixMs(5_000), "timeout")
    await store.outbox.retry("another", 1, UnixMs(5_000), "timeout")
    assert await store.outbox.dead_letters(NORTH) == []
    assert await ids_waiting(store, HOOK) == [made(2).id]


async def test_no04_what_waits_survives_a_restart(store_url: str) -> None:
    store = await open_store(store_url, migrate=True)
    await store.outbox.add([made(1), made(2)])
    await store.outbox.retry(made(1).id, 2, UnixMs(5_000), "timeout")
    await store.close()
    store = await open_store(store_url, migrate=True)
    assert await store.outbox.lanes() == [(HOOK, 2_000)]
    assert await ids_waiting(store, HOOK) == [made(2).id, made(1).id]
    await store.close()
