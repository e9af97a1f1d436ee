"""Requests about more that is settled than they name: what is closed, and what hangs on whom.

A search reads beside serving, and meanwhile the world goes on. So when its request has its turn, it
is asked whether what was found is still all that is needed; if not, it begins again.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from services.router.naming import Asked, closed_asked_by, erased_by, is_about_more
from services.router.settled import Settled
from shared.ports import LogCorrupt, StoredRow
from shared.ports.archive import SettledKey, SettledRow
from shared.routing.commands import Erase
from shared.routing.decide.rights import permissions_of, refuse_kind
from shared.routing.events import Actor, ConversationClosed
from shared.routing.ids import ConversationId, OperatorId, Position, WorkspaceId
from shared.routing.permissions import Permissions
from shared.routing.queries import listed, refuse_asker
from shared.routing.questions import AskInbox
from shared.routing.state import Conversation, Visitor
from shared.wire.log_codec import UndecodableEvent, decode_event

_CLOSED = "conversation_closed."
"""How the topics of these events begin, whatever their version."""


class Search(Protocol):
    """What one request needs."""

    async def run(self) -> None:
        """Find it. Raises what ``Settled`` does."""
        ...

    def put_in(self) -> bool:
        """Put in what was found; false if it has to be looked for again."""
        ...


def search_for(settled: Settled, asked: Asked) -> Search | None:
    """What is to be found before this is decided, if it is about more than it names."""
    if settled.is_whole or not is_about_more(asked):
        return None
    erased, question = erased_by(asked), closed_asked_by(asked)
    if erased is not None:
        command = Erase(subject=":".join(erased))
        refused = refuse_kind(settled.workspace, command, asked.by)
        return _Hanging(settled, *erased) if refused is None else None
    if question is not None and not refuse_asker(settled.workspace, question, asked.by):
        is_listed = listed(settled.workspace, question, asked.by)
        return _Closed(settled, question, asked.by) if is_listed is not None else None
    return None


class _Hanging:
    """The visitors of a contact, and the conversations of a contact or visitor."""

    def __init__(self, settled: Settled, kind: str, its_id: str) -> None:
        self._settled = settled
        self._contact_id = its_id if kind == "contact" else None
        self._visitor_id = its_id if kind == "visitor" else None
        self._found: list[SettledRow] = []
        self._known: dict[str, None] = {}
        self._drops = 0

    async def run(self) -> None:
        self._found, self._known = [], self._in_memory()
        self._drops = self._settled.drops
        visitors = dict(self._known)
        if self._contact_id is not None:
            async for row, visitor in self._settled.every("visitor"):
                assert isinstance(visitor, Visitor)
                if visitor.contact_id == self._contact_id:
                    visitors[visitor.visitor_id] = None
                    self._found.append(row)
        async for row, conversation in self._settled.every("conversation"):
            assert isinstance(conversation, Conversation)
            of_contact = conversation.contact_id == self._contact_id is not None
            if of_contact or conversation.visitor_id in visitors:
                self._found.append(row)

    def put_in(self) -> bool:
        if self._settled.drops != self._drops or self._in_memory() != self._known:
            return False
        self._settled.put(self._found)
        return True

    def _in_memory(self) -> dict[str, None]:
        """The visitors, as far as they are in memory."""
        if self._visitor_id is not None:
            return {self._visitor_id: None}
        known = self._settled.workspace.visitors.values()
        return {v.visitor_id: None for v in known if v.contact_id == self._contact_id}


class _Closed:
    """A page of closed conversations. The log has them in the order of the list."""

    def __init__(self, settled: Settled, question: AskInbox, by: Actor) -> None:
        self._settled = settled
        self._question = question
        self._by = by
        self._found: list[SettledRow] = []
        self._drops = 0
        self._rights = self._rights_now()
        self._upto: Position | None = None
        """How far the log was looked through; none if to its end."""

    async def run(self) -> None:
        workspace = self._settled.workspace
        self._found, self._drops = [], self._settled.drops
        self._rights, self._upto = self._rights_now(), None
        is_listed, after = self._is_listed(), Position(int(self._question.after or 0))
        count = 0
        async for rows in self._settled.events.read(WorkspaceId(workspace.workspace_id), after):
            closings = dict(_closings_in(rows))
            elsewhere = self._elsewhere(closings)
            for row in await self._settled.rows(elsewhere) if elsewhere else ():
                conversation = self._settled.read(row)
                assert isinstance(conversation, Conversation)
                as_closed = conversation.closed_position == closings[conversation.conversation_id]
                if as_closed and is_listed(conversation):
                    self._found.append(row)
            count += self._count_in_memory(closings, is_listed)
            if count + len(self._found) > self._question.limit:
                self._upto = rows[-1].position
                return

    def put_in(self) -> bool:
        if self._settled.drops != self._drops or self._rights_now() != self._rights:
            return False
        self._settled.put(self._found)
        if self._upto is None:
            return True
        upto, is_listed = self._upto, self._is_listed()
        workspace = self._settled.workspace
        closed = (workspace.conversations[its_id] for its_id in workspace.closed)
        begun = (one for one in closed if (one.closed_position or 0) <= upto)
        return sum(map(is_listed, begun)) > self._question.limit

    def _elsewhere(self, closings: dict[ConversationId, Position]) -> list[SettledKey]:
        here = self._settled.workspace.conversations
        return [("conversation", its_id) for its_id in closings if its_id not in here]

    def _count_in_memory(
        self, closings: dict[ConversationId, Position], is_listed: Callable[[Conversation], bool]
    ) -> int:
        here = self._settled.workspace.conversations
        known = (here[its_id] for its_id in closings if its_id in here)
        return sum(
            one.closed_position == closings[one.conversation_id] and is_listed(one) for one in known
        )

    def _is_listed(self) -> Callable[[Conversation], bool]:
        is_listed = listed(self._settled.workspace, self._question, self._by)
        assert is_listed is not None
        return is_listed

    def _rights_now(self) -> Permissions:
        workspace = self._settled.workspace
        return permissions_of(workspace, workspace.operators[OperatorId(self._by.id)])


def _closings_in(rows: Sequence[StoredRow]) -> Iterator[tuple[ConversationId, Position]]:
    """Which conversations were closed where; of one that was twice the last comes last."""
    for row in rows:
        if row.topic.startswith(_CLOSED):
            try:
                event = decode_event(row.topic, row.state).data
            except UndecodableEvent as error:
                raise LogCorrupt(f"position {row.position}: {error}") from error
            assert isinstance(event, ConversationClosed)
            yield event.conversation_id, row.position
