"""The canonical public view of a state, and the hash by which two states are compared.

It says what anybody may hold the engine to, in the words of the wire, and nothing of how the
engine keeps it. Golden logs, replicas and independent folders of the log share it.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

import msgspec

from shared.routing.state import Conversation, EntryPoint, Group, Operator, Tables, Visitor

_encode = msgspec.json.Encoder(order="sorted").encode


def state_hash(tables: Tables) -> str:
    """SHA-256, in hex, over the description as JSON with sorted keys."""
    return hash_with(
        tables,
        conversations=_in_order(tables.conversations),
        visitors=_in_order(tables.visitors),
        acquaintances=_in_order(tables.acquaintances),
    )


def hash_with(
    tables: Tables,
    *,
    conversations: Iterable[tuple[str, Any]],
    visitors: Iterable[tuple[str, Any]],
    acquaintances: Iterable[tuple[str, Any]],
) -> str:
    """The same where these come from elsewhere, one by one, in the order of their ids."""
    described = {name: iter([_encode(value)]) for name, value in _overview(tables).items()}
    described["conversations"] = _object((key, _conversation(one)) for key, one in conversations)
    described["visitors"] = _object((key, _visitor(one)) for key, one in visitors)
    described["acquaintances"] = _object(acquaintances)
    hashed = sha256()
    opening = b"{"
    for name in sorted(described):
        hashed.update(opening + _encode(name) + b":")
        for part in described[name]:
            hashed.update(part)
        opening = b","
    hashed.update(b"}")
    return hashed.hexdigest()


def _object(entries: Iterable[tuple[str, Any]]) -> Iterator[bytes]:
    """As one JSON object, whose whole text is never in memory."""
    separator = b""
    yield b"{"
    for key, value in entries:
        yield separator + _encode(key) + b":" + _encode(value)
        separator = b","
    yield b"}"


def _in_order(table: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    return ((key, table[key]) for key in sorted(table))


def describe(tables: Tables) -> dict[str, Any]:
    """Everything that follows from the log, as plain JSON values."""
    return {
        **_overview(tables),
        "visitors": _each(tables.visitors, _visitor),
        "acquaintances": tables.acquaintances,
        "conversations": _each(tables.conversations, _conversation),
    }


def _overview(tables: Tables) -> dict[str, Any]:
    """Everything but what there are ever more of."""
    return {
        "workspace_id": tables.workspace_id,
        "position": tables.position,
        "at": tables.at,
        "timezone": tables.timezone,
        "locale": tables.locale,
        "revision": tables.revision,
        "policy_version": tables.policy_version,
        "policies": {
            "workspace": tables.workspace_policy,
            "groups": _non_empty(tables.group_policies),
            "entry_points": _non_empty(tables.entry_point_policies),
        },
        "roles": tables.roles,
        "schedule": tables.schedule,
        "webhooks": dict(tables.webhooks),
        "presence_stale": tables.presence_stale,
        "erased": dict(tables.erased),
        "rules": tables.rules,
        "groups": _each(tables.groups, _group),
        "entry_points": _each(tables.entry_points, _entry_point),
        "operators": _each(tables.operators, _operator),
        "timers": {timer.timer_id: timer.due for timer in tables.timers.values()},
        "commands": sorted(
            [*key, seen.position, seen.request.name] for key, seen in tables.commands.items()
        ),
    }


def _each(table: Mapping[Any, Any], view: Any) -> dict[str, Any]:
    return {its_id: view(thing) for its_id, thing in table.items()}


def _non_empty(layers: Mapping[Any, dict[str, object]]) -> dict[str, Any]:
    return {its_id: layer for its_id, layer in layers.items() if layer}


def _ids(ids: Iterable[str]) -> list[str]:
    return sorted(ids)


def _group(group: Group) -> dict[str, Any]:
    return {
        "name": group.name,
        "description": group.description,
        "public": group.public,
        "enabled": group.enabled,
        "names": group.names,
        "members": _ids(group.members),
    }


def _entry_point(entry_point: EntryPoint) -> dict[str, Any]:
    return {
        "name": entry_point.name,
        "groups": entry_point.groups,
        "fallback": entry_point.fallback,
        "offline_display": entry_point.offline_display,
        "ask_group": entry_point.ask_group,
        "weight": entry_point.weight,
        "visitor_may_set": entry_point.visitor_may_set,
        "first_responder": entry_point.first_responder,
        "closed": entry_point.closed,
        "schedule": entry_point.schedule,
        "names": entry_point.names,
        "mode": entry_point.mode,
    }


def _operator(operator: Operator) -> dict[str, Any]:
    return {
        "kind": operator.kind,
        "removed": operator.removed,
        "role_id": operator.role_id,
        "capacity": operator.capacity,
        "name": operator.name,
        "email": operator.email,
        "skills": operator.skills,
        "locale": operator.locale,
        "groups": _ids(operator.groups),
        "chosen": operator.chosen,
        "chosen_at": operator.chosen_at,
        "break_until": operator.break_until,
        "after_break": operator.after_break,
        "sessions": _ids(operator.sessions),
        "lapsed": _ids(operator.lapsed),
        "ended": list(operator.ended),
        "logged_out": operator.logged_out,
        "grace_over": operator.grace_over,
        "idle": operator.idle,
        "off_shift": operator.off_shift,
        "shift_ended_at": operator.shift_ended_at,
        "unresponsive": operator.unresponsive,
        "missed_offers": operator.missed_offers,
        "reachable_when_slow": operator.reachable_when_slow,
        "email_missed": operator.email_missed,
        "idle_timeout_s": operator.idle_timeout_s,
        "schedule": operator.schedule,
        "effective": operator.effective,
        "cause": operator.cause,
        "since": operator.since,
        "load": operator.load,
        "owned": _ids(operator.owned),
        "offered": _ids(operator.offered),
        "takes_part": _ids(operator.takes_part),
        "wrap_ups": operator.wrap_ups,
        "last_assigned": operator.last_assigned,
        "idle_since": operator.idle_since,
        "last_assigned_in": sorted(
            [list(audience), position] for audience, position in operator.last_assigned_in.items()
        ),
    }


def _visitor(visitor: Visitor) -> dict[str, Any]:
    return {
        "contact_id": visitor.contact_id,
        "last_operator": visitor.last_operator,
        "away": visitor.away,
        "ahead": visitor.ahead,
        "fired": visitor.fired,
        "session": visitor.session,
        "prepared": visitor.prepared,
        "asked": visitor.asked,
        "conversations": _ids(visitor.conversations),
    }


def _conversation(conversation: Conversation) -> dict[str, Any]:
    return {
        "visitor_id": conversation.visitor_id,
        "contact_id": conversation.contact_id,
        "entry_point_id": conversation.entry_point_id,
        "entry_mode": conversation.entry_mode,
        "opened_at": conversation.opened_at,
        "closed_at": conversation.closed_at,
        "queued_at": conversation.queued_at,
        "arrival": conversation.arrival,
        "state": conversation.state,
        "scope": conversation.scope,
        "home_scope": conversation.home_scope,
        "owner": conversation.owner,
        "last_owner": conversation.last_owner,
        "participants": [[op, uses] for op, uses in conversation.participants.items()],
        "offer": conversation.offer,
        "offers_made": conversation.offers_made,
        "offers_ended": {str(n): how for n, how in conversation.offers_ended.items()},
        "round": conversation.round,
        "back_off_until": conversation.back_off_until,
        "forward": conversation.forward,
        "handover": conversation.handover,
        "fresh": conversation.fresh,
        "waits_since": conversation.waits_since,
        "reach": conversation.reach,
        "widening_step": conversation.widening_step,
        "optional_dropped": conversation.optional_dropped,
        "affinity_over": conversation.affinity_over,
        "unanswered_since": conversation.unanswered_since,
        "slow_since": conversation.slow_since,
        "slow_step": conversation.slow_step,
        "escalated": _ids(conversation.escalated),
        "slot_free": conversation.slot_free,
        "owner_away": conversation.owner_away,
        "answered": conversation.answered,
        "missed": conversation.missed,
        "priority": conversation.priority,
        "skills": conversation.skills,
        "optional_skills": conversation.optional_skills,
        "tags": conversation.tags,
        "weight": conversation.weight,
        "language": conversation.language,
        "attributes": conversation.attributes,
        "declined": _ids(conversation.declined),
        "hold": conversation.hold,
        "told": _ids(conversation.told),
        "fallbacks_tried": conversation.fallbacks_tried,
        "note": conversation.note,
        "positions": conversation.positions,
    }
