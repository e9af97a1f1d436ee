"""What PostgreSQL and its driver say, as the errors of ``shared.ports``.

Only the server's code is passed on, and of faults that hold no value its primary message. DETAIL
and HINT may hold the contents of rows, so callers raise the translation outside the ``except``
block: a chained exception would print them after all.
"""

import asyncpg

from shared.ports import CommitInDoubt, StoreError, StoreUnavailable

# Classes and codes after which the statement is known to have done nothing and may succeed later.
_TRANSIENT_CLASSES = (
    "28",  # not allowed in: wrong password, no entry for this host
    "40",  # deadlock, serialization
    "53",  # disk full, out of memory, too many connections
    "58",  # the operating system refused: input/output error
)
_TRANSIENT_CODES = frozenset(
    {
        "25006",  # this server is a standby and read-only
        "3D000",  # no such database
        "55P03",  # lock_timeout
        "57014",  # statement_timeout
        "57P03",  # starting up or shutting down
        "57P04",  # the database was dropped
    }
)
# When the server says this, the transaction has ended, one way or the other. After a crash (57P02)
# it may have been on its way to the disk.
_ENDED_BY_ADMINISTRATOR = "57P01"
_ENDED_CODES = frozenset({_ENDED_BY_ADMINISTRATOR, "57P02"})
_SCHEMA_CODES = frozenset({"42P01", "42703", "42704"})
_PLAIN_CLASSES = frozenset({"08", "25", "28", "3D", "40", "42", "53", "55", "57", "58"})
"""Of these the primary message names tables, roles and limits. Others may quote data: what does not
fit its type (22) or a constraint (23), and what somebody's own trigger has to say (P0)."""


class ConnectionLost(CommitInDoubt):
    """The connection ended while a statement was under way."""

    def __init__(self, message: str, *, settled: bool) -> None:
        super().__init__(message)
        self.settled = settled
        """Whether the server itself ended the session: then no commit can still arrive."""


class KeyTaken(StoreError):
    """A unique key stands already; nothing of the statement was written."""

    def __init__(self, message: str, constraint: str) -> None:
        super().__init__(message)
        self.constraint = constraint


def translated(error: BaseException) -> StoreError:
    """The error of ``shared.ports`` that says the same, without any parameter values."""
    if isinstance(error, asyncpg.PostgresError):
        return _server_said(error)
    if isinstance(error, asyncpg.DataError | asyncpg.ClientConfigurationError):
        return StoreError(f"the driver refused an argument ({type(error).__name__})")
    if isinstance(error, asyncpg.InterfaceError):
        return StoreUnavailable(f"the connection cannot be used: {error.args[0]}")
    return ConnectionLost(
        f"the connection to PostgreSQL was lost ({type(error).__name__}: {error})", settled=False
    )


def _server_said(error: asyncpg.PostgresError) -> StoreError:
    code = error.sqlstate or "unknown"
    message = f"PostgreSQL: {_words_of(error, code)} ({code})"
    if code == "23505":
        return KeyTaken(message, error.constraint_name or "")
    if code.startswith("08") or code in _ENDED_CODES:
        # The server's last words, if there were any, hang behind the driver's own.
        last_words = getattr(error.__cause__, "sqlstate", code)
        return ConnectionLost(message, settled=last_words == _ENDED_BY_ADMINISTRATOR)
    if code[:2] in _TRANSIENT_CLASSES or code in _TRANSIENT_CODES:
        return StoreUnavailable(message)
    if code in _SCHEMA_CODES:
        return StoreError(f"{message}: are the migrations applied?")
    return StoreError(message)


def _words_of(error: asyncpg.PostgresError, code: str) -> str:
    if code[:2] in _PLAIN_CLASSES and error.args:
        return str(error.args[0])
    name = type(error).__name__
    return f"{name} of {error.constraint_name}" if error.constraint_name else name


def not_reached(error: BaseException) -> StoreUnavailable:
    """What a failure to connect means: nothing was sent, whatever it was."""
    cause = translated(error)
    return cause if isinstance(cause, StoreUnavailable) else StoreUnavailable(str(cause))
