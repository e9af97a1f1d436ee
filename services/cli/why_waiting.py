"""``fernamt why-waiting``: why a conversation waited, and what would have ended it."""

from collections.abc import Iterator
from typing import Annotated

import typer
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
from services.cli.tables import Cell, facts, heading
from shared.audit.answers import WhyWaitingView


def why_waiting(
    conversation: Annotated[str, typer.Argument(help="Id of the conversation.")],
    position: AtPosition = None,
    at: AtTime = "",
    workspace: WorkspaceName = "",
    data: DataDir = DEFAULT_DATA,
    store: StoreUrl = "",
    log: LogFile = None,
    nats: Broker = "",
    zone: Zone = "",
    as_json: AsJson = False,
) -> None:
    """Say why a conversation waited, and which single change would have ended that.

    As of a moment, or of the last time it waited. Reads the log and writes nothing.

    Exit code 0: answered. 1: the log is damaged. 2: unknown ids, one that did not wait, or nothing
    could be read.
    """

    async def ask(past: Past) -> tuple[Told[WhyWaitingView], Clock]:
        fields = as_fields(await past.moment(position, at))
        asking = {"conversation_id": conversation, **fields}
        return await past.ask("why_waiting", asking, WhyWaitingView), await past.clock()

    told, clock = asked(Where(workspace, data, store, log, nats, zone), ask)
    print_answer(told, as_json, lambda: why_waiting_in_words(told.result, clock))


def why_waiting_in_words(answer: WhyWaitingView, clock: Clock) -> Iterator[RenderableType]:
    """The answer for people."""
    its = answer.conversation
    yield heading(f"{its.conversation_id} waits: {words.WAITING[answer.reason]}")
    yield facts(_facts(answer, clock))
    if answer.changes:
        yield ""
        yield "Any one of these would have ended it:"
        yield from (f"  - {words.change(change)}" for change in answer.changes)
    else:
        yield "No single change that was tried would have ended it."


def _facts(answer: WhyWaitingView, clock: Clock) -> Iterator[tuple[str, Cell]]:
    its = answer.conversation
    yield "because", words.coded(words.WAITING, answer.reason)
    since = f", since {clock.named(its.queued_at)}" if its.queued_at is not None else ""
    yield "waited", f"{duration(answer.waited_ms)}{since}"
    yield "queued", f"it {words.coded(words.HOLDS, answer.hold)}"
    if answer.place is not None:
        yield "place", str(answer.place)
    yield "it is", f"{its.visitor_id}'s, for {words.scope(its.scope)}"
    yield "asks for", ", ".join((*its.skills, *its.optional_skills)) or "no skills"
    if answer.until is not None:
        yield "by itself", f"something falls due for it {clock.named(answer.until)}"
