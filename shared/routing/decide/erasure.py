"""Whose texts go when somebody is erased: the subject's own, and those that hang on it.

Whether there are any is not known here: the log holds references, never texts. So a subject of
which the log knows nothing is erased like any other, and asking again erases again.
"""

from collections.abc import Callable, Iterator
from typing import Any

from shared.routing import commands as c
from shared.routing import events as e
from shared.routing.commands import Command
from shared.routing.decide.verdict import Facts, Instruction
from shared.routing.workspace import Workspace

SUBJECTS_MAX = 1_000
"""In one event; an event has to fit into a message."""


def _erase(workspace: Workspace, command: c.Erase, _: Instruction) -> Facts:
    kind, _colon, its_id = command.subject.partition(":")
    subjects = tuple(dict.fromkeys((command.subject, *_hanging_on(workspace, kind, its_id))))
    return Facts(
        tuple(
            e.SubjectErased(subjects[begin : begin + SUBJECTS_MAX])
            for begin in range(0, len(subjects), SUBJECTS_MAX)
        )
    )


def _hanging_on(workspace: Workspace, kind: str, its_id: str) -> Iterator[str]:
    """A contact's visitors, and the conversations of a visitor or contact, closed ones too.

    The visitors by id: in which order they lie in memory is no part of the state.
    """
    if kind not in ("visitor", "contact"):
        return
    visitors: dict[str, None] = {its_id: None} if kind == "visitor" else {}
    if kind == "contact":
        known = workspace.visitors.values()
        for visitor_id in sorted(one.visitor_id for one in known if one.contact_id == its_id):
            visitors[visitor_id] = None
            yield f"visitor:{visitor_id}"
    for conversation in workspace.conversations.values():
        of_contact = kind == "contact" and conversation.contact_id == its_id
        if of_contact or conversation.visitor_id in visitors:
            yield f"conversation:{conversation.conversation_id}"


DECIDE: dict[type[Command], Callable[[Workspace, Any, Instruction], Facts]] = {
    c.Erase: _erase,
}
