"""What anybody can ask over the wire, page by page, and only what the role may see."""

import asyncio
import time
from typing import Any

import pytest

from tests.servers.client import Fields
from tests.servers.office import Office, RefusedError

WAITING, LOOKERS, WRITES = 2_000, 10, 40
AT_ONCE = 500
PATIENCE_S = 1.0
"""For one command; every look is an answer of 130 KB, and ten of them are always under way."""
STATUS = ("closed", "waiting", "assigned")


@pytest.fixture
async def busy(office: Office) -> Office:
    """ana (3 slots) and ben (1) at work on c0 to c3; c4 to c6 wait; c7 is for sales alone."""
    await office.admin("update_operator", operator_id="ben", capacity=1)
    await office.admin("create_group", group_id="sales", name="Sales")
    await office.come_online("ana", "ben")
    for number in range(7):
        await office.open(f"v{number}", f"c{number}")
    await office.open("v7", "c7")
    await office.admin("forward", conversation_id="c7", to={"group": "sales"})
    return office


def _ids(answer: Fields) -> list[str]:
    return [one["conversation_id"] for one in answer["result"]["conversations"]]


async def _inbox(office: Office, who: str, **fields: Any) -> list[str]:
    return _ids(await office.ask("operator", who, "inbox", **fields))


async def test_qy01_mine_unassigned_and_all(busy: Office) -> None:
    mine = await busy.ask("operator", "ana", "inbox", view="mine")
    owned = _ids(mine)
    assert len(owned) == 3
    assert {one["why_mine"] for one in mine["result"]["conversations"]} == {"owner"}
    assert len(await _inbox(busy, "ben", view="mine")) == 1
    assert await _inbox(busy, "ana", view="unassigned") == ["c4", "c5", "c6", "c7"]
    assert await _inbox(busy, "ana", view="all") == [f"c{number}" for number in range(8)]


async def test_qy01_mine_also_holds_what_somebody_takes_part_in_or_was_told_of(
    busy: Office,
) -> None:
    (bens,) = await _inbox(busy, "ben", view="mine")
    await busy.operator("ana", "join", conversation_id=bens)
    await busy.admin("set_policy", scope={"group": "sales"}, policy={"delivery": "broadcast"})
    await busy.admin("join_group", operator_id="ana", group_id="sales")
    answer = await busy.ask("operator", "ana", "inbox", view="mine")
    why = {one["conversation_id"]: one["why_mine"] for one in answer["result"]["conversations"]}
    assert (why[bens], why["c7"]) == ("participant", "broadcast")


async def test_qy01_filters_by_group_operator_entry_point_and_state(busy: Office) -> None:
    await busy.operator("ana", "close", conversation_id=(await _inbox(busy, "ana", view="mine"))[0])
    owned_by_ben = await _inbox(busy, "ben", view="mine")
    assert await _inbox(busy, "ana", view="all", group_id="sales") == ["c7"]
    assert await _inbox(busy, "ana", view="all", operator_id="ben") == owned_by_ben
    assert await _inbox(busy, "ana", view="all", entry_point_id="elsewhere") == []
    found = {state: await _inbox(busy, "ana", view="all", state=state) for state in STATUS}
    assert [len(found[state]) for state in STATUS] == [1, 3, 4]


async def test_qy01_pages_are_stable_while_conversations_come_and_go(busy: Office) -> None:
    first = await busy.ask("operator", "ana", "inbox", view="all", limit=3)
    assert _ids(first) == ["c0", "c1", "c2"]
    await busy.visitor("v1", "close", conversation_id="c1")
    await busy.open("v8", "c8")
    after = first["result"]["next"]
    second = await busy.ask("operator", "ana", "inbox", view="all", limit=3, after=after)
    assert _ids(second) == ["c3", "c4", "c5"]
    after = second["result"]["next"]
    last = await busy.ask("operator", "ana", "inbox", view="all", limit=100, after=after)
    assert (_ids(last), last["result"]["next"]) == (["c6", "c7", "c8"], None)


@pytest.mark.parametrize("after", ["x", "-1", "9" * 200])
async def test_qy01_a_page_mark_that_nobody_gave_out_is_refused(office: Office, after: str) -> None:
    with pytest.raises(RefusedError, match="malformed"):
        await office.ask("operator", "ana", "inbox", view="all", after=after)


async def test_qy01_the_queue_tells_place_age_and_reason(busy: Office) -> None:
    waiting = (await busy.ask("admin", "root", "queue", group_id="support"))["result"]["waiting"]
    assert [(one["conversation_id"], one["place"]) for one in waiting] == [
        ("c4", 1),
        ("c5", 2),
        ("c6", 3),
    ]
    assert {one["reason"] for one in waiting} == {"all_full"}
    assert all(one["waited_ms"] >= 0 for one in waiting)
    (sales,) = (await busy.ask("admin", "root", "queue", group_id="sales"))["result"]["waiting"]
    assert (sales["conversation_id"], sales["reason"]) == ("c7", "group_empty")


async def test_qy01_the_roster_tells_status_and_load(busy: Office) -> None:
    operators = (await busy.ask("operator", "ana", "roster"))["result"]["operators"]
    told = {one["operator_id"]: one for one in operators}
    assert [(told[who]["load"], told[who]["capacity"]) for who in ("ana", "ben")] == [
        (3, 3),
        (1, 1),
    ]
    assert {one["effective"] for one in operators} == {"online"}


async def test_qy01_one_conversation_with_its_timeline_and_the_text_of_notes(busy: Office) -> None:
    note = {"to": {"group": "support"}, "note": "Customer is angry: be kind"}
    await busy.operator("ben", "forward", conversation_id="c7", **note)
    answer = (await busy.ask("operator", "ana", "conversation", conversation_id="c7"))["result"]
    assert answer["conversation"]["scope"] == {"group": "support"}
    events = [entry["event"] for entry in answer["timeline"]]
    assert events[0]["type"] == "conversation_opened.v1"
    assert [event["note"] for event in events if "note" in event] == [None, note["note"]]
    own = (await busy.ask("visitor", "v7", "conversation", conversation_id="c7"))["result"]
    assert not own["timeline"]
    assert (
        "waiting_reason" not in own["conversation"] or own["conversation"]["waiting_reason"] is None
    )


async def test_qy01_only_what_the_role_may_read(busy: Office) -> None:
    await busy.admin(
        "define_role", role_id="reader", permissions={"conversations.unassigned": "read"}
    )
    await busy.admin("define_role", role_id="nobody", permissions={})
    (bens,) = await _inbox(busy, "ben", view="mine")
    await busy.admin("register_operator", operator_id="rea", role_id="reader")
    await busy.admin("register_operator", operator_id="nob", role_id="nobody")
    assert await _inbox(busy, "rea", view="unassigned") == ["c4", "c5", "c6", "c7"]
    assert await _inbox(busy, "rea", view="all") == ["c4", "c5", "c6", "c7"]
    assert await _inbox(busy, "nob", view="mine") == []
    unread: list[tuple[str, str, Fields]] = [
        ("rea", "conversation", {"conversation_id": bens}),
        ("nob", "conversation", {"conversation_id": "c4"}),
        ("nob", "inbox", {"view": "all"}),
        ("nob", "inbox", {"view": "unassigned"}),
        ("nob", "queue", {}),
        ("nob", "visitor", {"visitor_id": "v1"}),
    ]
    for who, query, fields in unread:
        with pytest.raises(RefusedError, match="no_permission"):
            await busy.ask("operator", who, query, **fields)


async def test_qy01_visitors_see_their_own_conversations_alone(busy: Office) -> None:
    with pytest.raises(RefusedError, match="unknown_conversation"):
        await busy.ask("visitor", "v1", "conversation", conversation_id="c0")
    for query in ("roster", "queue", "workspace", "operators"):
        with pytest.raises(RefusedError, match="not_allowed"):
            await busy.ask("visitor", "v1", query)


async def test_qy02_every_answer_says_the_position_it_reflects(busy: Office) -> None:
    written = await busy.visitor("v1", "write", conversation_id="c1")
    asked: list[tuple[str, str, str, Fields]] = [
        ("admin", "root", "roster", {}),
        ("admin", "root", "operators", {}),
        ("admin", "root", "workspace", {}),
        ("admin", "root", "queue", {}),
        ("operator", "ana", "me", {}),
        ("operator", "ana", "inbox", {"view": "mine"}),
        ("admin", "root", "conversation", {"conversation_id": "c1"}),
        ("admin", "root", "visitor", {"visitor_id": "v1"}),
        ("visitor", "v1", "entry_point", {"entry_point_id": "site"}),
    ]
    for kind, who, query, fields in asked:
        answer = await busy.ask(kind, who, query, min_position=written["position"], **fields)
        assert answer["position"] == written["position"]


async def test_e09_looking_at_a_long_queue_holds_nobody_up(office: Office) -> None:
    """Two thousand wait, and ten people look at them again and again."""
    for begin in range(0, WAITING, AT_ONCE):
        some = range(begin, begin + AT_ONCE)
        await asyncio.gather(*(office.open(f"v{number}", f"c{number}") for number in some))
    looking = [asyncio.create_task(_look(office)) for _ in range(LOOKERS)]
    slowest = 0.0
    for number in range(WRITES):
        began = time.monotonic()
        await office.visitor(f"v{number}", "write", conversation_id=f"c{number}")
        slowest = max(slowest, time.monotonic() - began)
    assert not any(task.done() for task in looking)
    for task in looking:
        task.cancel()
    await asyncio.gather(*looking, return_exceptions=True)
    assert slowest < PATIENCE_S


async def _look(office: Office) -> None:
    while True:
        answer = await office.ask("admin", "root", "queue")
        assert answer["result"]["total"] == WAITING
