"""Whose texts go when somebody is erased, as the log says it; the texts themselves are not here."""

import pytest

from shared.routing.decide.erasure import SUBJECTS_MAX
from shared.routing.describe import describe
from shared.routing.events import Actor
from tests.core.proof import prove
from tests.core.story import ADMIN, ANA, VERA, WIM, Steps, Story, desk, event, opened, policy, step

SHOP = Actor("service", "shop")


def erased(subject: str) -> Steps:
    return step(ADMIN, "erase", subject=subject)


def subjects(story: Story) -> list[str]:
    return [subject for told in story.told("subject_erased") for subject in told["subjects"]]


def comes(who: Actor, *conversation_ids: str, **fields: object) -> Steps:
    steps: Steps = ()
    for its_id in conversation_ids:
        steps += step(who, "open", conversation_id=its_id, entry_point_id="web", **fields)
    return steps


def test_au09_a_visitor_goes_with_all_its_conversations(story: Story) -> None:
    story.given(policy(on_slow=[]), desk(ana=5), comes(VERA, "c1", "c2"), comes(WIM, "c3"))
    story.given(step(VERA, "close", conversation_id="c1"))
    story.now(erased("visitor:vera")).then(
        event("subject_erased", subjects=["visitor:vera", "conversation:c1", "conversation:c2"])
    )


def test_au09_a_contact_goes_with_all_visitors_that_it_was(story: Story) -> None:
    story.given(desk(ana=5), comes(VERA, "c1"), comes(WIM, "c2", contact_id="k1"))
    story.given(step(VERA, "identify", contact_id="k1"), opened("c3"))
    story.now(erased("contact:k1"))
    assert subjects(story)[0] == "contact:k1"
    assert sorted(subjects(story)[1:]) == [
        "conversation:c1",
        "conversation:c2",
        "visitor:vera",
        "visitor:wim",
    ]


@pytest.mark.parametrize(
    "subject", ["operator:ana", "conversation:c1", "rule:r1", "webhook:crm", "operator:ghost"]
)
def test_au09_anything_else_goes_by_itself(story: Story, subject: str) -> None:
    story.given(desk(ana=5), opened("c1"))
    story.now(erased(subject)).then(event("subject_erased", subjects=[subject]))


@pytest.mark.parametrize("subject", ["visitor:never-seen", "contact:never-seen"])
def test_au09_whom_the_log_does_not_know_is_erased_all_the_same(story: Story, subject: str) -> None:
    story.now(erased(subject)).then(event("subject_erased", subjects=[subject]))


def test_au09_asking_again_erases_what_was_said_since(story: Story) -> None:
    story.given(erased("visitor:vera"))
    first = dict(story.workspace.erased)
    story.now(erased("visitor:vera")).then(event("subject_erased"))
    assert story.workspace.erased["visitor:vera"] == story.workspace.position
    assert story.workspace.erased.keys() == first.keys()


def test_au09_a_great_many_are_told_in_several_events(story: Story) -> None:
    story.given(policy(on_slow=[]), desk(ana=1))
    count = SUBJECTS_MAX + 5
    story.given(comes(VERA, *(f"c{number}" for number in range(count))))
    story.now(erased("visitor:vera")).then(event("subject_erased"), event("subject_erased"))
    assert [len(told["subjects"]) for told in story.told("subject_erased")] == [SUBJECTS_MAX, 6]
    assert len(set(subjects(story))) == count + 1


def test_au09_erasing_moves_nothing_and_the_log_stays_whole(story: Story) -> None:
    story.given(desk(ana=5), comes(VERA, "c1"))
    before = describe(story.workspace)
    story.given(erased("visitor:vera"))
    after = describe(story.workspace)
    moved = {name for name in after if after[name] != before[name]}
    assert moved == {"position", "erased"}
    prove(story.log, story.workspace)


def test_au09_erasing_is_for_admins_and_back_ends(story: Story) -> None:
    story.given(desk(ana=1))
    story.when(SHOP, "erase", subject="visitor:vera").then(event("subject_erased"))
    story.when(VERA, "erase", subject="visitor:vera").refused("not_allowed")
    story.when(ANA, "erase", subject="visitor:vera").refused("no_permission", missing=["manage"])
