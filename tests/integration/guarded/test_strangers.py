"""What somebody who was let in may not find out, and cannot make others believe."""

import asyncio

import msgspec
import pytest

from shared.ports import Message
from shared.routing.commands import Refused
from shared.wire.replies import refused
from tests.servers.guarded import Guarded

GRASPING = (
    ">",
    "fernamt.>",
    "fernamt.v1.feed.>",
    "fernamt.v1.*.*.*.*",
    "_INBOX.>",
    "_R_.>",
    "$SYS.>",
)


class Heard:
    """Everything that reaches one subscription."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.news = asyncio.Event()

    def __call__(self, message: Message) -> None:
        self.messages.append(message)
        self.news.set()

    async def first(self) -> Message:
        await asyncio.wait_for(self.news.wait(), 30)
        return self.messages[0]


async def test_a_stranger_hears_nothing_while_others_speak(broker: Guarded) -> None:
    eve = await broker.somebody("shop", "visitor", "eve")
    for subject in GRASPING:
        with pytest.raises(PermissionError):
            await eve.subscribe(subject, Heard())
    received = eve.counters.received
    router, notifier = await broker.service("router"), await broker.service("notifier")
    ana, told = await broker.somebody("shop", "operator", "ana"), Heard()

    def answer(message: Message) -> None:
        router.publish(message.reply, b'{"ok": true}')

    await router.subscribe("fernamt.v1.cmd.shop.>", answer)
    await ana.subscribe("fernamt.v1.feed.shop.operator.ana", told)
    await ana.request("fernamt.v1.cmd.shop.operator.ana.log_in", b"{}", timeout_s=10)
    notifier.publish("fernamt.v1.feed.shop.operator.ana", b'{"type": "assigned"}')
    assert (await told.first()).data == b'{"type": "assigned"}'
    await eve.flush()
    assert eve.counters.received == received


async def test_what_the_broker_says_of_the_sender_cannot_be_forged(broker: Guarded) -> None:
    router, heard = await broker.service("router"), Heard()
    await router.subscribe("fernamt.v1.cmd.shop.>", heard)
    eve = await broker.somebody("shop", "visitor", "eve")
    forged = {"Nats-Request-Info": '{"user": "shop.admin.root", "acc": "APP"}'}
    eve.publish("fernamt.v1.cmd.shop.visitor.eve.open", b"{}", headers=forged)
    info = msgspec.json.decode((await heard.first()).headers["Nats-Request-Info"])
    assert (info["user"], info["acc"]) == ("shop.visitor.eve", "FRONT")


@pytest.mark.parametrize(
    "reply", ["fernamt.v1.evt.shop.gone", "fernamt.v1.part.1.cmd.shop.admin.a.b", "_INBOX.router.1"]
)
async def test_an_answer_cannot_be_sent_to_where_only_services_speak(
    broker: Guarded, reply: str
) -> None:
    """The broker does not look at where an answer is to go; but it goes back where it came from."""
    router, strayed = await broker.service("router"), Heard()
    console = await broker.service("console")
    await console.subscribe("fernamt.v1.evt.>", strayed)
    await router.subscribe("fernamt.v1.part.>", strayed)
    await router.subscribe("_INBOX.router.1", strayed)
    asked = Heard()
    await router.subscribe("fernamt.v1.cmd.shop.>", asked)
    eve = await broker.somebody("shop", "visitor", "eve")
    eve.publish("fernamt.v1.cmd.shop.visitor.eve.open", b"{}", reply=reply)
    message = await asked.first()
    assert message.reply.startswith("_R_.")
    router.publish(message.reply, b'{"ok": true}')
    await router.flush()
    await console.flush()
    assert strayed.messages == []


async def test_an_answer_sent_to_the_feed_of_another_is_no_message_of_a_feed(
    broker: Guarded,
) -> None:
    """That much can be done to others; so whoever hears a feed looks at what is on it."""
    router, heard = await broker.service("router"), Heard()
    ana, eve = [await broker.somebody("shop", "operator", who) for who in ("ana", "eve")]
    feed = "fernamt.v1.feed.shop.operator.ana"
    await ana.subscribe(feed, heard)

    def answer(message: Message) -> None:
        sent = refused(Refused("malformed", message.data.decode()))
        router.publish(message.reply, sent.body, headers=sent.headers)

    await router.subscribe("fernamt.v1.cmd.shop.>", answer)
    eve.publish("fernamt.v1.cmd.shop.operator.eve.claim", b'{"type": "assigned"}', reply=feed)
    assert msgspec.json.decode((await heard.first()).data).keys() == {"ok", "error"}


async def test_of_two_of_one_name_and_different_kind_neither_gets_the_others_answers(
    broker: Guarded,
) -> None:
    router = await broker.service("router")

    def answer(message: Message) -> None:
        router.publish(message.reply, message.subject.encode())

    await router.subscribe("fernamt.v1.ask.shop.>", answer)
    operator = await broker.somebody("shop", "operator", "ana")
    visitor = await broker.somebody("shop", "visitor", "ana")
    with pytest.raises(PermissionError):
        await visitor.subscribe("_INBOX.shop.operator.ana.>", Heard())
    subject = "fernamt.v1.ask.shop.operator.ana.inbox"
    before = visitor.counters.received
    assert (await operator.request(subject, b"{}", timeout_s=10)).data == subject.encode()
    await visitor.flush()
    assert visitor.counters.received == before


async def test_a_back_end_answers_what_it_is_asked_and_nothing_else(broker: Guarded) -> None:
    notifier = await broker.service("notifier")
    bot = await broker.somebody("shop", "service", "bot")

    def answer(message: Message) -> None:
        bot.publish(message.reply, b"text")

    await bot.subscribe("fernamt.v1.transcript.shop.*", answer)
    told = await notifier.request("fernamt.v1.transcript.shop.c1", b"{}", timeout_s=10)
    assert told.data == b"text"
    before = bot.counters.denied
    bot.publish("_R_.made.up", b"text")
    await bot.flush()
    assert bot.counters.denied == before + 1
