"""What a line of the log tells: known fields, our own words, and of foreign errors their kind."""

import asyncio
import contextlib
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import asyncpg
import msgspec
import pytest
import structlog

from shared.adapters.postgres_errors import translated
from shared.ports import LogCorrupt, StoreUnavailable
from shared.runtime.logs import configure_logs, only_known_fields
from shared.runtime.telling import told, traced
from shared.wire.log_codec import UndecodableEvent

SECRET = "zaza@secret.test"


@contextlib.contextmanager
def a_process(*, as_json: bool = True) -> Iterator[io.StringIO]:
    """What a process writes to stderr meanwhile; afterwards everything is as it was."""
    stderr = io.StringIO()
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    handlers, level = logging.root.handlers[:], logging.root.level
    logging.root.handlers.clear()
    try:
        with contextlib.redirect_stderr(stderr):
            configure_logs(level="debug", as_json=as_json)
            yield stderr
    finally:
        structlog.reset_defaults()
        logging.captureWarnings(capture=False)
        logging.root.handlers[:], logging.root.level = handlers, level
        sys.excepthook, sys.unraisablehook, threading.excepthook = hooks


def lines(stderr: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.getvalue().splitlines()]


def line(**fields: object) -> dict[str, Any]:
    return dict(only_known_fields(None, "info", {"event": "it_happened", **fields}))


def caught(raised: Exception, cause: BaseException | None = None) -> Exception:
    try:
        raise raised from cause
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what was asked for
        return error


# --- fields -------------------------------------------------------------------------------------


def test_a_field_that_nobody_knows_is_dropped_and_named() -> None:
    assert line(workspace="north", note=SECRET, email=SECRET) == {
        "event": "it_happened",
        "workspace": "north",
        "dropped": ["email", "note"],
    }


def test_values_that_are_not_plain_are_told_as_what_they_are() -> None:
    told_of = line(reason=bytearray(SECRET.encode()), partitions=[1, SECRET.encode()])
    assert told_of["reason"] == "bytearray"
    assert told_of["partitions"] == [1, "bytes"]


def test_of_a_subject_only_words_of_ours_and_ids_are_told() -> None:
    told_of = line(subject=f"fernamt.v1.beat.north.operator.ana.{SECRET} or so")
    assert told_of["subject"] == "fernamt.v1.beat.north.operator.ana.?.?"


# --- errors -------------------------------------------------------------------------------------


def test_an_error_of_ours_is_told_in_its_words() -> None:
    assert line(reason=StoreUnavailable("the store is away"))["reason"] == "the store is away"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError(SECRET), "ValueError"),
        (OSError(111, SECRET), "ConnectionRefusedError: Connection refused"),
        (OSError(SECRET), "OSError"),
        (asyncpg.UniqueViolationError(SECRET), "UniqueViolationError 23505"),
        (KeyError(SECRET), "KeyError"),
    ],
)
def test_an_error_of_others_is_told_by_its_kind(error: BaseException, words: str) -> None:
    assert told(error) == words


@pytest.mark.parametrize("quoted", ["{}", "{!r}", "first {} and then {!r}"])
def test_what_ours_quotes_of_others_is_told_by_its_kind(quoted: str) -> None:
    cause = ValueError(SECRET)
    words = told(caught(StoreUnavailable("no: " + quoted.format(cause, cause)), cause))
    assert SECRET not in words
    assert words.startswith("no: ")
    assert "ValueError" in words


def test_so_is_what_stands_two_errors_further_on() -> None:
    third = caught(msgspec.ValidationError(SECRET))
    second = caught(UndecodableEvent("chat.v1", str(third)), third)
    first = caught(LogCorrupt(f"position 7: {second}"), second)
    assert told(first) == "position 7: chat.v1: ValidationError"


def test_so_is_what_from_none_hides() -> None:
    def fails() -> None:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise LogCorrupt(f"unreadable: {error}") from None

    with pytest.raises(LogCorrupt) as raised:
        fails()
    assert told(raised.value) == "unreadable: ValueError"


def test_what_the_database_says_of_data_is_left_out_and_of_itself_is_told() -> None:
    text = f'invalid input syntax for type integer: "{SECRET}"'
    assert str(translated(asyncpg.InvalidTextRepresentationError(text))) == (
        "PostgreSQL: InvalidTextRepresentationError (22P02)"
    )
    full = asyncpg.TooManyConnectionsError("sorry, too many clients already")
    assert str(translated(full)) == "PostgreSQL: sorry, too many clients already (53300)"


def test_a_trace_says_where_and_not_what() -> None:
    cause = caught(ValueError(SECRET))
    shown = traced(caught(ExceptionGroup(SECRET, [caught(KeyError(SECRET), cause)])))
    assert SECRET not in shown
    assert "tests/unit/test_logs.py:" in shown
    assert [
        name for name in ("ExceptionGroup", "KeyError", "ValueError") if name not in shown
    ] == []


# --- a process's log ----------------------------------------------------------------------------


def test_an_exception_is_written_without_its_message() -> None:
    with a_process() as written:
        try:
            raise ValueError(SECRET)
        except ValueError:
            structlog.get_logger().exception("it_failed", workspace="north")
    (one,) = lines(written)
    assert (one["event"], one["level"], one["workspace"]) == ("it_failed", "error", "north")
    assert one["exception"].startswith("ValueError\n  at tests/unit/test_logs.py:")
    assert SECRET not in written.getvalue()


def test_what_libraries_say_is_told_without_their_words() -> None:
    with a_process() as written, warnings.catch_warnings():
        logging.getLogger("some.library").error("cannot take %s", SECRET, exc_info=OSError(SECRET))
        logging.getLogger("some.library").info("took %s", SECRET)
        logging.captureWarnings(capture=True)
        warnings.simplefilter("always")
        warnings.warn(SECRET, stacklevel=1)
    failed, warned = lines(written)
    assert (failed["event"], failed["library"], failed["level_name"]) == (
        "library_warns",
        "some.library",
        "error",
    )
    assert failed["exception"] == "OSError"
    assert warned["library"] == "py.warnings"
    assert SECRET not in written.getvalue()


async def test_so_is_what_nobody_asked_a_task_for() -> None:
    async def fails() -> None:
        raise ValueError(SECRET)

    with a_process() as written:
        task = asyncio.get_running_loop().create_task(fails(), name=SECRET)
        await asyncio.wait([task])
        del task
    (one,) = lines(written)
    assert (one["library"], one["exception"].splitlines()[0]) == ("asyncio", "ValueError")
    assert SECRET not in written.getvalue()


def test_so_is_what_ends_a_thread_or_the_process() -> None:
    def fails() -> None:
        raise ValueError(SECRET)

    ended = caught(ValueError(SECRET))
    with a_process() as written:
        thread = threading.Thread(target=fails)
        thread.start()
        thread.join()
        sys.excepthook(type(ended), ended, ended.__traceback__)
    assert [one["event"] for one in lines(written)] == ["thread_failed", "process_failed"]
    assert SECRET not in written.getvalue()


def test_on_a_terminal_it_reads_like_a_line() -> None:
    with a_process(as_json=False) as written:
        structlog.get_logger().warning("it_failed", reason=ValueError(SECRET), note=SECRET)
    shown = written.getvalue()
    assert "it_failed" in shown
    assert "ValueError" in shown
    assert "dropped" in shown
    assert SECRET not in shown
