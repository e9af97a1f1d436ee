"""``fernamt why-not-fired``: why a rule did nothing for a visitor, condition by condition."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from services.cli.asking import DEFAULT_NATS, Admin, over_the_broker
from services.cli.options import NatsUrl
from services.trigger_evaluator.explaining import ConditionSeen, ViewSeen, Why, WhyNotFired

_SAID: dict[Why, str] = {
    "fired": "it did fire for the last page view",
    "nothing_seen": "no page view of this visitor is remembered",
    "conditions": "its conditions do not hold",
    "other_rule_first": "a rule that comes before it fired for the page view",
    "person_first": "it fired, but what a person or the visitor chose goes before",
    "not_judged_yet": "it holds, and was saved or changed after the page view was judged",
    "unknown_rule": "it was deleted when it was to fire",
    "other_version": "it was changed when it was to fire",
    "disabled": "it is switched off",
    "fired_before": "it fired before, and is not to do so again",
    "not_live": "it invites, and nobody was there to answer",
    "in_conversation": "it invites, and the visitor was in a conversation",
    "so_already": "everything that it would do was so already",
}
_WIDTH_MAX = 80


def why_not_fired(
    rule: Annotated[str, typer.Argument(help="Id of the rule.")],
    visitor: Annotated[str, typer.Argument(help="Id of the visitor.")],
    workspace: Annotated[str, typer.Option("--workspace", help="Whose rule.")],
    nats: NatsUrl = DEFAULT_NATS,
    as_json: Annotated[bool, typer.Option("--json", help="The answer as one JSON object.")] = False,
) -> None:
    """Say why a rule did not fire for the last page views of a visitor.

    Asks the trigger evaluator over the broker, as an admin of the workspace. Exit code 0 if it
    answered, 2 if not.
    """

    async def speak(admin: Admin) -> WhyNotFired:
        body = {"rule_id": rule, "visitor_id": visitor}
        return await admin.ask("why_not_fired", body, WhyNotFired)

    answer = over_the_broker(nats, workspace, speak, who_answers="trigger evaluator")
    if as_json:
        typer.echo(msgspec.json.encode(answer).decode())
    else:
        for line in told(answer):
            typer.echo(line)


def told(answer: WhyNotFired) -> Iterator[str]:
    """The answer for people."""
    which = f"{answer.rule_id} (version {answer.version}) and {answer.visitor_id}"
    yield f"{which}: {_SAID[answer.why]}"
    if not answer.enabled and answer.why != "disabled":
        yield f"  {_SAID['disabled']}"
    if answer.last_fired is not None:
        last = answer.last_fired
        yield (
            f"  fired last at position {last.position}, {_moment(last.at)},"
            f" in the session {last.session_id}; frequency {answer.frequency}"
        )
    if answer.assigned_before is not None:
        before = answer.assigned_before
        to = msgspec.json.encode(before.to).decode()
        yield (
            f"  chosen by a person: {to}" if before.by == "person" else f"  the visitor chose {to}"
        )
    for view in answer.views:
        yield from _view(view)


def _view(view: ViewSeen) -> Iterator[str]:
    yield ""
    yield f"page {view.pages_seen} of the session, {_moment(view.at)}: {_short(view.url)}"
    fired = ", ".join(view.fired) or "nothing"
    yield f"  {_SAID[view.why]}; fired: {fired}; judged after {view.seconds} s"
    for condition in view.conditions:
        yield f"  {'yes' if condition.held else 'no '}  {_condition(condition)}"


def _condition(condition: ConditionSeen) -> str:
    wanted = "" if condition.wanted is None else f" {_plain(condition.wanted)}"
    actual = "not known" if condition.actual is None else _plain(condition.actual)
    doubts = condition.doubt not in (None, "unknown")
    doubt = f" ({str(condition.doubt).replace('_', ' ')})" if doubts else ""
    return f"{condition.path}: {condition.field} {condition.op}{wanted}; it was {actual}{doubt}"


def _plain(value: object) -> str:
    return _short(msgspec.json.encode(value).decode())


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH_MAX else f"{text[:_WIDTH_MAX]}…"


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(sep=" ", timespec="seconds")
