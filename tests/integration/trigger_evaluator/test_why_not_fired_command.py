"""``fernamt why-not-fired`` on a whole engine, for people and for programs."""

import asyncio
import json
import subprocess

from tests.integration.trigger_evaluator.site import Site
from tests.servers.client import connected
from tests.servers.engine import ROOT, Engine, fernamt, running_engine, surroundings
from tests.servers.office import Office


def _asked(engine: Engine, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        fernamt("why-not-fired", *arguments, "--workspace", "shop"),
        cwd=ROOT,
        env=surroundings({"FERNAMT_NATS_URL": engine.url}),
        capture_output=True,
        text=True,
        check=False,
    )


async def _set_up(url: str) -> None:
    async with connected(url) as client:
        office = Office(client, "shop")
        await office.set_up("ana")
        await office.admin(
            "save_rule",
            rule_id="french",
            name="French",
            order=1,
            enabled=True,
            when={
                "all": [
                    {
                        "field": "current_url",
                        "op": "starts_with",
                        "value": "https://example.org/fr/",
                    },
                    {"field": "custom.age", "op": "gt", "value": 17},
                ]
            },
            then=[{"add_tag": "french"}],
        )
        view = Site.view("https://example.org/de/", custom={"age": "old"})
        answer = await client.send("fernamt.v1.seen.shop.visitor.v-1", view)
        assert answer["fired"] == []


def test_tr08_the_command_says_why_a_rule_did_not_fire() -> None:
    with running_engine() as engine:
        asyncio.run(_set_up(engine.url))
        told = _asked(engine, "french", "v-1")
        assert told.returncode == 0, told.stderr
        assert "french (version " in told.stdout
        assert "its conditions do not hold" in told.stdout
        assert 'no   when.all[0]: current_url starts_with "https://example.org/fr/"' in told.stdout
        assert 'it was "old" (not a number)' in told.stdout
        as_json = _asked(engine, "french", "v-1", "--json")
        assert as_json.returncode == 0
        answer = json.loads(as_json.stdout)
        assert answer["why"] == "conditions"
        assert [one["held"] for one in answer["views"][0]["conditions"]] == [False, False]
        nothing = _asked(engine, "french", "v-2")
        assert nothing.returncode == 0
        assert "no page view of this visitor is remembered" in nothing.stdout
        unknown = _asked(engine, "german", "v-1")
        assert unknown.returncode == 2
        assert "unknown_rule" in unknown.stderr
