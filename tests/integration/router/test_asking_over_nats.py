"""Queries over a real broker: whose is what, as of which position, and how feeds join on to it."""

import asyncio
from typing import Any

import pytest

from tests.servers.client import Fields
from tests.servers.office import Office, RefusedError

CONVERSATIONS = 40


async def _inbox(office: Office, who: str, view: str, **fields: Any) -> Fields:
    answer = await office.ask("operator", who, "inbox", view=view, **fields)
    result: Fields = answer["result"]
    return result


async def _why_mine(office: Office, who: str) -> dict[str, str]:
    conversations = (await _inbox(office, who, "mine"))["conversations"]
    return {c["conversation_id"]: c["why_mine"] for c in conversations}


async def test_qy01_an_inbox_says_why_something_is_mine_and_why_the_rest_waits(
    office: Office,
) -> None:
    await office.come_online("ana", "ben")
    await office.open("vera", "c1")
    await office.open("wim", "c2")
    await office.operator("ana", "add_participant", conversation_id="c1", operator_id="ben")
    for who in ("ana", "ben"):
        await office.operator(who, "set_status", status="busy")
    await office.admin("set_policy", scope={"workspace": True}, policy={"delivery": "offer"})
    await office.open("xenia", "c3")
    assert await _why_mine(office, "ana") == {"c1": "owner"}
    assert await _why_mine(office, "ben") == {"c1": "participant", "c2": "owner"}
    (waiting,) = (await _inbox(office, "ana", "unassigned"))["conversations"]
    assert (waiting["conversation_id"], waiting["waiting_reason"]) == ("c3", "nobody_online")
    await office.operator("ana", "set_status", status="online")
    assert await _why_mine(office, "ana") == {"c1": "owner", "c3": "offered"}


async def test_qy01_an_inbox_is_read_page_by_page_without_loss_while_it_grows(
    office: Office,
) -> None:
    for number in range(CONVERSATIONS):
        await office.open(f"v{number}", f"c{number}")
    found: list[str] = []
    after: Fields = {}
    while len(found) < CONVERSATIONS:
        page = await _inbox(office, "ana", "all", limit=7, **after)
        found += [c["conversation_id"] for c in page["conversations"]]
        after = {"after": page["next"]}
        await office.open(f"late-{len(found)}", f"late-{len(found)}")
    assert found[:CONVERSATIONS] == [f"c{number}" for number in range(CONVERSATIONS)]


async def test_qy02_an_answer_reflects_at_least_the_position_asked_for(office: Office) -> None:
    opened = await office.open("vera", "c1")
    answer = await office.ask("admin", "root", "queue", min_position=opened["position"])
    assert answer["position"] == opened["position"]
    assert [w["conversation_id"] for w in answer["result"]["waiting"]] == ["c1"]
    with pytest.raises(RefusedError, match="unavailable"):
        await office.ask("admin", "root", "queue", min_position=opened["position"] + 1)


async def test_qy03_subscribe_ask_apply_misses_nothing_and_takes_nothing_twice(
    office: Office,
) -> None:
    """While conversations come in, a front end joins; what it puts together is what there is."""
    await office.admin("update_operator", operator_id="ana", capacity=CONVERSATIONS)
    await office.come_online("ana")

    async def come() -> list[int]:
        return [(await office.open(f"v{n}", f"c{n}"))["position"] for n in range(CONVERSATIONS)]

    coming = asyncio.create_task(come())
    feed = await office.feed("operator", "ana")
    answer = await office.ask("operator", "ana", "inbox", view="mine")
    last = max(await coming)
    await feed.until(lambda bodies: bodies and bodies[-1]["position"] >= last)
    asked = [c["conversation_id"] for c in answer["result"]["conversations"]]
    told = [m["conversation_id"] for m in feed.of("assigned") if m["position"] > answer["position"]]
    assert sorted(asked + told) == sorted(f"c{n}" for n in range(CONVERSATIONS))
    sequence = [body["seq"] for body in feed.bodies]
    assert sequence == list(range(sequence[0], sequence[0] + len(sequence)))
