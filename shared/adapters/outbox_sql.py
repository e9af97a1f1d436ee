"""What both outboxes hold of rows: their columns in order, and how a dead letter is found again."""

from collections.abc import Sequence
from typing import Any

from shared.adapters.log_rows import storable
from shared.ports import DeadLetter, OutboxRow, Pending
from shared.routing.ids import Position, UnixMs, WorkspaceId

ROW = "id, workspace, channel, recipient, position, body, created_at"
"""The columns of an ``OutboxRow``."""
START = (Position(0), "")
"""Stands before every row of a list."""


def values_of(row: OutboxRow) -> tuple[object, ...]:
    """The row as it is stored. Raises ``ValueError`` for text that no store can hold."""
    return (
        storable(row.id),
        storable(row.workspace_id),
        storable(row.channel),
        storable(row.recipient),
        row.position,
        row.body,
        row.created_at,
    )


def row_of(columns: Sequence[Any]) -> OutboxRow:
    its_id, workspace, channel, recipient, position, body, created_at = columns
    return OutboxRow(
        its_id,
        WorkspaceId(workspace),
        channel,
        recipient,
        Position(position),
        bytes(body),
        UnixMs(created_at),
    )


def pending_of(columns: Sequence[Any]) -> Pending:
    """Of the columns of a row, ``attempts`` and ``next_at``."""
    *row, attempts, next_at = columns
    return Pending(row_of(row), attempts, UnixMs(next_at))


def dead_letter_of(columns: Sequence[Any]) -> DeadLetter:
    """Of the columns of a row, ``attempts``, ``next_at`` and ``last_error``."""
    *row, attempts, died_at, error = columns
    return DeadLetter(row_of(row), attempts, UnixMs(died_at), error)
