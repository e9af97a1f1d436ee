"""Which commands a retry is recognised by: the newest ones, of the last hour."""

import pytest

from shared.routing import evolve as room
from shared.routing.events import Actor, Envelope, Request, VisitorIdentified
from shared.routing.ids import CommandId, ContactId, Position, UnixMs, VisitorId
from shared.routing.workspace import Workspace

VERA = Actor("visitor", "vera")


def _sent(workspace: Workspace, number: int, at: int) -> None:
    envelope = Envelope(
        at=UnixMs(at),
        first=Position(workspace.position + 1),
        rev=1,
        epoch=1,
        data=VisitorIdentified(VisitorId("vera"), ContactId(f"k-{number}")),
        by=VERA,
        cmd=CommandId(f"c-{number}"),
        request=Request("identify", "0"),
    )
    room.evolve(workspace, envelope)


def _kept(workspace: Workspace) -> list[str]:
    return [command_id for _, _, command_id in workspace.commands]


def test_the_oldest_are_forgotten_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "COMMANDS_MAX", 3)
    workspace = Workspace()
    for number in range(5):
        _sent(workspace, number, at=1_000)
    assert _kept(workspace) == ["c-2", "c-3", "c-4"]


def test_those_older_than_an_hour_are_forgotten_also_after_a_restore() -> None:
    workspace = Workspace()
    for number in range(4):
        _sent(workspace, number, at=number * 1_000)
    workspace.restore()
    _sent(workspace, 4, at=room.COMMANDS_KEPT_MS + 1_500)
    assert _kept(workspace) == ["c-2", "c-3", "c-4"]


def test_a_command_seen_again_is_kept_once() -> None:
    workspace = Workspace()
    for number in (0, 1, 0):
        _sent(workspace, number, at=number * 1_000)
    _sent(workspace, 2, at=room.COMMANDS_KEPT_MS + 500)
    assert _kept(workspace) == ["c-1", "c-2"]
