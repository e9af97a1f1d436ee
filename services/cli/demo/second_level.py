"""The story of a second level: online, idle, and left alone until somebody forwards."""

from typing import NamedTuple

from services.cli.demo.clients import Desk, Widget
from services.cli.demo.stage import Stage, alerts

TITLE = "Second level"
ABOUT = """\
The widget is bound to the group Support. 2nd Level Support is bound to no entry point: its members
are online and idle, and get only what somebody forwards to them."""

READ_ONLY = {"conversations.unassigned": "read", "conversations.assigned": "read"}


class _Cast(NamedTuple):
    ana: Desk
    ben: Desk
    cleo: Desk
    dan: Desk
    eva: Desk
    visitors: list[Widget]


async def play(stage: Stage) -> None:
    cast = await _arrange(stage)
    await _support_fills_up(stage, cast)
    await _nobody_may_push_it_to_eva(stage, cast)
    await _forwarding_reaches_them(stage, cast)
    await _the_second_level_is_full(stage, cast)


async def _arrange(stage: Stage) -> _Cast:
    await stage.arrange(
        "creates Support, 2nd Level Support and a widget bound to Support",
        ("create_group", {"group_id": "support", "name": "Support"}),
        ("create_group", {"group_id": "second", "name": "2nd Level Support"}),
        (
            "define_entry_point",
            {"entry_point_id": "widget", "name": "Chat on the site", "groups": ["support"]},
        ),
        ("define_role", {"role_id": "trainee", "permissions": READ_ONLY}),
    )
    cast = _Cast(
        ana=await stage.operator("ana", "support", capacity=1),
        ben=await stage.operator("ben", "support", capacity=1),
        cleo=await stage.operator("cleo", "second", capacity=1),
        dan=await stage.operator("dan", "second", capacity=1),
        eva=await stage.operator("eva", "second", capacity=1, role_id="trainee"),
        visitors=[await stage.widget(f"visitor-{number}", "widget") for number in range(1, 5)],
    )
    await stage.arrange(
        "puts ana and ben into Support, cleo, dan and eva into 2nd Level Support; "
        "one conversation each; eva is a trainee, who may read and not write"
    )
    for desk in (cast.ana, cast.ben, cast.cleo, cast.dan, cast.eva):
        await stage.play(desk, "logs in", "log_in", session_id=f"desk-{desk.name}")
    return cast


async def _support_fills_up(stage: Stage, cast: _Cast) -> None:
    for number in (1, 2, 3):
        await _opens(stage, cast, number)
    await stage.play(cast.ben, "chooses busy", "set_status", status="busy")
    await _opens(stage, cast, 4)
    stage.check(
        "two visitors wait, because Support is full",
        await stage.queue(),
        [("chat-3", "all_full"), ("chat-4", "all_full")],
    )
    roster = await stage.roster()
    idle = {name: (roster[name]["routable"], roster[name]["load"]) for name in _second_level(cast)}
    stage.check(
        "meanwhile cleo, dan and eva are online and idle",
        idle,
        dict.fromkeys(_second_level(cast), (True, 0)),
    )
    heard = [desk.heard for desk in (cast.cleo, cast.dan, cast.eva)]
    stage.check("and not one message has come to them", heard, [[], [], []])


async def _nobody_may_push_it_to_eva(stage: Stage, cast: _Cast) -> None:
    detail = await stage.fail(
        cast.ana,
        "forwards chat-1 to eva",
        "no_permission",
        "forward",
        conversation_id="chat-1",
        to={"operator": "eva"},
    )
    stage.check(
        "the refusal names what eva's role lacks",
        detail["missing"],
        ["conversations.assigned: write", "conversations.unassigned: write"],
    )
    owner = (await stage.conversation("chat-1"))["owner"]
    stage.check("and chat-1 is still with ana", owner, "ana")


async def _forwarding_reaches_them(stage: Stage, cast: _Cast) -> None:
    await _forwards(stage, cast, "chat-1")
    decision = stage.last_decision("conversation_assigned", "chat-1")
    stage.check(
        "of three members online two were in the pool: eva was passed over",
        (decision["operator_id"], decision["pool_size"], decision["tie_break"]),
        ("cleo", 2, "operator_id"),
    )
    stage.check(
        "cleo's front end rings", alerts(cast.cleo, "assigned"), [("assigned", "chat-1", True)]
    )
    owner = (await stage.conversation("chat-3"))["owner"]
    stage.check("ana's free slot went to whoever had waited longest: chat-3", owner, "ana")
    await _forwards(stage, cast, "chat-3")
    stage.check("dan is next", alerts(cast.dan, "assigned"), [("assigned", "chat-3", True)])


async def _the_second_level_is_full(stage: Stage, cast: _Cast) -> None:
    await _forwards(stage, cast, "chat-4", note="Rechnung doppelt gebucht, bitte prüfen")
    stage.check(
        "chat-4 waits in its group rather than going to eva, who is online and idle",
        await stage.queue(),
        [("chat-4", "all_full")],
    )
    await stage.play(cast.cleo, "closes chat-1", "close", conversation_id="chat-1", reason="solved")
    owner = (await stage.conversation("chat-4"))["owner"]
    stage.check("cleo's free slot goes to chat-4 at once", owner, "cleo")
    stage.check("eva has heard nothing all along", cast.eva.heard, [])
    names = await stage.tell_timeline("chat-4")
    stage.check(
        "the log tells the whole way of chat-4",
        [name for name in names if name.startswith("conversation_")],
        [
            *("conversation_opened", "conversation_queued", "conversation_assigned"),
            *("conversation_forwarded", "conversation_queued", "conversation_assigned"),
        ],
    )


async def _opens(stage: Stage, cast: _Cast, number: int) -> None:
    conversation_id = f"chat-{number}"
    await stage.play(
        cast.visitors[number - 1],
        f"opens {conversation_id} at the widget",
        "open",
        conversation_id=conversation_id,
        entry_point_id="widget",
    )


async def _forwards(stage: Stage, cast: _Cast, conversation_id: str, **note: str) -> None:
    await stage.play(
        cast.ana,
        f"forwards {conversation_id} to 2nd Level Support",
        "forward",
        conversation_id=conversation_id,
        to={"group": "second"},
        **note,
    )


def _second_level(cast: _Cast) -> list[str]:
    return [desk.name for desk in (cast.cleo, cast.dan, cast.eva)]
