"""Who else is told: those from whom something is taken, and visitors who hear from nobody else."""

from collections.abc import Iterator
from typing import Any

import pytest

from services.notifier.rendering import body_of
from shared.routing.ids import Ref
from tests.core.listening import Listening, heard_again
from tests.core.proof import prove
from tests.core.rule_phrases import HELLO, fires, rule, shop
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    CLEO,
    VERA,
    desk,
    group,
    online,
    opened,
    policy,
    step,
)


@pytest.fixture
def story() -> Iterator[Listening]:
    told = Listening()
    told.given(policy(on_slow=[]))
    yield told
    prove(told.log, told.workspace)
    assert heard_again(told.log) == told.heard


def opens(story: Listening, **fields: Any) -> Listening:
    story.given(step(VERA, "open", conversation_id="c1", entry_point_id="web", **fields))
    return story


def left(operator_id: str) -> dict[str, Any]:
    return {"type": "operator_left", "conversation_id": "c1", "operator_id": operator_id}


def taken(state: str = "assigned") -> dict[str, Any]:
    return {"type": "conversation_changed", "conversation_id": "c1", "state": state}


# --- removed operators ----------------------------------------------------------------------


def test_no01_gr08_the_visitor_hears_that_a_removed_owner_is_gone(story: Listening) -> None:
    opens(story.given(desk(ana=1)))
    story.when(ADMIN, "remove_operator", operator_id="ana")
    assert story.told_visitor("vera") == [
        left("ana"),
        {"type": "queued", "conversation_id": "c1", "place": 1},
    ]


def test_no01_gr08_so_do_visitor_and_colleagues_of_one_who_took_part(story: Listening) -> None:
    opens(story.given(desk(ana=1)))
    story.given(online("ben"), step(BEN, "join", conversation_id="c1"))
    story.when(ADMIN, "remove_operator", operator_id="ben")
    assert story.told_visitor("vera") == [left("ben")]
    assert story.told_to("ana") == [taken()]
    assert taken() in story.told_team()


# --- missed ---------------------------------------------------------------------------------


def test_no01_tm04_the_visitor_hears_that_nobody_could_answer(story: Listening) -> None:
    story.given(policy(missed_after_s=60), desk(ana=1))
    opens(story).after(60)
    assert [one["type"] for one in story.told_visitor("vera")] == ["operator_left", "notice"]
    notice = story.told_visitor("vera")[1]
    assert (notice["code"], notice["alert"]) == ("missed", True)


# --- somebody else took it ------------------------------------------------------------------


def test_no01_whoever_heard_of_a_broadcast_hears_that_it_is_taken(story: Listening) -> None:
    story.given(policy(delivery="broadcast"), desk(ana=1, ben=1, cleo=1))
    opens(story)
    story.when(BEN, "claim", conversation_id="c1")
    assert story.told_to("ana") == story.told_to("cleo") == [taken()]
    story.when(BEN, "release", conversation_id="c1")
    story.when(ADMIN, "close", conversation_id="c1")
    assert story.told_to("ana") == [taken("closed")]


def test_no01_a_broadcast_that_is_forwarded_is_taken_from_those_told(story: Listening) -> None:
    story.given(policy(delivery="broadcast"), desk(ana=1, ben=1), group("sales"))
    opens(story)
    story.when(ADMIN, "forward", conversation_id="c1", to={"group": "sales"})
    assert story.told_to("ana") == story.told_to("ben") == [taken("waiting")]
    story.when(ADMIN, "close", conversation_id="c1")
    assert story.told_to("ana") == []


def test_no01_tm03_whoever_was_alerted_hears_that_it_was_answered(story: Listening) -> None:
    story.given(policy(on_slow=[{"after_s": 60, "action": "escalate_invisible"}]))
    story.given(desk(ana=1), online("ben", "support"), online("cleo", "support"))
    for actor in (BEN, CLEO):
        story.given(step(actor, "set_preferences", reachable_when_slow=True))
        story.given(step(actor, "set_status", status="invisible"))
    opens(story).after(60)
    assert [one["type"] for one in story.told_to("cleo")] == ["escalated"]
    story.when(BEN, "claim", conversation_id="c1")
    assert story.told_to("cleo") == [taken()]
    assert story.told_to("ben") == [taken()]


# --- texts ----------------------------------------------------------------------------------


def texts(story: Listening, vault: dict[Ref, object] | None = None) -> list[str]:
    """What is written in the texts of the last step."""
    return [body_of(one, vault or {}).decode() for one in story.new if one.notification.wording]


@pytest.mark.parametrize(
    ("language", "locale", "expected"),
    [
        (None, "en", "bear with us"),
        (None, "de", "Geduld"),
        ("de-AT", "en", "Geduld"),
        ("en-GB", "de", "bear with us"),
        ("fr", "de", "Geduld"),
        ("fr", "nl", "bear with us"),
    ],
)
def test_gr11_a_notice_speaks_the_visitors_language_or_the_workspaces(
    language: str | None, locale: str, expected: str
) -> None:
    story = Listening()
    story.workspace.locale = locale
    story._telling.workspace.locale = locale
    story.given(policy(on_slow=[{"after_s": 5, "action": "message_visitor"}]), desk(ana=1))
    opens(story, **({"language": language} if language else {})).after(5)
    (text,) = texts(story)
    assert expected in text


def test_gr11_tr04_groups_are_asked_for_by_their_names_in_the_visitors_language(
    story: Listening,
) -> None:
    shop(story)
    story.given(rule("r", {"ask_group": ["fr", "support"]}, only_when_live=False))
    opens(story, language="de")
    fires(story, "r")
    (asked,) = story.told_visitor("vera")
    assert asked["groups"] == [
        {"group_id": "fr", "name": "Französisch"},
        {"group_id": "support", "name": "support"},
    ]


def test_tr04_an_invitation_carries_the_text_that_the_vault_has_or_null(story: Listening) -> None:
    shop(story)
    story.given(rule("r", HELLO, only_when_live=False))
    fires(story, "r")
    (invitation,) = [one for one in story.new if one.notification.type == "invitation"]
    wording = invitation.notification.wording
    assert wording is not None
    assert wording.ref is not None
    assert '"text":"May I help you?"' in texts(story, {wording.ref: "May I help you?"})[0]
    assert '"text":null' in texts(story)[0]
    assert "conversation_id" not in invitation.notification.fields


def test_no01_a_claim_ends_what_the_claimant_was_told(story: Listening) -> None:
    story.given(policy(delivery="broadcast"), desk(ana=1, ben=1), opened("c1"))
    story.when(ANA, "claim", conversation_id="c1")
    assert story.told_to("ben") == [taken()]
    assert story.told_to("ana") == [taken()]
