"""Which messages travel on which subject, and what comes back: the wire, said once for AsyncAPI.

Seen from Fernamt, it receives commands and sends feeds. What services say to each other alone
(heads, signs, what is handed on) is no contract with anybody and is not here.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from services.cli.schemas.catalogue import QUERY_RESULTS, Nothing, Shape, command_result
from services.cli.schemas.json_schema import Schema, who
from services.notifier.transcripts import TranscriptText
from services.presence.watching import BeatBody
from shared.adapters.event_stream import STREAM
from shared.audit.answering import RESULTS as AUDIT_RESULTS
from shared.routing.commands import COMMANDS
from shared.routing.events import EVENT_TYPES
from shared.routing.ids import (
    ConversationId,
    EntryPointId,
    OperatorId,
    SessionId,
    VisitorId,
    WorkspaceId,
)
from shared.routing.questions import EVERY_QUERY, Question
from shared.wire.audit import AUDIT_QUESTIONS
from shared.wire.feeds import FEEDS
from shared.wire.subjects import (
    Address,
    Beat,
    Call,
    EntryFeed,
    Feed,
    OperatorFeed,
    Published,
    Seen,
    TeamFeed,
    Transcript,
    VisitorFeed,
    subject_of,
)
from shared.wire.views import PageView, SeenAnswer

Headers = Literal["CommandHeaders", "QuestionHeaders", "EventHeaders", "FeedHeaders"]


class Exchange(NamedTuple):
    """What is said on one subject, and what may come back.

    ``subject`` has ``{names}`` for what varies. ``says`` are bodies by the name of their message;
    ``result`` is what stands in the ``result`` of a reply, ``answer`` a reply that has a shape of
    its own. What Fernamt is asked it may also refuse.
    """

    name: str
    subject: str
    action: Literal["receive", "send"]
    about: str
    says: Mapping[str, Shape]
    headers: Headers | None = None
    result: Shape | None = None
    answer: Shape | None = None
    extra: Schema = {}

    @property
    def group(self) -> str:
        """The first word of its name: ``command``."""
        return self.name.partition(".")[0]


def exchanges() -> Iterator[Exchange]:
    """Everything that front ends, back ends and tools say and hear."""
    yield from _commands()
    yield from _questions("query", "ask", EVERY_QUERY, QUERY_RESULTS)
    yield from _questions("audit", "audit", AUDIT_QUESTIONS, AUDIT_RESULTS)
    yield _beats()
    yield _views()
    yield from _feeds()
    yield _events()
    yield _transcripts()


# --- what is asked of Fernamt ---------------------------------------------------------------

_W = WorkspaceId("-workspace-")


def _commands() -> Iterator[Exchange]:
    for name, command in COMMANDS.items():
        yield Exchange(
            f"command.{name}",
            _reserved_to(command.reserved, name) if command.reserved else _call("cmd", name),
            "receive",
            f"Sent by: {_listed(command.allowed)}.",
            {f"command.{name}": command},
            "CommandHeaders",
            result=command_result(command),
            extra=who(command),
        )


def _questions(
    group: str,
    purpose: Literal["ask", "audit"],
    questions: Mapping[str, type[Question]],
    results: Mapping[str, Shape],
) -> Iterator[Exchange]:
    for name, question in questions.items():
        yield Exchange(
            f"{group}.{name}",
            _call(purpose, name),
            "receive",
            f"Asked by: {_listed(question.allowed)}.",
            {f"{group}.{name}": question},
            "QuestionHeaders",
            result=results[name],
            extra={"x-allowed": list(question.allowed)},
        )


def _beats() -> Exchange:
    return Exchange(
        "beat",
        _template(Beat(_W, OperatorId("-actor-"), SessionId("-session-"))),
        "receive",
        "A heartbeat of one device of an operator. Nobody answers.",
        {"beat": BeatBody},
    )


def _views() -> Exchange:
    return Exchange(
        "seen",
        _template(Seen(_W, VisitorId("-actor-"))),
        "receive",
        "A visitor looks at a page: published, or sent as a request, which is answered once all "
        "that follows is in the log.",
        {"seen": PageView},
        answer=SeenAnswer,
    )


# --- what Fernamt says by itself ------------------------------------------------------------

_FEED_SUBJECTS: Mapping[str, Feed] = {
    "operator": OperatorFeed(_W, OperatorId("-actor-")),
    "visitor": VisitorFeed(_W, VisitorId("-actor-")),
    "team": TeamFeed(_W),
    "entry": EntryFeed(_W, EntryPointId("-entry_point-")),
}
_FEED_READERS = {
    "operator": "What one operator is told.",
    "visitor": "What one visitor is told.",
    "team": "What all operators are told.",
    "entry": "What pages that show an entry point are told.",
}


def _feeds() -> Iterator[Exchange]:
    for feed, messages in FEEDS.items():
        yield Exchange(
            f"feed.{feed}",
            _template(_FEED_SUBJECTS[feed]),
            "send",
            _FEED_READERS[feed],
            {f"feed.{feed}.{message.__struct_config__.tag}": message for message in messages},
            "FeedHeaders",
        )


def _events() -> Exchange:
    return Exchange(
        "event",
        _template(Published(_W, "event")).replace(".event", ".{event}"),
        "send",
        "Every event after its commit, for back ends; kept by the stream for seven days.",
        {f"event.{name}": event for name, event in EVENT_TYPES.items()},
        "EventHeaders",
        extra={"x-stream": STREAM},
    )


def _transcripts() -> Exchange:
    return Exchange(
        "transcript",
        _template(Transcript(_W, ConversationId("-conversation-"))),
        "send",
        "Asked of the chat back end: the text of a conversation, for a mail.",
        {"transcript": Nothing},
        answer=TranscriptText,
    )


# --- subjects -------------------------------------------------------------------------------


def _template(address: Address) -> str:
    """Its subject, with ``{name}`` wherever a part of it is ``-name-``."""
    return re.sub(r"\.-(\w+)-", r".{\1}", subject_of(address))


def _call(purpose: Literal["cmd", "ask", "audit"], name: str) -> str:
    """The subject of a request that any kind of actor may try."""
    subject = _template(Call(purpose, _W, "operator", "-actor-", name))
    return subject.replace(".operator.{actor}.", ".{kind}.{actor}.")


def _reserved_to(service: str, command: str) -> str:
    """The subject of a command that one service alone may send."""
    return _template(Call("cmd", _W, "service", service, command))


def _listed(kinds: tuple[str, ...]) -> str:
    return ", ".join(kinds)
