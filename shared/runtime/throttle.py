"""How often an actor may ask: so many requests at once, and so many a second after that.

The broker knows no such bound, and one broken widget in a loop is enough to keep a whole workspace
waiting. Back ends have none, since they speak for many, and admins neither, whose scripts set up
whole workspaces; what is too much altogether is refused whoever sends it (``overloaded``).

For each actor one number is kept: the moment at which nothing of the allowance is used up any more
(the generic cell rate algorithm; ATM Forum, Traffic Management 4.0, 1996). Whose moment is over is
as somebody who was never seen.
"""

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, get_args

from shared.ports import Clock
from shared.routing.commands import Refused
from shared.routing.vocabulary import ActorKind
from shared.wire.subjects import Call

VARIABLE = "FERNAMT_ALLOWANCES"
UNBOUNDED = "none"
KEPT_AT_LEAST: Final = 1_024
"""Actors that are kept without looking whether any of them can be forgotten."""


class Allowance(NamedTuple):
    """What an actor may ask."""

    per_s: int
    at_once: int


Allowances = Mapping[ActorKind, Allowance]

ALLOWANCES: Final[Allowances] = MappingProxyType(
    {"visitor": Allowance(10, 100), "operator": Allowance(100, 1_000)}
)
"""More than any page or desk needs."""


class Throttle:
    """Refuses what goes beyond the allowance of its actor."""

    def __init__(self, clock: Clock, allowances: Allowances) -> None:
        self._clock = clock
        self._spacing_us = {kind: 1_000_000 // may.per_s for kind, may in allowances.items()}
        self._ahead_us = {
            kind: self._spacing_us[kind] * may.at_once for kind, may in allowances.items()
        }
        self._whole_at_us: dict[tuple[str, str, str], int] = {}
        self._look_at = KEPT_AT_LEAST

    def refusal(self, call: Call) -> Refused | None:
        """Count a request; or say that it is one too many, and when the next may come."""
        kind = call.kind
        ahead_us = self._ahead_us.get(kind)
        if ahead_us is None:
            return None
        actor = (call.workspace_id, kind, call.actor_id)
        now_us = self._clock.elapsed_ms() * 1_000
        whole_at_us = max(self._whole_at_us.get(actor, 0), now_us) + self._spacing_us[kind]
        if whole_at_us - now_us > ahead_us:
            return _too_many(-((now_us + ahead_us - whole_at_us) // 1_000))
        self._whole_at_us[actor] = whole_at_us
        if len(self._whole_at_us) > self._look_at:
            self._forget(now_us)
        return None

    def _forget(self, now_us: int) -> None:
        """Forget who has the whole allowance again; next time when there are twice as many."""
        kept = {actor: at for actor, at in self._whole_at_us.items() if at > now_us}
        self._whole_at_us = kept
        self._look_at = max(KEPT_AT_LEAST, 2 * len(kept))


def _too_many(wait_ms: int) -> Refused:
    text = f"more requests than one actor may send; the next in {wait_ms} ms"
    return Refused("too_many", text, {"retry_after_ms": wait_ms})


def allowances_from(environment: Mapping[str, str] = os.environ) -> Allowances:
    """The allowances of this process, as ``visitor=10/100 operator=none``: a second, and at once.

    Kinds that are not named have the usual one. Raises ``ValueError``.
    """
    said = environment.get(VARIABLE, "").split()
    named = dict(_named(one) for one in said)
    whole = {**ALLOWANCES, **named}
    return {kind: allowance for kind, allowance in whole.items() if allowance is not None}


def _named(said: str) -> tuple[ActorKind, Allowance | None]:
    name, _, text = said.partition("=")
    kind = next((kind for kind in get_args(ActorKind) if kind == name), None)
    if kind is None:
        raise _not_an_allowance(said)
    if text == UNBOUNDED:
        return kind, None
    numbers = [int(part) for part in text.split("/") if part.isdecimal() and len(part) <= 6]
    if len(numbers) != 2 or text.count("/") != 1 or not all(numbers):
        raise _not_an_allowance(said)
    return kind, Allowance(*numbers)


def _not_an_allowance(said: str) -> ValueError:
    kinds = ", ".join(get_args(ActorKind))
    text = f"KIND=PER_SECOND/AT_ONCE or KIND={UNBOUNDED} is expected, KIND one of {kinds}"
    return ValueError(f"{VARIABLE}: {text}: {said[:40]}")
