"""Feeds as a front end hears them: whom it concerns, without a gap, and a ring where it may."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.servers.client import Fields, Listening, connected
from tests.servers.engine import Engine, running_engine
from tests.servers.office import Office, RefusedError

ABREAST = 120


def _types(listening: Listening) -> list[str]:
    return [body["type"] for body in listening.bodies]


async def test_no01_everything_about_ones_conversations_comes_to_ones_feed(
    office: Office,
) -> None:
    ana, ben = await office.feed("operator", "ana"), await office.feed("operator", "ben")
    await office.come_online("ana", "ben")
    await office.operator("ben", "set_status", status="busy")
    await office.open("vera", "c1")
    await office.visitor("vera", "write", conversation_id="c1")
    await office.operator("ana", "add_participant", conversation_id="c1", operator_id="ben")
    await office.operator("ana", "set_conversation", conversation_id="c1", priority=7)
    await office.operator("ana", "leave", conversation_id="c1")
    await office.operator("ben", "close", conversation_id="c1")
    await ben.until(lambda bodies: bodies and bodies[-1].get("state") == "closed")
    assert _types(ana) == [
        "assigned",
        "visitor_wrote",
        "conversation_changed",
        "conversation_changed",
        "released",
    ]
    assert _types(ben) == [
        "added",
        "conversation_changed",
        "conversation_changed",
        "assigned",
        "conversation_changed",
    ]
    assert {body["conversation_id"] for body in (*ana.bodies, *ben.bodies)} == {"c1"}
    for feed in (ana, ben):
        assert [body["seq"] for body in feed.bodies] == [1, 2, 3, 4, 5]


async def test_no01_a_visitor_hears_who_joins_and_leaves_and_the_place_in_line(
    office: Office,
) -> None:
    vera = await office.feed("visitor", "vera")
    await office.open("vera", "c1")
    await office.come_online("ana")
    await office.operator("ana", "release", conversation_id="c1")
    await office.operator("ana", "claim", conversation_id="c1")
    await office.operator("ana", "close", conversation_id="c1")
    await vera.until(lambda bodies: bodies and bodies[-1]["type"] == "closed")
    types = [kind for kind in _types(vera) if kind != "queued"]
    assert types == ["operator_joined", "operator_left", "operator_joined", "closed"]
    assert vera.of("queued")[0]["place"] == 1
    assert [body["seq"] for body in vera.bodies] == list(range(1, len(vera.bodies) + 1))


async def test_no01_the_team_sees_status_and_conversations_and_pages_their_mode(
    office: Office,
) -> None:
    team, page = await office.feed("team"), await office.feed("entry", "site")
    await office.come_online("ana")
    await office.open("vera", "c1")
    await page.until(lambda bodies: bodies)
    await team.until(lambda bodies: bodies and bodies[-1].get("state") == "assigned")
    (changed,) = team.of("status_changed")
    assert (changed["operator_id"], changed["effective"]) == ("ana", "online")
    assert [body["mode"] for body in page.bodies] == ["live"]
    assert all("seq" not in body for body in (*team.bodies, *page.bodies))
    assert all(body["position"] > 0 for body in (*team.bodies, *page.bodies))


@pytest.mark.parametrize(
    ("status", "rings"),
    [("online", True), ("busy", False), ("invisible", False), ("offline", False)],
)
async def test_no02_only_the_effectively_online_are_rung(
    office: Office, status: str, rings: bool
) -> None:
    feed = await office.feed("operator", "ana")
    await office.come_online("ana")
    await office.open("vera", "c1")
    await office.operator("ana", "set_status", status=status)
    await office.visitor("vera", "write", conversation_id="c1")
    await feed.until(lambda _: feed.of("visitor_wrote"))
    (wrote,) = feed.of("visitor_wrote")
    assert wrote["alert"] is rings


@pytest.mark.parametrize(("status", "rings"), [("online", True), ("busy", False)])
async def test_fw07_the_receiver_is_told_in_any_case_and_rung_only_if_online(
    office: Office, status: str, rings: bool
) -> None:
    feed = await office.feed("operator", "ben")
    await office.come_online("ana", "ben")
    await office.operator("ben", "set_status", status=status)
    await office.operator("ana", "set_status", status="online")
    await office.admin("update_operator", operator_id="ben", capacity=0)
    await office.open("vera", "c1")
    to = {"operator": "ben"}
    await office.operator("ana", "forward", conversation_id="c1", to=to, note="look here")
    await feed.until(lambda _: feed.of("forwarded"))
    (forwarded,) = feed.of("forwarded")
    assert (forwarded["alert"], forwarded["by"]) == (rings, "ana")
    assert "look here" not in str(forwarded)
    assert forwarded["note_ref"]


async def test_fw07_a_group_where_nobody_is_online_is_told_nothing_and_the_sender_warned(
    office: Office,
) -> None:
    await office.admin("create_group", group_id="sales", name="Sales")
    await office.open("vera", "c1")
    reply = await office.admin("forward", conversation_id="c1", to={"group": "sales"})
    assert reply["result"]["warnings"] == ["nobody_reachable"]


async def test_what_is_refused_and_what_changes_nothing_is_told_to_nobody(office: Office) -> None:
    feed, team = await office.feed("operator", "ana"), await office.feed("team")
    await office.come_online("ana")
    await office.open("vera", "c1")
    await feed.until(lambda bodies: bodies)
    before = len(await team.until(lambda bodies: bodies[-1:] and "assigned" in str(bodies[-1])))
    await office.operator("ana", "claim", conversation_id="c1")
    with pytest.raises(RefusedError, match="already_owned"):
        await office.operator("ben", "claim", conversation_id="c1")
    await office.visitor("vera", "write", conversation_id="c1")
    await feed.until(lambda _: feed.of("visitor_wrote"))
    assert _types(feed) == ["assigned", "visitor_wrote"]
    assert len(team.bodies) == before


async def test_qy03_subscribe_ask_apply_leaves_no_gap(office: Office) -> None:
    """Whoever applies what comes behind the answer's position has what the engine has."""
    await office.come_online("ana")
    await office.admin("update_operator", operator_id="ana", capacity=10_000)
    feed = await office.feed("operator", "ana")
    opening = [
        asyncio.create_task(office.open(f"v{number}", f"c{number}")) for number in range(ABREAST)
    ]
    snapshot = await office.ask("operator", "ana", "inbox", view="mine", limit=1_000)
    await asyncio.gather(*opening)
    await feed.until(lambda _: len(feed.of("assigned")) == ABREAST)
    mine = {one["conversation_id"] for one in snapshot["result"]["conversations"]}
    applied = [body for body in feed.bodies if body["position"] > snapshot["position"]]
    skipped = [body for body in feed.bodies if body["position"] <= snapshot["position"]]
    assert mine == {body["conversation_id"] for body in skipped}
    assert mine | {body["conversation_id"] for body in applied} == {
        f"c{number}" for number in range(ABREAST)
    }
    assert [body["seq"] for body in feed.bodies] == list(range(1, len(feed.bodies) + 1))
    positions = [body["position"] for body in feed.bodies]
    assert positions == sorted(positions)


async def test_ro15_r01_of_two_who_claim_at_the_same_instant_one_wins(
    engine: Engine, office: Office
) -> None:
    await office.admin("set_policy", scope={"workspace": True}, policy={"delivery": "manual"})
    await office.come_online("ana", "ben")
    async with connected(engine.url) as other:
        beside = Office(other, office.workspace)
        for number in range(30):
            conversation = f"c{number}"
            await office.open("vera", conversation)
            outcomes = await asyncio.gather(
                _claim(office, "ana", conversation), _claim(beside, "ben", conversation)
            )
            (winner,) = [who for who, error in outcomes if error is None]
            (refusal,) = [error for _, error in outcomes if error is not None]
            assert (refusal["code"], refusal["detail"]["owner"]) == ("already_owned", winner)


async def _claim(office: Office, who: str, conversation: str) -> tuple[str, Fields | None]:
    try:
        await office.operator(who, "claim", conversation_id=conversation)
    except RefusedError as refused:
        return who, refused.error
    return who, None


# --- over a restart -------------------------------------------------------------------------


@pytest.fixture
def own_engine() -> Iterator[Engine]:
    """One that is restarted."""
    with running_engine() as started:
        yield started


async def test_numbers_go_on_after_a_restart_and_ids_never_repeat(own_engine: Engine) -> None:
    async with connected(own_engine.url) as client:
        office = Office(client, "w")
        await office.set_up("ana")
        await office.come_online("ana")
        before = await office.feed("operator", "ana")
        await office.open("vera", "c1")
        await office.visitor("vera", "write", conversation_id="c1")
        await before.count(2)
    own_engine.kill()
    own_engine.start()
    async with connected(own_engine.url) as client:
        office = Office(client, "w")
        after = await office.feed("operator", "ana")
        await office.visitor("vera", "write", conversation_id="c1")
        await office.operator("ana", "close", conversation_id="c1")
        await after.count(2)
    seqs = [body["seq"] for body in (*before.bodies, *after.bodies)]
    assert seqs == [1, 2, 3, 4]
    ids = [body["id"] for body in (*before.bodies, *after.bodies)]
    assert len(set(ids)) == len(ids)
    assert all(its_id == f"w:{its_id.split(':')[1]}:{its_id.split(':')[2]}" for its_id in ids)
