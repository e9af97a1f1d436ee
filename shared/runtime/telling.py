"""What may be told of an error where others read it: in logs, and on a terminal's last line.

The message of an exception is written by whoever raises it, for whoever called, and may quote what
was being worked on: a driver's the row, a decoder's the text. So only our own exceptions are told
in their own words, and of what those quote from the exception before them its safe form is left.
"""

import os
import re
from collections.abc import Iterator
from traceback import extract_tb

_OURS = frozenset({"shared", "services"})
_PART = re.compile(r"[A-Za-z0-9_$*>-]{1,64}")
_WORDS_MAX = 500
"""Letters of one message."""
_CHAIN_MAX = 8
"""Exceptions, each raised while the next was handled."""
_FRAMES_MAX = 30


def told(error: BaseException) -> str:
    """The error in one line: our words, or a type with the number that the world gave it."""
    if type(error).__module__.partition(".")[0] in _OURS:
        return _in_our_words(error)[:_WORDS_MAX] or type(error).__name__
    name = type(error).__name__
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(sqlstate, str):
        return f"{name} {sqlstate}"
    if isinstance(error, OSError) and isinstance(error.errno, int) and error.errno > 0:
        return f"{name}: {os.strerror(error.errno)}"
    return name


def subject_told(subject: str) -> str:
    """A subject of the broker; a part that is neither a word of ours nor an id is a ``?``."""
    return ".".join(part if _PART.fullmatch(part) else "?" for part in subject.split("."))


def traced(error: BaseException) -> str:
    """What was raised and where, line by line, with everything that led to it: no values."""
    return "\n".join(_lines(error, ""))


def _in_our_words(error: BaseException) -> str:
    words = str(error)
    origin = _origin(error)
    if origin is not None:
        for quoted in (repr(origin), str(origin)):
            if quoted:
                words = words.replace(quoted, told(origin))
    return words


def _origin(error: BaseException) -> BaseException | None:
    """What was handled when it was raised, also where ``from None`` hides that from people."""
    return error.__cause__ or error.__context__


def _lines(error: BaseException, indent: str) -> Iterator[str]:
    prefix, link = "", error
    for _ in range(_CHAIN_MAX):
        yield f"{indent}{prefix}{_named(link)}"
        for frame in extract_tb(link.__traceback__)[-_FRAMES_MAX:]:
            yield f"{indent}  at {_place(frame.filename)}:{frame.lineno} {frame.name}"
        if isinstance(link, BaseExceptionGroup):
            for one in link.exceptions[:_CHAIN_MAX]:
                yield from _lines(one, f"{indent}  ")
        origin = _origin(link)
        if origin is None:
            return
        prefix, link = "after ", origin


def _named(error: BaseException) -> str:
    name, words = type(error).__name__, told(error)
    return words if words.startswith(name) else f"{name}: {words}"


def _place(filename: str) -> str:
    """The last parts of a path: which module it is, not where somebody keeps it."""
    return "/".join(filename.rsplit("/", 3)[-3:])
