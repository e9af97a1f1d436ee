"""What the events of the log are called in words: decisions, and timers that fell due.

What somebody did has no words here: whoever tells the story says it already.
"""

from collections.abc import Mapping
from typing import Any

from services.cli.demo.clients import LoggedEvent

Fields = Mapping[str, Any]

_PLAIN: Mapping[str, str] = {
    "offer_expired": "{conversation_id}: offer {offer} to {operator_id} has expired",
    "offer_rescinded": "{conversation_id}: offer {offer} to {operator_id} is off: {reason}",
    "back_off_ended": "{conversation_id}: the pause is over, all are asked again",
    "operator_unresponsive": "{operator_id} let {missed} offers expire in a row",
    "forward_expired": "{conversation_id}: nobody has accepted the forward in time",
    "widening_due": "{conversation_id} has waited long enough to be widened",
    "affinity_wait_ended": "{conversation_id} no longer waits for whom the visitor knows",
    "conversation_slow": "{conversation_id} has gone unanswered for too long: {action}",
    "conversation_reassigned": "{conversation_id} is taken from {operator_id}: {reason}",
    "nobody_else": "{conversation_id} stays with {operator_id}: nobody else could take it",
    "owner_away_too_long": "{conversation_id}: {operator_id} has been away for too long",
    "disconnect_grace_ended": "the connection of {operator_id} has not come back in time",
    "status_break_ended": "the break of {operator_id} is over",
    "operator_status_changed": "{operator_id} is {effective} ({cause})",
    "entry_point_mode_changed": "entry point {entry_point_id} is {mode}",
}


def event_text(event: LoggedEvent) -> str:
    """A decision or a timer in words, empty for what somebody did."""
    fields = event.fields
    match event.name:
        case "conversation_assigned":
            return f"{fields['conversation_id']} goes to {_why_chosen(fields)}"
        case "conversation_offered":
            what = f"{fields['conversation_id']}, as offer {fields['offer']},"
            return f"{what} is offered to {_why_chosen(fields)}"
        case "conversation_queued":
            how = f"delivery {fields['hold']}, pool of {fields['pool_size']}"
            return f"{fields['conversation_id']} waits: {fields['reason']} ({how})"
        case "conversation_broadcast":
            return f"{fields['conversation_id']} is told to {_listed(fields)}"
        case "conversation_escalated":
            return f"{fields['conversation_id']}: {_listed(fields)} may take it"
        case "conversation_redirected":
            target = target_text(fields["to"])
            return f"{fields['conversation_id']} is redirected to {target}: {fields['reason']}"
        case "conversation_widened":
            return f"{fields['conversation_id']} is widened: {', '.join(_added(fields))}"
        case "round_ended":
            again = "nobody is asked again" if fields["until"] is None else "a pause"
            return f"{fields['conversation_id']}: all were asked, round {fields['round']}: {again}"
        case "forward_returned":
            where = f"stays with {fields['sender']}" if fields["kept"] else "waits again"
            return f"{fields['conversation_id']} {where}: the forward was {fields['reason']}"
        case _:
            return _PLAIN.get(event.name, "").format_map(fields)


def target_text(target: Fields) -> str:
    """Whom a scope means: ``group second``, ``operator ana``, ``everyone``."""
    ((kind, its_id),) = target.items()
    return str(kind) if its_id is True else f"{kind} {its_id}"


def _why_chosen(fields: Fields) -> str:
    if not fields["key"]:
        excess = ", over capacity" if fields.get("excess") else ""
        return f"{fields['operator_id']}: {fields['reason']}, nobody was ranked{excess}"
    known = "" if fields["reason"] == "routed" else f"{fields['reason']}, "
    key = ", ".join(map(str, fields["key"]))
    return (
        f"{fields['operator_id']}: {known}{fields['ranking']}, key ({key}), "
        f"pool of {fields['pool_size']}, tie-break {fields['tie_break']}"
    )


def _listed(fields: Fields) -> str:
    return ", ".join(fields["operator_ids"])


def _added(fields: Fields) -> list[str]:
    added = [f"also group {group_id}" for group_id in fields["groups"]]
    added += ["also everyone"] if fields["everyone"] else []
    added += [f"without {skill}" for skill in fields["skills_dropped"]]
    added += ["alerting the invisible"] if fields["alert_invisible"] else []
    return [*added, f"priority {fields['priority']}"]
