"""The story of visitors of the French site, whom a rule assigns to the people who speak French."""

from typing import NamedTuple

from services.cli.demo.clients import Desk, Fields, Widget
from services.cli.demo.stage import Stage

TITLE = "French visitors"
ABOUT = """\
Whoever looks at a page of the French site is assigned to the group Support FR, by a rule on the
address. Another rule invites whoever looks at the prices, if anybody is there to answer. A third
one is disabled."""

SITE = "https://shop.example"
FRENCH = {"field": "current_url", "op": "starts_with", "value": f"{SITE}/fr/"}
SPANISH = {"field": "current_url", "op": "starts_with", "value": f"{SITE}/es/"}
PRICES = {"field": "url_path", "op": "ends_with", "value": "/prices"}
INVITATION = "May we help you to choose?"


class _Cast(NamedTuple):
    ana: Desk
    fleur: Desk
    marie: Widget
    paul: Widget
    vera: Widget
    carmen: Widget


async def play(stage: Stage) -> None:
    cast = await _arrange(stage)
    await _the_french_site(stage, cast)
    await _any_other_page(stage, cast)
    await _a_disabled_rule(stage, cast)
    await _an_invitation(stage, cast)


async def _arrange(stage: Stage) -> _Cast:
    await stage.arrange(
        "creates Support and Support FR, and a widget for all sites that is bound to Support",
        ("create_group", {"group_id": "support", "name": "Support"}),
        ("create_group", {"group_id": "support-fr", "name": "Support FR"}),
        ("define_entry_point", {"entry_point_id": "site", "name": "Shop", "groups": ["support"]}),
    )
    cast = _Cast(
        ana=await stage.operator("ana", "support"),
        fleur=await stage.operator("fleur", "support-fr"),
        marie=await stage.widget("marie", "site"),
        paul=await stage.widget("paul", "site"),
        vera=await stage.widget("vera", "site"),
        carmen=await stage.widget("carmen", "site"),
    )
    to_the_french: Fields = {"assign": {"group": "support-fr"}}
    await stage.arrange(
        "saves three rules: french, spanish, which is disabled, and prices, which invites",
        ("save_rule", _rule("french", 1, FRENCH, to_the_french)),
        ("save_rule", _rule("spanish", 2, SPANISH, to_the_french, enabled=False)),
        ("save_rule", _rule("prices", 3, PRICES, {"invite": {"message": INVITATION}})),
    )
    for desk in (cast.ana, cast.fleur):
        await stage.play(desk, "logs in", "log_in", session_id=f"desk-{desk.name}")
    return cast


async def _the_french_site(stage: Stage, cast: _Cast) -> None:
    viewed = await stage.sees(cast.marie, "looks at a page of the French site", f"{SITE}/fr/robes")
    stage.check("the rule fired for the view", viewed.fired, ["french"])
    visitor = (await stage.admin.ask("visitor", visitor_id="marie"))["visitor"]
    stage.check(
        "she is assigned ahead to Support FR, by a rule",
        visitor["assigned"],
        [{"to": {"group": "support-fr"}, "by": "rule"}],
    )
    await _opens(stage, cast.marie, "chat-1")
    await _is_whose(stage, "it is fleur's, of Support FR", "chat-1", "fleur", "support-fr")
    viewed = await stage.sees(
        cast.paul, "looks at another one, and opens at once", f"{SITE}/fr/chaussures?page=2"
    )
    fired = stage.last_event("rule_fired", visitor_id="paul")
    stage.check(
        "the view was answered when what follows from it was in the log already",
        fired.position <= viewed.position,
        True,
    )
    await _opens(stage, cast.paul, "chat-2")
    await _is_whose(stage, "so it is fleur's as well", "chat-2", "fleur", "support-fr")


async def _any_other_page(stage: Stage, cast: _Cast) -> None:
    viewed = await stage.sees(cast.vera, "looks at a page in English", f"{SITE}/en/fr/dresses")
    stage.check("an address that only contains /fr/ is no French one", viewed.fired, [])
    await _opens(stage, cast.vera, "chat-3")
    await _is_whose(stage, "it is ana's, of Support", "chat-3", "ana", None)


async def _a_disabled_rule(stage: Stage, cast: _Cast) -> None:
    viewed = await stage.sees(cast.carmen, "looks at a page in Spanish", f"{SITE}/es/vestidos")
    stage.check("the rule for it does nothing", viewed.fired, [])
    told = await stage.admin.ask("why_not_fired", rule_id="spanish", visitor_id="carmen")
    stage.check(
        "asked why, the engine says that the rule is disabled, though its condition holds",
        (told["why"], told["enabled"], told["views"][0]["held"]),
        ("disabled", False, True),
    )


async def _an_invitation(stage: Stage, cast: _Cast) -> None:
    await stage.play(cast.ana, "takes a break", "set_status", status="busy")
    prices = f"{SITE}/en/prices"
    viewed = await stage.sees(cast.carmen, "looks at the prices while nobody is online", prices)
    stage.check("she is not invited, as nobody could answer", viewed.fired, [])
    told = await stage.admin.ask("why_not_fired", rule_id="prices", visitor_id="carmen")
    stage.check("asked why, the engine says so", told["why"], "not_live")
    await stage.play(cast.ana, "is back", "set_status", status="online")
    viewed = await stage.sees(cast.carmen, "looks at the prices again", f"{prices}?currency=eur")
    stage.check("now the rule fires", viewed.fired, ["prices"])
    invited = [m["text"] for m in cast.carmen.heard if m["type"] == "invitation"]
    stage.check("and her widget shows the invitation", invited, [INVITATION])
    await _opens(stage, cast.carmen, "chat-4")
    await _is_whose(stage, "it is ana's, who is there again", "chat-4", "ana", None)


def _rule(
    rule_id: str, order: int, when: Fields, then: Fields, *, enabled: bool = True
) -> dict[str, object]:
    return {
        "rule_id": rule_id,
        "name": rule_id.capitalize(),
        "order": order,
        "enabled": enabled,
        "when": when,
        "then": [then],
    }


async def _opens(stage: Stage, who: Widget, conversation_id: str) -> None:
    await stage.play(
        who,
        f"opens {conversation_id}",
        "open",
        conversation_id=conversation_id,
        entry_point_id="site",
    )


async def _is_whose(
    stage: Stage, claim: str, conversation_id: str, owner: str, group: str | None
) -> None:
    """It is for the group, or for the entry point where none is named, and somebody has it."""
    conversation = await stage.conversation(conversation_id)
    scope = {"group": group} if group else {"entry_point": "site"}
    stage.check(claim, (conversation["owner"], conversation["scope"]), (owner, scope))
