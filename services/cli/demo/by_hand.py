"""The story of a team lead who assigns by hand: to people, to a group, back to everyone."""

from collections.abc import Mapping
from typing import NamedTuple

from services.cli.demo.clients import Desk, Widget
from services.cli.demo.stage import Stage, alerts

TITLE = "Assigning by hand"
ABOUT = """\
What comes to Sales waits until somebody takes it or assigns it (delivery: manual). Lea leads the
team: she may assign others' conversations, and her capacity of 0 keeps automatic ones away."""

EVERYONE = {"everyone": True}


class _Cast(NamedTuple):
    lea: Desk
    ana: Desk
    ben: Desk
    cleo: Desk
    dan: Desk
    visitors: list[Widget]


async def play(stage: Stage) -> None:
    cast = await _arrange(stage)
    await _they_wait(stage, cast)
    await _to_people(stage, cast)
    await _to_a_group_and_back(stage, cast)
    await _a_colleague(stage, cast)


async def _arrange(stage: Stage) -> _Cast:
    await stage.arrange(
        "creates Sales and Technik, a shop bound to Sales, and manual delivery for Sales",
        ("create_group", {"group_id": "sales", "name": "Sales"}),
        ("create_group", {"group_id": "technik", "name": "Technik"}),
        ("define_entry_point", {"entry_point_id": "shop", "name": "Shop", "groups": ["sales"]}),
        ("set_policy", {"scope": {"group": "sales"}, "policy": {"delivery": "manual"}}),
    )
    cast = _Cast(
        lea=await stage.operator("lea", role_id="manager", capacity=0),
        ana=await stage.operator("ana", "sales"),
        ben=await stage.operator("ben", "sales"),
        cleo=await stage.operator("cleo", "technik"),
        dan=await stage.operator("dan", "sales"),
        visitors=[await stage.widget(f"visitor-{number}", "shop") for number in range(1, 4)],
    )
    await stage.arrange("puts ana, ben and dan into Sales, cleo into Technik; lea is a manager")
    for desk in (cast.lea, cast.ana, cast.ben, cast.cleo):
        await stage.play(desk, "logs in", "log_in", session_id=f"desk-{desk.name}")
    await stage.play(cast.ben, "chooses invisible", "set_status", status="invisible")
    return cast


async def _they_wait(stage: Stage, cast: _Cast) -> None:
    for number, widget in enumerate(cast.visitors, start=1):
        await stage.play(
            widget,
            f"opens chat-{number} in the shop",
            "open",
            conversation_id=f"chat-{number}",
            entry_point_id="shop",
        )
    stage.check(
        "all three wait for a person, though ana is online and free",
        await stage.queue(),
        [("chat-1", "manual"), ("chat-2", "manual"), ("chat-3", "manual")],
    )


async def _to_people(stage: Stage, cast: _Cast) -> None:
    await _assigns(stage, cast.lea, "chat-1", "ana, who is online", {"operator": "ana"})
    stage.check(
        "ana has it, and her front end rings",
        alerts(cast.ana, "forwarded"),
        [("forwarded", "chat-1", True)],
    )
    await _assigns(stage, cast.lea, "chat-2", "ben, who is invisible", {"operator": "ben"})
    stage.check(
        "ben has it too, without a ring",
        alerts(cast.ben, "forwarded"),
        [("forwarded", "chat-2", False)],
    )
    before = await stage.conversation("chat-3")
    detail = await stage.fail(
        cast.lea,
        "assigns chat-3 to dan, who is offline",
        "operator_offline",
        "forward",
        conversation_id="chat-3",
        to={"operator": "dan"},
    )
    stage.check(
        "the refusal says who is offline, and why",
        detail,
        {"operator_id": "dan", "cause": "never_logged_in"},
    )
    stage.check("chat-3 is exactly as it was", await stage.conversation("chat-3"), before)


async def _to_a_group_and_back(stage: Stage, cast: _Cast) -> None:
    await _assigns(stage, cast.lea, "chat-3", "the group Technik", {"group": "technik"})
    stage.check(
        "cleo, of Technik, gets it with a ring",
        alerts(cast.cleo, "assigned"),
        [("assigned", "chat-3", True)],
    )
    await _assigns(stage, cast.cleo, "chat-3", "everyone, as it is no technical matter", EVERYONE)
    decision = stage.last_decision("conversation_assigned", "chat-3")
    stage.check(
        "everyone means first level: ana alone was in the pool, ben being invisible, lea without "
        "slots, cleo of a group that is bound to no entry point",
        (decision["operator_id"], decision["pool_size"], decision["tie_break"]),
        ("ana", 1, "sole"),
    )
    stage.check(
        "cleo is told that it left her",
        alerts(cast.cleo, "released"),
        [("released", "chat-3", False)],
    )


async def _a_colleague(stage: Stage, cast: _Cast) -> None:
    load_before = (await stage.roster())["ben"]["load"]
    await stage.play(
        cast.ana,
        "adds ben to chat-3",
        "add_participant",
        conversation_id="chat-3",
        operator_id="ben",
    )
    conversation = await stage.conversation("chat-3")
    stage.check(
        "ana owns it, ben takes part",
        (conversation["owner"], conversation["participants"]),
        ("ana", ["ben"]),
    )
    stage.check("which uses none of his slots", (await stage.roster())["ben"]["load"], load_before)
    stage.check(
        "the visitor sees ben join, though he is invisible elsewhere",
        [m["operator_id"] for m in cast.visitors[2].heard if m["type"] == "operator_joined"],
        ["cleo", "ana", "ben"],
    )
    names = await stage.tell_timeline("chat-3")
    stage.check(
        "each forward is one event, and the decision on it stands right behind it",
        names[2:6],
        ["conversation_forwarded", "conversation_assigned"] * 2,
    )


async def _assigns(
    stage: Stage, who: Desk, conversation_id: str, whom: str, to: Mapping[str, object]
) -> None:
    await stage.play(
        who,
        f"assigns {conversation_id} to {whom}",
        "forward",
        conversation_id=conversation_id,
        to=to,
    )
