"""``fernamt queue``: what waited at a moment, in which order and why."""

from collections.abc import Iterator

from rich.console import RenderableType

from services.cli import words
from services.cli.moments import Clock, duration
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
from services.cli.roster import InGroup
from services.cli.tables import heading, table
from shared.routing.queries import Queue


def queue(
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
    """Show what waited as of a moment: place, how long, and why.

    Without a moment: as of the end of the log. Reads the log and writes nothing.

    Exit code 0: shown, though nothing waited. 1: the log is damaged. 2: an unknown group, or
    nothing could be read.
    """

    async def ask(past: Past) -> tuple[Told[Queue], Clock]:
        fields = as_fields(await past.moment(position, at))
        asking = {**fields, "group_id": group} if group else fields
        return await past.ask("queue", asking, Queue), await past.clock()

    told, clock = asked(Where(workspace, data, store, log, nats, zone), ask)
    print_answer(told, as_json, lambda: queue_in_words(told, clock))


def queue_in_words(told: Told[Queue], clock: Clock) -> Iterator[RenderableType]:
    """The answer for people."""
    waiting, total = told.result.waiting, told.result.total
    yield heading(f"{words.counted(total, 'conversation')} waiting")
    yield f"as of {clock.named(told.at)}, position {told.position}"
    if not waiting:
        return
    if len(waiting) < total:
        yield f"these are the first {len(waiting)}"
    yield ""
    rows = (
        (
            str(one.place),
            one.conversation_id,
            duration(one.waited_ms),
            words.coded(words.WAITING, one.reason),
        )
        for one in waiting
    )
    columns = ("place", "conversation", "waited", "why")
    yield table(columns, rows, right=("place", "waited"))
