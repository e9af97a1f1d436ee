"""The story of answers that do not come: an invisible colleague steps in, and one for the dead."""

from typing import NamedTuple

from services.cli.demo.clients import Desk, PresenceService, Widget
from services.cli.demo.stage import Stage, alerts

TITLE = "Too slow"
ABOUT = """\
Whoever waits for an answer for 1 s is brought to the notice of invisible operators who agreed to
it. An operator whose connection is gone for 1 s is offline, and the visitor's next message goes
to somebody else."""

SLOW = [{"after_s": 1, "action": "escalate_invisible"}]
POLICY = {"on_slow": SLOW, "disconnect_grace_s": 1}


class _Cast(NamedTuple):
    ana: Desk
    ben: Desk
    cleo: Desk
    dan: Desk
    presence: PresenceService
    visitors: list[Widget]


async def play(stage: Stage) -> None:
    cast = await _arrange(stage)
    await _an_answer_does_not_come(stage, cast)
    await _somebody_invisible_steps_in(stage, cast)
    await _a_laptop_dies(stage, cast)
    await _the_visitor_writes(stage, cast)
    await _the_laptop_is_back(stage, cast)


async def _arrange(stage: Stage) -> _Cast:
    await stage.arrange(
        "creates Support and a site bound to it; after 1 s without an answer invisible "
        "colleagues are alerted, and after 1 s without a connection an operator is offline",
        ("create_group", {"group_id": "support", "name": "Support"}),
        ("define_entry_point", {"entry_point_id": "site", "name": "Site", "groups": ["support"]}),
        ("set_policy", {"scope": {"workspace": True}, "policy": POLICY}),
    )
    cast = _Cast(
        ana=await stage.operator("ana", "support"),
        ben=await stage.operator("ben", "support"),
        cleo=await stage.operator("cleo", "support"),
        dan=await stage.operator("dan", "support"),
        presence=await stage.presence(),
        visitors=[await stage.widget(f"visitor-{number}", "site") for number in (1, 2)],
    )
    await stage.arrange("puts ana, ben, cleo and dan into Support")
    for desk in (cast.ana, cast.ben, cast.cleo, cast.dan):
        await stage.play(desk, "logs in", "log_in", session_id=f"desk-{desk.name}")
    for desk in (cast.ben, cast.dan):
        await stage.play(desk, "chooses invisible", "set_status", status="invisible")
    await stage.play(
        cast.ben,
        "agrees to be reached while invisible when answers are slow; dan does not",
        "set_preferences",
        reachable_when_slow=True,
    )
    return cast


async def _an_answer_does_not_come(stage: Stage, cast: _Cast) -> None:
    await _opens(stage, cast, 1)
    owner = (await stage.conversation("chat-1"))["owner"]
    stage.check("it is ana's, who is online; she does not answer", owner, "ana")
    await stage.wait(
        cast.visitors[0],
        "waits for 1 s",
        "conversation_escalated",
        conversation_id="chat-1",
    )
    stage.check(
        "ben's front end rings, though he is invisible",
        alerts(cast.ben, "escalated"),
        [("escalated", "chat-1", True)],
    )
    stage.check("dan, who did not agree to that, has heard nothing", cast.dan.heard, [])


async def _somebody_invisible_steps_in(stage: Stage, cast: _Cast) -> None:
    await stage.play(cast.ben, "claims chat-1", "claim", conversation_id="chat-1")
    conversation = await stage.conversation("chat-1")
    stage.check(
        "it is ben's, and ana still takes part",
        (conversation["owner"], conversation["participants"]),
        ("ben", ["ana"]),
    )
    await stage.play(cast.ben, "replies in chat-1", "reply", conversation_id="chat-1")
    effective = (await stage.roster())["ben"]["effective"]
    stage.check("he is as invisible as before to everybody else", effective, "invisible")


async def _a_laptop_dies(stage: Stage, cast: _Cast) -> None:
    await _opens(stage, cast, 2)
    await stage.play(cast.cleo, "replies in chat-2", "reply", conversation_id="chat-2")
    report = {"operator_id": "cleo", "session_id": "desk-cleo"}
    await stage.fail(
        cast.ana, "says that cleo's laptop is dead", "not_allowed", "session_lapsed", **report
    )
    await stage.play(
        cast.presence, "says so too, having missed her heartbeats", "session_lapsed", **report
    )
    cleo = (await stage.roster())["cleo"]
    stage.check(
        "at once nothing is routed to her, and she is not offline yet",
        (cleo["effective"], cleo["routable"]),
        ("online", False),
    )
    await stage.wait(
        cast.cleo, "does not come back for 1 s", "operator_status_changed", operator_id="cleo"
    )
    cleo = (await stage.roster())["cleo"]
    stage.check(
        "now she is offline, and chat-2 is still hers: nobody waits for an answer in it",
        (cleo["effective"], cleo["cause"], (await stage.conversation("chat-2"))["owner"]),
        ("offline", "disconnected", "cleo"),
    )


async def _the_visitor_writes(stage: Stage, cast: _Cast) -> None:
    visitor = cast.visitors[1]
    await stage.play(visitor, "writes in chat-2", "write", conversation_id="chat-2")
    decision = stage.last_decision("conversation_assigned", "chat-2")
    stage.check(
        "it goes to ana, the only one online",
        (decision["operator_id"], decision["pool_size"], decision["tie_break"]),
        ("ana", 1, "sole"),
    )
    await stage.play(visitor, "writes again", "write", conversation_id="chat-2")
    stage.check(
        "the visitor was told once",
        [message["type"] for message in visitor.heard if message["type"] != "mode_changed"],
        ["operator_joined", "operator_presence", "reassigned", "operator_joined"],
    )
    await stage.play(cast.ana, "replies in chat-2", "reply", conversation_id="chat-2")


async def _the_laptop_is_back(stage: Stage, cast: _Cast) -> None:
    await stage.play(
        cast.presence,
        "hears from cleo's laptop again",
        "session_returned",
        operator_id="cleo",
        session_id="desk-cleo",
    )
    cleo = (await stage.roster())["cleo"]
    stage.check(
        "cleo is online as if nothing had been, and chat-2 stays with ana",
        (cleo["effective"], cleo["routable"], (await stage.conversation("chat-2"))["owner"]),
        ("online", True, "ana"),
    )
    await stage.tell_timeline("chat-2")


async def _opens(stage: Stage, cast: _Cast, number: int) -> None:
    await stage.play(
        cast.visitors[number - 1],
        f"opens chat-{number} on the site",
        "open",
        conversation_id=f"chat-{number}",
        entry_point_id="site",
    )
