"""``fernamt why-not``: why one operator did not get one conversation."""

from collections.abc import Iterator
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
from services.cli.tables import Cell, facts, heading
from services.cli.timeline import whole_timeline
from shared.audit.answers import WhyNotView
from shared.routing.events import ConversationAssigned, ConversationOffered, ConversationQueued
from shared.wire.audit import NOW


def why_not(
    operator: Annotated[str, typer.Argument(help="Id of the operator.")],
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
    """Say why an operator did not get a conversation.

    As of a moment, or of the last decision who gets it. Reads the log and writes nothing.

    Exit code 0: answered. 1: the log is damaged. 2: unknown ids, or nothing could be read.
    """

    async def ask(past: Past) -> tuple[Told[WhyNotView], str]:
        moment = await past.moment(position, at)
        fields = {"operator_id": operator, "conversation_id": conversation, **as_fields(moment)}
        told = await past.ask("why_not", fields, WhyNotView)
        if as_json:
            return told, ""
        clock = await past.clock()
        if moment != NOW:
            return told, f"{clock.named(told.at)}, position {told.position}"
        return told, await _last_decided(past, conversation, clock)

    told, when = asked(Where(workspace, data, store, log, nats, zone), ask)
    print_answer(told, as_json, lambda: why_not_in_words(told.result, when))


async def _last_decided(past: Past, conversation: str, clock: Clock) -> str:
    """When it was last decided who gets it, which is what is meant where no moment is named."""
    placing = (ConversationAssigned, ConversationOffered, ConversationQueued)
    events = (await whole_timeline(past, conversation)).result.events
    decided = [one for one in events if isinstance(one.event, placing)]
    if not decided:
        return "now: nothing was decided yet"
    return f"{clock.named(decided[-1].at)}, when position {decided[-1].position} was decided"


def why_not_in_words(answer: WhyNotView, when: str) -> Iterator[RenderableType]:
    """The answer for people."""
    him, its = answer.operator, answer.conversation
    if answer.owned:
        outcome = f"{its.conversation_id} was {him.operator_id}'s"
    elif answer.exclusions:
        outcome = f"{its.conversation_id} could not go to {him.operator_id}"
    elif answer.behind is not None:
        outcome = f"{its.conversation_id} could go to {him.operator_id}, behind {answer.behind}"
    else:
        outcome = f"nothing kept {its.conversation_id} from {him.operator_id}"
    yield heading(outcome)
    yield facts(_facts(answer, when))


def _facts(answer: WhyNotView, when: str) -> Iterator[tuple[str, Cell]]:
    him, its = answer.operator, answer.conversation
    yield "as of", when
    for code in answer.exclusions:
        yield "because", words.reasons((code,), answer.missing_skills)
    if answer.behind is not None and answer.because is not None:
        because = words.coded(words.ASSIGNED, answer.because)
        keys = f"key {words.numbers(answer.behind_key)} before {words.numbers(answer.key)}"
        yield "before him", f"{answer.behind} {because}{f', {keys}' if answer.behind_key else ''}"
    yield "operator", words.status(him.effective, him.cause)
    yield "slots", f"{him.load} of {him.capacity} taken, {him.free} free"
    yield "skills", ", ".join(him.skills) or "none"
    yield "groups", ", ".join(him.groups) or "none"
    yield "conversation", words.STATES[its.state] + (f", {its.owner}" if its.owner else "")
    if its.waiting_reason is not None:
        yield "it waits", words.coded(words.WAITING, its.waiting_reason)
    yield "for", words.scope(its.scope)
    yield "asks for", ", ".join((*its.skills, *its.optional_skills)) or "no skills"
