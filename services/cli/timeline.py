"""``fernamt timeline``: everything that happened in one conversation."""

from collections.abc import Iterator
from typing import Annotated

import typer
from msgspec.structs import replace
from rich.console import RenderableType
from rich.text import Text

from services.cli import words
from services.cli.event_words import named, said_of
from services.cli.moments import Clock
from services.cli.options import DEFAULT_DATA, DataDir, LogFile, StoreUrl
from services.cli.past import (
    AsJson,
    Broker,
    Past,
    Told,
    Where,
    WorkspaceName,
    Zone,
    asked,
    merged,
    print_answer,
)
from services.cli.tables import Cell, heading, table
from shared.audit.answers import EventView, Timeline

PAGE = 1_000


def timeline(
    conversation: Annotated[str, typer.Argument(help="Id of the conversation.")],
    workspace: WorkspaceName = "",
    data: DataDir = DEFAULT_DATA,
    store: StoreUrl = "",
    log: LogFile = None,
    nats: Broker = "",
    zone: Zone = "",
    as_json: AsJson = False,
) -> None:
    """Tell everything that happened in a conversation, with who did it and what was decided.

    Reads the log and writes nothing.

    Exit code 0: told. 1: the log is damaged. 2: an unknown id, or nothing could be read.
    """

    async def ask(past: Past) -> tuple[Told[Timeline], Clock]:
        return await whole_timeline(past, conversation), await past.clock()

    told, clock = asked(Where(workspace, data, store, log, nats, zone), ask)
    print_answer(told, as_json, lambda: timeline_in_words(told.result, clock))


async def whole_timeline(past: Past, conversation: str) -> Told[Timeline]:
    """All pages of a timeline as one answer."""
    fields: dict[str, object] = {"conversation_id": conversation, "limit": PAGE}
    told = await past.ask("timeline", fields, Timeline)
    while told.result.next is not None:
        more = await past.ask("timeline", {**fields, "after": told.result.next}, Timeline)
        told = merged(more, replace(more.result, events=(*told.result.events, *more.result.events)))
    return told


def timeline_in_words(answer: Timeline, clock: Clock) -> Iterator[RenderableType]:
    """The answer for people."""
    its = answer.conversation
    owner = f" ({its.owner})" if its.owner else ""
    yield heading(f"{its.conversation_id} of {its.visitor_id} {words.STATES[its.state]}{owner}")
    yield f"opened {clock.named(its.opened_at)}; a star marks what the engine decided"
    yield ""
    rows = (_row(one, clock, its.opened_at) for one in answer.events)
    yield table(("position", "time", "by", "what"), rows, right=("position",))


def _row(one: EventView, clock: Clock, opened_at: int) -> tuple[Cell, ...]:
    what = Text(said_of(one.event))
    what.append(f"  {named(one.type)}", "dim")
    if one.decision:
        what = Text.assemble(("* ", "green"), what)
    by = "" if one.decision else words.who(one.by)
    return str(one.position), clock.beside(one.at, opened_at), by, what
