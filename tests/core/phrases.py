"""More of the words that stories are told in: offers, and what the presence service reports."""

from typing import Any

from shared.routing.events import Actor
from tests.core.story import ADMIN, Steps, Story, desk, group, online, opened, policy, step

PRESENCE = Actor("service", "presence")


# --- offers ---------------------------------------------------------------------------------


def offering(*, rules: dict[str, Any] | None = None, **capacities: int) -> Steps:
    """A desk whose conversations are offered; ``rules`` are further policies of the workspace.

    Nobody is alerted about slow answers, so that nothing but offers falls due.
    """
    return policy(delivery="offer", on_slow=[], **(rules or {})) + desk(**capacities)


def accepts(operator_id: str, conversation_id: str, offer: int = 1) -> Steps:
    fields = {"conversation_id": conversation_id, "offer": offer}
    return step(Actor("operator", operator_id), "accept_offer", **fields)


def declines(operator_id: str, conversation_id: str, offer: int = 1, **why: Any) -> Steps:
    fields = {"conversation_id": conversation_id, "offer": offer, **why}
    return step(Actor("operator", operator_id), "decline_offer", **fields)


def directed(conversation_id: str, operator_id: str) -> Steps:
    """A supervisor gives it to somebody by name."""
    to = {"operator": operator_id}
    return step(ADMIN, "forward", conversation_id=conversation_id, to=to, mode="direct")


def on_offer(
    sender: str, conversation_id: str, to: dict[str, Any], note: str | None = None
) -> Steps:
    """The owner forwards it on condition that somebody accepts."""
    fields = {"conversation_id": conversation_id, "to": to, "mode": "offer"}
    if note is not None:
        fields["note"] = note
    return step(Actor("operator", sender), "forward", **fields)


BEN_ALONE = {"operator": "ben"}
EXPERTS = {"group": "experts"}


def at_anas(story: Story, **capacities: int) -> Story:
    """Ana owns c1; the experts are not at her desk."""
    story.given(policy(on_slow=[]), desk(ana=1), group("experts"))
    for operator_id, capacity in capacities.items():
        story.given(online(operator_id, "experts", capacity=capacity))
    return story.given(opened("c1"))


def asked(story: Story, conversation_id: str) -> tuple[str, int] | None:
    """Who holds the live offer of a conversation, and its number."""
    offer = story.conversation(conversation_id).offer
    return None if offer is None else (offer.operator_id, offer.number)


def offers(story: Story, conversation_id: str) -> list[str]:
    """Who was asked for it, one after the other, since the beginning."""
    return [
        fields["operator_id"]
        for fields in story.told("conversation_offered")
        if fields["conversation_id"] == conversation_id
    ]


# --- presence -------------------------------------------------------------------------------


def lapsed(operator_id: str, session_id: str = "") -> Steps:
    return _reported("session_lapsed", operator_id, session_id=session_id or f"{operator_id}-1")


def returned(operator_id: str, session_id: str = "") -> Steps:
    return _reported("session_returned", operator_id, session_id=session_id or f"{operator_id}-1")


def idle(operator_id: str) -> Steps:
    return _reported("operator_idle", operator_id)


def active(operator_id: str) -> Steps:
    return _reported("operator_active", operator_id)


def shift_started(operator_id: str, **fields: Any) -> Steps:
    return _reported("shift_started", operator_id, **fields)


def shift_ended(operator_id: str) -> Steps:
    return _reported("shift_ended", operator_id)


def _reported(name: str, operator_id: str, **fields: Any) -> Steps:
    return step(PRESENCE, name, operator_id=operator_id, **fields)
