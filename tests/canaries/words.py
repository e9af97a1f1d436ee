"""Texts that can be told from anything else, one for each place where a text comes in."""

import base64
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MARK = "kanari"


class Canaries:
    """Makes them, each another, and finds those that got out."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._whence: dict[str, str] = {}
        self.of_rule = self.new("condition of a rule")
        """A page whose address has it fires the rule."""

    def new(self, whence: str) -> str:
        """One more; ``whence`` says what it was put into."""
        word = f"{MARK}{next(self._numbers):04d}x"
        self._whence[word] = whence
        return word

    def found_in(self, told: Mapping[str, bytes]) -> list[str]:
        """What got out, by where it was told and what it had been put into.

        As it is, and in the forms in which a database or a header shows bytes.
        """
        return sorted({
            f"{where}: {self._whence.get(word, word)}"
            for where, text in told.items()
            for word in self._words_in(text)
        })  # fmt: skip

    def _words_in(self, text: bytes) -> Iterator[str]:
        """All begin alike; so one look finds whether there is any."""
        lower = text.lower()
        if not any(form in lower for form in _forms(MARK)):
            return
        whole = [w for w in self._whence if any(form in lower for form in _forms(w))]
        yield from whole or [MARK]  # one that was cut off begins like all others


def _forms(word: str) -> Iterator[bytes]:
    plain = word.encode()
    yield plain
    yield plain.hex().encode()
    for shift in range(3):  # what is between the letters that depend on what is beside them
        coded = base64.b64encode(b"\0" * shift + plain)
        yield coded[4 if shift else 0 : -4].lower()


def put_into(value: Any, free: str, word: str) -> Any:
    """The same with ``word`` wherever the sample text ``free`` stands, keys included."""
    match value:
        case str() if value == free:
            return word
        case list():
            return [put_into(one, free, word) for one in value]
        case dict():
            return {
                put_into(key, free, word): put_into(one, free, word) for key, one in value.items()
            }
        case _:
            return value


def unreadable(word: str) -> Sequence[tuple[str, bytes]]:
    """Bodies that are no request, each with the word in another place."""
    return [
        ("no JSON", word.encode()),
        ("cut off", b'{"name": "' + word.encode()),
        ("a field nobody knows", json.dumps({word: 1}).encode()),
        ("a name twice", b'{"%s": 1, "%s": 2}' % (word.encode(), word.encode())),
        (
            "a word nobody knows",
            json.dumps({"kind": word, "status": word, "reason": word}).encode(),
        ),
        ("another type", json.dumps({"conversation_id": [word], "name": {word: word}}).encode()),
        ("an id that is none", json.dumps({"conversation_id": f"{word} @"}).encode()),
        ("not UTF-8", word.encode() + b"\xff\xfe"),
        ("too long", json.dumps({"name": word * 20_000}).encode()),
        ("too deep", b"[" * 2_000 + word.encode()),
    ]
