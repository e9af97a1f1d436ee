"""How a story is printed: steps, decisions of the log, what feeds brought, what was checked.

With colours on a terminal, as plain text elsewhere; one line for each thing, never broken.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from services.cli.demo.clients import LoggedEvent, Problem

Fields = Mapping[str, Any]

_MARGIN = 12
_SHOWN_FEED_TYPES = (
    "assigned",
    "forwarded",
    "added",
    "queue_waiting",
    "released",
    "queued",
    "operator_joined",
    "operator_left",
    "closed",
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

    def decision(self, event: LoggedEvent) -> None:
        """What the engine concluded, with its reasons, if the event is a decision."""
        text = decision_text(event)
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


def decision_text(event: LoggedEvent) -> str:
    """A decision in words, empty for a fact."""
    fields = event.fields
    match event.name:
        case "conversation_assigned":
            return f"{fields['conversation_id']} goes to {_why_assigned(fields)}"
        case "conversation_queued":
            return (
                f"{fields['conversation_id']} waits: {fields['reason']} "
                f"(delivery {fields['delivery']}, pool of {fields['pool_size']})"
            )
        case "conversation_broadcast":
            return f"{fields['conversation_id']} is told to {', '.join(fields['operator_ids'])}"
        case "conversation_redirected":
            target = target_text(fields["to"])
            return f"{fields['conversation_id']} is redirected to {target}: {fields['reason']}"
        case "operator_status_changed":
            return f"{fields['operator_id']} is {fields['effective']} ({fields['cause']})"
        case "entry_point_mode_changed":
            return f"entry point {fields['entry_point_id']} is {fields['mode']}"
        case _:
            return ""


def target_text(target: Fields) -> str:
    """Whom a scope means: ``group second``, ``operator ana``, ``everyone``."""
    ((kind, its_id),) = target.items()
    return str(kind) if its_id is True else f"{kind} {its_id}"


def _why_assigned(fields: Fields) -> str:
    if fields["reason"] != "routed":
        excess = ", over capacity" if fields["excess"] else ""
        return f"{fields['operator_id']}: {fields['reason']}, nobody was ranked{excess}"
    key = ", ".join(map(str, fields["key"]))
    return (
        f"{fields['operator_id']}: {fields['ranking']}, key ({key}), "
        f"pool of {fields['pool_size']}, tie-break {fields['tie_break']}"
    )


def _message_text(message: Fields) -> str:
    about = [
        str(message[name])
        for name in ("conversation_id", "entry_point_id", "operator_id", "mode")
        if name in message
    ]
    about += [f"{name} {message[name]}" for name in ("by", "place") if message.get(name)]
    alert = ", alert" if message["alert"] else ""
    return f"{message['type']} {', '.join(about)}{alert}"


def _entry_text(entry: Fields) -> str:
    event = entry["event"]
    name = event["type"].partition(".")[0]
    decided = decision_text(LoggedEvent(entry["position"], name, event))
    if decided:
        return f"{name}: {decided}"
    said = [target_text(event["to"])] if "to" in event else []
    said += [str(event[name]) for name in ("operator_id", "status") if name in event]
    said += [f"note: {event['note']}"] if event.get("note") else []
    by = f" by {entry['by']['id']}" if entry["by"] else ""
    return f"{name}{by}{': ' if said else ''}{', '.join(said)}"
