"""The front ends of the sample shop: one connection on which any of its people may speak.

They know the wire contract and nothing else. What is refused is counted: somebody else was faster.
"""

from collections import Counter
from typing import Any

import msgspec

from services.cli.demo.clients import Answer, Desk, Fields, FrontEnd, Widget
from services.cli.sample.shop import WORKSPACE, Person
from shared.adapters.nats_bus import NatsBus


class AdminDesk(FrontEnd):
    """An administration tool, for what nobody else may do."""


class FrontEnds:
    """Commands, questions and heartbeats over one bus."""

    def __init__(self, bus: NatsBus) -> None:
        self.accepted = 0
        self.refused: Counter[str] = Counter()
        """By code."""
        self._bus = bus

    async def operator(self, operator_id: str, command: str, **fields: object) -> bool:
        return self._counted(
            await Desk(self._bus, WORKSPACE, operator_id).command(command, **fields)
        )

    async def visitor(self, visitor_id: str, entry: str, command: str, **fields: object) -> bool:
        widget = Widget(self._bus, WORKSPACE, visitor_id, entry)
        return self._counted(await widget.command(command, **fields))

    async def admin(self, command: str, **fields: object) -> bool:
        tool = AdminDesk(self._bus, WORKSPACE, "admin")
        return self._counted(await tool.command(command, **fields))

    async def sees(self, visitor_id: str, entry: str, url: str) -> None:
        """A visitor looks at a page; rules may arrange something for it."""
        await Widget(self._bus, WORKSPACE, visitor_id, entry).sees(url)

    async def conversations(self, operator_id: str, state: str) -> list[Fields]:
        """The open conversations in this state, as this operator sees all of them."""
        desk = Desk(self._bus, WORKSPACE, operator_id)
        answer = await desk.ask("inbox", view="all", state=state)
        found: list[Fields] = answer["conversations"]
        return found

    async def roster(self) -> dict[str, Fields]:
        """Every operator's entry by id."""
        answer = await AdminDesk(self._bus, WORKSPACE, "admin").ask("roster")
        return {entry["operator_id"]: entry for entry in answer["operators"]}

    def beat(self, person: Person) -> None:
        """His device is there, and he is at it."""
        subject = f"fernamt.v1.beat.{WORKSPACE}.operator.{person.operator_id}.{person.session}"
        self._bus.publish(subject, _encode({"active": True}))

    def _counted(self, answer: Answer) -> bool:
        if answer.error is None:
            self.accepted += 1
            return True
        self.refused[answer.error.code] += 1
        return False


def _encode(fields: dict[str, Any]) -> bytes:
    return msgspec.json.encode(fields)
