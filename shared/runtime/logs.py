"""How a process writes its log: event names and fields, to stderr, JSON unless on a terminal.

Everything passes one funnel, whoever says it: what the services log, what libraries tell the
standard library's ``logging``, and what nobody caught. It lets the fields of ``log_fields`` through
and drops others, so that nothing personal can stand in a log by mistake.
"""

import logging
import sys
import threading
from collections.abc import Mapping, MutableMapping
from pathlib import PurePath
from types import TracebackType
from typing import Any

import structlog

from shared.runtime.log_fields import FIELDS
from shared.runtime.telling import subject_told, told, traced

LIBRARIES_LEVEL = logging.WARNING
"""What libraries say below it is for those who work on them."""


def configure_logs(*, level: str = "info", as_json: bool | None = None) -> None:
    """Set up ``structlog`` for this process. ``as_json`` is chosen by the terminal if not given."""
    if as_json is None:
        as_json = not sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            only_known_fields,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _hear_others()


def only_known_fields(
    _logger: object, _method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The funnel: what a line may hold, values as they may be told.

    Errors are logged as they are, and become words here alone. ``exc_info`` becomes ``exception``:
    types and places, without messages of others and without variables.
    """
    error = _error_of(line.pop("exc_info", None))
    passed = {"event": line.pop("event", "")}
    passed.update({name: _value(value) for name, value in line.items() if name in FIELDS})
    if isinstance(passed.get("subject"), str):
        passed["subject"] = subject_told(passed["subject"])
    if dropped := sorted(line.keys() - FIELDS.keys()):
        passed["dropped"] = dropped
    if error is not None:
        passed["exception"] = traced(error)
    return passed


def _error_of(given: object) -> BaseException | None:
    """What ``exc_info`` stands for, in each of the forms that callers may give it."""
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1]  # type: ignore[no-any-return]  # (type, error, traceback)
    return sys.exc_info()[1] if given else None


def _value(value: object) -> object:
    """Plain values as they are; of errors what may be told, of anything else what it is."""
    match value:
        case BaseException():
            return told(value)
        case None | bool() | int() | float() | str():
            return value
        case PurePath():
            return str(value)
        case list() | tuple() | frozenset() | set():
            return [_value(one) for one in value]
        case Mapping():
            return {str(key): _value(one) for key, one in value.items()}
        case _:
            return type(value).__name__


# --- what others say ----------------------------------------------------------------------------


def _hear_others() -> None:
    """Take what libraries log, warnings, and errors that end the process or a thread."""
    logging.basicConfig(handlers=[_Libraries()], level=LIBRARIES_LEVEL, force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _ended_by
    sys.unraisablehook = _unraisable
    threading.excepthook = _thread_ended_by


def _log() -> structlog.typing.FilteringBoundLogger:
    """By the settings of this moment: it says little, and is called wherever Python pleases."""
    log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
    return log


class _Libraries(logging.Handler):
    """That a library said something, and where; its words may hold anything."""

    def emit(self, record: logging.LogRecord) -> None:
        _log().warning(
            "library_warns",
            library=record.name,
            level_name=record.levelname.lower(),
            where=record.funcName,
            exc_info=record.exc_info,
        )


def _ended_by(
    _kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if isinstance(error, KeyboardInterrupt):
        return
    _log().critical("process_failed", exc_info=error.with_traceback(trace))


def _unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    _log().error("cleaning_up_failed", exc_info=unraisable.exc_value)


def _thread_ended_by(args: threading.ExceptHookArgs) -> None:
    _log().error("thread_failed", exc_info=args.exc_value)
