"""A story whose feeds are listened to: every message, as its reader gets it."""

from collections.abc import Sequence
from typing import Any

from shared.routing.events import Actor
from shared.routing.notify import TEAM, Numbered, Telling
from shared.routing.transaction import Recorded
from shared.routing.workspace import Workspace
from tests.core.story import Steps, Story


class Listening(Story):
    """``Story`` with its feeds. ``new`` holds what the last step said."""

    def __init__(self) -> None:
        self.heard: list[Numbered] = []
        self.new: list[Numbered] = []
        self._telling = Telling(Workspace(workspace_id="acme"))
        super().__init__()

    def saw(self, recorded: Recorded) -> None:
        self._hear(self._telling.begins(*recorded))
        self._hear(self._telling.feed(*recorded))

    def given(self, *steps: Steps) -> "Listening":
        super().given(*steps)
        self.new = []
        return self

    def after(self, seconds: int) -> "Listening":
        self.new = []
        super().after(seconds)
        self._hear(self._telling.rest())
        return self

    def when(self, actor: Actor, name: str, /, *, cmd: str | None = None, **fields: Any) -> "Story":
        super().when(actor, name, cmd=cmd, **fields)
        self._hear(self._telling.rest())
        return self

    def _hear(self, messages: Sequence[Numbered]) -> None:
        self.heard += messages
        self.new += messages

    def told_to(self, operator_id: str) -> list[dict[str, Any]]:
        """What the last step said to an operator, with whether it rings."""
        return self._said("operator", operator_id)

    def told_visitor(self, visitor_id: str) -> list[dict[str, Any]]:
        return self._said("visitor", visitor_id)

    def told_team(self) -> list[dict[str, Any]]:
        return self._said(*TEAM)

    def told_page(self, entry_point_id: str) -> list[dict[str, Any]]:
        return self._said("entry", entry_point_id)

    def _said(self, kind: str, its_id: str) -> list[dict[str, Any]]:
        return [
            {"type": note.type, **({"alert": True} if note.alert else {}), **note.fields}
            for note in (numbered.notification for numbered in self.new)
            if (note.recipient.kind, note.recipient.id) == (kind, its_id)
        ]


def heard_again(log: Sequence[Recorded]) -> list[Numbered]:
    """What somebody says who reads the same log in one go."""
    telling = Telling(Workspace(workspace_id="acme"))
    heard: list[Numbered] = []
    for recorded in log:
        heard += telling.begins(*recorded)
        heard += telling.feed(*recorded)
    return heard + telling.rest()
