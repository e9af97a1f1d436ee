"""Says a canary in every place of the wire where somebody can write something."""

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import msgspec

from shared.adapters.nats_bus import NotSent
from shared.ports import Message, NoResponders
from shared.routing.commands import COMMANDS
from shared.routing.questions import EVERY_QUERY
from shared.wire.audit import AUDIT_QUESTIONS
from shared.wire.views import PageView
from tests.canaries.house import House
from tests.canaries.words import Canaries, put_into, unreadable
from tests.integration.notifier.hooks import SECRET
from tests.servers.nats import NatsServer
from tests.servers.office import RefusedError
from tests.servers.postgres import PostgresServer
from tests.servers.waiting import until
from tests.wire.shapes import sample

FREE = 'Größe: "9", z.B. [1] {2} \\ 😀'
"""The sample of a text that may be anything."""
REQUESTS = [
    *(("cmd", name, shape) for name, shape in COMMANDS.items()),
    *(("ask", name, shape) for name, shape in EVERY_QUERY.items()),
    *(("audit", name, shape) for name, shape in AUDIT_QUESTIONS.items()),
]
TRANSCRIPTS = (b"%s", b'{"text": "%s"}')
WITHIN_S = 10.0


async def say_everything(house: House) -> None:
    """In the order in which a workspace comes to life, then everything else at once."""
    await come_to_life(house)
    await _every_request(house)
    await _page_views_and_heartbeats(house)
    await _console(house)


async def come_to_life(house: House) -> None:
    """What is accepted, and goes on to the log, the vault, feeds, mails and webhooks."""
    office, new = house.office, house.canaries.new
    await office.set_up("ana")
    name, email = new("name of an operator"), f"{new('address')}@desk.test"
    who = {"operator_id": "bea", "name": name, "email": email, "email_missed": True}
    await office.admin("register_operator", **who)
    await office.admin("join_group", operator_id="bea", group_id="support")
    await office.admin("create_group", group_id="two", name=new("name of a group"))
    hook = {"url": f"{house.webhook.url}/{new('address of a webhook')}", "types": ["*"]}
    await office.admin("define_webhook", webhook_id="crm", secret=SECRET, **hook)
    then = [{"invite": {"message": new("invitation")}}]
    when = {"field": "current_url", "op": "contains", "value": house.canaries.of_rule}
    rule = {"name": new("name of a rule"), "order": 1, "enabled": True, "when": when, "then": then}
    await office.admin("save_rule", rule_id="welcome", **rule)
    attributes = {new("name of an attribute"): new("attribute")}
    await office.open("vera", "c1", attributes=attributes)
    await office.come_online("ana")
    await office.open("vera", "c2")
    note = new("note")
    await office.operator("ana", "forward", conversation_id="c2", to={"everyone": True}, note=note)
    await office.admin("close", conversation_id="c2", reason="solved", text=new("text of a close"))
    with contextlib.suppress(RefusedError):
        await office.send(
            "admin", "root", "close", {"conversation_id": "c2"}, command_id=new("id of a command")
        )
    await office.admin("erase", subject="operator:bea")


async def _every_request(house: House) -> None:
    for purpose, name, shape in REQUESTS:
        for headers, body in _bodies(house.canaries, name, shape):
            for kind, who in (("admin", "root"), ("operator", "ana"), ("visitor", "vera")):
                subject = f"fernamt.v1.{purpose}.acme.{kind}.{who}.{name}"
                await _try(house, subject, body, headers)


def _bodies(
    canaries: Canaries, name: str, shape: type[Any]
) -> Iterator[tuple[dict[str, str], bytes]]:
    word = canaries.new(f"texts of {name}")
    valid = put_into(sample(shape), FREE, word)
    if "secret" in valid:
        valid |= {"url": f"https://{word}.test/{word}", "secret": f"whsec_{word}"}
    yield {}, msgspec.json.encode(valid)
    beside = canaries.new(f"headers of {name}")
    yield {"Fernamt-Command-Id": f"{beside} @", "traceparent": beside}, msgspec.json.encode(valid)
    for fault, body in unreadable(canaries.new(f"unreadable body of {name}")):
        if name in ("open", "save_rule", "set_policy", "inbox", "find") or fault == "no JSON":
            yield {}, body


async def _page_views_and_heartbeats(house: House) -> None:
    new = house.canaries.new
    word = new("page view")
    seen = put_into(sample(PageView), FREE, word) | {"entry_point_id": "site"}
    for url in (f"https://{word}.test/{house.canaries.of_rule}", word):
        body = msgspec.json.encode(seen | {"url": url})
        await _try(house, "fernamt.v1.seen.acme.visitor.vera", body, {})
    await _try(house, f"fernamt.v1.beat.acme.operator.ana.{new('device')}@", b"", {})
    for purpose in ("seen.acme.visitor.vera", "beat.acme.operator.ana.desk"):
        for _, body in unreadable(new(f"unreadable body of {purpose}")):
            await _try(house, f"fernamt.v1.{purpose}", body, {})


async def _try(house: House, subject: str, body: bytes, headers: dict[str, str]) -> None:
    """Whatever becomes of it: some is refused, some answered, some has nobody to answer it."""
    bus = house.office.client.bus
    if not subject.startswith(("fernamt.v1.cmd", "fernamt.v1.ask", "fernamt.v1.audit")):
        bus.publish(subject, body)
        return
    with contextlib.suppress(NoResponders, TimeoutError):
        await bus.request(subject, body, headers=headers, timeout_s=WITHIN_S)


async def _console(house: House) -> None:
    new = house.canaries.new
    async with httpx.AsyncClient(base_url=house.console, timeout=WITHIN_S) as browser:
        for path, what in (
            ("acme/search", "q"),
            ("acme/incidents", "text"),
            ("acme/at", "moment"),
            ("acme/conversations/c1", "at"),
            ("nowhere/search", "q"),
        ):
            word = new(f"question in the console: {path}")
            answer = await browser.get(path, params={what: word})
            assert answer.status_code != 500, path
        await browser.get(f"acme/{new('path in the console')}")
        await browser.post("~/login", data={"token": new("token of the console")})
        await browser.get("acme/", headers={"cookie": f"fernamt_session={new('cookie')}"})


async def break_everything(house: House) -> None:
    """Servers that fail while something is said, in ways that make others tell what they hold."""
    await _mails_that_are_refused(house)
    await _saying_into(house, house.nats)
    await _saying_into(house, house.postgres)
    await _transcripts(house)


async def _mails_that_are_refused(house: House) -> None:
    office, new = house.office, house.canaries.new
    house.smtp.answer_recipient = f"550 {new('answer of the mail server')}"
    who = {"operator_id": "cem", "name": new("name"), "email": f"{new('address')}@desk.test"}
    await office.admin("register_operator", **who, email_missed=True)
    await office.admin("join_group", operator_id="cem", group_id="support")
    await office.operator("ana", "log_out", session_id="desk")
    tried = house.smtp.tried
    await _open(house, "c3")
    await until("a mail was refused", partial(_more_tried, house, tried))


async def _transcripts(house: House) -> None:
    """A chat back end gives them for mails, one that is none and one that is."""
    office, bus = house.office, house.office.client.bus
    answers = [answer % house.canaries.new("transcript").encode() for answer in TRANSCRIPTS]
    left = iter(answers)

    def on_request(message: Message) -> None:
        bus.publish(message.reply, next(left, b"{}"))

    await bus.subscribe("fernamt.v1.transcript.acme.*", on_request)
    await office.come_online("ana")
    for number in range(len(answers)):
        tried = house.smtp.tried
        await _open(house, f"missed-{number}")
        await office.visitor("vera", "close", conversation_id=f"missed-{number}")
        await until("a mail was refused", partial(_more_tried, house, tried))


async def _more_tried(house: House, than: int) -> bool:
    return house.smtp.tried > than


async def _saying_into(house: House, server: NatsServer | PostgresServer) -> None:
    """The server dies, something is said meanwhile, and it comes back."""
    server.kill()
    with contextlib.suppress(NoResponders, TimeoutError, NotSent):
        await _open(house, f"during-{type(server).__name__}", within_s=1.0)
    server.start()

    async def look() -> bool:
        with contextlib.suppress(NoResponders, TimeoutError, NotSent):
            return await _open(house, f"after-{type(server).__name__}", within_s=3.0)
        return False

    await until("commands are answered again", look, 60)


async def _open(house: House, conversation: str, *, within_s: float = WITHIN_S) -> bool:
    """A conversation with something written in it; whether there is one now.

    A try that nobody answered in time may have opened it.
    """
    attributes = {"k": house.canaries.new("attribute while something fails")}
    fields = {"conversation_id": conversation, "entry_point_id": "site", "attributes": attributes}
    reply = await house.office.client.command(
        "acme", "visitor", "vera", "open", fields, timeout_s=within_s
    )
    return bool(reply["ok"]) or reply["error"]["code"] == "already_open"
