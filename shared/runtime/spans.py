"""Every span that the services tell of: the one catalogue of them, with their attributes.

A trace leaves the house: whoever keeps it cannot be told to erase somebody. So no attribute holds
the id of a person, nor that of a conversation, which the chat platform chose and keeps people's
words under. Workspace and position name the event, and ``fernamt explain`` knows the rest.
"""

from collections.abc import Mapping

from shared.ports.tracing import SpanShape

ATTRIBUTES: Mapping[str, str] = {
    "workspace": "The workspace.",
    "position": "A position in its log: what the answer relies on, or the last event that is told.",
    "command": "The name of the command.",
    "question": "The type of the question.",
    "outcome": "answered, repeated, committed, sent and so on, or the code of a refusal.",
    "events": "How many events.",
    "rows": "How many events went into the same transaction, of all workspaces.",
    "messages": "How many messages to feeds.",
    "channel": "mail or webhook.",
    "attempt": "Which try it is.",
}
"""Their names, behind ``fernamt.``."""

COMMAND = SpanShape(
    "command",
    "server",
    "router",
    frozenset({"workspace", "command", "outcome", "position"}),
    "A command, from its reading to its answer. Its trace parent stands in the events it brings.",
)
DECIDE = SpanShape(
    "decide",
    "internal",
    "router",
    frozenset({"outcome", "events"}),
    "The decision; once more where a commit was lost and the log has been read again.",
)
COMMIT = SpanShape(
    "commit",
    "client",
    "router",
    frozenset({"outcome", "rows"}),
    "The transaction that its events went in, with whatever else had come meanwhile.",
)
PUBLISH = SpanShape(
    "publish",
    "producer",
    "router",
    frozenset({"workspace", "events", "position"}),
    "Its events on their way into the stream for back ends.",
)
TELL = SpanShape(
    "tell",
    "producer",
    "notifier",
    frozenset({"workspace", "messages", "position"}),
    "What feeds are told of it, from the reading of the log to the hand-over to the broker.",
)
DELIVER = SpanShape(
    "deliver",
    "producer",
    "notifier",
    frozenset({"workspace", "channel", "outcome", "attempt", "position"}),
    "One try to send a mail or a webhook about it.",
)
REPORT = SpanShape(
    "report",
    "client",
    "presence, evaluator",
    frozenset({"workspace", "command", "outcome"}),
    "A command by which a service reports to the router, one try.",
)
QUESTION = SpanShape(
    "question",
    "server",
    "router, notifier, evaluator, auditor",
    frozenset({"workspace", "question", "outcome", "position"}),
    "A question, from its reading to its answer.",
)

CATALOGUE: tuple[SpanShape, ...] = tuple(
    value for value in tuple(globals().values()) if isinstance(value, SpanShape)
)
"""All of them, in the order in which they stand above."""
