"""Offers, slow answers and presence reports over a real broker, with the engine's own clock."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from shared.routing.transaction import Recorded
from tests.servers.client import Fields, connected
from tests.servers.engine import Engine
from tests.servers.office import Office, RefusedError, read_log
from tests.servers.waiting import until

AT_ONCE = 20
ENDS = ("offer_accepted", "offer_declined", "offer_expired", "offer_rescinded")
REPORTS: list[tuple[str, Fields]] = [
    ("session_lapsed", {"operator_id": "ana", "session_id": "desk"}),
    ("session_returned", {"operator_id": "ana", "session_id": "desk"}),
    ("operator_idle", {"operator_id": "ana"}),
    ("operator_active", {"operator_id": "ana"}),
    ("shift_started", {"operator_id": "ana"}),
    ("shift_ended", {"entry_point_id": "site"}),
]
IMPOSTORS: list[tuple[str, str, Fields]] = [
    ("operator", "ana", {}),
    ("operator", "lea", {}),
    ("operator", "presence", {}),
    ("admin", "presence", {}),
    ("visitor", "presence", {}),
    ("service", "rules", {}),
    ("service", "presence", {"as": {"admin": "presence"}}),
    ("service", "presence", {"as": {"operator": "ana"}}),
]


class Offer(NamedTuple):
    """What a front end knows of an offer."""

    conversation_id: str
    number: int
    expires_at: int


async def _offering(office: Office, timeout_s: int, **policy: object) -> None:
    scope = {"workspace": True}
    settings = {"delivery": "offer", "offer_timeout_s": timeout_s, **policy}
    await office.admin("set_policy", scope=scope, policy=settings)


async def _offered(office: Office, conversation: str, visitor: str = "vera") -> Offer:
    """Open a conversation that is offered at once."""
    await office.open(visitor, conversation)
    answer = await office.ask("admin", "root", "conversation", conversation_id=conversation)
    offer = answer["result"]["conversation"]["offer"]
    return Offer(conversation, offer["offer"], offer["expires_at"])


async def _answer(office: Office, who: str, command: str, offer: Offer) -> Fields:
    """The reply, accepted or not."""
    body = {"conversation_id": offer.conversation_id, "offer": offer.number}
    return await office.client.command(office.workspace, "operator", who, command, body)


async def _owner(office: Office, conversation: str) -> str | None:
    answer = await office.ask("admin", "root", "conversation", conversation_id=conversation)
    owner: str | None = answer["result"]["conversation"]["owner"]
    return owner


async def _clock_at(moment_ms: int) -> None:
    async def reached() -> bool:
        return time.time() * 1_000 >= moment_ms

    await until(f"the clock is at {moment_ms}", reached, every_s=0.001)


def _named(log: Sequence[Recorded], *names: str) -> list[Recorded]:
    """The events of these names, in order."""
    return [one for one in log if _name(one) in names]


def _name(one: Recorded) -> str:
    return str(one.envelope.data.__struct_config__.tag).partition(".")[0]


def _how(one: Recorded) -> str:
    return _name(one).removeprefix("offer_")


# --- deadlines ------------------------------------------------------------------------------


async def test_of01_of02_accepted_in_time_it_is_his_and_nothing_expires(
    office: Office, log_url: str
) -> None:
    await _offering(office, 1)
    await office.come_online("ana")
    feed = await office.feed("operator", "ana")
    offer = await _offered(office, "c1")
    assert (await _answer(office, "ana", "accept_offer", offer))["ok"]
    later = await _offered(office, "c2")
    assert later.expires_at >= offer.expires_at
    await feed.until(lambda _: [m for m in feed.of("offer_ended") if m["how"] == "expired"])
    (told, _) = feed.of("offered")
    assert (told["offer"], told["expires_at"]) == (offer.number, offer.expires_at)
    assert told["alert"] is True
    assert told["expires_at"] - told["at"] == 1_000
    ended = [(m["conversation_id"], m["how"]) for m in feed.of("offer_ended")]
    assert ended == [("c1", "accepted"), ("c2", "expired")]
    assert await _owner(office, "c1") == "ana"
    log = await read_log(log_url, office.workspace)
    assert [_how(one) for one in _named(log, *ENDS)] == ["accepted", "expired"]


async def test_of02_accepted_after_the_deadline_it_is_refused(office: Office, log_url: str) -> None:
    await _offering(office, 1)
    await office.come_online("ana", "ben")
    feed = await office.feed("operator", "ben")
    offer = await _offered(office, "c1")
    await feed.until(lambda _: feed.of("offered"))
    late = await _answer(office, "ana", "accept_offer", offer)
    assert late["error"]["code"] == "offer_ended"
    assert late["error"]["detail"] == {"how": "expired"}
    others = offer._replace(number=feed.of("offered")[0]["offer"])
    not_his = await _answer(office, "ana", "accept_offer", others)
    assert not_his["error"]["code"] == "no_offer"
    assert (await _answer(office, "ben", "accept_offer", others))["ok"]
    log = await read_log(log_url, office.workspace)
    expired = _named(log, "offer_expired")[0].envelope
    assert (expired.data.due, expired.by) == (offer.expires_at, None)  # type: ignore[union-attr]
    assert expired.at >= offer.expires_at


async def test_of02_answers_around_the_deadline_agree_with_the_log(
    office: Office, log_url: str
) -> None:
    """Whoever was told yes has it, and whoever was told no has not, to the millisecond."""
    await office.admin("update_operator", operator_id="ana", capacity=AT_ONCE)
    await _offering(office, 1, rounds_max=1, unresponsive_after=0)
    await office.come_online("ana")
    offers = [await _offered(office, f"c{n}", f"v{n}") for n in range(AT_ONCE)]

    async def answer(offer: Offer, early_ms: int) -> tuple[str, str]:
        await _clock_at(offer.expires_at - early_ms)
        reply = await _answer(office, "ana", "accept_offer", offer)
        how = "accepted" if reply["ok"] else reply["error"]["detail"]["how"]
        return offer.conversation_id, how

    spread = [5 * (AT_ONCE // 2 - n) for n in range(AT_ONCE)]
    told = await asyncio.gather(*map(answer, offers, spread))
    log = await read_log(log_url, office.workspace)
    ended = {one.envelope.data.conversation_id: _how(one) for one in _named(log, *ENDS)}  # type: ignore[union-attr]
    assert dict(told) == ended
    assert set(ended.values()) <= {"accepted", "expired"}
    assert len(_named(log, *ENDS)) == AT_ONCE


async def test_of02_of_two_answers_at_once_one_counts(
    engine: Engine, office: Office, log_url: str
) -> None:
    """Ana on two devices, each on a connection of its own; and a colleague who claims."""
    await office.admin("update_operator", operator_id="ana", capacity=AT_ONCE)
    await _offering(office, 600)
    await office.come_online("ana")
    offers = [await _offered(office, f"c{n}", f"v{n}") for n in range(AT_ONCE)]
    async with connected(engine.url) as second, connected(engine.url) as third:
        phone = Office(second, office.workspace)
        colleague = Office(third, office.workspace)
        for number, offer in enumerate(offers):
            claim = {"conversation_id": offer.conversation_id}
            replies = await asyncio.gather(
                _answer(office, "ana", "accept_offer", offer),
                _answer(phone, "ana", ("accept_offer", "decline_offer")[number % 2], offer),
                colleague.client.command(office.workspace, "operator", "ben", "claim", claim),
            )
            _one_has_it(replies, await _owner(office, offer.conversation_id))
    ends = _named(await read_log(log_url, office.workspace), *ENDS)
    counted = Counter((e.data.conversation_id, e.data.offer) for _, e in ends)  # type: ignore[union-attr]
    assert set(counted.values()) == {1}
    assert len({conversation for conversation, _ in counted}) == AT_ONCE


def _one_has_it(replies: Sequence[Fields], owner: str | None) -> None:
    accepted, second, claimed = replies
    assert not (accepted["ok"] and second["ok"]), "one offer was ended twice"
    assert not (accepted["ok"] and claimed["ok"]), "two were told that it is theirs"
    assert owner == ("ben" if claimed["ok"] else "ana")
    for lost in (accepted, second):
        assert lost["ok"] or lost["error"]["code"] == "offer_ended"
    if not claimed["ok"]:
        assert claimed["error"]["code"] == "already_owned"
        assert claimed["error"]["detail"] == {"owner": "ana"}


async def test_of03_a_sole_operator_is_asked_again_after_the_pause(
    office: Office, log_url: str
) -> None:
    await _offering(office, 600, decline_backoff_s=1)
    await office.come_online("ana")
    feed = await office.feed("operator", "ana")
    offer = await _offered(office, "c1")
    assert (await _answer(office, "ana", "decline_offer", offer))["ok"]
    await feed.until(lambda _: len(feed.of("offered")) == 2)
    log = await read_log(log_url, office.workspace)
    (ended,) = _named(log, "round_ended")
    (over,) = _named(log, "back_off_ended")
    assert over.envelope.data.due == ended.envelope.data.until  # type: ignore[union-attr]
    assert over.envelope.data.due == ended.envelope.at + 1_000  # type: ignore[union-attr]


# --- slow answers ---------------------------------------------------------------------------


async def test_tm02_tm03_whoever_is_invisible_and_agreed_to_it_is_alerted_and_takes_it(
    office: Office,
) -> None:
    on_slow = [{"after_s": 1, "action": action} for action in ("escalate_invisible", "notify")]
    await office.admin("set_policy", scope={"workspace": True}, policy={"on_slow": on_slow})
    await office.come_online("ana", "ben")
    await office.operator("ben", "set_status", status="invisible")
    await office.operator("ben", "set_preferences", reachable_when_slow=True)
    anas, bens = await office.feed("operator", "ana"), await office.feed("operator", "ben")
    visitors = await office.feed("visitor", "vera")
    await office.open("vera", "c1")
    await anas.until(lambda _: anas.of("slow"))
    (alert,) = await bens.until(lambda _: bens.of("escalated"))
    assert (alert["conversation_id"], alert["alert"]) == ("c1", True)
    mine = await office.ask("operator", "ben", "inbox", view="mine")
    assert [c["why_mine"] for c in mine["result"]["conversations"]] == ["escalated"]
    result = (await office.operator("ben", "reply", conversation_id="c1"))["result"]
    assert result["conversation"]["owner"] == "ben"
    assert result["conversation"]["participants"] == ["ana"]
    await visitors.until(lambda _: len(visitors.of("operator_joined")) == 2)
    assert [m["operator_id"] for m in visitors.of("operator_joined")] == ["ana", "ben"]


# --- presence -------------------------------------------------------------------------------


@pytest.mark.parametrize(("command", "body"), REPORTS)
async def test_reports_on_presence_are_taken_from_nobody_else(
    office: Office, command: str, body: Fields
) -> None:
    await office.admin("register_operator", operator_id="lea", role_id="manager")
    await office.admin("register_operator", operator_id="presence", role_id="manager")
    await office.come_online("ana")
    before = await office.position()
    for kind, who, more in IMPOSTORS:
        with pytest.raises(RefusedError, match="nobody but the service presence") as refused:
            await office.send(kind, who, command, body | more)
        assert refused.value.error["code"] == "not_allowed"
        assert refused.value.error["detail"] == {"reserved": "presence"}
    assert await office.position() == before
    assert (await office.send("service", "presence", command, body))["ok"]


async def test_the_presence_service_may_do_nothing_else(office: Office) -> None:
    for command, body in (
        ("create_group", {"group_id": "g", "name": "G"}),
        ("set_status", {"status": "online"}),
        ("open", {"conversation_id": "c1", "entry_point_id": "site"}),
    ):
        with pytest.raises(RefusedError, match="not_allowed"):
            await office.send("service", "presence", command, body)


async def test_st03_ow01_a_connection_that_is_lost_for_too_long_loses_the_conversation(
    office: Office,
) -> None:
    scope = {"workspace": True}
    await office.admin("set_policy", scope=scope, policy={"disconnect_grace_s": 1})
    await office.come_online("ana")
    await office.open("vera", "c1")
    await office.come_online("ben")
    team, visitors = await office.feed("team"), await office.feed("visitor", "vera")
    report = {"operator_id": "ana", "session_id": "desk"}
    first = await office.send("service", "presence", "session_lapsed", report)
    again = await office.send("service", "presence", "session_lapsed", report)
    assert again["position"] == first["position"]
    gone = await team.until(lambda _: team.of("status_changed"))
    (change,) = [m for m in gone if m["type"] == "status_changed"]
    assert (change["operator_id"], change["cause"]) == ("ana", "disconnected")
    assert change["at"] - first["at"] >= 1_000
    assert await _owner(office, "c1") == "ana"
    for _ in range(2):
        await office.visitor("vera", "write", conversation_id="c1")
    assert await _owner(office, "c1") == "ben"
    await visitors.until(lambda _: visitors.of("operator_joined"))
    assert [m["operator_id"] for m in visitors.of("reassigned")] == ["ana"]
