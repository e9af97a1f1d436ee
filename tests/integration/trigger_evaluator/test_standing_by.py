"""Two evaluators: one is on duty, the other takes over, and nothing fires twice."""

import asyncio

from tests.integration.trigger_evaluator.site import Site

PAGE = "https://example.org/"
ASK = [{"invite": {"message": "Hello"}}]


async def _two(site: Site) -> None:
    await site.office.admin("create_group", group_id="vip", name="VIP")
    await site.rule("ask", {"always": True}, ASK, frequency="always", only_when_live=False)


async def test_one_of_two_answers_and_nothing_fires_twice(site: Site) -> None:
    await site.stand_by()
    await _two(site)
    for number in range(20):
        answer = await site.see("v-1", PAGE, view_id=f"p-{number}")
        assert answer["fired"] == ["ask"]
    assert len(await site.of("rule_fired")) == 20


async def test_the_other_takes_over_with_the_visits_it_knows(empty_site: Site) -> None:
    site = empty_site
    await site.start_router()
    first = await site.start_evaluator()
    second = await site.stand_by()
    await site.open_office("ana")
    await site.rule(
        "third", {"field": "pages_seen", "op": "gte", "value": 3}, [{"add_tag": "keen"}]
    )
    assert (await site.see("v-1", PAGE))["fired"] == []
    assert (await site.see("v-1", PAGE))["fired"] == []
    await first.drop()
    answer = await site.see("v-1", PAGE)  # nobody is on duty when it comes
    assert answer["fired"] == ["third"]
    assert second.service.ready.is_set()


async def test_views_in_the_gap_fire_once(empty_site: Site) -> None:
    site = empty_site
    await site.start_router()
    first = await site.start_evaluator()
    await site.stand_by()
    await site.open_office("ana")
    await _two(site)
    views = [
        asyncio.ensure_future(site.see(f"v-{number}", PAGE, view_id=f"p-{number}"))
        for number in range(200)
    ]
    await site.until("rule_fired", 20)
    await first.drop()
    answers = await asyncio.gather(*views)
    assert [answer for answer in answers if answer.get("fired") != ["ask"]] == []
    assert len(await site.of("rule_fired")) == 200


async def test_stopped_in_order_it_answers_what_it_has_taken(empty_site: Site) -> None:
    site = empty_site
    await site.start_router()
    first = await site.start_evaluator()
    await site.open_office("ana")
    await _two(site)
    views = [
        asyncio.ensure_future(site.see(f"v-{number}", PAGE, view_id=f"p-{number}"))
        for number in range(100)
    ]
    await site.until("rule_fired", 1)
    await first.stop()
    answers = await asyncio.gather(*views)
    assert all(answer["fired"] == ["ask"] for answer in answers)
