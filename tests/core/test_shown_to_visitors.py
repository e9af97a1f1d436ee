"""What visitors see of operators and groups: who is there, and names they can read."""

from collections.abc import Iterator

import pytest

from shared.routing.events import Actor
from shared.routing.ids import EntryPointId, GroupId
from shared.routing.queries import answer
from shared.routing.questions import AskEntryPoint
from shared.routing.views import EntryPointView
from tests.core.listening import Listening, heard_again
from tests.core.proof import prove
from tests.core.story import ADMIN, ANA, desk, entry_point, opened, step


@pytest.fixture
def story() -> Iterator[Listening]:
    told = Listening()
    yield told
    prove(told.log, told.workspace)
    assert heard_again(told.log) == told.heard


def _seen(story: Listening) -> list[tuple[str, str]]:
    """Of whom the visitor of c1 was told what, about presence, in the last step."""
    visitor = story.conversation("c1").visitor_id
    return [
        (message["operator_id"], message["shown"])
        for message in story.told_visitor(visitor)
        if message["type"] == "operator_presence"
    ]


@pytest.mark.parametrize("status", ["invisible", "busy"])
def test_st10_who_joined_stays_there_for_the_visitor_though_not_online(
    story: Listening, status: str
) -> None:
    story.given(desk(ana=1), opened("c1"))
    story.when(ANA, "set_status", status=status)
    assert _seen(story) == []


def test_st10_going_offline_shows_and_so_does_coming_back(story: Listening) -> None:
    story.given(desk(ana=1), opened("c1"))
    story.when(ANA, "set_status", status="offline")
    assert _seen(story) == [("ana", "offline")]
    story.when(ANA, "set_status", status="invisible")
    assert _seen(story) == [("ana", "online")]
    story.when(ANA, "set_status", status="online")
    assert _seen(story) == []


def test_st10_it_makes_nobody_routable_and_is_told_in_his_conversations_alone(
    story: Listening,
) -> None:
    story.given(desk(ana=2), opened("c1"), step(ANA, "set_status", status="invisible"))
    story.given(opened("c2"))
    assert story.owners("c1", "c2") == ["ana", None]
    story.when(ANA, "set_status", status="offline")
    assert _seen(story) == [("ana", "offline")]
    other = story.conversation("c2").visitor_id
    kinds = {message["type"] for message in story.told_visitor(other)}
    assert other == story.conversation("c1").visitor_id or "operator_presence" not in kinds


def test_gr11_names_carry_translations(story: Listening) -> None:
    named = {"name": "Sales", "names": {"de": "Verkauf"}}
    story.given(desk(), step(ADMIN, "create_group", group_id="sales", **named))
    story.given(entry_point("site", "support", "sales", ask_group=True, names={"de": "Laden"}))
    visitor = Actor("visitor", "vera")
    question = AskEntryPoint(entry_point_id=EntryPointId("site"))
    shown = answer(story.workspace, question, visitor, story.at)
    assert isinstance(shown, EntryPointView)
    names = {group.group_id: (group.name, group.names) for group in shown.groups}
    assert names[GroupId("sales")] == ("Sales", {"de": "Verkauf"})
    assert story.workspace.entry_points[EntryPointId("site")].names == {"de": "Laden"}
