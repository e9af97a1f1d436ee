"""What waits in the workspaces of a router, at the moment at which somebody asks.

It is looked at conversation by conversation and costs some microseconds each, so that nothing has
to be kept up to date with every command; a few at a time, so that nobody waits for it.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import get_args

from services.router.live import LiveWorkspace
from shared.routing.ids import ConversationId, UnixMs
from shared.routing.placing import is_served
from shared.routing.queue import excluded_from
from shared.routing.state import Conversation
from shared.routing.vocabulary import WaitingReason
from shared.routing.waiting import reason_if_decided
from shared.routing.workspace import Workspace
from shared.runtime import metrics
from shared.runtime.figures import Figure

SLICE = 200
"""Conversations looked at before others get their turn: about a millisecond."""
FOR_THE_VISITOR = frozenset({"parked_missed", "visitor_away"})
"""Reasons for which it is kept, perhaps for days, while nobody waits for an answer."""
ON_OFFER = "offered"
"""Stands beside the reasons for waiting: somebody has been asked."""


class Survey:
    """What was found so far."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.stuck = 0
        self.oldest_ms = 0

    def look(self, workspace: Workspace, conversation: Conversation, now: UnixMs) -> None:
        """Take one of them down; whoever has an owner does not wait."""
        if conversation.state == "offered":
            self.reasons[ON_OFFER] += 1
        elif conversation.state == "waiting":
            reason = reason_if_decided(workspace, conversation)
            if reason is not None:
                self.reasons[reason] += 1
            self.stuck += is_stuck(workspace, conversation)
            if reason in FOR_THE_VISITOR:
                return
        else:
            return
        self.oldest_ms = max(self.oldest_ms, now - conversation.queued_at)

    def figures(self) -> Iterator[Figure]:
        for reason in (*get_args(WaitingReason), ON_OFFER):
            yield Figure(metrics.WAITING, self.reasons[reason], (reason,))
        yield Figure(metrics.STUCK, self.stuck)
        yield Figure(metrics.OLDEST, self.oldest_ms / 1_000)


def is_stuck(workspace: Workspace, conversation: Conversation) -> bool:
    """Whether it waits although somebody eligible is free and nothing holds it, or waits nowhere.

    Never so where the rules are right: they are tested for it, and this is for a day on which they
    are not.
    """
    its_id = conversation.conversation_id
    if workspace.is_cut or its_id in workspace.undecided:
        return False  # it is to be decided upon in a moment
    if its_id not in workspace.places:
        return True
    if conversation.back_off_until is not None:
        return False
    passed_over = excluded_from(conversation)
    pool = workspace.pool(workspace.demand_of(conversation))
    free = any(operator_id not in passed_over for operator_id in pool.entries)
    return free and is_served(workspace, conversation)


async def survey(lives: Iterable[LiveWorkspace], now: UnixMs) -> Survey:
    """Look at everything that waits in those of them that are on duty."""
    found = Survey()
    for live in lives:
        workspace = live.workspace
        if workspace is None:
            continue
        for some in _slices(list(workspace.open)):
            for conversation_id in some:
                conversation = workspace.conversations.get(conversation_id)
                if conversation is not None:  # it may have been closed meanwhile, and let go
                    found.look(workspace, conversation, now)
            await asyncio.sleep(0)
            if live.workspace is not workspace:
                break  # its state was dropped: what is left of it is no longer true
    return found


def _slices(ids: list[ConversationId]) -> Iterator[list[ConversationId]]:
    for begin in range(0, len(ids), SLICE):
        yield ids[begin : begin + SLICE]
