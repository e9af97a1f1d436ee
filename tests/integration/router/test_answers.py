"""Who is answered, by whom, and when: the contract of requests and replies."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from services.router.crowd import CROWD
from shared.ports import NoResponders
from tests.servers.client import connected
from tests.servers.engine import Engine, running_engine
from tests.servers.office import Office, RefusedError, read_log
from tests.servers.waiting import until

RIVALS = 12
FLOOD = 17_000
"""More than may be under way."""


async def test_nobody_answers_for_a_workspace_that_does_not_exist(empty_office: Office) -> None:
    with pytest.raises(NoResponders):
        await empty_office.admin("create_group", group_id="g", name="G")
    with pytest.raises(NoResponders):
        await empty_office.ask("admin", "root", "roster")


async def test_of_many_who_create_a_workspace_one_wins(
    engine: Engine, empty_office: Office, log_url: str
) -> None:
    async def create(number: int) -> str:
        async with connected(engine.url) as client:
            office = Office(client, empty_office.workspace)
            try:
                await office.send("admin", f"root-{number}", "create_workspace", {"name": "W"})
            except RefusedError as refused:
                return str(refused.error["code"])
            return "created"

    outcomes = await asyncio.gather(*(create(number) for number in range(RIVALS)))
    assert sorted(outcomes) == ["created"] + ["workspace_exists"] * (RIVALS - 1)
    commands = {e.by for _, e in await read_log(log_url, empty_office.workspace)}
    assert len(commands) == 1
    await empty_office.admin("create_group", group_id="g", name="G")


async def test_a_creation_sent_many_times_is_one(empty_office: Office) -> None:
    replies = await asyncio.gather(
        *(
            empty_office.send("admin", "root", "create_workspace", {"name": "W"}, command_id="x")
            for _ in range(RIVALS)
        )
    )
    assert len({reply["position"] for reply in replies}) == 1
    assert sum("repeated" not in reply for reply in replies) == 1


async def test_a_position_that_the_log_has_not_reached_is_not_answered_for(office: Office) -> None:
    head = await office.position()
    assert (await office.ask("admin", "root", "roster", min_position=head))["position"] == head
    with pytest.raises(RefusedError, match="unavailable"):
        await office.ask("admin", "root", "roster", min_position=head + 1)


# --- a back end that speaks for somebody ----------------------------------------------------


@pytest.mark.parametrize(
    ("behalf", "command", "fields"),
    [
        ({"admin": "root"}, "create_group", {"group_id": "g", "name": "G"}),
        ({"operator": "ana"}, "log_in", {"session_id": "s"}),
        ({"visitor": "vera"}, "open", {"conversation_id": "c9", "entry_point_id": "site"}),
    ],
)
async def test_a_service_speaks_for_somebody_and_the_log_names_both(
    office: Office,
    log_url: str,
    behalf: dict[str, str],
    command: str,
    fields: dict[str, str],
) -> None:
    reply = await office.send("service", "shop", command, {"as": behalf, **fields}, command_id="x")
    ((kind, whom),) = behalf.items()
    by = {e.by for _, e in await read_log(log_url, office.workspace) if e.cmd == "x"}
    assert [(one.kind, one.id, one.service) for one in by if one] == [(kind, whom, "shop")]
    again = await office.send("service", "shop", command, {"as": behalf, **fields}, command_id="x")
    assert (again["repeated"], again["position"]) == (True, reply["position"])


async def test_a_service_is_judged_as_the_one_it_speaks_for(office: Office) -> None:
    fields = {"group_id": "g", "name": "G"}
    with pytest.raises(RefusedError, match="no_permission"):
        await office.send("service", "shop", "create_group", fields | {"as": {"operator": "ana"}})
    with pytest.raises(RefusedError, match="not_allowed"):
        await office.send("service", "shop", "create_group", fields)


@pytest.mark.parametrize("kind", ["admin", "operator", "visitor"])
async def test_nobody_but_a_service_speaks_for_others(office: Office, kind: str) -> None:
    spoken = {"as": {"admin": "root"}, "group_id": "g", "name": "G"}
    with pytest.raises(RefusedError, match="unknown_field"):
        await office.send(kind, "ana", "create_group", spoken)


# --- where answers go -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        "fernamt.v1.cmd.{w}.admin.root.delete_group",
        "fernamt.v1.feed.{w}.operator.ana",
        "fernamt.v1.evt.{w}.group_defined",
        "$JS.API.STREAM.DELETE.FERNAMT_EVENTS",
        "$SRV.PING",
        "anything",
    ],
)
async def test_an_answer_that_would_go_to_no_inbox_is_neither_given_nor_is_anything_done(
    office: Office, reply: str
) -> None:
    before = await office.position()
    target = reply.format(w=office.workspace)
    heard = await office.client.listen(target)
    for purpose, name, body in (
        ("cmd", "create_group", b'{"group_id":"g","name":"G"}'),
        ("cmd", "create_group", b"{"),
        ("ask", "roster", b"{}"),
    ):
        subject = f"fernamt.v1.{purpose}.{office.workspace}.admin.root.{name}"
        office.client.bus.publish(subject, body, reply=target)
    assert await office.position() == before, "asked on the same connection, so afterwards"
    await heard.stop()
    assert heard.messages == []


async def test_a_command_that_asks_for_no_answer_is_carried_out(office: Office) -> None:
    before = await office.position()
    subject = f"fernamt.v1.cmd.{office.workspace}.admin.root.create_group"
    office.client.bus.publish(subject, b'{"group_id":"g","name":"G"}')
    assert await office.position() == before + 1


# --- when answers are given -----------------------------------------------------------------


@pytest.fixture
async def locked(postgres_url: str) -> AsyncIterator[tuple[Office, asyncpg.Connection]]:
    """An office on PostgreSQL, and somebody whose transaction keeps the log from being written."""
    with running_engine(store=postgres_url) as engine:
        async with connected(engine.url) as client:
            office = Office(client, "w")
            await office.set_up("ana")
            await office.come_online("ana")
            await office.open("vera", "c1")
            sql = await asyncpg.connect(postgres_url)
            await sql.execute("begin; lock table stored_events in exclusive mode")
            try:
                yield office, sql
            finally:
                await sql.close()


async def test_answers_wait_for_the_commit(locked: tuple[Office, asyncpg.Connection]) -> None:
    office, sql = locked
    writing = asyncio.create_task(office.visitor("vera", "write", conversation_id="c1"))
    refused = asyncio.create_task(_refusal(office))
    reading = asyncio.create_task(office.ask("operator", "ana", "inbox", view="mine"))

    async def waits() -> bool:
        waiting: int = await sql.fetchval("select count(*) from pg_locks where not granted")
        return waiting > 0

    await until("the commit waits for the lock", waits)
    assert not any(task.done() for task in (writing, refused, reading))
    await sql.execute("commit")
    written = await writing
    assert (await reading)["position"] >= written["position"]
    assert await refused == "unknown_conversation"


async def _refusal(office: Office) -> str:
    try:
        await office.visitor("vera", "write", conversation_id="unknown")
    except RefusedError as refused:
        return str(refused.error["code"])
    return "accepted"


async def test_a_flood_is_refused_at_once_and_what_was_taken_is_answered(
    locked: tuple[Office, asyncpg.Connection],
) -> None:
    office, sql = locked
    flood = [
        asyncio.create_task(
            office.client.command(
                "w", "visitor", "vera", "write", {"conversation_id": "c1"}, timeout_s=60
            )
        )
        for _ in range(FLOOD)
    ]
    early, _ = await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED)
    assert {task.result()["error"]["code"] for task in early} == {"overloaded"}
    await sql.execute("commit")
    replies = await asyncio.gather(*flood)
    accepted = [reply["position"] for reply in replies if reply["ok"]]
    assert len(accepted) + len([reply for reply in replies if not reply["ok"]]) == FLOOD
    assert len(set(accepted)) == len(accepted) >= CROWD
    assert (await office.visitor("vera", "write", conversation_id="c1"))["ok"]
