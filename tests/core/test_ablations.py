"""With one part of the engine switched off, the random histories must object.

A checker that has never failed proves nothing: each line takes away one thing that keeps the
decisions right, and one of the first ``HISTORIES_MAX`` histories has to notice.
"""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from shared.routing import (
    agenda,
    opening,
    placing,
    queue,
    ranking,
    returning,
    route,
    scopes,
    seats,
    status,
    timers,
    workspace,
)
from shared.routing.decide import firing, visitors
from shared.routing.evolve import conversations, offers, operators, ownership
from shared.routing.ranking import Choice
from tests.core.test_wandering import wander

OBJECTIONS = (AssertionError, LookupError, ValueError)
HISTORIES_MAX = 400
"""The rarest fault shows in about one history of fifty, most in one of the first ten."""


def wander_often() -> None:
    for seed in range(HISTORIES_MAX):
        wander(seed, 150)


# --- what stands instead --------------------------------------------------------------------


def nothing(*_: Any, **__: Any) -> None:
    """Does nothing, whatever it is asked."""


def no_reasons(*_: Any, **__: Any) -> tuple[Any, ...]:
    return ()


def never(*_: Any, **__: Any) -> bool:
    return False


def always(*_: Any, **__: Any) -> bool:
    return True


def without_priority(conversation: Any, policy: Any) -> queue.Order:
    return replace(_ORDER_OF(conversation, policy), band=0, key_ms=conversation.queued_at)


def missed_among_the_others(conversation: Any, policy: Any) -> queue.Order:
    return replace(_ORDER_OF(conversation, policy), missed=False)


def always_aged(conversation: Any, policy: Any) -> queue.Order:
    return replace(_ORDER_OF(conversation, policy), band=0)


def upside_down(operator: Any, demand: Any) -> int:
    return -_RANK(operator, demand)


def offline_at_once(operator: Any) -> Any:
    if operator.signed_in and operator.sessions and not operator.connected:
        return "offline", "disconnected"
    return _EFFECTIVE_STATUS(operator)


def friends_above_all(place: Any, conversation: Any, demand: Any) -> Any:
    operator = placing._known(place, conversation)
    if operator is None or operator.removed:
        return None
    choice = Choice(operator.operator_id, (), None)
    return placing._give(place, conversation, choice, demand, "affinity")


def reach_stays(place: Any, conversation: Any) -> None:
    reach = conversation.reach
    _STOPS_WAITING(place, conversation)
    conversation.reach = reach


def excess_unmarked(place: Any, conversation: Any) -> Any:
    return tuple(replace(fact, excess=False) for fact in _RETAKEN(place, conversation))


def outdated_too(self: Any) -> Any:
    return self.due[0] if self.due else None


def in_the_same_session(visitor: Any, _session_id: Any) -> Any:
    return (), visitor


def live(*_: Any, **__: Any) -> str:
    return "live"


_RANK = ranking.rank
_ORDER_OF = queue.order_of
_EFFECTIVE_STATUS = status.effective_status
_STOPS_WAITING = ownership.stops_waiting
_RETAKEN = visitors._retaken

ABLATIONS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    # who may get something
    "loads reach the pools": (workspace.Workspace, "load_changed", nothing),
    "skills and room matter": (seats, "unfit", no_reasons),
    "status and permission matter": (seats, "unavailable", no_reasons),
    "personal exclusions matter when choosing": (placing, "excluded_from", no_reasons),
    "personal exclusions matter in the lanes": (workspace, "excluded_from", no_reasons),
    "pools are left": (ranking.Pool, "remove", nothing),
    "the ranking has a direction": (ranking, "rank", upside_down),
    "an acquaintance must be eligible": (placing, "_acquaintance", friends_above_all),
    "widening reaches others": (scopes.Scopes, "_is_open", never),
    "what is reached ends with the waiting": (ownership, "stops_waiting", reach_stays),
    # in which order
    "priority matters": (workspace, "order_of", without_priority),
    "strict bands are strict": (workspace, "order_of", always_aged),
    "missed ones stand behind live ones": (workspace, "order_of", missed_among_the_others),
    # what is looked at again
    "who arrives is noted": (workspace.Workspace, "_note_arrival", nothing),
    "fallback operators are watched": (workspace.Workspace, "_note_fallback", nothing),
    "changed settings are reconsidered": (workspace.Workspace, "reconsider", nothing),
    "heirs come first": (placing, "_handed_over", nothing),
    "the bot answers first": (placing, "_first_response", nothing),
    "closed hours hold": (placing, "is_out_of_hours", never),
    "conversations adrift are rescued": (route, "rescue", nothing),
    "broadcasts are announced": (route, "announcement", nothing),
    "modes follow": (route, "_mode_change", nothing),
    "widening is decided": (route, "widened", nothing),
    "slow answers are noticed": (route, "slow_action", nothing),
    "absent owners are noticed": (route, "owner_gone", nothing),
    "only who agreed is alerted": (seats, "may_be_alerted", always),
    # offers
    "an offer holds a slot": (offers, "change_load", nothing),
    "who declines is not asked again": (offers, "exclude", nothing),
    "who lets it expire is not asked for ever": (route, "_unresponsive", nothing),
    "everybody asked means a pause": (placing, "_round_ended", nothing),
    "after the pause all are asked again": (offers, "forgive", nothing),
    "an overtaken offer is rescinded": (route, "_rescission", nothing),
    "whoever is gone is offered nothing": (workspace.Workspace, "_note_offers", nothing),
    "a forward goes on or comes back": (route, "forward_step", nothing),
    "only who is online is asked by name": (returning, "not_routable", nothing),
    # presence and memory
    "a lost connection has its grace": (route, "effective_status", offline_at_once),
    "refusals are forgotten": (ownership, "forgive", nothing),
    "who sets a status is asked again": (operators, "ask_again", nothing),
    # rules
    "a rule fires as it is and as often as it may": (firing, "_why_not", nothing),
    "a session ends before the next begins": (firing, "_in_session", in_the_same_session),
    "nobody is invited to where nobody is": (firing, "mode_of", live),
    "a rule fills nobody up": (opening, "_is_eligible", always),
    # slots and timers
    "a wrap-up holds a slot": (conversations, "_wrap_up", nothing),
    "a freed slot is taken again": (visitors, "_retaken", no_reasons),
    "a slot taken again marks excess": (visitors, "_retaken", excess_unmarked),
    "timers are cancelled": (agenda.Agenda, "cancel_timer", nothing),
    "outdated timers are passed over": (agenda.Agenda, "next_due", outdated_too),
    "a reply ends slowness": (timers, "owe_nothing", nothing),
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
