"""Who gets an e-mail about a conversation that found nobody, or that nobody answered."""

from collections.abc import Iterator

import pytest

from shared.routing.evolve import evolve
from shared.routing.notify.mails import mails
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace
from tests.core.story import (
    ADMIN,
    ANA,
    Steps,
    Story,
    entry_point,
    group,
    logged_in,
    opened,
    policy,
    registered,
    role,
    step,
)
from tests.core.test_missed import gives_up, writes

Sent = tuple[str, str, str, int]
"""Kind, recipient, conversation and seconds waited."""


class Mailing(Story):
    """A story with every mail that it calls for."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.ever: list[Sent] = []
        super().__init__()

    def saw(self, recorded: Recorded) -> None:
        sent = _mails(self.workspace, recorded)
        self.sent += sent
        self.ever += sent

    def sends(self) -> list[Sent]:
        """The mails since this was asked last."""
        sent, self.sent = self.sent, []
        return sent


def _mails(workspace: Workspace, recorded: Recorded) -> list[Sent]:
    return [
        (mail.kind, mail.operator_id, mail.conversation_id, mail.waited_ms // 1_000)
        for mail in mails(workspace, recorded.envelope)
    ]


def wanting(operator_id: str, *groups: str, **settings: object) -> Steps:
    """An operator with an address who wants mails."""
    beside = {"email": f"{operator_id}@example.org", "email_missed": True, **settings}
    return registered(operator_id, *groups, **beside)


SITE = group("support") + entry_point("web", "support") + policy(on_slow=[])


@pytest.fixture
def story() -> Iterator[Mailing]:
    """Whatever was sent, a fold of the log calls for the same."""
    told = Mailing()
    told.given(SITE)
    yield told
    again = Workspace(workspace_id="acme")
    sent: list[Sent] = []
    for recorded in told.log:
        evolve(again, recorded.envelope)
        sent += _mails(again, recorded)
    assert sent == told.ever


def test_tm04_no03_a_missed_conversation_is_mailed_once_to_those_of_its_scope(
    story: Mailing,
) -> None:
    story.given(wanting("ana", "support"), registered("ben", "support"), wanting("cleo"))
    story.given(logged_in("ana"), opened("c1"))
    assert story.sends() == []
    story.after(20).now(gives_up("c1"))
    assert story.sends() == [("missed", "ana", "c1", 20)]
    story.after(60).now(writes("c1"))
    story.now(gives_up("c1"))
    assert story.sends() == []


def test_tm04_without_anybody_in_its_scope_who_wants_mails_all_others_get_them(
    story: Mailing,
) -> None:
    story.given(registered("ana", "support"), wanting("cleo"), wanting("dan"))
    story.given(logged_in("ana"), opened("c1")).now(gives_up("c1"))
    assert story.sends() == [("missed", "cleo", "c1", 0), ("missed", "dan", "c1", 0)]


def test_tm04_missed_after_a_while_it_is_mailed_when_that_is_over(story: Mailing) -> None:
    story.given(policy(missed_after_s=300), wanting("ana", "support"), logged_in("ana"))
    story.given(opened("c1")).after(1_000)
    assert story.sends() == [("missed", "ana", "c1", 300)]


@pytest.mark.parametrize("display", ["messenger", "hidden"])
def test_no03_a_conversation_that_finds_nobody_is_mailed_at_once(
    story: Mailing, display: str
) -> None:
    story.given(entry_point("web", "support", offline_display=display))
    story.given(wanting("ana", "support"), opened("c1"))
    assert story.sends() == [("offline", "ana", "c1", 0)]


def test_no03_found_by_somebody_it_is_not_mailed(story: Mailing) -> None:
    story.given(wanting("ana", "support"), logged_in("ana"), opened("c1"))
    assert story.sends() == []


def test_no03_what_was_offline_is_mailed_as_missed_too(story: Mailing) -> None:
    story.given(wanting("ana", "support"), opened("c1")).after(5).now(gives_up("c1"))
    assert story.sends() == [("offline", "ana", "c1", 0), ("missed", "ana", "c1", 5)]


def test_no03_taken_up_again_while_nobody_is_there_it_is_mailed_again(story: Mailing) -> None:
    story.given(wanting("ana", "support"), opened("c1"))
    story.given(step(ANA, "log_in", session_id="desk"), step(ANA, "reply", conversation_id="c1"))
    story.given(gives_up("c1"), step(ANA, "log_out", session_id="desk"))
    story.sends()
    story.now(writes("c1")).then_among_others()
    assert story.conversation("c1").state == "waiting"
    assert story.sends() == [("offline", "ana", "c1", 0)]


def test_no03_what_an_operator_takes_up_again_is_nobodys_news(story: Mailing) -> None:
    story.given(wanting("ana", "support"), opened("c1"), step(ADMIN, "close", conversation_id="c1"))
    story.sends()
    story.now(step(ADMIN, "reopen", conversation_id="c1"))
    assert story.conversation("c1").state == "waiting"
    assert story.sends() == []


@pytest.mark.parametrize(
    "settings",
    [
        {"email_missed": False},
        {"email": None},
        {"kind": "bot"},
        {"role_id": "onlooker"},
    ],
)
def test_no03_mails_go_to_people_who_want_them_and_may_receive(
    story: Mailing, settings: dict[str, object]
) -> None:
    story.given(role("onlooker", assigned="read"))
    story.given(registered("ana", "support", **{"email": "a@example.org", **settings}))
    story.given(wanting("ben", "support", **settings), wanting("cleo"), opened("c1"))
    story.given(gives_up("c1"))
    assert {who for _, who, _, _ in story.sends()} == {"cleo"}


def test_no03_who_is_removed_gets_none(story: Mailing) -> None:
    story.given(wanting("ana", "support"), wanting("ben", "support"))
    story.given(step(ADMIN, "remove_operator", operator_id="ana"), opened("c1"))
    assert story.sends() == [("offline", "ben", "c1", 0)]


def test_no03_a_conversation_for_one_operator_is_mailed_to_that_one(story: Mailing) -> None:
    story.given(wanting("ana", "support"), wanting("ben", "support"), logged_in("ana"))
    story.given(step(ANA, "set_status", status="busy"))
    story.given(step(ADMIN, "assign_visitor", visitor_id="visitor-c1", to={"operator": "ana"}))
    story.opens("c1")
    assert story.told("conversation_opened")[0]["scope"] == {"operator": "ana"}
    assert story.sends() == [("offline", "ana", "c1", 0)]


def test_no03_two_conversations_are_two_mails(story: Mailing) -> None:
    story.given(wanting("ana", "support"), opened("c1", "c2"))
    assert [its_id for _, _, its_id, _ in story.sends()] == ["c1", "c2"]
