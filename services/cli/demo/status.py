"""The story of who is there: busy and invisible are bypassed, and the widget shows it."""

from typing import NamedTuple

from services.cli.demo.clients import Desk, Widget
from services.cli.demo.stage import Stage

TITLE = "Status"
ABOUT = """\
Busy and invisible operators get nothing by themselves. The widget is live while somebody is online,
however full, and offers to leave a message (messenger) while nobody is."""


class _Cast(NamedTuple):
    ana: Desk
    ben: Desk
    cleo: Desk
    visitors: list[Widget]


async def play(stage: Stage) -> None:
    cast = await _arrange(stage)
    await _somebody_comes(stage, cast)
    await _two_are_bypassed(stage, cast)
    await _nobody_is_online(stage, cast)
    await _somebody_is_back(stage, cast)


async def _arrange(stage: Stage) -> _Cast:
    await stage.arrange(
        "creates Support and a site bound to it, which shows a messenger while nobody is online",
        ("create_group", {"group_id": "support", "name": "Support"}),
        (
            "define_entry_point",
            {
                "entry_point_id": "site",
                "name": "Büro",
                "groups": ["support"],
                "offline_display": "messenger",
            },
        ),
    )
    cast = _Cast(
        ana=await stage.operator("ana", "support"),
        ben=await stage.operator("ben", "support"),
        cleo=await stage.operator("cleo", "support", capacity=1),
        visitors=[await stage.widget(f"visitor-{number}", "site") for number in range(1, 4)],
    )
    await stage.arrange("puts ana, ben and cleo into Support; cleo takes one conversation at most")
    return cast


async def _somebody_comes(stage: Stage, cast: _Cast) -> None:
    mode = await stage.show_mode(cast.visitors[0])
    stage.check("nobody has logged in yet: messenger", mode, "messenger")
    for desk in (cast.ana, cast.ben, cast.cleo):
        await stage.play(desk, "logs in", "log_in", session_id=f"desk-{desk.name}")
    stage.check("every open widget was told: live", _modes(cast), [["live"]] * 3)


async def _two_are_bypassed(stage: Stage, cast: _Cast) -> None:
    await stage.play(cast.ana, "chooses busy", "set_status", status="busy")
    await stage.play(cast.ben, "chooses invisible", "set_status", status="invisible")
    await _opens(stage, cast, 1)
    decision = stage.last_decision("conversation_assigned", "chat-1")
    stage.check(
        "cleo alone was in the pool: busy and invisible are bypassed",
        (decision["operator_id"], decision["pool_size"], decision["tie_break"]),
        ("cleo", 1, "sole"),
    )
    await _opens(stage, cast, 2)
    stage.check(
        "cleo being full, chat-2 waits rather than going to ana or ben",
        await stage.queue(),
        [("chat-2", "all_full")],
    )
    stage.check("full is not absent: the widgets still show live", _modes(cast), [["live"]] * 3)
    await stage.play(cast.ben, "chooses online", "set_status", status="online")
    owner = (await stage.conversation("chat-2"))["owner"]
    stage.check("which releases chat-2 at once", owner, "ben")


async def _nobody_is_online(stage: Stage, cast: _Cast) -> None:
    await stage.play(cast.cleo, "chooses invisible", "set_status", status="invisible")
    await stage.play(cast.ben, "chooses busy", "set_status", status="busy")
    stage.check(
        "with the last one gone the widgets turn to messenger",
        _modes(cast),
        [["live", "messenger"]] * 3,
    )
    await _opens(stage, cast, 3)
    conversation = await stage.conversation("chat-3")
    stage.check(
        "chat-3 is accepted all the same, waits, and remembers how it came in",
        (conversation["state"], conversation["waiting_reason"], conversation["entry_mode"]),
        ("waiting", "nobody_online", "messenger"),
    )
    roster = await stage.roster()
    stage.check(
        "what cleo and ben were at they keep",
        (roster["cleo"]["load"], roster["ben"]["load"]),
        (1, 1),
    )


async def _somebody_is_back(stage: Stage, cast: _Cast) -> None:
    await stage.play(cast.ana, "logs out", "log_out", session_id="desk-ana")
    answer = await stage.play(cast.ana, "logs in again", "log_in", session_id="desk-ana")
    stage.check("ana is busy again, as she had chosen", answer.result["effective"], "busy")
    await stage.play(cast.ana, "chooses online", "set_status", status="online")
    stage.check(
        "the widgets are live again",
        _modes(cast),
        [["live", "messenger", "live"]] * 3,
    )
    owner = (await stage.conversation("chat-3"))["owner"]
    stage.check("and chat-3 is with ana", owner, "ana")
    await stage.tell_timeline("chat-3")


async def _opens(stage: Stage, cast: _Cast, number: int) -> None:
    await stage.play(
        cast.visitors[number - 1],
        f"opens chat-{number} on the site",
        "open",
        conversation_id=f"chat-{number}",
        entry_point_id="site",
    )


def _modes(cast: _Cast) -> list[list[str]]:
    """The modes that each widget was told, in order."""
    return [
        [message["mode"] for message in widget.heard if message["type"] == "mode_changed"]
        for widget in cast.visitors
    ]
