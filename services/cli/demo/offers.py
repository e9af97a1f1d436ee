"""The story of conversations that are offered: declined, expired, widened, forwarded, returned."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from services.cli.demo.clients import Desk, Widget
from services.cli.demo.stage import Stage, alerts

TITLE = "Offers and overflow"
ABOUT = """\
Operators are asked, one after the other, and have 2 s to accept. What waits in Support for longer
than 1 s is offered to Overflow as well, whose members get nothing else."""

POLICY = {"delivery": "offer", "offer_timeout_s": 2, "decline_backoff_s": 1}
WIDENING = [{"after_s": 1, "add_groups": ["overflow"]}]


class _Cast(NamedTuple):
    ana: Desk
    ben: Desk
    cleo: Desk
    dan: Desk
    visitors: list[Widget]


async def play(stage: Stage) -> None:
    cast = await _arrange(stage)
    await _nobody_in_support_takes_it(stage, cast)
    await _answers_that_come_too_late(stage, cast)
    await _overflow_takes_it(stage, cast)
    await _a_forward_comes_back(stage, cast)
    await _the_only_one_is_asked_again(stage, cast)


async def _arrange(stage: Stage) -> _Cast:
    await stage.arrange(
        "creates Support, Overflow and Night, a shop bound to Support and a hotline bound to "
        "Night; everything is offered, and what waits in Support for 1 s is widened to Overflow",
        ("create_group", {"group_id": "support", "name": "Support"}),
        ("create_group", {"group_id": "overflow", "name": "Overflow"}),
        ("create_group", {"group_id": "night", "name": "Night"}),
        ("define_entry_point", {"entry_point_id": "shop", "name": "Shop", "groups": ["support"]}),
        (
            "define_entry_point",
            {"entry_point_id": "hotline", "name": "Hotline", "groups": ["night"]},
        ),
        ("set_policy", {"scope": {"workspace": True}, "policy": POLICY}),
        ("set_policy", {"scope": {"group": "support"}, "policy": {"widening": WIDENING}}),
    )
    cast = _Cast(
        ana=await stage.operator("ana", "support"),
        ben=await stage.operator("ben", "support"),
        cleo=await stage.operator("cleo", "overflow"),
        dan=await stage.operator("dan", "night"),
        visitors=[
            await stage.widget("visitor-1", "shop"),
            await stage.widget("visitor-2", "hotline"),
        ],
    )
    await stage.arrange("puts ana and ben into Support, cleo into Overflow, dan alone into Night")
    for desk in (cast.ana, cast.ben, cast.cleo, cast.dan):
        await stage.play(desk, "logs in", "log_in", session_id=f"desk-{desk.name}")
    return cast


async def _nobody_in_support_takes_it(stage: Stage, cast: _Cast) -> None:
    await _opens(stage, cast.visitors[0], "chat-1")
    stage.check(
        "it is offered to ana, whose front end rings, and is nobody's yet",
        (alerts(cast.ana, "offered"), await _whose(stage, "chat-1")),
        ([("offered", "chat-1", True)], ("offered", None, "ana")),
    )
    await _declines(stage, cast.ana, "chat-1", offer=1)
    stage.check(
        "ben, who is asked next, holds a slot for it",
        (await _whose(stage, "chat-1"), (await stage.roster())["ben"]["load"]),
        (("offered", None, "ben"), 1),
    )
    await stage.wait(
        cast.ben,
        "lets his 2 s go by",
        "conversation_offered",
        conversation_id="chat-1",
        operator_id="cleo",
    )
    stage.check(
        "ben's slot is free again, and his front end knows",
        ((await stage.roster())["ben"]["load"], _ends(cast.ben)),
        (0, [("chat-1", "expired")]),
    )
    stage.check(
        "Support having been asked, it went on to cleo without waiting for anything more",
        alerts(cast.cleo, "offered"),
        [("offered", "chat-1", True)],
    )


async def _answers_that_come_too_late(stage: Stage, cast: _Cast) -> None:
    for desk, offer, how in ((cast.ana, 1, "declined"), (cast.ben, 2, "expired")):
        detail = await stage.fail(
            desk,
            f"accepts offer {offer} after all",
            "offer_ended",
            "accept_offer",
            conversation_id="chat-1",
            offer=offer,
        )
        stage.check("the refusal says how it ended", detail, {"how": how})


async def _overflow_takes_it(stage: Stage, cast: _Cast) -> None:
    await _accepts(stage, cast.cleo, "chat-1", offer=3)
    conversation = await stage.conversation("chat-1")
    stage.check(
        "it is cleo's, and as much the shop's as before",
        (conversation["owner"], conversation["scope"]),
        ("cleo", {"entry_point": "shop"}),
    )


async def _a_forward_comes_back(stage: Stage, cast: _Cast) -> None:
    await stage.play(
        cast.cleo,
        "forwards chat-1 to ana, on offer",
        "forward",
        conversation_id="chat-1",
        to={"operator": "ana"},
        mode="offer",
        note="Sie kennt den Fall",
    )
    stage.check(
        "until ana accepts, cleo owns it",
        await _whose(stage, "chat-1"),
        ("assigned", "cleo", "ana"),
    )
    await _declines(stage, cast.ana, "chat-1", offer=4)
    stage.check(
        "cleo is told that it came back, and still owns it",
        (alerts(cast.cleo, "returned"), await _whose(stage, "chat-1")),
        ([("returned", "chat-1", True)], ("assigned", "cleo", None)),
    )


async def _the_only_one_is_asked_again(stage: Stage, cast: _Cast) -> None:
    await _opens(stage, cast.visitors[1], "chat-2")
    await _declines(stage, cast.dan, "chat-2", offer=1)
    stage.check(
        "dan is all there is of Night: chat-2 waits for him rather than being lost",
        await stage.queue(),
        [("chat-2", "back_off")],
    )
    await stage.wait(
        cast.dan,
        "is left alone for 1 s",
        "conversation_offered",
        conversation_id="chat-2",
        operator_id="dan",
    )
    await _accepts(stage, cast.dan, "chat-2", offer=2)
    stage.check("now he takes it", await _whose(stage, "chat-2"), ("assigned", "dan", None))
    names = await stage.tell_timeline("chat-1")
    stage.check(
        "every offer of chat-1 ended in one way, and the log has it",
        [name for name in names if name.startswith("offer_")],
        ["offer_declined", "offer_expired", "offer_accepted", "offer_declined"],
    )


async def _opens(stage: Stage, widget: Widget, conversation_id: str) -> None:
    await stage.play(
        widget,
        f"opens {conversation_id} at the {widget.entry_point_id}",
        "open",
        conversation_id=conversation_id,
        entry_point_id=widget.entry_point_id,
    )


async def _declines(stage: Stage, who: Desk, conversation_id: str, offer: int) -> None:
    await stage.play(
        who,
        f"declines offer {offer} of {conversation_id}: busy",
        "decline_offer",
        conversation_id=conversation_id,
        offer=offer,
        reason="busy",
    )


async def _accepts(stage: Stage, who: Desk, conversation_id: str, offer: int) -> None:
    await stage.play(
        who,
        f"accepts offer {offer} of {conversation_id}",
        "accept_offer",
        conversation_id=conversation_id,
        offer=offer,
    )


async def _whose(stage: Stage, conversation_id: str) -> tuple[str, str | None, str | None]:
    """The state, the owner, and to whom it is offered."""
    conversation = await stage.conversation(conversation_id)
    offer: Mapping[str, Any] = conversation["offer"] or {}
    return conversation["state"], conversation["owner"], offer.get("operator_id")


def _ends(desk: Desk) -> list[tuple[str, str]]:
    """How the offers to an operator ended, as his front end was told."""
    return [(m["conversation_id"], m["how"]) for m in desk.heard if m["type"] == "offer_ended"]
