"""The patterns in conditions of rules: RE2's, which takes linear time whatever somebody writes.

The core carries them as texts; whether they are patterns at all is found out at the edge.
"""

from functools import lru_cache
from typing import Protocol

import re2

from shared.routing.conditions import Fault, walk
from shared.routing.rules import Condition

PATTERN_BYTES_MAX = 1 << 20
"""Memory that one pattern may take; beyond it, it is refused."""


class Pattern(Protocol):
    """One of RE2's, of which only that there is a match matters."""

    def search(self, text: str) -> object: ...

    def fullmatch(self, text: str) -> object: ...


class BadPattern(ValueError):
    """It says what is wrong with a pattern, without the pattern."""


@lru_cache(maxsize=4_096)
def pattern_of(text: str) -> Pattern:
    """A pattern in RE2's language, in any case; raises BadPattern if it is none."""
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = PATTERN_BYTES_MAX
    try:
        pattern: Pattern = re2.compile(text, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "it cannot be read"
        if isinstance(reason, bytes):
            reason = reason.decode(errors="replace")
        raise BadPattern(str(reason).partition(":")[0]) from error
    except UnicodeError as error:
        raise BadPattern("it holds characters that do not exist") from error
    return pattern


@lru_cache(maxsize=4_096)
def wildcard_of(text: str) -> Pattern:
    """``*`` is any text, also none, and ``?`` any one character; raises BadPattern if too long."""
    pieces = (".*" if c == "*" else "." if c == "?" else re2.escape(c) for c in text)
    return pattern_of(f"(?s){''.join(pieces)}")


def bad_pattern_in(when: Condition) -> Fault | None:
    """The first pattern or wildcard in the tree that cannot be used."""
    for path, node in walk(when):
        if not isinstance(node.value, str):
            continue
        try:
            if node.op == "matches":
                pattern_of(node.value)
            elif node.op == "wildcard":
                wildcard_of(node.value)
        except BadPattern as bad:
            return Fault(f"{path}.value", f"not a pattern: {bad}")
    return None
