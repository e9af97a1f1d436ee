"""``fernamt roster``: who was there at a moment, and how loaded."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.console import RenderableType

from services.cli import words
from services.cli.moments import Clock
from services.cli.options import DEFAULT_DATA, DataDir, LogFile, StoreUrl
from services.cli.past import (
    AsJson,
    AtPosition,
    AtTime,
    Broker,
    Past,
    Told,
    Where,
    WorkspaceName,
    Zone,
    as_fields,
    asked,
    print_answer,
)
from services.cli.tables import Cell, heading, table
from shared.routing.queries import Roster
from shared.routing.views import RosterEntry

InGroup = Annotated[str, typer.Option("--group", help="Only this group.")]


def roster(
    position: AtPosition = None,
    at: AtTime = "",
    group: InGroup = "",
    workspace: WorkspaceName = "",
    data: DataDir = DEFAULT_DATA,
    store: StoreUrl = "",
    log: LogFile = None,
    nats: Broker = "",
    zone: Zone = "",
    as_json: AsJson = False,
) -> None:
    """Show every operator as of a moment: status, since when and why, load, groups.

    Without a moment: as of the end of the log. Reads the log and writes nothing.

    Exit code 0: shown. 1: the log is damaged. 2: an unknown group, or nothing could be read.
    """

    async def ask(past: Past) -> tuple[Told[Roster], Clock]:
        fields = as_fields(await past.moment(position, at))
        asking = {**fields, "group_id": group} if group else fields
        return await past.ask("roster", asking, Roster), await past.clock()

    told, clock = asked(Where(workspace, data, store, log, nats, zone), ask)
    print_answer(told, as_json, lambda: roster_in_words(told, clock))


def roster_in_words(told: Told[Roster], clock: Clock) -> Iterator[RenderableType]:
    """The answer for people."""
    operators = told.result.operators
    yield heading(f"{may_get(operators)}, {free_slots(operators)} slots free")
    yield f"as of {clock.named(told.at)}, position {told.position}"
    yield ""
    columns = ("operator", "status", "since", "load", "free", "groups")
    yield table(columns, (_row(one, clock, told.at) for one in operators), right=("load", "free"))


def may_get(operators: Sequence[RosterEntry]) -> str:
    """How many of them new conversations go to."""
    routable = sum(one.routable for one in operators)
    return f"{routable} of {len(operators)} operators may get conversations"


def free_slots(operators: Sequence[RosterEntry]) -> int:
    """Of those whom new conversations go to."""
    return sum(max(one.capacity - one.load, 0) for one in operators if one.routable)


def _row(one: RosterEntry, clock: Clock, at: int) -> tuple[Cell, ...]:
    return (
        one.operator_id,
        words.status(one.effective, one.cause) + _beside(one),
        clock.beside(one.since, at) if one.since else "",
        f"{one.load}/{one.capacity}",
        str(max(one.capacity - one.load, 0)) if one.routable else "-",
        ", ".join(one.groups),
    )


def _beside(one: RosterEntry) -> str:
    """What the status does not say: a choice that does not show, or a lost connection."""
    beside = [] if one.chosen == one.effective else [f"chose {one.chosen}"]
    if not one.connected and one.cause not in ("disconnected", "logout", "never_logged_in"):
        beside.append("not connected")
    return f" ({', '.join(beside)})" if beside else ""
