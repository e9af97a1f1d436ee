"""Widgets that tell of page views, and what rules make of them before anything is written."""

import asyncio
from typing import Any

from tests.integration.frontend.company import Company, agrees

Fields = dict[str, Any]

FRENCH = {"field": "current_url", "op": "starts_with", "value": "https://shop.example/fr/"}
AT_ONCE = 20


async def _rule(company: Company, rule: str, when: Fields, *then: Fields, **more: object) -> None:
    body = {"rule_id": rule, "name": rule, "order": 1, "enabled": True, "when": when, "then": then}
    await company.admin.command("save_rule", body | more)


async def test_tr09_visitors_of_the_french_site_go_to_those_who_speak_french(
    company: Company,
) -> None:
    await company.hire("ana")
    await company.hire("eve", "experts")
    await _rule(company, "french", FRENCH, {"assign": {"group": "experts"}})
    ana, eve = await company.desk("ana"), await company.desk("eve")
    vera, max_ = await company.widget("vera"), await company.widget("max")
    seen = await vera.sees("https://shop.example/fr/robes", session_id="s1")
    assert (seen["ok"], seen["fired"]) == (True, ["french"])
    opened = await vera.open("c1")
    assert opened["owner"] == "eve"
    seen = await max_.sees("https://shop.example/en/fr/", session_id="s2")
    assert (seen["ok"], seen["fired"]) == (True, [])
    assert (await max_.open("c2"))["owner"] == "ana"
    for desk in (ana, eve):
        await agrees(desk)


async def test_tr09_however_many_open_at_once_none_goes_elsewhere(company: Company) -> None:
    await company.hire("ana", capacity=AT_ONCE)
    await company.hire("eve", "experts", capacity=AT_ONCE)
    await _rule(company, "french", FRENCH, {"assign": {"group": "experts"}})
    await company.desk("ana")
    await company.desk("eve")
    widgets = [await company.widget(f"v{number}") for number in range(AT_ONCE)]

    async def come(number: int) -> str:
        language = ("fr", "en")[number % 2]
        url = f"https://shop.example/{language}/page-{number}"
        await widgets[number].sees(url, session_id=f"s{number}")
        owner: str = (await widgets[number].open(f"c{number}"))["owner"]
        return owner

    owners = await asyncio.gather(*map(come, range(AT_ONCE)))
    assert owners == ["eve", "ana"] * (AT_ONCE // 2)


async def test_tr06_an_invitation_comes_when_somebody_could_answer(company: Company) -> None:
    await company.hire("ana")
    always: Fields = {"always": True}
    await _rule(company, "hello", always, {"invite": {"message": "Können wir helfen?"}})
    vera = await company.widget("vera")
    alone = await vera.sees("https://shop.example/", session_id="s1")
    assert alone["fired"] == []
    await company.desk("ana")
    await vera.turns("live")
    seen = await vera.sees("https://shop.example/prices", session_id="s1")
    assert seen["fired"] == ["hello"]
    invitation = await vera.feed.told("invitation")
    assert invitation["text"] == "Können wir helfen?"
    assert invitation["position"] <= seen["position"]
    again = await vera.sees("https://shop.example/about", session_id="s1")
    assert again["fired"] == []
    assert vera.feed.types() == ["invitation"]


async def test_tr04_a_visitor_who_is_asked_chooses_a_group(company: Company) -> None:
    await company.hire("ana")
    await company.hire("eve", "experts")
    always: Fields = {"always": True}
    await _rule(company, "ask", always, {"ask_group": ["support", "experts"]})
    await company.desk("ana")
    await company.desk("eve")
    vera = await company.widget("vera")
    assert (await vera.sees("https://shop.example/", session_id="s1"))["fired"] == ["ask"]
    asked = await vera.feed.told("ask_group")
    assert asked["groups"] == [
        {"group_id": "support", "name": "Support"},
        {"group_id": "experts", "name": "Experts"},
    ]
    assert (await vera.open("c1", group_id=asked["groups"][1]["group_id"]))["owner"] == "eve"


async def test_a_page_view_that_is_told_twice_is_one(company: Company) -> None:
    await company.hire("ana")
    await _rule(company, "french", FRENCH, {"add_tag": "french"}, frequency="always")
    vera = await company.widget("vera")
    view: Fields = {"session_id": "s1", "view_id": "view-1"}
    first = await vera.sees("https://shop.example/fr/", **view)
    again = await vera.sees("https://shop.example/fr/", **view)
    assert first["fired"] == ["french"]
    assert again == first
    assert (await vera.open("c1"))["tags"] == ["french"]
