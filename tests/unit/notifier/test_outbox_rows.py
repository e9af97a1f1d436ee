"""What goes into the outbox for an event: the same rows however often, and no field lost."""

from typing import Any, get_args

from services.notifier.outbox import Planning, message_id
from shared.ports import OutboxRow
from shared.routing.events import EventUnion
from shared.routing.transaction import Recorded
from tests.core.listening import Listening
from tests.core.story import ADMIN, Steps, desk, opened, step

BESIDE = {"workspace", "position", "at", "by", "type"}
"""What stands beside the fields of an event in the body of a webhook."""


class Planned(Listening):
    """A story with the rows that it calls for, planned twice."""

    def __init__(self) -> None:
        self.rows: list[OutboxRow] = []
        self._planning = Planning(with_mails=True)
        super().__init__()

    def saw(self, recorded: Recorded) -> None:
        self.new = []
        super().saw(recorded)
        again = Planning(with_mails=True)
        position, envelope = recorded.position, recorded.envelope
        rows = self._planning.plan(self.workspace, position, envelope, self.new)
        assert rows == again.plan(self.workspace, position, envelope, self.new)
        self.rows += rows


def _hook(hook_id: str, *types: str) -> Steps:
    fields: dict[str, Any] = {"webhook_id": hook_id, "url": "https://h.test/", "types": types}
    return step(ADMIN, "define_webhook", **fields, secret="s")


def test_no03_no_event_has_a_field_that_stands_beside_its_fields() -> None:
    for event in get_args(EventUnion):
        assert BESIDE.isdisjoint(event.__struct_fields__), event


def test_no04_every_row_has_an_id_of_its_own() -> None:
    story = Planned()
    story.given(_hook("all", "*", "conversation_changed", "assigned", "queued"))
    story.given(_hook("some", "conversation_changed"), desk(ana=1), opened("c1", "c2", "c3"))
    ids = [row.id for row in story.rows]
    assert len(set(ids)) == len(ids) > 20
    assert {row.recipient for row in story.rows} == {"all", "some"}
    for row in story.rows:
        assert message_id(row).startswith(f"acme:{row.position}")
        assert row.id == f"{message_id(row)}:webhook:{row.recipient}"


def test_no03_a_name_of_both_an_event_and_a_message_brings_both() -> None:
    story = Planned()
    story.given(desk(ana=1), opened("c1"), _hook("h", "conversation_changed"))
    story.given(step(ADMIN, "set_conversation", conversation_id="c1", priority=9))
    types = {
        row.body.partition(b'"type":"conversation_changed.v1"')[1] != b"" for row in story.rows
    }
    assert types == {True, False}


def test_no03_a_webhook_gets_nothing_once_it_is_removed() -> None:
    story = Planned()
    story.given(_hook("h", "*")).given(step(ADMIN, "remove_webhook", webhook_id="h"))
    told = len(story.rows)
    story.given(desk(ana=1))
    assert len(story.rows) == told == 1
