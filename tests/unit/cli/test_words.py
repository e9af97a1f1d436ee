"""Every code that an answer may hold has words, and every event has a sentence."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from services.cli import event_words, words
from shared.routing import explain, relief, vocabulary
from shared.routing.events import EVENT_TYPES, Actor, ConversationWidened
from shared.routing.ids import ConversationId, GroupId, OperatorId, Position
from shared.routing.relief import Change
from shared.routing.scope import EVERYONE, Scope
from shared.wire import audit
from tests.core.story import Story
from tests.core.wanderer import Wanderer

VOCABULARIES: list[tuple[Mapping[Any, str], Any]] = [
    (words.EXCLUSIONS, vocabulary.Exclusion),
    (words.STATUSES, vocabulary.EffectiveStatus),
    (words.STATUSES, vocabulary.ChosenStatus),
    (words.CAUSES, vocabulary.StatusCause),
    (words.VERDICTS, explain.Verdict),
    (words.ASSIGNED, vocabulary.AssignmentReason),
    (words.RANKINGS, vocabulary.Ranking),
    (words.TIE_BREAKS, vocabulary.TieBreak),
    (words.WAITING, vocabulary.WaitingReason),
    (words.HOLDS, vocabulary.Hold),
    (words.REDIRECTED, vocabulary.RedirectReason),
    (words.REASSIGNED, vocabulary.ReassignReason),
    (words.RESCINDED, vocabulary.RescindReason),
    (words.RETURNED, vocabulary.ReturnReason),
    (words.SLOW_ACTIONS, vocabulary.SlowAction),
    (words.STATES, vocabulary.ConversationState),
    (words.CLOSED, vocabulary.CloseReason),
    (words.DECLINED, vocabulary.DeclineReason),
    (words.MODES, vocabulary.EntryMode),
    (words.AHEAD, vocabulary.AheadSource),
    (words.SCOPE_SOURCES, vocabulary.ScopeSource),
    (words.PATTERNS, audit.Pattern),
    (words.RELIEF, relief.Relief),
]


@pytest.mark.parametrize(("said", "codes"), VOCABULARIES)
def test_au02_au03_every_code_has_words_of_its_own(said: Mapping[Any, str], codes: Any) -> None:
    assert set(said) == set(get_args(codes))
    assert len(set(said.values())) == len(said)
    assert not [code for code, text in said.items() if "_" in code and code in text]


def test_every_event_has_a_sentence_of_its_own_fields() -> None:
    assert set(event_words.SAID) == set(EVENT_TYPES.values())
    for kind, sentence in event_words.SAID.items():
        assert sentence.format_map({name: name for name in kind.__struct_fields__}), kind


def test_every_reason_of_an_event_has_words() -> None:
    """Else a code would stand alone in the sentence."""
    for kind in EVENT_TYPES.values():
        if "reason" in kind.__struct_fields__:
            assert set(event_words.REASONS[kind]) == set(get_args(kind.__annotations__["reason"]))


@pytest.mark.parametrize("seed", range(4))
def test_au02_whatever_happens_can_be_said(seed: int) -> None:
    story = Story()
    Wanderer(seed).wander(story, 150)
    for recorded in story.log:
        sentence = event_words.said_of(recorded.envelope.data)
        assert sentence
        assert "{" not in sentence.partition(" is set: ")[0], sentence
        assert "None" not in sentence


def test_widening_tells_who_else_is_asked_and_what_it_goes_without() -> None:
    widened = ConversationWidened(
        conversation_id=ConversationId("c1"),
        step=1,
        groups=(GroupId("billing"),),
        everyone=True,
        skills_dropped=("fr",),
        priority=6,
        alert_invisible=False,
        policy_version=Position(3),
    )
    assert event_words.said_of(widened) == (
        "step 1 of widening, priority 6, also the group billing, also everyone, "
        "without the skill fr"
    )


def test_reasons_name_the_skills_that_are_missing() -> None:
    assert words.reasons(("busy", "skill_missing"), ("fr", "it")) == (
        "is busy (busy); lacks fr, it (skill_missing)"
    )
    assert words.reasons(("skill_missing",)) == "lacks a skill that is asked for (skill_missing)"
    assert words.reasons(()) == ""


@pytest.mark.parametrize(
    ("ranking", "key", "said"),
    [
        ("most_free_slots", (-2, 40), "2 free of 3"),
        ("most_free_slots", (2**52 - 1, 0), "1 free of 3, away"),
        ("highest_free_ratio", (-333_333_333, 0), "33 % free with it"),
        ("fewest_open", (4, 0), "4 open"),
        ("round_robin", (17, 17), "last turn at position 17"),
        ("round_robin", (0, 0), "had no turn yet"),
        ("longest_idle", (25, 17), "since position 25"),
    ],
)
def test_au02_what_a_key_says_under_its_ranking(
    ranking: vocabulary.Ranking, key: tuple[int, ...], said: str
) -> None:
    assert words.ranked(ranking, key, 3) == said


def test_changes_that_would_have_helped_are_told_with_what_they_concern() -> None:
    ana = OperatorId("ana")
    assert words.change(Change("slot", ana)) == "one slot more for ana (slot)"
    assert words.change(Change("online", ana, status="idle")).startswith(
        "ana coming online, who is"
    )
    policy = words.change(Change("policy", field="delivery", value="auto"))
    assert policy == "the policy delivery: auto for the workspace (policy)"


def test_whom_something_is_for_and_who_did_it() -> None:
    assert words.scope(EVERYONE) == "everyone"
    assert words.scope(Scope(operator=OperatorId("ana"))) == "operator ana"
    assert words.who(None) == "a timer"
    assert words.who(Actor("visitor", "vera", service="shop")) == "visitor vera through shop"
