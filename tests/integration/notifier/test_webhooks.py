"""Webhooks: what is posted, how it is signed, and where nothing goes."""

from datetime import datetime
from pathlib import Path

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from services.notifier import webhooks
from services.notifier.channel_settings import ChannelSettings
from tests.integration.notifier.hooks import OTHER_SECRET, hook, local, verified
from tests.servers.certificate import self_signed
from tests.servers.http_receiver import Answer, HttpReceiver, http_receiver
from tests.servers.nats import NatsServer
from tests.servers.office import read_log
from tests.servers.town import FAST, Town, town

# --- what is posted -------------------------------------------------------------------------


async def test_no03_an_event_is_posted_with_a_signature_that_the_library_verifies(
    here: Town, receiver: HttpReceiver, log_url: str
) -> None:
    await here.office.set_up("ana")
    await hook(here.office, receiver.url, "conversation_opened", "conversation_assigned")
    await here.office.come_online("ana")
    await here.office.open("v1", "c1")
    opened, assigned = await receiver.count(2)
    body = verified(opened)
    log = {one.position: one.envelope for one in await read_log(log_url, "acme")}
    position = body["data"]["position"]
    assert opened.its_id == f"acme:{position}"
    assert (opened.path, opened.headers["content-type"]) == ("/hook", "application/json")
    assert body["type"] == "conversation_opened"
    assert datetime.fromisoformat(body["timestamp"]).timestamp() * 1_000 == log[position].at
    assert body["data"]["type"] == "conversation_opened.v1"
    assert (body["data"]["workspace"], body["data"]["at"]) == ("acme", log[position].at)
    assert body["data"]["by"] == {"kind": "visitor", "id": "v1"}
    assert body["data"]["conversation_id"] == "c1"
    assert verified(assigned)["data"]["operator_id"] == "ana"
    with pytest.raises(WebhookVerificationError):
        verified(opened, OTHER_SECRET)
    with pytest.raises(WebhookVerificationError):
        verified(opened._replace(body=opened.body.replace(b"c1", b"c2")))


async def test_no03_a_star_means_every_event_from_the_definition_on_in_order(
    here: Town, receiver: HttpReceiver, log_url: str
) -> None:
    await here.office.set_up("ana")
    before = await here.office.position()
    await hook(here.office, receiver.url, "*")
    await here.office.come_online("ana")
    for number in range(5):
        await here.office.open(f"v{number}", f"c{number}")
    head = await here.office.position()
    received = await receiver.count(head - before)
    await here.quiet()
    assert receiver.ids == [f"acme:{n}" for n in range(before + 1, head + 1)]
    log = await read_log(log_url, "acme")
    tags = [type(one.envelope.data).__struct_config__.tag for one in log[before:]]
    assert [verified(one)["data"]["type"] for one in received] == tags


async def test_no03_messages_of_feeds_are_posted_with_whose_they_are(
    here: Town, receiver: HttpReceiver
) -> None:
    await here.office.set_up("ana")
    feed = await here.office.feed("operator", "ana")
    await hook(here.office, receiver.url, "assigned", "status_changed", "queued")
    await here.office.open("v1", "c1")
    await here.office.come_online("ana")
    (told,) = await feed.until(lambda _: feed.of("assigned"))
    await receiver.has(lambda all_of_it: "assigned" in [one.fields["type"] for one in all_of_it])
    by_type = {one.fields["type"]: one for one in receiver.received}
    assigned = verified(by_type["assigned"])["data"]
    assert by_type["assigned"].its_id == told["id"]
    assert assigned.pop("recipient") == {"kind": "operator", "id": "ana"}
    assert assigned.pop("workspace") == "acme"
    assert assigned == told
    assert verified(by_type["status_changed"])["data"]["recipient"] == {"kind": "team"}
    assert verified(by_type["queued"])["data"]["recipient"] == {"kind": "visitor", "id": "v1"}


async def test_no03_over_tls_the_certificate_is_checked(
    nats: NatsServer, log_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path)
    async with http_receiver(certificate) as receiver:
        async with town(nats.url, log_url, local(FAST)) as here:
            await here.office.set_up()
            await hook(here.office, receiver.url.replace("127.0.0.1", "localhost"), "group_defined")
            await here.office.admin("create_group", group_id="two", name="Two")
            await here.dead(1)
        assert receiver.received == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
        async with town(nats.url, log_url, local(FAST)) as here:
            await here.office.ask("admin", "root", "resend_dead_letters")
            (received,) = await receiver.count(1)
        assert verified(received)["data"]["group_id"] == "two"
        assert received.headers["host"] == f"localhost:{receiver.port}"


async def test_no03_one_connection_serves_many_posts(here: Town, receiver: HttpReceiver) -> None:
    await here.office.set_up("ana")
    await hook(here.office, receiver.url, "*")
    await here.office.come_online("ana")
    await receiver.count(3)
    await here.quiet()
    assert receiver.connections == 1


# --- where nothing is posted ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://127.0.0.1:{port}/hook", "private network"),
        ("https://localhost:{port}/hook", "private network"),
        ("https://10.0.0.1/hook", "private network"),
        ("https://169.254.169.254/latest/meta-data", "private network"),
        ("https://[::1]:{port}/", "private network"),
        ("https://[::ffff:127.0.0.1]:{port}/", "private network"),
        ("https://no-such-name.invalid/", "not known"),
    ],
)
async def test_no03_without_leave_nothing_is_posted_to_this_machine_or_private_networks(
    nats: NatsServer, log_url: str, receiver: HttpReceiver, url: str, reason: str
) -> None:
    async with town(nats.url, log_url, ChannelSettings(pace=FAST)) as here:
        await here.office.set_up()
        await hook(here.office, url.format(port=receiver.port), "group_defined")
        await here.office.admin("create_group", group_id="two", name="Two")
        (letter,) = await here.dead(1)
    assert reason in str(letter["error"])
    assert receiver.connections == 0


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound to it
        ("100.64.0.1", False),
        ("172.16.3.4", False),
        ("192.168.0.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::a00:1", False),
    ],
)
def test_no03_addresses_of_private_networks_are_known_however_they_are_written(
    address: str, public: bool
) -> None:
    assert webhooks._is_public(address) is public


async def test_no03_a_redirect_is_not_followed(
    here: Town, receiver: HttpReceiver, other: HttpReceiver
) -> None:
    receiver.answering = lambda _: Answer(307, {"location": other.url})
    await here.office.set_up()
    await hook(here.office, receiver.url, "group_defined")
    await here.office.admin("create_group", group_id="two", name="Two")
    (letter,) = await here.dead(1)
    assert letter["error"] == "status 307"
    assert other.connections == 0
