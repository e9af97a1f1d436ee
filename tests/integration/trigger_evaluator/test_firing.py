"""Page views that fire rules, over a real broker: TR09 to the letter, and what comes twice."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.integration.trigger_evaluator.site import Site

FRENCH = "https://www.example.com/fr/"
TO_FRENCH = [{"assign": {"group": "support-fr"}}]
ON_FRENCH_SITE = {"field": "current_url", "op": "starts_with", "value": FRENCH}


@pytest.fixture
async def french(site: Site) -> Site:
    """A second group, and TR09's rule."""
    await site.office.admin("create_group", group_id="support-fr", name="Support FR")
    await site.rule("french", ON_FRENCH_SITE, TO_FRENCH)
    return site


async def _scope(site: Site, visitor: str, conversation: str) -> Any:
    reply = await site.office.open(visitor, conversation)
    return reply["result"]["conversation"]


async def test_tr09_visitors_of_the_french_site_go_to_its_group_and_no_others(
    french: Site,
) -> None:
    answer = await french.see("v-1", "HTTPS://WWW.example.com:443/fr/produits?x=1#top")
    assert answer == {"ok": True, "position": answer["position"], "fired": ["french"]}
    assert answer["position"] == (await french.events())[-1].position
    for number, url in enumerate(
        (
            "https://www.example.com/de/",
            "https://www.example.com/",
            "https://www.example.com.evil.example/fr/",
            "https://evil.example/?https://www.example.com/fr/",
        )
    ):
        assert (await french.see(f"other-{number}", url))["fired"] == []
        await french.office.open(f"other-{number}", f"o-{number}")
    await french.office.open("v-1", "c-1")
    scopes = {
        one["conversation_id"]: one["scope"] for one in await french.of("conversation_opened")
    }
    assert scopes.pop("c-1") == {"group": "support-fr"}
    assert set(map(str, scopes.values())) == {"{'entry_point': 'site'}"}


async def test_tr09_also_if_they_open_at_once(french: Site) -> None:
    async def visit(number: int) -> None:
        await french.see(f"v-{number}", f"{FRENCH}{number}", session_id=f"s-{number}")
        await french.office.open(f"v-{number}", f"c-{number}")

    await asyncio.gather(*(visit(number) for number in range(40)))
    opened = await french.of("conversation_opened")
    assert len(opened) == 40
    assert all(one["scope"] == {"group": "support-fr"} for one in opened)


async def test_t03_one_view_delivered_twice_fires_once(french: Site) -> None:
    await french.rule(
        "ask",
        ON_FRENCH_SITE,
        [{"invite": {"message": "Bonjour"}}],
        frequency="always",
        only_when_live=False,
        order=0,
    )
    first = await french.see("v-1", FRENCH, view_id="p-1")
    again = await french.see("v-1", FRENCH, view_id="p-1")
    assert first == again
    assert first["fired"] == ["ask"]
    assert len(await french.of("visitor_invited")) == 1
    other = await french.see("v-1", FRENCH, view_id="p-2")
    assert other["fired"] == ["ask"]
    assert len(await french.of("visitor_invited")) == 2


async def test_tr08_each_firing_is_recorded_with_version_and_what_held(site: Site) -> None:
    saved = await site.rule(
        "both",
        {
            "all": [
                {"field": "url_host", "op": "equals", "value": "example.org"},
                {
                    "any": [
                        {"field": "country", "op": "equals", "value": "FR"},
                        {"field": "language", "op": "equals", "value": "fr"},
                    ]
                },
                {"not": {"field": "returning", "op": "equals", "value": True}},
            ]
        },
        [{"add_tag": "french"}],
    )
    await site.see("v-1", "https://EXAMPLE.org/x", language="FR", country="BE")
    (fired,) = await site.of("rule_fired")
    assert fired["rule_id"] == "both"
    assert fired["version"] == saved["position"]
    assert list(fired["held"]) == ["when.all[0]", "when.all[1].any[1]", "when.all[2]"]
    assert fired["page"] not in (None, "https://EXAMPLE.org/x")


async def test_tr01_a_view_after_the_acknowledgement_is_judged_with_the_rule(site: Site) -> None:
    for number in range(100):
        await site.rule(
            "latest",
            {"field": "url_path", "op": "equals", "value": f"/{number}"},
            [{"add_tag": f"t-{number}"}],
            frequency="always",
        )
        answer = await site.see("v-1", f"https://example.org/{number}")
        assert answer["fired"] == ["latest"], number


async def test_plain_views_fire_too(french: Site) -> None:
    french.look("v-1", FRENCH)
    await french.until("visitor_assigned")


async def test_refusals_come_on_requests(site: Site) -> None:
    async def code(visitor: str, **fields: Any) -> str:
        reply = await site.see(visitor, "https://example.org/", **fields)
        assert not reply["ok"]
        return str(reply["error"]["code"])

    assert await code("v-1", entry_point_id="nowhere") == "unknown_entry_point"
    assert await code("v-1", colour="red") == "unknown_field"
    assert await code("v-1", title=7) == "malformed"
    assert await code("v-1", custom={"deep": {"er": 1}}) == "malformed"
    assert await code("v-1", title="x" * 70_000) == "too_large"
    other = "fernamt.v1.seen.nowhere.visitor.v-1"
    reply = await site.office.client.send(other, site.view("https://example.org/"))
    assert reply["error"]["code"] == "unknown_workspace"
    answer = await site.office.client.bus.request(site.subject("v-1"), b"[1", timeout_s=30)
    assert msgspec.json.decode(answer.data)["error"]["code"] == "malformed"
    assert answer.headers["Nats-Service-Error"] == "malformed"
