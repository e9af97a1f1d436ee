"""Every subject there is, built and parsed in this one place.

A subject says who speaks in which workspace, and the broker's permissions hold it to that; so a
token is checked both when a subject is built (``ValueError``: whoever builds one has checked ids)
and when it is parsed (``Refused``: whoever sent it may be anybody).
"""

import re
from typing import Any, Literal, assert_never, get_args

import msgspec

from shared.routing.commands import Refused
from shared.routing.ids import (
    ConversationId,
    EntryPointId,
    OperatorId,
    SessionId,
    VisitorId,
    WorkspaceId,
)
from shared.routing.vocabulary import ActorKind, FeedKind

Purpose = Literal["cmd", "ask", "audit"]
"""To change something, to read the live state, to read the past."""

ROOT = "fernamt.v1"

EVENTS = f"{ROOT}.evt.>"
"""What the stream of events holds."""

BEATS = f"{ROOT}.beat.*.operator.*.*"
VIEWS = f"{ROOT}.seen.*.visitor.*"
HEADS = f"{ROOT}.head.*"
SIGNS = f"{ROOT}.sign.*.*.*"
WATCH = f"{ROOT}.watch"
"""Somebody watches over the presence of operators: said once a second, with an empty body."""
WORKSPACE_CREATION = f"{ROOT}.cmd.*.*.*.create_workspace"
"""The one command that is heard before its workspace has an owner."""
_HANDED_ON = f"{ROOT}.part."
BROKER_SERVERS = f"{ROOT}.broker.servers"
"""Where ``deploy/nats`` lets the router ask the broker which servers there are."""
BROKER_CONNECTIONS = f"{ROOT}.broker.connections"
"""... and ``auth``, who is connected; every server answers."""

_ID = "([A-Za-z0-9_-]{1,64})"
_WORD = "([a-z][a-z0-9_]{0,63})"
_KIND = f"({'|'.join(get_args(ActorKind))})"


class Call(msgspec.Struct, frozen=True, gc=False):
    """A command, a query or an audit question, by its subject: ``name`` is what is asked for."""

    purpose: Purpose
    workspace_id: WorkspaceId
    kind: ActorKind
    actor_id: str
    name: str


class Beat(msgspec.Struct, frozen=True, gc=False):
    """A heartbeat of one device of an operator."""

    workspace_id: WorkspaceId
    operator_id: OperatorId
    session_id: SessionId


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A page view of a visitor."""

    workspace_id: WorkspaceId
    visitor_id: VisitorId


class Head(msgspec.Struct, frozen=True, gc=False):
    """Between services: the log of the workspace has grown; the body is its last position."""

    workspace_id: WorkspaceId


class Sign(msgspec.Struct, frozen=True, gc=False):
    """Between services: somebody's command was accepted and wrote nothing into the log."""

    workspace_id: WorkspaceId
    kind: Literal["operator", "visitor"]
    actor_id: str


class OperatorFeed(msgspec.Struct, frozen=True, gc=False):
    """What one operator is told."""

    workspace_id: WorkspaceId
    operator_id: OperatorId


class VisitorFeed(msgspec.Struct, frozen=True, gc=False):
    """What one visitor is told."""

    workspace_id: WorkspaceId
    visitor_id: VisitorId


class TeamFeed(msgspec.Struct, frozen=True, gc=False):
    """What all operators are told."""

    workspace_id: WorkspaceId


class EntryFeed(msgspec.Struct, frozen=True, gc=False):
    """What pages that show an entry point are told."""

    workspace_id: WorkspaceId
    entry_point_id: EntryPointId


Feed = OperatorFeed | VisitorFeed | TeamFeed | EntryFeed


class Published(msgspec.Struct, frozen=True, gc=False):
    """An event after its commit; ``event`` is its name without version."""

    workspace_id: WorkspaceId
    event: str


class Transcript(msgspec.Struct, frozen=True, gc=False):
    """A request for the text of a conversation, answered by the chat back end."""

    workspace_id: WorkspaceId
    conversation_id: ConversationId


Address = Call | Beat | Seen | Head | Sign | Feed | Published | Transcript


# --- building -------------------------------------------------------------------------------


def subject_of(address: Address) -> str:
    """The subject that parses to ``address``; ``ValueError`` where a part of it is no token."""
    match address:
        case Call(purpose, workspace_id, kind, actor_id, name):
            return _built(_CALL, purpose, workspace_id, kind, actor_id, name)
        case Beat(workspace_id, operator_id, session_id):
            return _built(_BEAT, "beat", workspace_id, "operator", operator_id, session_id)
        case Seen(workspace_id, visitor_id):
            return _built(_SEEN, "seen", workspace_id, "visitor", visitor_id)
        case Head(workspace_id):
            return _built(_HEAD, "head", workspace_id)
        case Sign(workspace_id, kind, actor_id):
            return _built(_SIGN, "sign", workspace_id, kind, actor_id)
        case OperatorFeed(workspace_id, operator_id):
            return feed_of(workspace_id, "operator", operator_id)
        case VisitorFeed(workspace_id, visitor_id):
            return feed_of(workspace_id, "visitor", visitor_id)
        case EntryFeed(workspace_id, entry_point_id):
            return feed_of(workspace_id, "entry", entry_point_id)
        case TeamFeed(workspace_id):
            return feed_of(workspace_id, "team", "")
        case Published(workspace_id, event):
            return _built(_PUBLISHED, "evt", workspace_id, event)
        case Transcript(workspace_id, conversation_id):
            return _built(_TRANSCRIPT, "transcript", workspace_id, conversation_id)
        case _:
            assert_never(address)


def feed_of(workspace_id: str, whose: FeedKind, its_id: str) -> str:
    """The subject of one feed; ``its_id`` is empty for the team's. ``ValueError`` as above."""
    feeds = f"{ROOT}.feed.{checked_token(workspace_id)}.{whose}"
    return feeds if whose == "team" else f"{feeds}.{checked_token(its_id)}"


def commands_of(workspace_id: str) -> str:
    """The pattern of all commands to one workspace."""
    return f"{ROOT}.cmd.{checked_token(workspace_id)}.>"


def queries_of(workspace_id: str, query: str) -> str:
    """The pattern of one query to one workspace, whoever asks."""
    return f"{ROOT}.ask.{checked_token(workspace_id)}.*.*.{checked_token(query)}"


def queries_everywhere(query: str) -> str:
    """The pattern of one query to any workspace, whoever asks."""
    return f"{ROOT}.ask.*.*.*.{checked_token(query)}"


def audit_questions_of(workspace_id: str) -> str:
    """The pattern of all audit questions to one workspace."""
    return f"{ROOT}.audit.{checked_token(workspace_id)}.>"


def audit_everywhere(question: str) -> str:
    """The pattern of one audit question to any workspace, whoever asks."""
    return f"{ROOT}.audit.*.*.*.{checked_token(question)}"


def events_of(workspace_id: str) -> str:
    """The pattern of all events of one workspace."""
    return f"{ROOT}.evt.{checked_token(workspace_id)}.>"


def sharing_of(trade: str) -> str:
    """Between processes of one trade: somebody came or went, or gave something back."""
    return f"{ROOT}.share.{checked_token(trade)}"


def handed_on_to(partition: int) -> str:
    """The pattern of all commands that routers hand on to the owner of a partition."""
    return f"{_HANDED_ON}{partition}.>"


def handed_on(partition: int, command: str) -> str:
    """The subject of a command, as it is handed on to the owner of a partition."""
    return f"{_HANDED_ON}{partition}.{command.removeprefix(ROOT + '.')}"


def as_sent(handed_on: str) -> str:
    """The subject of the command that was handed on."""
    _partition, _, command = handed_on.removeprefix(_HANDED_ON).partition(".")
    return f"{ROOT}.{command}"


# --- parsing --------------------------------------------------------------------------------


def parse_call(subject: str) -> Call | Refused:
    """Read the subject of a command, a query or an audit question."""
    tokens = _read(_CALL, subject)
    return Call(*tokens) if tokens else _refused("command, query or audit question")


def parse_beat(subject: str) -> Beat | Refused:
    tokens = _read(_BEAT, subject)
    return Beat(*tokens) if tokens else _refused("heartbeat")


def parse_seen(subject: str) -> Seen | Refused:
    tokens = _read(_SEEN, subject)
    return Seen(*tokens) if tokens else _refused("page view")


def parse_head(subject: str) -> Head | Refused:
    tokens = _read(_HEAD, subject)
    return Head(*tokens) if tokens else _refused("notice of a new head")


def parse_sign(subject: str) -> Sign | Refused:
    tokens = _read(_SIGN, subject)
    return Sign(*tokens) if tokens else _refused("sign of life")


def parse_feed(subject: str) -> Feed | Refused:
    """Read whose feed it is."""
    if tokens := _read(_TEAM, subject):
        return TeamFeed(*tokens)
    if not (tokens := _read(_FEED, subject)):
        return _refused("feed")
    workspace_id, recipient, its_id = tokens
    match recipient:
        case "operator":
            return OperatorFeed(workspace_id, its_id)
        case "visitor":
            return VisitorFeed(workspace_id, its_id)
        case _:
            return EntryFeed(workspace_id, its_id)


def parse_published(subject: str) -> Published | Refused:
    tokens = _read(_PUBLISHED, subject)
    return Published(*tokens) if tokens else _refused("published event")


def parse_transcript(subject: str) -> Transcript | Refused:
    tokens = _read(_TRANSCRIPT, subject)
    return Transcript(*tokens) if tokens else _refused("transcript")


def end_connections_at(server_id: str) -> str:
    """Where ``deploy/nats`` lets both have a server end a connection."""
    return f"{ROOT}.broker.{checked_token(server_id)}.kick"


def is_reply(subject: str) -> bool:
    """Whether an answer may be sent there: into an inbox, never to a subject of ours.

    The broker checks who may publish a request, not where its answer goes; without this a service
    could be made to speak, with its own rights, wherever the caller likes.
    """
    return _REPLY.fullmatch(subject) is not None


def _pattern(*tokens: str) -> re.Pattern[str]:
    return re.compile(r"\.".join((re.escape(ROOT), *tokens)))


_CALL = _pattern(f"({'|'.join(get_args(Purpose))})", _ID, _KIND, _ID, _WORD)
_BEAT = _pattern("beat", _ID, "operator", _ID, _ID)
_SEEN = _pattern("seen", _ID, "visitor", _ID)
_HEAD = _pattern("head", _ID)
_SIGN = _pattern("sign", _ID, "(operator|visitor)", _ID)
_FEED = _pattern("feed", _ID, "(operator|visitor|entry)", _ID)
_TEAM = _pattern("feed", _ID, "team")
_PUBLISHED = _pattern("evt", _ID, _WORD)
_TRANSCRIPT = _pattern("transcript", _ID, _ID)
_TOKEN = re.compile(_ID)
_REPLY = re.compile(r"(?:_INBOX|_R_)(?:\.[A-Za-z0-9_$+=/-]{1,128}){1,16}")


def _read(pattern: re.Pattern[str], subject: str) -> tuple[Any, ...]:
    """The tokens that vary, empty if the subject has another form."""
    found = pattern.fullmatch(subject)
    return found.groups() if found else ()


def _built(pattern: re.Pattern[str], *tokens: str) -> str:
    subject = ".".join((ROOT, *tokens))
    if pattern.fullmatch(subject) is None:
        raise ValueError("a subject is built from checked tokens only")
    return subject


def checked_token(text: str) -> str:
    """The id, if it can stand in a subject; ``ValueError`` if it is none."""
    if _TOKEN.fullmatch(text) is None:
        raise ValueError("a subject is built from checked tokens only")
    return text


def _refused(what: str) -> Refused:
    return Refused("malformed", f"this is not the subject of a {what}")
