"""Command ids: a retry changes nothing and answers as the first time, whatever it comes with."""

import time

import pytest

from shared.wire.headers import COMMAND_ID, ERROR, ERROR_CODE
from tests.servers.office import Office, RefusedError, read_log


async def test_r01_a_retry_answers_the_position_of_the_first_time(
    office: Office, log_url: str
) -> None:
    await office.come_online("ana")
    fields = {"conversation_id": "c1", "entry_point_id": "site"}
    first = await office.send("visitor", "vera", "open", fields, command_id="once")
    await office.visitor("vera", "write", conversation_id="c1")
    again = await office.send("visitor", "vera", "open", fields, command_id="once")
    assert "repeated" not in first
    assert again["repeated"] is True
    assert (again["position"], again["at"]) == (first["position"], first["at"])
    assert again["result"]["conversation"]["owner"] == "ana"
    log = await read_log(log_url, office.workspace)
    assert [e.first for _, e in log if e.cmd == "once"] == [first["position"] - 1] * 2


async def test_a_command_id_with_another_body_is_refused_with_headers(office: Office) -> None:
    await office.send(
        "admin", "root", "create_group", {"group_id": "g", "name": "G"}, command_id="x"
    )
    before = await office.position()
    subject = f"fernamt.v1.cmd.{office.workspace}.admin.root.create_group"
    answer = await office.client.bus.request(
        subject, b'{"group_id":"h","name":"H"}', headers={COMMAND_ID: "x"}, timeout_s=10
    )
    assert answer.headers[ERROR] == "command_id_reused"
    assert answer.headers[ERROR_CODE] == "409"
    assert b'"code":"command_id_reused"' in answer.data
    assert await office.position() == before


async def test_a_command_id_belongs_to_its_actor(office: Office) -> None:
    for visitor, conversation in (("vera", "c1"), ("wim", "c2")):
        fields = {"conversation_id": conversation, "entry_point_id": "site"}
        reply = await office.send("visitor", visitor, "open", fields, command_id="same")
        assert "repeated" not in reply


async def test_what_wrote_nothing_is_decided_anew(office: Office) -> None:
    fields = {"operator_id": "ana", "group_id": "support"}
    first = await office.send("admin", "root", "join_group", fields, command_id="idle")
    await office.open("vera", "c1")
    again = await office.send("admin", "root", "join_group", fields, command_id="idle")
    assert "repeated" not in again
    assert again["position"] > first["position"]


async def test_a_command_that_comes_too_late_is_refused(office: Office) -> None:
    before = await office.position()
    with pytest.raises(RefusedError, match="expired"):
        await office.send(
            "admin", "root", "create_group", {"group_id": "g", "name": "G"}, headers=_expires(-1)
        )
    assert await office.position() == before


async def test_a_retry_that_comes_too_late_still_learns_that_it_was_done(office: Office) -> None:
    fields = {"group_id": "g", "name": "G"}
    first = await office.send("admin", "root", "create_group", fields, command_id="late")
    again = await office.send(
        "admin", "root", "create_group", fields, command_id="late", headers=_expires(-1)
    )
    assert (again["repeated"], again["position"]) == (True, first["position"])


async def test_a_query_that_comes_too_late_is_refused(office: Office) -> None:
    reply = await office.client.ask(
        office.workspace, "admin", "root", "roster", headers=_expires(-1)
    )
    assert reply["error"]["code"] == "expired"


async def test_a_command_in_time_is_accepted(office: Office) -> None:
    await office.send(
        "admin", "root", "create_group", {"group_id": "g", "name": "G"}, headers=_expires(60)
    )


def _expires(in_s: float) -> dict[str, str]:
    return {"Fernamt-Expires": str(int((time.time() + in_s) * 1_000))}
