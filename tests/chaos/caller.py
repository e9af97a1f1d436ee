"""Sends commands, as one front end does, and notes in the history what came of each."""

import random
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.adapters.nats_bus import NotSent
from shared.ports import NoResponders
from shared.routing.events import Actor
from shared.routing.ids import CommandId
from tests.chaos.history import Attempt, History
from tests.servers.client import Client, Fields
from tests.servers.waiting import until

RETRY_EVERY_S = 0.1


class Told(NamedTuple):
    """An attempt and the ``result`` that came with it, empty if none did."""

    attempt: Attempt
    result: Fields


class Caller:
    """One connection with one history. ``timeout_s`` is when an answer is given up."""

    def __init__(
        self, client: Client, history: History, workspace: str, *, timeout_s: float
    ) -> None:
        self.client = client
        self.history = history
        self.workspace = workspace
        self._timeout_s = timeout_s

    async def send(
        self, actor: Actor, command: str, fields: Mapping[str, Any], command_id: str
    ) -> Told:
        """Send once. A refusal is a ``fail``, silence an ``info``."""
        attempt = self.history.invoke(actor, command, fields, CommandId(command_id))
        try:
            reply = await self.client.command(
                self.workspace,
                actor.kind,
                actor.id,
                command,
                dict(fields),
                command_id=command_id,
                timeout_s=self._timeout_s,
            )
        except (TimeoutError, NotSent) as error:
            attempt.code = type(error).__name__
            reply = {}
        except NoResponders:
            attempt.outcome, attempt.code = "fail", "no_responders"
            reply = {}
        attempt.ended_ns = time.monotonic_ns()
        return Told(attempt, _note(attempt, reply))

    async def again(self, attempt: Attempt) -> Told:
        """The same command with the same id, until something comes of it."""

        async def settled() -> Told | None:
            told = await self.send(
                attempt.actor, attempt.command, attempt.fields, attempt.command_id
            )
            return None if told.attempt.code in TRANSIENT else told

        what = f"an answer to {attempt.command} {attempt.command_id}"
        told = await until(what, settled, every_s=RETRY_EVERY_S)
        assert told is not None
        return told

    async def persist(
        self, rng: random.Random, actor: Actor, command: str, fields: Mapping[str, Any], its_id: str
    ) -> Told:
        """Send until it is refused or done, but do not ask again about half of the unknown ones."""
        told = await self.send(actor, command, fields, its_id)
        if told.attempt.code not in TRANSIENT:
            return told
        given_up = told.attempt.outcome == "info" and rng.random() < 0.5
        return told if given_up else await self.again(told.attempt)


TRANSIENT = frozenset({"TimeoutError", "NotSent", "no_responders", "overloaded", "unavailable"})
"""What is worth another try."""


def _note(attempt: Attempt, reply: Fields) -> Fields:
    if not reply:
        return {}
    if not reply["ok"]:
        attempt.outcome, attempt.code = "fail", reply["error"]["code"]
        return {}
    attempt.outcome = "ok"
    attempt.position, attempt.at = reply["position"], reply["at"]
    attempt.repeated = reply.get("repeated", False)
    result: Fields = reply["result"]
    return result
