"""A router that does not answer: views do not pile up, and nobody waits in vain."""

import asyncio
from typing import Any

from services.trigger_evaluator.service import DEFAULTS, Evaluator
from tests.integration.trigger_evaluator.site import Site
from tests.servers.waiting import until

PAGE = "https://example.org/"
FEW = DEFAULTS._replace(views_max=20, reports_at_once=2)


async def _with_rule(site: Site, settings: Any = FEW) -> Evaluator:
    router = await site.start_router()
    evaluator = (await site.start_evaluator(settings)).service
    assert isinstance(evaluator, Evaluator)
    await site.open_office("ana")
    await site.rule("tag", {"always": True}, [{"add_tag": "a"}])
    await site.see("v-0", PAGE)
    await router.stop()
    return evaluator


async def test_views_do_not_pile_up_before_a_router_that_is_away(empty_site: Site) -> None:
    site = empty_site
    evaluator = await _with_rule(site)
    asked = [asyncio.create_task(site.see(f"a-{n}", PAGE, view_id=f"a-{n}")) for n in range(10)]
    for number in range(200):
        site.look(f"b-{number}", PAGE)
    late = [asyncio.create_task(site.see(f"c-{n}", PAGE, view_id=f"c-{n}")) for n in range(30)]
    refused = 0
    for done in asyncio.as_completed(late):
        reply = await done
        if not reply["ok"]:
            assert reply["error"]["code"] == "overloaded"
            refused += 1
        if refused == 10:
            break

    async def dropped() -> int:
        return sum(desk.lane.dropped for desk in evaluator._desks.values())

    assert await until("plain views were dropped", dropped) >= 180
    await site.start_router()
    answers = await asyncio.gather(*asked)
    assert all(answer["fired"] == ["tag"] for answer in answers)
    for task in late:
        await task
    assert (await site.see("d", PAGE))["fired"] == ["tag"]


async def test_whoever_waits_is_told_when_the_router_stays_away(empty_site: Site) -> None:
    site = empty_site
    await _with_rule(site, FEW._replace(try_for_s=0.5))
    reply = await site.see("v-1", PAGE, view_id="p-1")
    assert reply["error"]["code"] == "unavailable"
    await site.start_router()
    again = await site.see("v-1", PAGE, view_id="p-1")
    assert again["fired"] == ["tag"]


async def test_a_moment_comes_although_the_router_was_away(empty_site: Site) -> None:
    site = empty_site
    await _with_rule(site)
    await site.start_router()
    stays = {"field": "time_on_page_s", "op": "gte", "value": 1}
    await site.rule("tag", stays, [{"add_tag": "b"}])
    await site.see("v-9", PAGE)
    await site.until("rule_fired", 2)
