"""What time alone brings about: rules that come to hold, sessions that end, visitors who stay."""

import pytest

from services.trigger_evaluator.service import DEFAULTS
from tests.integration.trigger_evaluator.site import Site
from tests.servers.waiting import until

PAGE = "https://example.org/prices"
INVITE = [{"invite": {"message": "May we help?"}}]
STAYS = {"field": "time_on_page_s", "op": "gte", "value": 2}


async def test_tr07_t09_time_on_a_page_fires_without_another_view(site: Site) -> None:
    await site.office.come_online("ana")
    await site.rule("stays", STAYS, INVITE)
    answer = await site.see("v-1", PAGE)
    assert answer["fired"] == []
    (fired,) = await site.until("rule_fired")
    assert fired["rule_id"] == "stays"
    seen, done = [
        one.envelope.at
        for one in await site.events()
        if one.envelope.data.__class__.__name__ in {"OperatorLoggedIn", "RuleFired"}
    ]
    assert done - seen >= 2_000
    (invited,) = await site.of("visitor_invited")
    assert invited["visitor_id"] == "v-1"


async def test_tr07_another_page_begins_anew(site: Site) -> None:
    await site.rule("stays", STAYS, [{"add_tag": "stayed"}])
    await site.rule(
        "site", {"field": "time_on_site_s", "op": "gt", "value": 59}, [{"add_tag": "long"}], order=2
    )
    await site.see("v-1", PAGE)
    await site.set_clock_forward(1.5)
    await site.see("v-1", "https://example.org/other")
    await site.set_clock_forward(1.5)
    await site.see("v-2", PAGE)
    assert await site.of("rule_fired") == []
    await site.set_clock_forward(57)
    fired = await site.until("rule_fired", 2)
    assert {(one["rule_id"], one["visitor_id"]) for one in fired} >= {("stays", "v-1")}


async def test_tr07_a_time_of_the_day_comes_where_the_workspace_is(empty_site: Site) -> None:
    site = empty_site
    await site.start_router()
    await site.start_evaluator(DEFAULTS._replace(session_ms=48 * 3_600_000))
    await site.open_office("ana")
    await site.rule(
        "morning",
        {
            "all": [
                {"field": "local_time", "op": "gte", "value": "08:00"},
                {"field": "local_time", "op": "lt", "value": "09:00"},
                {"field": "url_path", "op": "equals", "value": "/prices"},
            ]
        },
        [{"add_tag": "early"}],
    )
    await site.see("v-1", PAGE)
    if not await site.of("rule_fired"):
        past_eight_s = (site.clock.wall_ms() // 1_000 - 8 * 3_600) % 86_400
        await site.set_clock_forward(86_400 - past_eight_s)
        await site.until("rule_fired")


async def test_tr07_whoever_left_the_page_is_not_spoken_to(site: Site) -> None:
    await site.office.open("v-1", "c-1")
    await site.rule("stays", STAYS, [{"add_tag": "stayed"}])
    await site.see("v-1", PAGE)
    await site.see("v-2", PAGE)
    await site.office.visitor("v-1", "visitor_left")
    await site.set_clock_forward(60)
    await site.until("rule_fired")
    assert [one["visitor_id"] for one in await site.of("rule_fired")] == ["v-2"]


async def test_tr07_a_rule_that_is_saved_meanwhile_counts_from_then_on(site: Site) -> None:
    await site.see("v-1", PAGE)
    await site.set_clock_forward(20)
    await site.rule(
        "stays", {"field": "time_on_page_s", "op": "gte", "value": 30}, [{"add_tag": "t"}]
    )
    assert await site.of("rule_fired") == []
    await site.set_clock_forward(11)
    await site.until("rule_fired")


async def test_fw12_what_a_rule_arranged_ends_with_the_session(site: Site) -> None:
    await site.rule(
        "all",
        {"field": "url_path", "op": "equals", "value": "/prices"},
        [{"assign": {"operator": "ana"}}],
    )
    await site.see("v-1", PAGE)
    await site.set_clock_forward(20 * 60)
    await site.see("v-1", "https://example.org/other")
    await site.set_clock_forward(29 * 60)
    answer = await site.see("v-2", PAGE)
    assert answer["fired"] == ["all"]
    assert await site.of("visitor_session_ended") == []
    await site.set_clock_forward(2 * 60)
    (ended,) = await site.until("visitor_session_ended")
    assert (ended["visitor_id"], ended["session_id"]) == ("v-1", "s-1")
    visitor = (await site.office.ask("admin", "root", "visitor", visitor_id="v-1"))["result"]
    assert visitor["visitor"]["assigned"] == []


async def test_fw12_also_one_that_was_found_in_the_log_after_a_restart(empty_site: Site) -> None:
    site = empty_site
    await site.start_router()
    first = await site.start_evaluator()
    await site.open_office("ana")
    await site.rule("all", {"always": True}, [{"assign": {"operator": "ana"}}])
    await site.see("v-1", PAGE)
    await first.stop()
    await site.set_clock_forward(3_600)
    await site.start_evaluator()
    assert await site.of("visitor_session_ended") == []  # it gets half an hour anew
    await site.set_clock_forward(1_801)
    await site.until("visitor_session_ended")


async def test_tr06_once_per_session_means_the_next_session_again(site: Site) -> None:
    await site.rule("ask", {"always": True}, INVITE, only_when_live=False)
    assert (await site.see("v-1", PAGE))["fired"] == ["ask"]
    assert (await site.see("v-1", PAGE))["fired"] == []
    assert (await site.see("v-1", PAGE, session_id="s-2"))["fired"] == ["ask"]
    await site.set_clock_forward(31 * 60)
    assert (await site.see("v-1", PAGE, session_id="s-2"))["fired"] == ["ask"]
    assert (await site.see("v-1", PAGE, session_id="s-2"))["fired"] == []


@pytest.mark.parametrize("away", [False, True])
async def test_tm06_a_page_view_is_a_sign_of_the_visitor(site: Site, away: bool) -> None:
    await site.office.admin(
        "set_policy", scope={"workspace": True}, policy={"visitor_gone_after_s": 60}
    )
    await site.office.open("v-1", "c-1")
    if away:
        await site.office.visitor("v-1", "visitor_left")
        await site.see("v-1", PAGE)
        assert len(await site.of("visitor_back")) == 1
        return
    await site.see("v-1", PAGE)
    assert await site.of("visitor_seen") == []  # it was heard of just now
    for _ in range(4):
        await site.set_clock_forward(40)
        await site.see("v-1", PAGE)
    assert len(await site.of("visitor_seen")) == 4
    assert await site.of("visitor_left") == []
    await site.set_clock_forward(61)

    async def left() -> object:
        return await site.of("visitor_left")

    await until("the visitor is taken to be gone", left)
