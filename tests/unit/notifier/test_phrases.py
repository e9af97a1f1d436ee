"""The phrases that go out to people: complete in both languages, with the same fields."""

import string

import pytest

from services.notifier import phrases
from services.notifier.phrases import LANGUAGES, Language, duration, in_language, language_of


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_gr11_every_phrase_stands_in_every_language_with_the_same_fields() -> None:
    for code, texts in phrases._PHRASES.items():
        assert set(texts) == set(LANGUAGES), code
        if not code.startswith("duration_"):
            assert len({frozenset(_fields(text)) for text in texts.values()}) == 1, code
        assert len(set(texts.values())) == len(LANGUAGES), code


@pytest.mark.parametrize(
    ("locales", "language"),
    [
        (("de",), "de"),
        (("de-AT", "en"), "de"),
        (("DE_ch",), "de"),
        (("fr", "de"), "de"),
        ((None, "de"), "de"),
        (("den", ""), "en"),
        ((), "en"),
    ],
)
def test_gr11_the_first_language_that_is_shipped_is_spoken(
    locales: tuple[str | None, ...], language: str
) -> None:
    assert language_of(*locales) == language


def test_gr11_things_are_called_by_their_translation_if_there_is_one() -> None:
    names = {"de-DE": "Webseite", "fr": "Site web"}
    assert in_language("de", names, "Site") == "Webseite"
    assert in_language("en", names, "Site") == "Site"


@pytest.mark.parametrize(
    ("milliseconds", "language", "expected"),
    [
        (0, "en", "less than a second"),
        (999, "de", "weniger als eine Sekunde"),
        (1_000, "en", "one second"),
        (59_999, "en", "59 seconds"),
        (60_000, "de", "eine Minute"),
        (7_199_000, "en", "one hour"),
        (7_200_000, "de", "2 Stunden"),
        (86_400_000, "de", "einen Tag"),
        (10 * 86_400_000, "en", "10 days"),
        (-5, "en", "less than a second"),
    ],
)
def test_a_duration_is_said_in_its_largest_unit(
    milliseconds: int, language: Language, expected: str
) -> None:
    assert duration(milliseconds, language) == expected
