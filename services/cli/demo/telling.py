"""How a story is printed: steps, decisions of the log, what feeds brought, what was checked.

With colours on a terminal, as plain text elsewhere; one line for each thing, never broken.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from services.cli.demo.clients import LoggedEvent, Problem
from services.cli.demo.wording import event_text, target_text

Fields = Mapping[str, Any]

_MARGIN = 12
_SHOWN_FEED_TYPES = (
    "assigned",
    "offered",
    "offer_ended",
    "forwarded",
    "added",
    "queue_waiting",
    "escalated",
    "slow",
    "released",
    "returned",
    "missed",
    "queued",
    "operator_joined",
    "operator_left",
    "operator_presence",
    "reassigned",
    "notice",
    "closed",
    "invitation",
    "mode_changed",
)
"""The other messages keep screens up to date and would only fill this one."""


class Teller:
    """Prints to stdout."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, emoji=False, soft_wrap=True)

    def title(self, title: str, text: str) -> None:
        """The head of a story, and what it is about."""
        self.line("")
        self.line(title, "bold cyan")
        self.line("-" * len(title), "cyan")
        self.line(text)
        self.line("")

    def step(self, who: str, words: str) -> None:
        """Somebody does something."""
        self._console.print(Text.assemble((f"{who:<{_MARGIN - 2}}  ", "bold"), words))

    def event(self, event: LoggedEvent) -> None:
        """What the engine concluded, with its reasons, or which timer fell due."""
        text = event_text(event)
        if text:
            self._beside(f"log {event.position}", text, "green")

    def heard(self, names: Sequence[str], message: Fields) -> None:
        """What a message told those who subscribed to its feed."""
        if message["type"] in _SHOWN_FEED_TYPES:
            self._beside("told", f"{', '.join(names)}: {_message_text(message)}", "dim")

    def refused(self, problem: Problem) -> None:
        self._beside("refused", f"{problem.code}: {problem.message}", "yellow")

    def warned(self, warnings: Sequence[str]) -> None:
        self._beside("warning", ", ".join(warnings), "yellow")

    def shown(self, text: str) -> None:
        """The answer to a question."""
        self._beside("answer", text, "")

    def checked(self, claim: str) -> None:
        self._beside("checked", claim, "bold")

    def mail(self, recipients: Sequence[str], subject: str, text: str) -> None:
        """A mail that came."""
        self._beside("mail", f"to {', '.join(recipients)}: {subject}", "bold")
        for line in text.rstrip().splitlines():
            self.line(f"{' ' * _MARGIN}         | {line}".rstrip(), "")

    def timeline(self, conversation_id: str, entries: Sequence[Fields]) -> None:
        """Everything the log holds on one conversation."""
        self.line("")
        self.line(f"{' ' * _MARGIN}The timeline of {conversation_id}, as the log has it:", "italic")
        for entry in entries:
            self._beside(f"log {entry['position']}", _entry_text(entry), "")
        self.line("")

    def line(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style))

    def _beside(self, label: str, text: str, style: str) -> None:
        self.line(f"{' ' * _MARGIN}{label:<8} {text}", style)


def _message_text(message: Fields) -> str:
    about = [
        str(message[name])
        for name in ("conversation_id", "entry_point_id", "operator_id", "mode")
        if name in message
    ]
    about += [f"{name} {message[name]}" for name in ("by", "place", "offer") if message.get(name)]
    about += [str(message[name]) for name in ("how", "code") if name in message]
    about += [message["reason"]] if message["type"] == "returned" else []
    alert = ", alert" if message["alert"] else ""
    return f"{message['type']} {', '.join(about)}{alert}"


def _entry_text(entry: Fields) -> str:
    event = entry["event"]
    name = event["type"].partition(".")[0]
    in_words = event_text(LoggedEvent(entry["position"], name, event))
    if in_words:
        return f"{name}: {in_words}"
    said = [target_text(event["to"])] if "to" in event else []
    said += [str(event[name]) for name in ("operator_id", "status") if name in event]
    said += [f"note: {event['note']}"] if event.get("note") else []
    by = f" by {entry['by']['id']}" if entry["by"] else ""
    return f"{name}{by}{': ' if said else ''}{', '.join(said)}"
