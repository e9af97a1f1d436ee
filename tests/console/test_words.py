"""Every word there is in both languages, and sentences, times and durations made of them."""

from string import Formatter
from typing import Any, get_args

import pytest

from services.console.telling import field_at, name_of, places, plainly, segments, told
from services.console.wording import LANGUAGES, Language, Words, catalogue, duration, language_of
from shared.audit.simulating import AssumptionCode
from shared.audit.verifying import Check
from shared.routing import events as e
from shared.routing import vocabulary as v
from shared.routing.ids import (
    ConversationId,
    EntryPointId,
    OperatorId,
    Position,
    UnixMs,
    VisitorId,
)
from shared.routing.relief import Relief
from shared.routing.scope import Scope
from shared.wire.audit import Pattern
from shared.wire.replies import STATUS

CODES: dict[str, Any] = {
    "status": v.EffectiveStatus,
    "cause": v.StatusCause,
    "state": v.ConversationState,
    "entry_mode": v.EntryMode,
    "kind": v.ActorKind,
    "hold": v.Hold,
    "waiting_reason": v.WaitingReason,
    "exclusion": v.Exclusion,
    "reason": v.AssignmentReason,
    "ranking": v.Ranking,
    "tie_break": v.TieBreak,
    "pattern": Pattern,
    "relief": Relief,
    "slow_action": v.SlowAction,
    "close_reason": v.CloseReason,
    "channel": v.Channel,
    "rescind_reason": v.RescindReason,
    "decline_reason": v.DeclineReason,
    "return_reason": v.ReturnReason,
    "reassign_reason": v.ReassignReason,
    "redirect_reason": v.RedirectReason,
    "ahead_source": v.AheadSource,
    "assumption": AssumptionCode,
    "check": Check,
    "delivery": v.Delivery,
    "assign_to": v.AssignTo,
    "affinity": v.Affinity,
    "queue_order": v.QueueOrder,
    "on_owner_offline": v.OnOwnerOffline,
}
"""Sections that hold the words for the codes of a set."""


def test_au08_both_languages_have_the_same_texts_with_the_same_places() -> None:
    english, german = catalogue("en"), catalogue("de")
    assert {s: set(texts) for s, texts in english.items()} == {
        s: set(texts) for s, texts in german.items()
    }
    for section, texts in english.items():
        for key, text in texts.items():
            assert set(_places(text)) == set(_places(german[section][key])), f"{section}.{key}"


def _places(text: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(text) if name is not None]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("section", CODES)
def test_au08_every_code_has_its_words(language: Language, section: str) -> None:
    assert set(get_args(CODES[section])) <= set(catalogue(language)[section])


@pytest.mark.parametrize("language", LANGUAGES)
def test_au08_every_event_is_told_with_fields_that_it_has(language: Language) -> None:
    texts = catalogue(language)["event"]
    assert {name_of(tag) for tag in e.EVENT_TYPES} == set(texts)
    for tag, event_type in e.EVENT_TYPES.items():
        named = {field_at(place) for place in places(texts[name_of(tag)])}
        assert named <= set(event_type.__struct_fields__), tag


def test_au08_refusals_that_are_put_into_words_exist() -> None:
    assert set(catalogue("en")["refusal"]) - {"unknown_visitor"} <= set(STATUS)


# --- sentences ------------------------------------------------------------------------------

ASSIGNED = e.ConversationAssigned(
    conversation_id=ConversationId("c-1"),
    operator_id=OperatorId("ana"),
    reason="routed",
    decided_at=Position(7),
    policy_version=Position(0),
    pool_size=2,
    ranking="most_free_slots",
    key=(-2, 0),
    tie_break="operator_id",
    excess=False,
    presence_stale=False,
)


def test_au08_a_decision_is_told_in_words() -> None:
    assert plainly(ASSIGNED, Words("en")) == (
        "c-1 goes to ana, by ranking (most free slots; tie: first by id)"
    )
    assert plainly(ASSIGNED, Words("de")).startswith("c-1 geht an ana, nach Rangfolge (")


def test_au08_what_an_event_does_not_say_is_left_out() -> None:
    opened = e.ConversationOpened(
        conversation_id=ConversationId("c-1"),
        visitor_id=VisitorId("v-1"),
        contact_id=None,
        entry_point_id=EntryPointId("web"),
        entry_mode="live",
        scope=Scope(everyone=True),
        scope_source="entry_point",
        priority=5,
        skills=(),
        optional_skills=(),
        weight=1,
        language=None,
        attributes=None,
    )
    assert plainly(opened, Words("en")) == "v-1 opened c-1 at web, for everyone"
    parts = told(opened, Words("en"))
    assert [(part.kind, part.value) for part in parts if part.value] == [
        ("visitor", "v-1"),
        ("conversation", "c-1"),
    ]


def test_au08_nobody_told_is_nobody() -> None:
    escalated = e.ConversationEscalated(ConversationId("c-1"), ())
    assert plainly(escalated, Words("en")) == "c-1 escalated to nobody"


def test_au08_times_in_sentences_are_those_of_the_zone() -> None:
    chosen = e.StatusChosen(OperatorId("ana"), "busy", UnixMs(1_750_000_000_000), "online", None)
    assert plainly(chosen, Words("en", "UTC")) == "ana chose to be busy until 15:06:40"
    assert plainly(chosen, Words("de", "Europe/Berlin")) == "ana wählte beschäftigt bis 17:06:40"


def test_au08_brackets_mark_what_may_be_left_out() -> None:
    assert segments("a[ b {c}] d") == (("a", False), (" b {c}", True), (" d", False))


# --- numbers and times ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "0 s"),
        (7, "7 ms"),
        (1_999, "1 s"),
        (59_999, "59 s"),
        (242_000, "4 min 02 s"),
        (3_600_000, "1 h 00 min"),
        (93_600_000, "1 d 02 h"),
        (-5, "0 ms"),
    ],
)
def test_au08_durations_are_told_in_two_units(ms: int, words: str) -> None:
    assert duration(ms) == words


def test_au08_numbers_and_days_as_the_language_has_them() -> None:
    english, german = Words("en", "Europe/Berlin"), Words("de", "Europe/Berlin")
    assert (english.number(1_234_567), german.number(1_234_567)) == ("1,234,567", "1.234.567")
    assert english.moment(1_750_000_000_000) == "15 Jun 2025, 17:06:40"
    assert german.moment(1_750_000_000_000) == "15. 6. 2025, 17:06:40"
    assert english.near(1_750_000_000_000, 1_750_000_060_000) == "17:06:40"


def test_au08_local_times_are_read_in_the_zone() -> None:
    words = Words("en", "Europe/Berlin")
    assert words.read_time("2025-06-15T17:06:40") == 1_750_000_000_000
    assert words.read_time("2025-06-15 15:06:40+00:00") == 1_750_000_000_000
    assert words.read_time("teatime") is None


def test_au08_a_zone_that_is_not_known_here_is_utc() -> None:
    assert Words("en", "Mars/Olympus").zone_name == "UTC"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("en-GB,en;q=0.9,de;q=0.1", "en"),
        ("fr,de;q=0.2", "de"),
        ("en;q=0.3,de;q=0.7", "de"),
        ("", "en"),
        ("fr", "en"),
        ("de;q=nonsense,en;q=0.1", "en"),
    ],
)
def test_au08_the_language_is_what_the_browser_likes_best(accepted: str, language: str) -> None:
    assert language_of(accepted) == language
