"""Connections to PostgreSQL that come back by themselves, and never send a write a second time.

A failure *before* a statement was sent is ``StoreUnavailable``; one while it was under way is
``ConnectionLost``, and whoever sent it must find out what became of it.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any, Self

import asyncpg

from shared.adapters.postgres_errors import ConnectionLost, not_reached, translated
from shared.ports import StoreError, StoreUnavailable

CONNECT_TIMEOUT_S = 3.0
REPLY_TIMEOUT_S = 5.0
"""Past this a connection counts as dead: half-open ones never report anything themselves."""
READERS_MAX = 4

_FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_UNUSABLE = (
    "the store's address cannot be used: check the port, the options after the question mark, and "
    "that special characters of the password are written as %XX"
)
_STANDBY = asyncpg.ReadOnlySQLTransactionError

_SETTINGS = {
    "statement_timeout": "3s",
    "lock_timeout": "2s",
    # The statements count on seeing, after a wait for a lock, what was committed meanwhile.
    "default_transaction_isolation": "read committed",
    # Every statement probes by key, also while the tables look empty to the planner. A plan made
    # then would read the whole table, and compiling one takes longer than running it.
    "enable_seqscan": "off",
    "jit": "off",
}
_WRITER_SETTINGS = {
    **_SETTINGS,
    # Planning anew means copying arrays of 1,000 rows into the plan.
    "plan_cache_mode": "force_generic_plan",
}
_READER_SETTINGS = {
    **_SETTINGS,
    "default_transaction_read_only": "on",
}
_KEEP_COMMITS_DURABLE = """
    select set_config('synchronous_commit', 'on', false)
    where current_setting('synchronous_commit') = 'off'
"""


class PostgresConnection:
    """One connection for writing. Statements wait for each other in the order of their calls."""

    def __init__(self, url: str, name: str, *, reply_timeout_s: float = REPLY_TIMEOUT_S) -> None:
        self._url = url
        self._name = name
        self._reply_timeout_s = reply_timeout_s
        self._turn = asyncio.Lock()
        self._connection: asyncpg.Connection | None = None

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one statement in a transaction of its own and return its rows.

        Raises ``StoreUnavailable`` if nothing was done, ``ConnectionLost`` if that is unknown,
        ``KeyTaken``, or ``StoreError`` for what trying again would not mend.
        """
        async with self._turn:
            connection = await self._connected()
            return await _run(connection, self._reply_timeout_s, sql, arguments)

    async def close(self) -> None:
        """Disconnect; a later ``fetch`` would connect again."""
        if self._connection is not None:
            # A connection that does not answer is dropped by the driver before it raises.
            with contextlib.suppress(*_FAILURES):
                await self._connection.close(timeout=1)
            self._connection = None

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            connection = await connect(self._url, self._name, _WRITER_SETTINGS)
            try:
                await _run(connection, self._reply_timeout_s, _KEEP_COMMITS_DURABLE, ())
            except StoreError as error:
                connection.terminate()
                raise StoreUnavailable(f"a new connection failed at once: {error}") from error
            self._connection = connection
        return self._connection


class PostgresReaders:
    """A few connections for reading, so that no read waits for a commit. They cannot write."""

    def __init__(self, pool: asyncpg.Pool, reply_timeout_s: float) -> None:
        self._pool = pool
        self._reply_timeout_s = reply_timeout_s

    @classmethod
    async def open(cls, url: str, name: str, *, reply_timeout_s: float = REPLY_TIMEOUT_S) -> Self:
        """Make the pool without connecting yet."""
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=READERS_MAX,
            timeout=CONNECT_TIMEOUT_S,
            max_cached_statement_lifetime=0,
            server_settings={**_READER_SETTINGS, "application_name": name},
            reset=_nothing_to_reset,
        )
        return cls(pool, reply_timeout_s)

    async def fetch(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Run one query and return its rows. Raises ``StoreUnavailable`` or ``StoreError``."""
        connection = await self._acquired()
        try:
            return await _run(connection, self._reply_timeout_s, sql, arguments)
        except ConnectionLost as error:
            raise StoreUnavailable(str(error)) from error
        finally:
            await self._pool.release(connection)

    async def close(self) -> None:
        """Disconnect, waiting at most a second for queries under way."""
        try:
            async with asyncio.timeout(1):
                await self._pool.close()
        except (*_FAILURES, TimeoutError):
            self._pool.terminate()

    async def _acquired(self) -> Any:
        try:
            # No limit on waiting for one's turn: every query ahead has its own.
            return await self._pool.acquire()
        except _FAILURES as error:
            failure = not_reached(error)
        raise failure


async def connect(url: str, name: str, settings: Mapping[str, str]) -> asyncpg.Connection:
    """Connect once, within ``CONNECT_TIMEOUT_S``.

    Raises ``StoreUnavailable``, and ``ValueError`` if the driver can make nothing of the address.
    """
    try:
        return await asyncpg.connect(
            url,
            timeout=CONNECT_TIMEOUT_S,
            max_cached_statement_lifetime=0,
            server_settings={**settings, "application_name": name},
        )
    except ValueError:
        # What the driver says may quote a part of the password.
        failure: Exception = ValueError(_UNUSABLE)
    except _FAILURES as error:
        failure = not_reached(error)
    raise failure


async def _run(
    connection: Any, timeout_s: float, sql: str, arguments: tuple[object, ...]
) -> list[asyncpg.Record]:
    loop = asyncio.get_running_loop()
    # Not the driver's own timeout: that asks the server to cancel, over a network that may be gone.
    watchdog = loop.call_later(timeout_s, _drop, connection)
    try:
        rows: list[asyncpg.Record] = await connection.fetch(sql, *arguments)
        return rows
    except _FAILURES as error:
        failure = _explained(error, timed_out=loop.time() >= watchdog.when())
        # A standby will not become writable on this connection; a new one may reach the primary.
        if isinstance(failure, ConnectionLost) or isinstance(error, _STANDBY):
            _drop(connection)
    except asyncio.CancelledError:
        _drop(connection)
        raise
    finally:
        watchdog.cancel()
    raise failure


def _drop(connection: Any) -> None:
    """Hang up. A pool takes back a lost connection by itself, sometimes before we learn of it."""
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()


def _explained(error: BaseException, *, timed_out: bool) -> StoreError:
    if timed_out:
        return ConnectionLost("PostgreSQL did not answer in time", settled=False)
    return translated(error)


async def _nothing_to_reset(connection: Any) -> None:
    """Spare the round trip: readers set nothing, and a query leaves nothing open."""
