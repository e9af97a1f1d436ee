"""Webhooks in the log: what they are, and that nobody is ever shown what they are signed with."""

import pytest

from shared.routing.decide.webhooks import WEBHOOKS_MAX
from shared.routing.queries import answer
from shared.routing.questions import AskWorkspace
from tests.core.story import ADMIN, ANA, Steps, Story, desk, event, step


def hook(webhook_id: str = "crm", **fields: object) -> Steps:
    return step(ADMIN, "define_webhook", webhook_id=webhook_id, **fields)


def new_hook(webhook_id: str = "crm") -> Steps:
    return hook(webhook_id, url="https://crm.example/in", types=["missed"], secret="s")


def test_no03_a_webhook_is_defined_changed_and_removed(story: Story) -> None:
    story.now(new_hook()).then(
        event("webhook_defined", webhook_id="crm", url="https://crm.example/in", types=["missed"])
    )
    before = story.told("webhook_defined")[-1]
    story.now(hook(types=["*", "missed", "*"])).then(
        event("webhook_defined", **{**before, "types": ["*", "missed"]})
    )
    story.now(hook(types=["*", "missed"])).then()
    story.now(hook(secret="another")).then(event("webhook_defined", url="https://crm.example/in"))
    assert story.told("webhook_defined")[-1]["secret"] != before["secret"]
    story.when(ADMIN, "remove_webhook", webhook_id="crm").then(event("webhook_removed"))
    story.when(ADMIN, "remove_webhook", webhook_id="crm").refused(
        "unknown_webhook", webhook_id="crm"
    )


@pytest.mark.parametrize("missing", ["url", "types", "secret"])
def test_no03_a_new_webhook_needs_everything(story: Story, missing: str) -> None:
    fields = {**new_hook()[0].fields}
    del fields[missing]
    story.when(ADMIN, "define_webhook", **fields).refused("malformed", path=missing)


def test_no03_there_are_so_many_webhooks_and_no_more(story: Story) -> None:
    for number in range(WEBHOOKS_MAX):
        story.given(new_hook(f"w{number}"))
    story.now(new_hook()).refused("too_many", webhooks_max=WEBHOOKS_MAX)
    story.now(hook("w0", types=["*"])).then(event("webhook_defined"))


def test_gr06_webhooks_are_for_whoever_may_manage(story: Story) -> None:
    story.given(desk(ana=1))
    story.when(ANA, "define_webhook", **new_hook()[0].fields).refused("no_permission")


def test_qy01_a_workspace_shows_its_webhooks_without_their_secrets(story: Story) -> None:
    story.given(new_hook())
    view = answer(story.workspace, AskWorkspace(), ADMIN, story.at)
    (shown,) = view.webhooks  # type: ignore[union-attr]
    assert {name: getattr(shown, name) for name in shown.__struct_fields__} == {
        "webhook_id": "crm",
        "url": "https://crm.example/in",
        "types": ("missed",),
    }
