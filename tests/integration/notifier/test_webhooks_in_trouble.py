"""Receivers that refuse, hang, vanish or come back: what happens to what they were to get."""

import itertools
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from services.notifier import webhooks
from shared.ports import Lane
from shared.routing.ids import WorkspaceId
from tests.integration.notifier.hooks import OTHER_SECRET, hook, local, tried, verified
from tests.servers.http_receiver import Answer, HttpReceiver, Received
from tests.servers.nats import NatsServer
from tests.servers.town import FAST, PATIENT, Town, town


async def test_no04_what_fails_is_tried_again_with_the_same_id_then_is_a_dead_letter(
    here: Town, receiver: HttpReceiver
) -> None:
    receiver.answering = lambda _: Answer(500)
    await here.office.set_up()
    await hook(here.office, receiver.url, "group_defined")
    await here.office.admin("create_group", group_id="two", name="Two")
    (letter,) = await here.dead(1)
    assert len(set(receiver.ids)) == 1
    assert len(receiver.ids) == letter["attempts"] == 4
    assert letter["message"] == receiver.ids[0]
    assert {one.body for one in receiver.received} == {receiver.received[0].body}
    for received in receiver.received:
        verified(received)


async def test_no04_a_message_that_is_not_taken_blocks_none_behind_it(
    nats: NatsServer, log_url: str, receiver: HttpReceiver
) -> None:
    receiver.answering = lambda one: Answer(500 if one.fields["data"].get("name") == "bad" else 200)
    async with town(nats.url, log_url, local(PATIENT)) as here:
        await here.office.set_up()
        await hook(here.office, receiver.url, "group_defined")
        for name in ("bad", "good", "better"):
            await here.office.admin("create_group", group_id=name, name=name)
        names = await receiver.has(lambda all_of_it: len({one.its_id for one in all_of_it}) == 3)
        first_tries = list(dict.fromkeys(one.fields["data"]["name"] for one in names))
        assert first_tries == ["bad", "good", "better"]
        receiver.answering = lambda _: Answer()
        await here.quiet()


async def test_no04_a_receiver_that_was_away_gets_everything_once_it_is_back(
    nats: NatsServer, log_url: str, receiver: HttpReceiver
) -> None:
    await receiver.stop()
    async with town(nats.url, log_url, local(PATIENT)) as here:
        await here.office.set_up()
        await hook(here.office, receiver.url, "group_defined")
        for number in range(5):
            await here.office.admin("create_group", group_id=f"g{number}", name=f"G{number}")
        await tried(here)
        await receiver.start()
        await receiver.count(5)
        await here.quiet()
    assert sorted(one.fields["data"]["group_id"] for one in receiver.received) == [
        f"g{number}" for number in range(5)
    ]


async def test_no04_a_receiver_that_hangs_delays_neither_feeds_nor_others(
    here: Town, receiver: HttpReceiver, other: HttpReceiver
) -> None:
    receiver.answering = lambda _: None
    await here.office.set_up("ana")
    feed = await here.office.feed("team")
    for number in range(20):
        await hook(here.office, receiver.url, "conversation_opened", hook_id=f"dead-{number}")
    await hook(here.office, other.url, "conversation_opened", hook_id="alive")
    await here.office.open("v1", "c1")
    await other.count(1)
    await receiver.count(20)
    await here.office.open("v2", "c2")
    await other.count(2)
    about = "conversation_changed"
    await feed.until(lambda _: "c2" in [told["conversation_id"] for told in feed.of(about)])
    assert {one.fields["data"]["conversation_id"] for one in receiver.received} == {"c1"}
    await receiver.stop()


async def test_no04_after_its_first_try_a_receiver_that_hangs_leaves_the_slots_to_others(
    nats: NatsServer,
    log_url: str,
    receiver: HttpReceiver,
    other: HttpReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhooks, "TIMEOUT_S", 0.5)
    receiver.answering = lambda _: None
    async with town(nats.url, log_url, local(PATIENT)) as here:
        await here.office.set_up()
        for number in range(40):
            await hook(here.office, receiver.url, "group_defined", hook_id=f"dead-{number}")
        await hook(here.office, other.url, "group_defined", hook_id="alive")
        await here.office.admin("create_group", group_id="g0", name="G0")
        await other.count(1)
        monkeypatch.setattr(webhooks, "TIMEOUT_S", 30.0)
        for number in range(1, 6):
            await here.office.admin("create_group", group_id=f"g{number}", name=f"G{number}")
        await other.count(6)
        await receiver.stop()
    assert [one.fields["data"]["group_id"] for one in other.received] == [
        f"g{number}" for number in range(6)
    ]


async def test_no04_gone_is_final(here: Town, receiver: HttpReceiver) -> None:
    receiver.answering = lambda _: Answer(410)
    await here.office.set_up()
    await hook(here.office, receiver.url, "group_defined")
    await here.office.admin("create_group", group_id="two", name="Two")
    (letter,) = await here.dead(1)
    assert (letter["attempts"], letter["error"]) == (1, "status 410")
    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_no04_retry_after_is_waited_for(
    here: Town, receiver: HttpReceiver, status: int
) -> None:
    answers = itertools.chain([Answer(status, {"Retry-After": "1"})], itertools.repeat(Answer()))
    came: list[datetime] = []

    def answering(_: Received) -> Answer:
        came.append(datetime.now(UTC))
        return next(answers)

    receiver.answering = answering
    await here.office.set_up()
    await hook(here.office, receiver.url, "group_defined")
    await here.office.admin("create_group", group_id="two", name="Two")
    await receiver.count(2)
    assert came[1] - came[0] >= timedelta(seconds=0.9)


async def test_no04_retry_after_may_be_a_date_and_is_bounded(
    here: Town, receiver: HttpReceiver
) -> None:
    in_years = format_datetime(datetime.now(UTC) + timedelta(days=900), usegmt=True)
    receiver.answering = lambda _: Answer(503, {"Retry-After": in_years})
    await here.office.set_up()
    await hook(here.office, receiver.url, "group_defined")
    await here.office.admin("create_group", group_id="two", name="Two")
    await tried(here)
    pending = await here.store.outbox.next_of(Lane(WorkspaceId("acme"), "webhook", "hook"))
    assert pending is not None
    wait_ms = pending.next_at - here.world.clock.wall_ms()
    assert timedelta(hours=23) < timedelta(milliseconds=wait_ms) <= timedelta(hours=24)


async def test_no04_an_answer_that_never_ends_counts_by_its_status(
    here: Town, receiver: HttpReceiver
) -> None:
    receiver.answering = lambda _: Answer(200, endless=True)
    await here.office.set_up()
    await hook(here.office, receiver.url, "group_defined")
    for group in ("two", "three"):
        await here.office.admin("create_group", group_id=group, name=group)
    await receiver.count(2)
    await here.quiet()
    assert len(receiver.received) == 2


# --- while something waits ------------------------------------------------------------------


async def test_no03_what_waits_is_sent_as_the_webhook_is_defined_then(
    nats: NatsServer, log_url: str, receiver: HttpReceiver, other: HttpReceiver
) -> None:
    receiver.answering = lambda _: Answer(500)
    async with town(nats.url, log_url, local(PATIENT)) as here:
        await here.office.set_up()
        await hook(here.office, receiver.url, "group_defined")
        await here.office.admin("create_group", group_id="two", name="Two")
        await tried(here)
        await hook(here.office, other.url, "group_defined", secret=OTHER_SECRET)
        (received,) = await other.count(1)
        await here.quiet()
    assert verified(received, OTHER_SECRET)["data"]["group_id"] == "two"


async def test_no03_what_waits_for_a_webhook_that_is_removed_is_dropped(
    nats: NatsServer, log_url: str, receiver: HttpReceiver
) -> None:
    receiver.answering = lambda _: Answer(500)
    async with town(nats.url, log_url, local(PATIENT)) as here:
        await here.office.set_up()
        await hook(here.office, receiver.url, "group_defined")
        await here.office.admin("create_group", group_id="two", name="Two")
        await tried(here)
        await here.office.admin("remove_webhook", webhook_id="hook")
        await here.quiet()
        reply = await here.office.ask("admin", "root", "dead_letters")
        assert reply["result"]["dead_letters"] == []


async def test_no03_nothing_is_sent_unsigned(
    nats: NatsServer, log_url: str, receiver: HttpReceiver
) -> None:
    receiver.answering = lambda _: Answer(500)
    async with town(nats.url, log_url, local(PATIENT)) as here:
        await here.office.set_up()
        await hook(here.office, receiver.url, "group_defined")
        await here.office.admin("create_group", group_id="two", name="Two")
        await tried(here)
        await here.office.admin("erase", subject="webhook:hook")
        (letter,) = await here.dead(1)
    assert letter["error"] == "the secret was erased"


async def test_no04_no05_a_restart_posts_nothing_twice(
    nats: NatsServer, log_url: str, receiver: HttpReceiver
) -> None:
    async with town(nats.url, log_url, local(FAST)) as here:
        await here.office.set_up("ana")
        await hook(here.office, receiver.url, "*")
        await here.office.come_online("ana")
        await here.quiet()
    seen = len(receiver.received)
    async with town(nats.url, log_url, local(FAST)) as here:
        await here.office.open("v1", "c1")
        await receiver.has(lambda all_of_it: len(all_of_it) > seen)
        await here.quiet()
    assert len(set(receiver.ids)) == len(receiver.ids)
