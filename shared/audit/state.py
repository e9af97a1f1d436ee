"""One state of the past that can be taken on to later ones."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple

from shared.audit.past import Past
from shared.audit.stored import Beyond, Recorded, Stored
from shared.ports import LogCorrupt
from shared.routing.following import Retracing, Unfit
from shared.routing.ids import ContactId, ConversationId, Position, VisitorId
from shared.routing.workspace import Workspace


class Named(NamedTuple):
    """Whom a question is about, beyond what is live anyhow."""

    conversations: Sequence[ConversationId] = ()
    visitors: Sequence[VisitorId] = ()
    everybody: bool = False
    contacts: Sequence[ContactId] = ()


NOBODY = Named()


def about(*conversation_ids: ConversationId) -> Named:
    """A question about these conversations."""
    return Named(conversations=conversation_ids)


class State(Retracing):
    """A state that can be taken on, with what is settled put in where somebody asks for it."""

    def __init__(self, workspace: Workspace, past: Past | None) -> None:
        super().__init__(workspace)
        self._past = past

    async def fold(self, stored: Stored, upto: Position) -> None:
        """Apply what follows, up to a position. Raises ``Beyond``."""
        async for some in self.following(stored, upto):
            for recorded in some:
                self.take(recorded)

    def take(self, recorded: Recorded) -> None:
        """Apply the next event."""
        try:
            self.feed(recorded.position, recorded.envelope)
        except Unfit as error:
            whose = self.workspace.workspace_id
            raise LogCorrupt(f"workspace {whose}: {error}") from error

    async def following(self, stored: Stored, upto: Position) -> AsyncIterator[Sequence[Recorded]]:
        """The events from here up to a position; whoever gets some applies them before more."""
        if self.workspace.position >= upto:
            return
        async for some in stored.events(self.workspace.position, upto):
            if self._past is not None:
                await self._past.prepare([(one.position, one.envelope) for one in some])
            yield some
        if self.workspace.position != upto:
            reached = self.workspace.position
            raise Beyond(f"the log of {stored.workspace_id} ends at position {reached}")

    def can_show(self, whom: Named) -> bool:
        """Whether it holds, or can be given, whom a question is about."""
        return self._past is None or self._past.is_whole or not whom.everybody

    async def name(self, whom: Named) -> None:
        """Put in those whom a question is about."""
        if self._past is not None:
            await self._past.name(whom.conversations, whom.visitors, whom.contacts)
