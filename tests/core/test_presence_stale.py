"""While nothing is heard of the presence service, what was known last stands; decisions say so."""

from shared.routing.events import PresenceFresh, PresenceStale
from shared.routing.explain import explain
from shared.routing.queries import answer
from shared.routing.questions import AskWorkspace
from tests.core.phrases import lapsed, offering
from tests.core.proof import prove
from tests.core.story import ADMIN, ANA, BEN, Story, desk, event, opened, policy


def test_st13_p09_decisions_say_that_presence_was_stale(story: Story) -> None:
    story.given(policy(on_slow=[]), desk(ana=3))
    assigned = "conversation_assigned"
    story.opens("c1").then_among_others(event(assigned, presence_stale=False))
    story.noted(PresenceStale()).then(event("presence_stale"))
    story.opens("c2").then_among_others(event(assigned, operator_id="ana", presence_stale=True))
    story.noted(PresenceFresh()).then(event("presence_fresh"))
    story.opens("c3").then_among_others(event(assigned, presence_stale=False))
    prove(story.log, story.workspace)


def test_st13_p09_offers_say_so_too(story: Story) -> None:
    story.given(offering(ana=2)).noted(PresenceStale())
    story.opens("c1").then_among_others(event("conversation_offered", presence_stale=True))


def test_st13_p09_offers_to_somebody_by_name_say_so_too(story: Story) -> None:
    story.given(policy(on_slow=[]), desk(ana=1, ben=1), opened("c1")).noted(PresenceStale())
    (owner,) = (one for one in (ANA, BEN) if one.id == story.owner("c1"))
    to = {"operator": "ben" if owner == ANA else "ana"}
    story.when(owner, "forward", conversation_id="c1", to=to, mode="offer").then_among_others(
        event("conversation_offered", presence_stale=True)
    )


def test_st13_p09_nobody_is_taken_for_offline_because_nothing_is_heard(story: Story) -> None:
    story.given(policy(on_slow=[]), desk(ana=3)).noted(PresenceStale())
    story.after(86_400)
    assert story.status("ana") == ("online", "chosen")
    story.given(opened("c1"))
    assert story.owner("c1") == "ana"


def test_st13_p08_a_grace_that_runs_ends_when_it_would_have(story: Story) -> None:
    story.given(policy(on_slow=[], disconnect_grace_s=60), desk(ana=3), lapsed("ana"))
    story.after(20).noted(PresenceStale())
    assert story.after(39).status("ana") == ("online", "chosen")
    assert story.after(1).status("ana") == ("offline", "disconnected")


def test_st13_explanations_and_the_workspace_say_so(story: Story) -> None:
    story.given(policy(on_slow=[], delivery="manual"), desk(ana=3), opened("c1"))
    said = [_said(story)]
    story.noted(PresenceStale())
    said.append(_said(story))
    assert said == [(False, False), (True, True)]


def _said(story: Story) -> tuple[bool, bool]:
    view = answer(story.workspace, AskWorkspace(), ADMIN, story.at)
    explained = explain(story.workspace, story.conversation("c1"))
    return view.presence_stale, explained.presence_stale  # type: ignore[union-attr]
