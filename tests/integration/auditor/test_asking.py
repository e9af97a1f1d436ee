"""Questions about the past over the bus: who may ask, what is answered, and what is not held up."""

import asyncio
import contextlib
from typing import Any

import msgspec
import pytest

from shared.audit.answering import RESULTS
from shared.ports import NoResponders
from tests.servers.client import Fields, connected
from tests.servers.engine import Engine
from tests.servers.office import Office
from tests.servers.waiting import until

WITHIN_S = 30.0


async def audit(
    office: Office,
    question: str,
    /,
    *,
    kind: str = "admin",
    who: str = "root",
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> Fields:
    subject = f"fernamt.v1.audit.{office.workspace}.{kind}.{who}.{question}"
    return await office.client.send(subject, fields, headers=headers, timeout_s=WITHIN_S)


async def code(office: Office, question: str, /, **fields: Any) -> str:
    reply = await audit(office, question, **fields)
    assert not reply["ok"], reply
    said: str = reply["error"]["code"]
    return said


async def full_house(office: Office) -> None:
    """c1 and c2 are ana's and ben's; c3 waits."""
    for number in (1, 2, 3):
        await office.open(f"v{number}", f"c{number}")


async def test_au02_a_decision_with_its_candidates(office: Office) -> None:
    await full_house(office)
    reply = await audit(office, "explain", conversation_id="c3")
    assert reply["ok"], reply
    told = reply["result"]
    assert told["decision"]["type"] == "conversation_queued.v1"
    assert told["chosen"] is None
    assert told["waiting_reason"] == "all_full"
    assert told["remade"] is True
    excluded = {one["operator_id"]: one["exclusions"] for one in told["candidates"]}
    assert excluded == {"ana": ["at_capacity"], "ben": ["at_capacity"]}
    first = (await audit(office, "explain", conversation_id="c1"))["result"]
    assert first["chosen"] in ("ana", "ben")
    assert [one["verdict"] for one in first["candidates"]] == ["first", "eligible"]


async def test_au03_why_not_and_why_waiting(office: Office) -> None:
    await full_house(office)
    told = (await audit(office, "why_not", operator_id="ana", conversation_id="c3"))["result"]
    assert told["exclusions"] == ["at_capacity"]
    told = (await audit(office, "why_waiting", conversation_id="c3"))["result"]
    assert told["reason"] == "all_full"
    assert {"what": "slot", "operator_id": "ana"} in told["changes"]


async def test_au04_any_query_as_of_a_position_or_a_time(office: Office) -> None:
    await full_house(office)
    then = await audit(office, "queue")
    await office.operator("ana", "close", conversation_id="c1")
    assert (await audit(office, "queue"))["result"]["waiting"] == []
    for moment in ({"position": then["position"]}, {"at": then["at"]}):
        told = await audit(office, "queue", **moment)
        assert told["position"] == then["position"]
        assert [one["conversation_id"] for one in told["result"]["waiting"]] == ["c3"]
    live = await office.ask("admin", "root", "roster")
    past = await audit(office, "roster", position=live["position"])
    assert past["result"] == live["result"]


async def test_qy02_au04_at_least_a_position_that_was_answered(office: Office) -> None:
    """Whoever has the answer to a command finds it in the past, however soon it asks."""
    for number in range(20):
        done = await office.open(f"v{number}", f"c{number}")
        least = {"Fernamt-Min-Position": str(done["position"])}
        reply = await audit(office, "timeline", conversation_id=f"c{number}", headers=least)
        assert reply["ok"], reply
        assert reply["result"]["events"][0]["type"] == "conversation_opened.v1"
    beyond = {"Fernamt-Min-Position": "1000000"}
    assert await code(office, "roster", headers=beyond) == "unavailable"
    assert await code(office, "roster", position=1_000_000) == "unavailable"


async def test_au01_operators_need_the_permission_as_of_now(office: Office) -> None:
    await full_house(office)
    as_ana: dict[str, Any] = {"kind": "operator", "who": "ana"}
    assert await code(office, "roster", **as_ana) == "no_permission"
    rights = {"conversations.assigned": "write", "conversations.unassigned": "write", "audit": True}
    await office.admin("define_role", role_id="inspector", permissions=rights)
    await office.admin("update_operator", operator_id="ana", role_id="inspector")
    assert (await audit(office, "roster", **as_ana, position=20))["ok"]
    mine = (await audit(office, "inbox", **as_ana, view="mine"))["result"]
    assert len(mine["conversations"]) == 1
    await office.admin("update_operator", operator_id="ana", role_id="staff")
    assert await code(office, "roster", **as_ana) == "no_permission"
    assert await code(office, "roster", kind="visitor", who="v1") == "not_allowed"
    assert await code(office, "roster", kind="operator", who="nobody") == "unknown_operator"


@pytest.mark.parametrize(
    ("question", "fields", "expected"),
    [
        ("explain", {}, "malformed"),
        ("explain", {"conversation_id": "nobody"}, "unknown_conversation"),
        ("roster", {"position": 1, "at": 2}, "malformed"),
        ("roster", {"position": -1}, "malformed"),
        ("roster", {"postion": 1}, "unknown_field"),
        ("find", {"pattern": "strange"}, "malformed"),
        ("job", {"job_id": "a b"}, "malformed"),
    ],
)
async def test_bad_questions_are_refused_by_name(
    office: Office, question: str, fields: dict[str, Any], expected: str
) -> None:
    assert await code(office, question, **fields) == expected


async def test_a_workspace_that_is_not_there_is_refused(engine: Engine) -> None:
    async with connected(engine.url) as client:
        assert await code(Office(client, "nowhere"), "roster") == "unknown_workspace"


async def test_au06_a_simulation_is_a_job_and_nothing_is_applied(office: Office) -> None:
    await full_house(office)
    before = await office.ask("admin", "root", "workspace")
    supposed = [{"update_operator": {"operator_id": "ana", "capacity": 2}}]
    begun = await audit(office, "simulate", changes=supposed)
    report = (await done(office, begun["result"]["job_id"]))["result"]
    assert report["recorded"] != report["simulated"]
    assert report["differences_total"] == 1
    after = await office.ask("admin", "root", "workspace")
    assert (after["result"], after["position"]) == (before["result"], before["position"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"scope": {"workspace": True}, "policy": {"rankin": "x"}}, "invalid_policy"),
        ({"erase": {"subject": "operator:ana"}}, "malformed"),
        ({"update_operator": {"operator_id": "nobody", "capacity": 2}}, "unknown_operator"),
    ],
)
async def test_au06_what_cannot_be_supposed_is_refused_by_name(
    office: Office, change: dict[str, Any], expected: str
) -> None:
    await full_house(office)
    reply = await audit(office, "simulate", changes=[change])
    if reply["ok"]:
        job = await done(office, reply["result"]["job_id"], state="failed")
        assert expected in job["error"]
    else:
        assert reply["error"]["code"] == expected
        assert reply["error"]["detail"]["change"] == 0


async def done(office: Office, job_id: str, state: str = "done") -> Fields:
    """The job once it has ended."""

    async def ended() -> Fields | None:
        job: Fields = (await audit(office, "job", job_id=job_id))["result"]
        return job if job["state"] != "running" else None

    job = await until("the job has ended", ended)
    assert job is not None
    assert job["state"] == state, job
    return job


async def test_au05_verifying_is_a_job_that_can_be_asked_after(office: Office) -> None:
    await full_house(office)
    job_id = (await audit(office, "verify"))["result"]["job_id"]

    job = await done(office, job_id)
    assert job["done"] == job["total"] == job["result"]["events"]
    assert job["result"]["findings"] == []
    unknown = job_id.partition("-")[0] + "-999"
    assert await code(office, "job", job_id=unknown) == "unknown_job"


ABOUT: dict[str, dict[str, Any]] = {
    "explain": {"conversation_id": "c3"},
    "why_not": {"conversation_id": "c3", "operator_id": "ana"},
    "why_waiting": {"conversation_id": "c3"},
    "timeline": {"conversation_id": "c3"},
    "conversation": {"conversation_id": "c3"},
    "entry_point": {"entry_point_id": "site"},
    "visitor": {"visitor_id": "v3"},
    "conversations_of": {"visitor_id": "v3"},
    "diff": {"from": {"position": 9}},
    "find": {"pattern": "waited_while_free", "over_s": 0},
    "job": {"job_id": "none"},
    "inbox": {"view": "mine"},
    "simulate": {"changes": []},
}


async def test_answers_have_the_shapes_that_are_described(office: Office) -> None:
    """A Struct takes unknown fields calmly: so each answer is encoded again and compared."""
    await full_house(office)
    rights = {"conversations.assigned": "write", "conversations.unassigned": "write", "audit": True}
    await office.admin("define_role", role_id="inspector", permissions=rights)
    await office.admin("update_operator", operator_id="ana", role_id="inspector")
    for question, shape in RESULTS.items():
        fields = ABOUT.get(question, {})
        if question == "job":
            begun = await audit(office, "verify")
            fields = {"job_id": begun["result"]["job_id"]}
        reply = await audit(office, question, kind="operator", who="ana", **fields)
        assert reply["ok"], (question, reply)
        told = msgspec.json.decode(msgspec.json.encode(reply["result"]), type=shape)
        assert msgspec.json.decode(msgspec.json.encode(told)) == reply["result"], question


async def test_au05_e09_asking_about_the_past_holds_up_nobody(office: Office) -> None:
    """Conversations are opened while somebody asks one question after the other."""
    asking = True

    async def ask() -> int:
        asked = 0
        while asking:
            for question in ("queue", "roster", "find", "explain"):
                fields: dict[str, Any] = {"conversation_id": "c0"} if question == "explain" else {}
                assert (await audit(office, question, **fields))["ok"]
                asked += 1
        return asked

    await office.open("v0", "c0")
    busy = asyncio.create_task(ask())
    try:
        for number in range(1, 60):
            assert (await office.open(f"v{number}", f"c{number}"))["ok"]
    finally:
        asking = False
        asked = await busy
    assert asked > 4


async def test_the_ops_process_comes_back_when_it_is_killed(office: Office, engine: Engine) -> None:
    """Routing does not notice, and questions are answered again."""
    await full_house(office)
    assert (await audit(office, "roster"))["ok"]
    engine.kill_ops()
    assert (await office.open("v9", "c9"))["ok"]

    async def answered() -> bool:
        subject = f"fernamt.v1.audit.{office.workspace}.admin.root.conversation"
        with contextlib.suppress(NoResponders, TimeoutError):  # the broker may not know it yet
            reply = await office.client.send(subject, {"conversation_id": "c9"}, timeout_s=0.5)
            return bool(reply["ok"])
        return False

    await until("the auditor answers again", answered)
