"""The example pages say only what they have words for, and have no words that they do not say."""

import re

from tests.tidy.sources import ROOT

EXAMPLES = ROOT / "deploy" / "examples"
MADE_UP = ("is_", "ring_")
"""Words that are named by a prefix and a code of the wire; and so are the codes below."""
CODES = ("cause", "effective", "waiting_reason", "mode", "state")
TYPES = ROOT / "schemas" / "typescript" / "fernamt.d.ts"


def _words(language: str) -> list[str]:
    text = (EXAMPLES / "src/words.ts").read_text(encoding="utf-8")
    (body,) = re.findall(rf"^const {language}\b.*?= \{{$(.*?)^\}};$", text, re.M | re.S)
    return re.findall(r"^  (\w+): ", body, re.M)


def _named() -> set[str]:
    """In the pages by attribute, in scripts as an argument."""
    pages = "".join(page.read_text(encoding="utf-8") for page in EXAMPLES.glob("pages/*.html"))
    return set(re.findall(r'data-(?:word|label|hint)="(\w+)"', pages))


def _quoted() -> set[str]:
    sources = [one for one in EXAMPLES.glob("src/*.ts") if one.name != "words.ts"]
    return set(re.findall(r'"(\w+)"', "".join(one.read_text(encoding="utf-8") for one in sources)))


def _codes() -> set[str]:
    """What the wire says in the fields that are shown by a word."""
    fields = "|".join(CODES)
    text = TYPES.read_text(encoding="utf-8")
    found = re.findall(rf"^  (?:{fields})\??:((?:\s*\|?\s*(?:\"\w+\"|null))+);", text, re.M)
    return set(re.findall(r'"(\w+)"', "".join(found)))


def test_the_pages_name_words_that_there_are() -> None:
    assert _named() - set(_words("en")) == set()
    assert len(_named()) > 20


def test_every_word_is_said() -> None:
    said = _named() | _quoted() | _codes()
    unsaid = [word for word in _words("en") if word not in said and not word.startswith(MADE_UP)]
    assert unsaid == []


def test_both_languages_say_the_same_in_one_order() -> None:
    assert _words("en") == _words("de")
