"""``fernamt explain``: why a conversation went where it went, with everybody who was looked at."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer
from rich.console import RenderableType

from services.cli import words
from services.cli.event_words import named, said_of
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
from services.cli.tables import Cell, facts, heading, table
from shared.audit.answers import CandidateView, EventView, Explained
from shared.routing import events as e

DIFFERENT = 1
"""Exit code where the decision comes out differently."""


def explain(
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
    """Say why a conversation went where it went, and make that decision again.

    Means its last decision, the last one --at a time, or the one at --position. Reads the log and
    writes nothing.

    Exit code 0: explained, and the decision comes out as it was recorded. 1: it comes out
    differently, or the log is damaged. 2: unknown ids, or nothing could be read.
    """

    async def ask(past: Past) -> tuple[Told[Explained], Clock]:
        fields = as_fields(await past.moment(position, at))
        told = await past.ask("explain", {"conversation_id": conversation, **fields}, Explained)
        return told, await past.clock()

    told, clock = asked(Where(workspace, data, store, log, nats, zone), ask)
    print_answer(told, as_json, lambda: explained(told.result, clock))
    if told.result.remade is False:
        raise typer.Exit(DIFFERENT)


def explained(answer: Explained, clock: Clock) -> Iterator[RenderableType]:
    """The answer for people."""
    yield heading(_outcome(answer))
    yield facts(_facts(answer, clock))
    if answer.remade is False:
        recorded, expected = answer.decision.event, answer.expected
        yield f"recorded: {msgspec.json.encode(recorded).decode()}"
        yield f"expected: {msgspec.json.encode(expected).decode() if expected else 'nothing'}"
    yield ""
    yield _candidates(answer)


def _outcome(answer: Explained) -> str:
    its_id = answer.conversation.conversation_id
    match answer.decision.event:
        case e.ConversationAssigned(operator_id=operator_id):
            return f"{its_id} goes to {operator_id}"
        case e.ConversationOffered(operator_id=operator_id, offer=offer):
            return f"{its_id} is offered to {operator_id}, offer {offer}"
        case e.ConversationQueued():
            return f"{its_id} waits"
        case event:
            return f"{its_id}: {said_of(event)}"


def _facts(answer: Explained, clock: Clock) -> Iterator[tuple[str, Cell]]:
    decision, its = answer.decision, answer.conversation
    yield "decided", f"{clock.named(decision.at)}, position {decision.position}, {_named(decision)}"
    if answer.reason is not None:
        yield "because", f"{answer.chosen} {words.coded(words.ASSIGNED, answer.reason)}"
    if answer.waiting_reason is not None:
        yield "because", words.coded(words.WAITING, answer.waiting_reason)
    if isinstance(decision.event, e.ConversationQueued):
        yield "queued", f"it {words.coded(words.HOLDS, decision.event.hold)}"
    if answer.ranking is not None:
        yield "ranking", _ranking(answer)
    if answer.tie_break is not None:
        yield "tie-break", words.coded(words.TIE_BREAKS, answer.tie_break)
    if answer.pool_size is not None:
        yield "pool", f"{answer.pool_size} with a free slot, before skills and personal reasons"
    skills = ", ".join((*its.skills, *(f"{skill} (optional)" for skill in its.optional_skills)))
    yield "it is", f"{its.visitor_id}'s, for {words.scope(its.scope)}, skills: {skills or 'none'}"
    version = answer.policy_version
    yield "policy", f"as set up to position {version}" if version else "no policy was set by then"
    if answer.presence_stale:
        yield "presence", "not heard of: who was there is what was known last"
    yield "follows from", _cause(answer.cause, its.conversation_id)
    yield "made again", _remade(answer)


def _cause(cause: EventView, conversation_id: str) -> str:
    about = getattr(cause.event, "conversation_id", conversation_id)
    what = said_of(cause.event) if about == conversation_id else f"{about} {said_of(cause.event)}"
    return f"position {cause.position}, {_named(cause)}, by {words.who(cause.by)}: {what}"


def _named(event: EventView) -> str:
    return named(event.type)


def _ranking(answer: Explained) -> str:
    assert answer.ranking is not None
    its_words = words.RANKINGS[answer.ranking]
    if not answer.key:
        return f"{its_words} ({answer.ranking})"
    capacity = {one.operator_id: one.capacity for one in answer.candidates}
    chosen = capacity.get(answer.chosen) if answer.chosen is not None else None
    ranked = words.ranked(answer.ranking, answer.key, chosen)
    return f"{its_words}: {ranked} ({answer.ranking}, key {words.numbers(answer.key)})"


def _remade(answer: Explained) -> str:
    if answer.remade is None:
        return f"no: revision {answer.decision.rev} of the rules decided, which is not this one"
    return "the same, byte for byte" if answer.remade else "IT COMES OUT DIFFERENTLY"


def _candidates(answer: Explained) -> RenderableType:
    if not answer.candidates:
        return "nobody was there to be looked at"
    ranked = [one for one in answer.candidates if not one.exclusions]
    others = [one for one in answer.candidates if one.exclusions]
    others.sort(key=lambda one: (len(one.exclusions), one.operator_id))
    columns = ("operator", "verdict", "why", "status", "load", "key")
    rows = [_candidate(one, answer) for one in (*ranked, *others)]
    return table(columns, rows, right=("load",))


def _candidate(one: CandidateView, answer: Explained) -> tuple[Cell, ...]:
    chosen = one.operator_id == answer.chosen
    return (
        one.operator_id,
        "chosen" if chosen else words.VERDICTS[one.verdict],
        words.reasons(one.exclusions, one.missing_skills),
        words.status(one.effective, one.cause),
        f"{one.load}/{one.capacity}",
        words.numbers(one.key),
    )
