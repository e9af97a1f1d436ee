"""The service that the broker asks about everybody who wants in (NATS auth callout).

It answers inside the handler and waits for nothing there: keys are fetched by a task of its own. If
it is down, whoever is connected stays so, and nobody new comes in.
"""

import asyncio
import os
import time
from collections.abc import Iterable, Sequence

import structlog

from services.auth.keys import Key, KeysUnusable, fitting, keys_at
from services.auth.permissions import permissions_of
from services.auth.revocations import (
    Revocations,
    RevocationsUnusable,
    is_revoked,
    revocations_at,
)
from services.auth.sessions import NotTrusted, key_id_of, session_of
from services.auth.settings import Settings, settings_from
from services.auth.user_jwt import Asked, read_question
from shared.adapters.broker_connections import end_connections_of
from shared.adapters.nats_bus import NotSent
from shared.ports import Bus, Message, NoResponders
from shared.runtime.figures import Figure, of_answers
from shared.runtime.tasks import Tasks

log = structlog.get_logger()

ASKED_ON = "$SYS.REQ.USER.AUTH"
QUEUE = "fernamt-auth"
"""Queue group of all that run, of which one answers."""
FETCH_AGAIN_AFTER_S = 10
"""A token with a key that is not known has the keys read again, but not more often than this."""


class Auth:
    """``run`` answers until ``stop`` is called; ``ready`` is set meanwhile."""

    def __init__(self, bus: Bus, settings: Settings | None = None) -> None:
        """Settings come from the environment unless given. Raises ``ValueError``."""
        self._bus = bus
        self._settings = settings or settings_from(os.environ)
        self._tasks = Tasks()
        self._keys: Sequence[Key] = ()
        self._revoked: Revocations = {}
        self._fetch_now = asyncio.Event()
        self._outcomes = {"admitted": 0, "turned_away": 0}
        self._stopping = asyncio.Event()
        self.ready = asyncio.Event()

    def stop(self) -> None:
        """Ask ``run`` to end."""
        self._stopping.set()

    async def run(self) -> None:
        """Answer until told to stop. Raises ``ValueError`` if there are no keys to begin with."""
        try:
            await self._read_again()
        except (KeysUnusable, RevocationsUnusable) as error:
            raise ValueError(str(error)) from error
        subscription = await self._bus.subscribe(ASKED_ON, self._on_question, queue=QUEUE)
        try:
            self._tasks.start(self._keep_up(), "keep up")
            self.ready.set()
            await self._tasks.beside(self._until_stopped())
        finally:
            self.ready.clear()
            await subscription.stop()
            await self._tasks.stop()

    async def figures(self) -> Iterable[Figure]:
        """How many it has let in, and how many not."""
        return of_answers("auth", self._outcomes)

    async def _until_stopped(self) -> None:
        await self._stopping.wait()

    def _on_question(self, message: Message) -> None:
        try:
            asked = read_question(message.data)
        except ValueError as error:
            log.warning("question_unreadable", reason=error)
            return
        try:
            self._bus.publish(message.reply, self._answer(asked))
        except NotSent as error:
            log.warning("not_sent", reason=error)

    def _answer(self, asked: Asked) -> bytes:
        now_s = int(time.time())
        token = asked.connect_opts.auth_token
        try:
            session = session_of(token, self._keys_for(token), self._settings.expected)
            if is_revoked(session, self._revoked):
                raise NotTrusted("the token was revoked")
            may = permissions_of(session)
        except (NotTrusted, ValueError) as error:
            self._outcomes["turned_away"] += 1
            log.info("turned_away", reason=error)
            return self._settings.issuer.refuse(asked, str(error), now_s)
        self._outcomes["admitted"] += 1
        log.info(
            "let_in",
            workspace=session.workspace_id,
            kind=session.kind,
            actor=session.actor_id,
        )
        return self._settings.issuer.admit(asked, session, may, now_s)

    def _keys_for(self, token: str) -> Sequence[Key]:
        key_id = key_id_of(token)
        keys = fitting(self._keys, key_id)
        if not keys:
            self._fetch_now.set()  # a new key of the platform's; the client will try again
        return keys

    async def _keep_up(self) -> None:
        """Read keys and revocations now and then. As long as that fails, the last ones hold."""
        while True:
            await asyncio.sleep(min(FETCH_AGAIN_AFTER_S, self._settings.refresh_s))
            try:
                async with asyncio.timeout(self._settings.refresh_s):
                    await self._fetch_now.wait()
            except TimeoutError:
                pass
            self._fetch_now.clear()
            try:
                await self._read_again()
            except (KeysUnusable, RevocationsUnusable) as error:
                log.warning("keys_not_read", reason=error)

    async def _read_again(self) -> None:
        """Raises ``KeysUnusable`` and ``RevocationsUnusable``."""
        self._keys = await keys_at(self._settings.keys)
        if not self._settings.revoked:
            return
        before, self._revoked = self._revoked, await revocations_at(self._settings.revoked)
        for user, since in self._revoked.items():
            if before.get(user) != since:
                self._tasks.start(self._send_away(user), f"send away {user}")

    async def _send_away(self, user: str) -> None:
        """End the connections of somebody whose tokens were revoked; a new one lets him in."""
        try:
            ended = await end_connections_of(self._bus, user)
        except (NoResponders, TimeoutError, NotSent, ValueError) as error:
            log.warning("connection_not_ended", reason=error)
        else:
            log.info("revoked", connections=ended)
