"""With one part of the engine switched off, the random histories must object.

A checker that has never failed proves nothing: each line takes away one thing that keeps the
decisions right, and some history has to notice.
"""

from collections.abc import Callable
from typing import Any

import pytest

from shared.routing import queue, ranking, route, workspace
from shared.routing.evolve import operators, ownership
from tests.core.test_wandering import wander

OBJECTIONS = (AssertionError, LookupError, ValueError)
HISTORIES_MAX = 60


def wander_often() -> None:
    for seed in range(HISTORIES_MAX):
        wander(seed, 150)


def nothing(*_: Any, **__: Any) -> None:
    """Does nothing, whatever it is asked."""


def no_reasons(*_: Any, **__: Any) -> tuple[Any, ...]:
    return ()


def without_priority(conversation: Any) -> queue.Order:
    return queue.Order(conversation.queued_at, conversation.arrival, conversation.conversation_id)


def upside_down(operator: Any, demand: Any) -> int:
    return -_RANK(operator, demand)


_RANK = ranking.rank

ABLATIONS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "loads reach the pools": (workspace.Workspace, "load_changed", nothing),
    "who arrives is noted": (workspace.Workspace, "_note_arrival", nothing),
    "fallback operators are watched": (workspace.Workspace, "_note_fallback", nothing),
    "changed settings are reconsidered": (workspace.Workspace, "reconsider", nothing),
    "skills and room matter": (workspace, "unfit", no_reasons),
    "status and permission matter": (workspace, "unavailable", no_reasons),
    "personal exclusions matter when choosing": (route, "excluded_from", no_reasons),
    "personal exclusions matter in the lanes": (workspace, "excluded_from", no_reasons),
    "priority matters": (workspace, "order_of", without_priority),
    "the ranking has a direction": (ranking, "rank", upside_down),
    "pools are left": (ranking.Pool, "remove", nothing),
    "refusals are forgotten": (ownership, "forgive", nothing),
    "who sets a status is asked again": (operators, "_ask_again", nothing),
    "participants change lanes": (ownership, "participants_change", nothing),
    "heirs come first": (route, "_heir_of", nothing),
    "conversations adrift are rescued": (route, "_rescue", nothing),
    "broadcasts are announced": (route, "_announcement", nothing),
    "modes follow": (route, "_mode_change", nothing),
}


@pytest.mark.parametrize("safeguard", ABLATIONS)
def test_e08_without_it_some_history_objects(
    monkeypatch: pytest.MonkeyPatch, safeguard: str
) -> None:
    where, name, instead = ABLATIONS[safeguard]
    monkeypatch.setattr(where, name, instead)
    with pytest.raises(OBJECTIONS):
        wander_often()


def test_e08_with_everything_in_place_none_of_them_does() -> None:
    for seed in range(3):
        wander(seed, 150)
