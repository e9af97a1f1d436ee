"""The broker dies and comes back: rules that were saved count, and visits go on."""

from shared.ports import NoResponders
from tests.integration.trigger_evaluator.site import Site
from tests.servers.client import Fields
from tests.servers.nats import NatsServer
from tests.servers.waiting import until

PAGE = "https://example.org/"


async def _insist(site: Site, **fields: object) -> Fields:
    """As a front end does: until it is answered."""

    async def asked() -> Fields | None:
        try:
            return await site.office.client.send(
                site.subject("v-1"), site.view(PAGE, **fields), timeout_s=1
            )
        except (NoResponders, TimeoutError):
            return None

    answer = await until("an answer", asked)
    assert answer is not None
    return answer


async def test_a_broker_that_dies_costs_no_visit_and_no_rule(site: Site, nats: NatsServer) -> None:
    await site.rule(
        "third", {"field": "pages_seen", "op": "gte", "value": 3}, [{"add_tag": "keen"}]
    )
    assert (await site.see("v-1", PAGE))["fired"] == []
    for number in range(3):
        nats.kill()
        nats.start()
        answer = await _insist(site, view_id=f"p-{number}")
        assert answer["ok"], answer
        assert answer["fired"] == (["third"] if number == 1 else [])
    assert len(await site.of("rule_fired")) == 1


async def test_tr01_after_a_lost_connection_the_newest_rule_counts(
    site: Site, nats: NatsServer
) -> None:
    for number in range(3):
        nats.kill()
        nats.start()

        fields = {
            "rule_id": "latest",
            "name": "Latest",
            "order": 1,
            "enabled": True,
            "when": {"always": True},
            "then": [{"add_tag": f"t-{number}"}],
            "frequency": "always",
        }

        async def saved(rule: Fields = fields) -> object:
            try:
                return await site.office.client.command(
                    site.workspace, "admin", "root", "save_rule", rule, timeout_s=1
                )
            except (NoResponders, TimeoutError):
                return None

        await until("the rule is saved", saved)
        answer = await _insist(site, view_id=f"p-{number}")
        assert answer["fired"] == ["latest"], number
