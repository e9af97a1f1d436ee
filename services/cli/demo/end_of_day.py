"""The story of a night: the shift ends, a visitor finds nobody, and is answered in the morning."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.cli.demo.clients import ChatBackEnd, Desk, Widget
from services.cli.demo.engine_clock import ZONE, at, the_day_after
from services.cli.demo.post_office import Mail
from services.cli.demo.stage import Stage, alerts

TITLE = "End of the day"
ABOUT = """\
Support works from nine to five. Who writes later finds nobody, and is not forgotten: ana and ben
get mails with what was written, each in their language, and in the morning the conversation is
offered again. The clock of the engine is set forward; every timer falls due by it."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
HOURS = {day: [["09:00", "17:00"]] for day in WEEKDAYS}
WRITTEN = "22:14 paul: My parcel has not come. Où est-il?"


class _Cast(NamedTuple):
    ana: Desk
    ben: Desk
    vera: Widget
    paul: Widget
    back_end: ChatBackEnd


async def play(stage: Stage) -> None:
    monday = stage.clock.next_monday()
    cast = await _arrange(stage, monday)
    await _the_last_minutes(stage, cast)
    await _the_shift_ends(stage, cast, monday)
    await _somebody_writes_at_night(stage, cast, monday)
    await _next_morning(stage, cast, the_day_after(monday))


async def _arrange(stage: Stage, monday: datetime) -> _Cast:
    await stage.let_it_be(at(monday, 16, 50), "it is Monday, 16:50")
    await stage.arrange(
        "creates Support, a site, and hours: on weekdays from nine to five; nobody is ever idle",
        ("create_group", {"group_id": "support", "name": "Support"}),
        ("define_entry_point", {"entry_point_id": "site", "name": "Shop", "groups": ["support"]}),
        ("set_schedule", {"weekly": HOURS, "timezone": ZONE}),
        ("set_policy", {"scope": {"workspace": True}, "policy": {"idle_timeout_s": 0}}),
    )
    cast = _Cast(
        ana=await _wants_mails(stage, "ana", "de"),
        ben=await _wants_mails(stage, "ben", "en"),
        vera=await stage.widget("vera", "site"),
        paul=await stage.widget("paul", "site"),
        back_end=await stage.chat_back_end(),
    )
    await stage.arrange("registers ana, who reads German, and ben, who reads English")
    for desk in (cast.ana, cast.ben):
        await stage.play(desk, "logs in", "log_in", session_id=f"desk-{desk.name}")
        await stage.play(desk, "wants mails", "set_preferences", email_missed=True)
    return cast


async def _wants_mails(stage: Stage, who: str, locale: str) -> Desk:
    return await stage.operator(
        who, "support", name=who.capitalize(), email=f"{who}@shop.example", locale=locale
    )


async def _the_last_minutes(stage: Stage, cast: _Cast) -> None:
    await _opens(stage, cast.vera, "chat-1")
    await stage.play(cast.ana, "replies in chat-1", "reply", conversation_id="chat-1")
    await stage.play(cast.ben, "goes home early", "set_status", status="offline")


async def _the_shift_ends(stage: Stage, cast: _Cast, monday: datetime) -> None:
    await stage.let_it_be(at(monday, 17, 0), "it is 17:00")
    await stage.until("operator_status_changed", operator_id="ana")
    roster = await stage.roster()
    stage.check(
        "ana is offline, as her shift is over, and so is ben",
        [(roster[who]["effective"], roster[who]["cause"]) for who in ("ana", "ben")],
        [("offline", "shift_end")] * 2,
    )
    stage.check(
        "chat-1 stays with her: a shift's end alone takes nothing away",
        (await stage.conversation("chat-1"))["owner"],
        "ana",
    )
    stage.check("the widget turns to messenger", await stage.show_mode(cast.paul), "messenger")


async def _somebody_writes_at_night(stage: Stage, cast: _Cast, monday: datetime) -> None:
    await stage.let_it_be(at(monday, 22, 14), "it is 22:14")
    cast.back_end.texts["chat-2"] = WRITTEN
    await _opens(stage, cast.paul, "chat-2")
    stage.check(
        "it waits, as nobody is online, and says in which mode it came",
        await _as_it_is(stage, "chat-2"),
        ("waiting", False, "messenger"),
    )
    mails = await stage.mails(2)
    stage.check("ana and ben get a mail each", _to(mails), ["ana", "ben"])
    await stage.let_it_be(at(monday, 22, 17), "it is 22:17")
    await stage.play(cast.paul, "closes the window", "close", conversation_id="chat-2")
    stage.check(
        "nobody answered, so it is missed, and waits on",
        await _as_it_is(stage, "chat-2"),
        ("waiting", True, "messenger"),
    )
    mails = await stage.mails(4)
    for mail in mails:
        stage.show(mail)
    stage.check(
        "ana is told of it in German, ben in English",
        [(mail.language, mail.subject) for mail in mails],
        [("de", "Verpasster Chat: Shop"), ("en", "Missed chat: Shop")],
    )
    stage.check(
        "and both mails have what was written, letter by letter",
        [WRITTEN in mail.text for mail in mails],
        [True, True],
    )


async def _next_morning(stage: Stage, cast: _Cast, tuesday: datetime) -> None:
    await stage.let_it_be(at(tuesday, 9, 0), "it is Tuesday, 9:00")
    await stage.until("operator_status_changed", operator_id="ben", effective="online")
    await stage.until("operator_status_changed", operator_id="ana", effective="online")
    roster = await stage.roster()
    stage.check(
        "both are online by themselves, ben too, who had chosen offline the day before",
        [roster[who]["effective"] for who in ("ana", "ben")],
        ["online", "online"],
    )
    offered = await stage.until("conversation_offered", conversation_id="chat-2")
    desk = cast.ana if offered.fields["operator_id"] == "ana" else cast.ben
    stage.check(
        "chat-2 is offered, with a ring",
        alerts(desk, "offered"),
        [("offered", "chat-2", True)],
    )
    await stage.play(
        desk,
        "accepts it",
        "accept_offer",
        conversation_id="chat-2",
        offer=offered.fields["offer"],
    )
    await stage.play(desk, "replies in chat-2", "reply", conversation_id="chat-2")
    stage.check(
        "the visitor sees somebody join",
        [m["operator_id"] for m in cast.paul.heard if m["type"] == "operator_joined"],
        [desk.name],
    )
    await stage.tell_timeline("chat-2")


def _to(mails: Sequence[Mail]) -> list[str]:
    return [mail.recipients[0].partition("@")[0] for mail in mails]


async def _as_it_is(stage: Stage, conversation_id: str) -> tuple[str, bool, str]:
    found = await stage.conversation(conversation_id)
    return (found["state"], found["missed"], found["entry_mode"])


async def _opens(stage: Stage, who: Widget, conversation_id: str) -> None:
    await stage.play(
        who,
        f"opens {conversation_id}",
        "open",
        conversation_id=conversation_id,
        entry_point_id="site",
    )
