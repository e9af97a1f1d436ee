"""``fernamt diff``: what is different between two moments."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import RenderableType

from services.cli import words
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
    as_fields,
    asked,
    print_answer,
)
from services.cli.tables import heading, table
from shared.audit.answers import Diff
from shared.routing.views import ConversationView, RosterEntry


def diff(
    at: Annotated[
        list[str] | None,
        typer.Option("--at", help="A time: 14:03, '10 minutes ago', @POSITION; once or twice."),
    ] = None,
    position: Annotated[
        list[int] | None, typer.Option("--position", min=0, help="A position; once or twice.")
    ] = None,
    workspace: WorkspaceName = "",
    data: DataDir = DEFAULT_DATA,
    store: StoreUrl = "",
    log: LogFile = None,
    nats: Broker = "",
    zone: Zone = "",
    as_json: AsJson = False,
) -> None:
    """Show what is different between two moments, or between one moment and the end of the log.

    Operators, conversations that are open at one of the two, modes of entry points. Reads the log
    and writes nothing.

    Exit code 0: shown, though nothing differs. 1: the log is damaged. 2: no moment or too many, or
    nothing could be read.
    """

    async def ask(past: Past) -> tuple[Told[Diff], Clock]:
        moments = [await past.moment(one, "") for one in position or ()]
        moments += [await past.moment(None, one, early=True) for one in at or ()]
        if len(moments) not in (1, 2):
            raise ValueError("two moments are compared: --at or --position, once or twice")
        ends = zip(("from", "to"), map(as_fields, moments), strict=False)
        return await past.ask("diff", dict(ends), Diff), await past.clock()

    told, clock = asked(Where(workspace, data, store, log, nats, zone), ask)
    print_answer(told, as_json, lambda: diff_in_words(told.result, clock))


def diff_in_words(answer: Diff, clock: Clock) -> Iterator[RenderableType]:
    """The answer for people."""
    groups = {
        "operator": answer.operators,
        "conversation": answer.conversations,
        "entry point": answer.entry_points,
    }
    counted = [words.counted(len(found), what) for what, found in groups.items()]
    yield heading(f"different: {', '.join(counted)}")
    for word, moment in (("from", answer.before), ("to", answer.after)):
        when = clock.named(moment.at) if moment.position else "before the log begins"
        yield f"{word:<4} {when}, position {moment.position}"
    if answer.policy_changed:
        yield "a policy was set in between"
    rows = [
        *(
            ("operator", one.operator_id, _operator(one.before, one.after))
            for one in answer.operators
        ),
        *(
            ("conversation", one.conversation_id, _conversation(one.before, one.after))
            for one in answer.conversations
        ),
        *(
            ("entry point", one.entry_point_id, f"{one.before or '-'} -> {one.after or '-'}")
            for one in answer.entry_points
        ),
    ]
    if rows:
        yield ""
        yield table(("what", "id", "difference"), rows)


def _operator(before: RosterEntry | None, after: RosterEntry | None) -> str:
    if after is None:
        return "was removed"
    if before is None:
        return f"is new: {words.status(after.effective, after.cause)}, {_load(after)}"
    return _changes(
        (
            "",
            words.status(before.effective, before.cause),
            words.status(after.effective, after.cause),
        ),
        ("chose", before.chosen, after.chosen),
        ("connected", _yes(before.connected), _yes(after.connected)),
        ("load", _load(before), _load(after)),
        ("groups", ", ".join(before.groups), ", ".join(after.groups)),
    )


def _load(entry: RosterEntry) -> str:
    return f"{entry.load}/{entry.capacity}"


def _yes(held: bool) -> str:
    return "yes" if held else "no"


def _conversation(before: ConversationView | None, after: ConversationView) -> str:
    if before is None:
        return f"is new: {_stands(after)}"
    return _changes(
        ("", _stands(before), _stands(after)),
        ("for", words.scope(before.scope), words.scope(after.scope)),
        ("participants", ", ".join(before.participants), ", ".join(after.participants)),
        ("priority", str(before.priority), str(after.priority)),
        ("skills", ", ".join(before.skills), ", ".join(after.skills)),
        ("tags", ", ".join(before.tags), ", ".join(after.tags)),
        ("missed", _yes(before.missed), _yes(after.missed)),
    )


def _stands(its: ConversationView) -> str:
    if its.waiting_reason is not None:
        return f"waits ({its.waiting_reason})"
    if its.offer is not None and its.state == "offered":
        return f"on offer to {its.offer.operator_id}"
    return f"{its.owner}'s" if its.owner else words.STATES[its.state]


def _changes(*compared: tuple[str, str, str]) -> str:
    """Those that differ, from what to what."""
    said = [
        f"{name} {was or 'none'} -> {now or 'none'}".strip()
        for name, was, now in compared
        if was != now
    ]
    return "; ".join(said) or "in a detail"
