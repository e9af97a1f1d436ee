"""A connection on which one actor of one workspace speaks: requests, retries, subscriptions."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import nats
import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

Fields = dict[str, Any]

ANSWER_WITHIN_S = 2.0
GIVE_UP_AFTER_S = 30.0
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0
TRY_AGAIN = frozenset({"overloaded", "unavailable"})


class RefusedError(Exception):
    """Fernamt said no. Nothing was changed."""

    def __init__(self, error: Fields) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code: str = error["code"]
        self.detail: Fields = error.get("detail", {})


class UnreachableError(Exception):
    """No answer, again and again: nobody knows whether it happened."""


class Reply:
    """What was done, or what was asked for, and as of which position."""

    def __init__(self, body: Fields) -> None:
        self.position: int = body["position"]
        self.at: int = body["at"]
        self.repeated: bool = body.get("repeated", False)
        self.result: Fields = body["result"]


class Line:
    """One connection of one actor. ``on_return`` is called when it is back after a loss."""

    def __init__(self, url: str, workspace: str, kind: str, actor: str) -> None:
        self.url = url
        self.actor = actor
        self.tries = 0
        """Requests sent, every retry included."""
        self.on_return: Callable[[], Awaitable[None]] | None = None
        self.faults: list[Exception] = []
        """What went wrong in a callback and is no mere loss of the connection."""
        self._workspace = workspace
        self._kind = kind
        self._client: Client | None = None
        self._closing = asyncio.Event()

    async def open(self) -> None:
        """Connect. After a loss the client library connects again by itself."""
        self._client = await nats.connect(
            self.url,
            name=f"front end of {self.actor}",
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.05,
            reconnected_cb=self._returned,
            error_cb=self._failed,
        )

    async def close(self) -> None:
        """Hang up. Nobody is told: to Fernamt the actor is as gone as a crashed browser."""
        self._closing.set()
        if self._client is not None:
            await self._client.close()

    async def command(
        self, name: str, fields: Fields | None = None, *, command_id: str | None = None
    ) -> Reply:
        """Change something, once, however often it has to be sent. Raises ``RefusedError``."""
        headers = {"Fernamt-Command-Id": command_id or uuid.uuid4().hex}
        return await self._until_answered("cmd", name, fields or {}, headers)

    async def ask(self, query: str, fields: Fields | None = None, *, at_least: int = 0) -> Reply:
        """Read the state as of position ``at_least`` or later. Raises ``RefusedError``."""
        headers = {"Fernamt-Min-Position": str(at_least)} if at_least else {}
        return await self._until_answered("ask", query, fields or {}, headers)

    async def request(self, subject: str, fields: Fields, headers: Fields | None = None) -> Fields:
        """One request, sent once, and the body of its answer."""
        self.tries += 1
        answer = await self._connected.request(
            subject, json.dumps(fields).encode(), ANSWER_WITHIN_S, headers=headers or None
        )
        body: Fields = json.loads(answer.data)
        return body

    async def publish(self, subject: str, fields: Fields) -> None:
        """Say something that nobody answers."""
        with contextlib.suppress(nats.errors.Error):  # the next one will come through
            await self._connected.publish(subject, json.dumps(fields).encode())

    async def listen(self, feed: str, heard: Callable[[Fields], Awaitable[None]]) -> None:
        """Subscribe to a feed; once this returns, nothing that is sent to it is missed."""

        async def on_message(message: Msg) -> None:
            await heard(json.loads(message.data))

        await self._connected.subscribe(self.subject("feed", feed), cb=on_message)
        await self._connected.flush()

    def subject(self, purpose: str, *rest: str) -> str:
        """``fernamt.v1.PURPOSE.WORKSPACE`` and what follows."""
        return ".".join(("fernamt", "v1", purpose, self._workspace, *rest))

    async def pause(self, seconds: float) -> bool:
        """Wait, though not beyond ``close``; whether to go on after it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        return not self._closing.is_set()

    @property
    def _connected(self) -> Client:
        if self._client is None:
            raise RuntimeError("open the line first")
        return self._client

    async def _until_answered(
        self, purpose: str, name: str, fields: Fields, headers: Fields
    ) -> Reply:
        subject = self.subject(purpose, self._kind, self.actor, name)
        deadline = time.monotonic() + GIVE_UP_AFTER_S
        pause = FIRST_PAUSE_S
        while True:
            try:
                body = await self.request(subject, fields, headers)
            except nats.errors.Error as error:  # no answer in time, nobody there, or no connection
                why = repr(error)
            else:
                if body["ok"]:
                    return Reply(body)
                if body["error"]["code"] not in TRY_AGAIN:
                    raise RefusedError(body["error"])
                why = body["error"]["message"]
            if time.monotonic() > deadline:
                raise UnreachableError(f"{subject}: {why}")
            if not await self.pause(pause):
                raise UnreachableError(f"{subject}: closed meanwhile, after {why}")
            pause = min(2 * pause, LONGEST_PAUSE_S)

    async def _returned(self) -> None:
        if self.on_return is not None:
            try:
                await self.on_return()
            except (RefusedError, UnreachableError, ValueError) as error:
                await self._failed(error)

    async def _failed(self, error: Exception) -> None:
        """Losses are expected: the library connects again, and requests are sent again."""
        lost = isinstance(error, nats.errors.Error | OSError)
        if not lost and not self._closing.is_set():
            self.faults.append(error)
