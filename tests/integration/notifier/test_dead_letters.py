"""Dead letters: who may read them, page by page, and have them sent again, also by the command."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from shared.ports import OutboxRow
from shared.routing.ids import Position, UnixMs, WorkspaceId
from tests.integration.notifier.hooks import hook
from tests.servers.client import Fields
from tests.servers.engine import ROOT, fernamt, surroundings
from tests.servers.http_receiver import Answer, HttpReceiver
from tests.servers.nats import NatsServer
from tests.servers.office import RefusedError
from tests.servers.town import Town
from tests.servers.vandal import run_as_vandal


@pytest.fixture
async def five(here: Town, receiver: HttpReceiver) -> Town:
    """A town with five messages that a receiver did not want; now it would take them."""
    receiver.answering = lambda _: Answer(410)
    await here.office.set_up("ana")
    await hook(here.office, receiver.url, "group_defined")
    for number in range(5):
        await here.office.admin("create_group", group_id=f"g{number}", name=f"G{number}")
    await here.dead(5)
    receiver.answering = lambda _: Answer()
    receiver.received.clear()
    return here


async def _command(nats: NatsServer, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of ``fernamt dead-letters``."""
    process = await asyncio.create_subprocess_exec(
        *fernamt("dead-letters", "--nats", nats.url, *arguments),
        cwd=ROOT,
        env=surroundings(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_no04_dead_letters_are_read_in_pages(five: Town) -> None:
    reply = await five.office.ask("admin", "root", "dead_letters")
    everything = reply["result"]["dead_letters"]
    assert reply["result"]["next"] is None
    assert reply["position"] == await five.office.position()
    assert [letter["position"] for letter in everything] == sorted(
        letter["position"] for letter in everything
    )
    first = everything[0]
    assert (
        first["id"]
        == f"{first['message']}:webhook:hook"
        == (f"acme:{first['position']}:webhook:hook")
    )
    assert (first["channel"], first["recipient"], first["attempts"]) == ("webhook", "hook", 1)
    assert first["died_at"] >= first["at"]
    paged: list[Any] = []
    page: Fields = {"next": None}
    while page["next"] is not None or not paged:
        after = {"after": page["next"]} if paged else {}
        page = (await five.office.ask("admin", "root", "dead_letters", limit=2, **after))["result"]
        assert len(page["dead_letters"]) <= 2
        paged += page["dead_letters"]
    assert paged == everything


async def test_no04_one_is_sent_again_with_the_same_id_and_all_are(
    five: Town, receiver: HttpReceiver
) -> None:
    reply = await five.office.ask("admin", "root", "dead_letters")
    ids = [letter["id"] for letter in reply["result"]["dead_letters"]]
    messages = [letter["message"] for letter in reply["result"]["dead_letters"]]
    position = await five.office.position()
    resent = await five.office.ask(
        "admin", "root", "resend_dead_letters", ids=[ids[2], "acme:1:webhook:no"]
    )
    assert resent["result"] == {"resent": 1}
    await receiver.count(1)
    assert receiver.ids == [messages[2]]
    resent = await five.office.ask("admin", "root", "resend_dead_letters")
    assert resent["result"] == {"resent": 4}
    await receiver.count(5)
    await five.quiet()
    assert sorted(receiver.ids) == sorted(messages)
    reply = await five.office.ask("admin", "root", "dead_letters")
    assert reply["result"]["dead_letters"] == []
    assert await five.office.position() == position


@pytest.mark.parametrize("query", ["dead_letters", "resend_dead_letters"])
async def test_no04_only_admins_and_operators_who_manage_may_ask(five: Town, query: str) -> None:
    for kind, who in (("operator", "ana"), ("visitor", "v1"), ("service", "shop")):
        with pytest.raises(RefusedError) as refused:
            await five.office.ask(kind, who, query)
        assert refused.value.error["code"] == "not_allowed"
    await five.office.admin("update_operator", operator_id="ana", role_id="manager")
    position = await five.office.position()
    await five.office.ask("operator", "ana", query, min_position=position)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("dead_letters", {"limit": 0}),
        ("dead_letters", {"after": "nonsense"}),
        ("dead_letters", {"after": "1" * 40 + ":x"}),
        ("resend_dead_letters", {"ids": []}),
        ("resend_dead_letters", {"ids": "all"}),
    ],
)
async def test_no04_what_makes_no_sense_is_refused(
    here: Town, query: str, fields: dict[str, Any]
) -> None:
    await here.office.set_up()
    with pytest.raises(RefusedError) as refused:
        await here.office.ask("admin", "root", query, **fields)
    assert refused.value.error["code"] == "malformed"


async def test_no04_an_unknown_workspace_has_none(here: Town) -> None:
    with pytest.raises(RefusedError) as refused:
        await here.office.ask("admin", "root", "dead_letters")
    assert refused.value.error["code"] == "unknown_workspace"


# --- the command ----------------------------------------------------------------------------


async def test_no04_the_command_lists_and_sends_again(
    nats: NatsServer, five: Town, receiver: HttpReceiver
) -> None:
    code, out, _ = await _command(nats, "--workspace", "acme")
    assert code == 0
    assert len([line for line in out.splitlines() if "status 410" in line]) == 5
    code, out, _ = await _command(nats, "--workspace", "acme", "--json")
    letters = [json.loads(line) for line in out.splitlines()]
    assert [letter["error"] for letter in letters] == ["status 410"] * 5
    chosen = [argument for one in letters[:2] for argument in ("--resend", one["id"])]
    code, out, _ = await _command(nats, "--workspace", "acme", *chosen)
    assert (code, out) == (0, "tried again: 2\n")
    await receiver.count(2)
    code, out, _ = await _command(nats, "--workspace", "acme", "--all", "--json")
    assert (code, json.loads(out)) == (0, {"resent": 3})
    await receiver.count(5)
    code, out, _ = await _command(nats, "--workspace", "acme")
    assert (code, out) == (0, "no dead letters\n")


async def test_no04_the_command_says_what_is_wrong(nats: NatsServer, here: Town) -> None:
    code, _, err = await _command(nats, "--workspace", "nowhere")
    assert (code, err) == (2, "fernamt: unknown_workspace: there is no such workspace\n")
    code, _, err = await _command(nats, "--workspace", "acme", "--all", "--resend", "x")
    assert (code, err) == (2, "fernamt: either --resend or --all\n")


async def test_no04_the_command_needs_a_notifier(nats: NatsServer, tmp_path: Path) -> None:
    code, _, err = await _command(nats, "--workspace", "acme")
    assert (code, err) == (2, "fernamt: nobody answers: is a notifier running?\n")


async def test_no04_the_command_reads_page_by_page(
    nats: NatsServer, here: Town, log_url: str
) -> None:
    await here.office.set_up()
    rows = [
        OutboxRow(
            f"acme:{n}:webhook:hook",
            WorkspaceId("acme"),
            "webhook",
            "hook",
            Position(n),
            b"{}",
            UnixMs(n),
        )
        for n in range(1, 1_502)
    ]
    await here.store.outbox.add(rows)
    await run_as_vandal(log_url, "update outbox set state = 'dead'")
    _, out, _ = await _command(nats, "--workspace", "acme", "--json")
    assert [json.loads(line)["position"] for line in out.splitlines()] == list(range(1, 1_502))
