"""What a request names that may be settled, and which requests are about more than they name."""

from functools import cache

from shared.audit.liveness import NAMING, Keys
from shared.ports.archive import SettledKind
from shared.routing.commands import Erase
from shared.routing.questions import AskInbox
from shared.wire.queries import QueryRequest
from shared.wire.requests import CommandRequest

Asked = CommandRequest | QueryRequest


def named_in(asked: Asked) -> Keys:
    """The conversation, visitor and contact in it, and the visitor whose it is."""
    said = asked.command if isinstance(asked, CommandRequest) else asked.question
    named: Keys = {}
    for field, kind in _naming(type(said)):
        its_id = getattr(said, field)
        if its_id is not None:
            named[(kind, its_id)] = None
    if asked.by.kind == "visitor":
        named[("visitor", asked.by.id)] = None
    return named


@cache
def _naming(shape: type) -> tuple[tuple[str, SettledKind], ...]:
    fields: tuple[str, ...] = getattr(shape, "__struct_fields__", ())
    return tuple((field, kind) for field, kind in NAMING if field in fields)


def is_about_more(asked: Asked) -> bool:
    """Whether it may be about more than it names."""
    said = asked.command if isinstance(asked, CommandRequest) else asked.question
    return isinstance(said, Erase | AskInbox)


def erased_by(asked: Asked) -> tuple[str, str] | None:
    """Whose conversations, or visitors and conversations, are to be erased: kind and id."""
    if not isinstance(asked, CommandRequest) or not isinstance(asked.command, Erase):
        return None
    kind, _colon, its_id = asked.command.subject.partition(":")
    return (kind, its_id) if kind in ("visitor", "contact") else None


def closed_asked_by(asked: Asked) -> AskInbox | None:
    """The question, if it is one about closed conversations, whoever's they were."""
    if not isinstance(asked, QueryRequest) or not isinstance(asked.question, AskInbox):
        return None
    question = asked.question
    return question if question.state == "closed" and question.view != "mine" else None
