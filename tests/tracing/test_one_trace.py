"""One trace from a visitor's command to everything that follows, across processes."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from shared.adapters.otel_tracer import OtelTracer, to_console
from shared.runtime.spans import ATTRIBUTES, CATALOGUE, DECIDE
from tests.servers.nats import NatsServer
from tests.servers.office import read_log
from tests.tracing.collector import Told, tree
from tests.tracing.scene import CALLER, TRACE, open_traced, scene, set_up

FOLLOWS = {
    ("decide", "fernamt-router"),
    ("commit", "fernamt-router"),
    ("publish", "fernamt-router"),
    ("tell", "fernamt-notifier"),
    ("deliver", "fernamt-notifier"),
}


def of_trace(spans: Sequence[Told], trace: str = TRACE) -> list[Told]:
    return [span for span in spans if span.trace == trace]


async def test_a_command_and_all_that_follows_is_one_trace(
    nats: NatsServer, postgres_url: str, tmp_path: Path
) -> None:
    async with scene(nats.url, postgres_url, tmp_path) as here:
        feed = await set_up(here, "conversation_assigned")
        events = await here.office.client.listen("fernamt.v1.evt.acme.conversation_assigned")
        await here.office.come_online("ana")
        await open_traced(here)
        (received,) = await here.webhook.count(1)
        await feed.until(lambda _: feed.of("assigned"))
        spans = of_trace(
            await here.collector.until(lambda spans: len(of_trace(spans)) >= 2 + len(FOLLOWS))
        )
        await events.count(1)
    named = {span.name: span for span in spans}
    command, question = named["command"], named["question"]
    assert [(one.parent, one.service) for one in (command, question)] == [
        (CALLER, "fernamt-router"),
        (CALLER, "fernamt-auditor"),
    ]
    below = [span for span in spans if span.parent == command.span]
    assert {(span.name, span.service) for span in below} == FOLLOWS
    assert len(spans) == 2 + len(FOLLOWS), "\n".join(tree(spans))

    log = await read_log(postgres_url, "acme")
    opened = [one for one in log if one.envelope.by is not None and one.envelope.by.id == "v1"]
    assert {one.envelope.trace for one in opened} == {_parent_of_what_follows(command)}
    assert command.attributes == {
        "workspace": "acme",
        "command": "open",
        "outcome": "answered",
        "position": opened[-1].position,
    }
    assert named["decide"].attributes == {"events": len(opened)}
    assert named["commit"].attributes == {"outcome": "committed", "rows": len(opened)}
    assert named["publish"].attributes["events"] == len(opened)
    assert named["deliver"].attributes["outcome"] == "sent"
    assert command.began_ns <= named["decide"].began_ns <= named["commit"].began_ns
    assert named["commit"].ended_ns <= command.ended_ns

    (told,) = [one for one in feed.messages if one.body.get("type") == "assigned"]
    assert told.headers["traceparent"] == _parent_of_what_follows(named["tell"])
    assert received.headers["traceparent"] == _parent_of_what_follows(named["deliver"])
    assert events.messages[0].headers["traceparent"] == _parent_of_what_follows(named["publish"])


def _parent_of_what_follows(span: Told) -> str:
    return f"00-{span.trace}-{span.span}-01"


async def test_a_command_without_a_trace_begins_one_and_a_mail_goes_on_with_it(
    nats: NatsServer, postgres_url: str, tmp_path: Path
) -> None:
    async with scene(nats.url, postgres_url, tmp_path) as here:
        await here.office.set_up()
        await here.office.admin(
            "register_operator", operator_id="ana", name="A", email="a@b.test", email_missed=True
        )
        await here.office.admin("join_group", operator_id="ana", group_id="support")
        await here.office.open("v1", "c1")
        spans = await here.collector.until(
            lambda spans: any(span.name == "deliver" for span in spans)
        )
        (mail,) = [span for span in spans if span.name == "deliver"]
        (command,) = [span for span in spans if span.span == mail.parent]
    assert (command.name, command.attributes["command"], command.parent) == ("command", "open", "")
    assert mail.attributes["channel"] == "mail"


async def test_what_its_caller_does_not_sample_nobody_tells(
    nats: NatsServer, postgres_url: str, tmp_path: Path
) -> None:
    async with scene(nats.url, postgres_url, tmp_path) as here:
        await set_up(here, "conversation_queued")
        await open_traced(here, flags="00")
        (received,) = await here.webhook.count(1)
        later = await here.office.open("v2", "c2")
        position = later["position"]
        spans = await here.collector.until(
            lambda spans: (
                {"publish", "tell"}
                <= {span.name for span in spans if span.attributes.get("position") == position}
            )
        )
    assert of_trace(spans) == []
    assert received.headers["traceparent"].startswith(f"00-{TRACE}-")
    assert received.headers["traceparent"].endswith("-00")


def _lapses(spans: Sequence[Told]) -> list[Told]:
    of_router = [span for span in spans if span.name == "command"]
    return [span for span in of_router if span.attributes["command"] == "session_lapsed"]


async def test_a_report_of_presence_is_a_trace_of_its_own(
    nats: NatsServer, postgres_url: str, tmp_path: Path
) -> None:
    async with scene(nats.url, postgres_url, tmp_path, FERNAMT_PRESENCE_LEASE_MS="1000") as here:
        await here.office.set_up("ana")
        await here.office.come_online("ana")
        await here.collector.until(lambda spans: any(_lapses(spans)))
        (command, *_) = _lapses(here.collector.spans)
        spans = await here.collector.until(
            lambda spans: any(span.span == command.parent for span in spans)
        )
    (report,) = [span for span in spans if span.span == command.parent]
    assert (report.name, report.service, report.parent) == ("report", "fernamt-presence", "")
    assert report.attributes["outcome"] == "answered"


def test_the_catalogue_of_spans_explains_each_and_names_no_person() -> None:
    used = {name for shape in CATALOGUE for name in shape.attributes}
    assert used == ATTRIBUTES.keys()
    assert all(meaning.endswith(".") for meaning in ATTRIBUTES.values())
    assert all(shape.meaning.endswith(".") for shape in CATALOGUE)
    assert not [name for name in used if name.endswith("id") or name in {"actor", "recipient"}]


@pytest.mark.parametrize(
    "attributes", [{"conversation_id": "c1"}, {"actor": "ana"}, {"events": 1, "text": "hello"}]
)
def test_an_attribute_that_the_catalogue_lacks_is_a_fault(
    attributes: dict[str, str | int],
) -> None:
    span = OtelTracer(to_console(), "test").begin(DECIDE, None)
    with pytest.raises(AssertionError):
        span.end(**attributes)
