"""What the events of a log say in plain English, one line each."""

from collections.abc import Mapping
from typing import Any

import msgspec

from services.cli import words
from shared.routing import events as e
from shared.routing.events import Event
from shared.routing.policy import PolicyScope
from shared.routing.scope import Scope

_PEOPLE = ("owner", "previous_owner")

SAID: Mapping[type[Event], str] = {
    # settings
    e.WorkspaceCreated: "the workspace {name} is there, in the zone {timezone}",
    e.RoutingRevisionAdopted: "the engine goes by revision {revision} of its rules from here on",
    e.PolicySet: "the policy of {scope} is set: {policy}",
    e.RoleDefined: "the role {role_id} is defined",
    e.RoleDeleted: "the role {role_id} is deleted",
    e.GroupDefined: "the group {group_id} is defined, enabled: {enabled}",
    e.GroupDeleted: "the group {group_id} is deleted",
    e.EntryPointDefined: "the entry point {entry_point_id} is defined, groups: {groups}",
    e.EntryPointRemoved: "the entry point {entry_point_id} is removed",
    e.HoursOpened: "the hours of {entry_point_id} begin",
    e.HoursClosed: "the hours of {entry_point_id} are over",
    e.EntryPointModeChanged: "the entry point {entry_point_id} is {mode}",
    e.ScheduleSet: "weekly hours are set",
    e.WebhookDefined: "the webhook {webhook_id} is defined",
    e.WebhookRemoved: "the webhook {webhook_id} is removed",
    e.SubjectErased: "personal texts were erased: {subjects}",
    e.RuleSaved: "the rule {rule_id} is saved, enabled: {enabled}",
    e.RuleDeleted: "the rule {rule_id} is deleted",
    # operators
    e.OperatorRegistered: "{operator_id} is registered, with {capacity} slots, skills: {skills}",
    e.OperatorUpdated: "{operator_id} is changed: {capacity} slots, skills: {skills}",
    e.OperatorRemoved: "{operator_id} is removed",
    e.GroupJoined: "{operator_id} joins the group {group_id}",
    e.GroupLeft: "{operator_id} leaves the group {group_id}",
    e.OperatorLoggedIn: "{operator_id} logs in",
    e.OperatorLoggedOut: "{operator_id} logs out",
    e.SessionLapsed: "nothing is heard of {operator_id}'s desk any more",
    e.SessionReturned: "{operator_id}'s desk is heard of again",
    e.DisconnectGraceEnded: "{operator_id}'s connection has not come back in time",
    e.OperatorIdle: "{operator_id} is idle",
    e.OperatorActive: "{operator_id} is active again",
    e.ShiftStarted: "{operator_id}'s shift begins",
    e.ShiftEnded: "{operator_id}'s shift is over",
    e.PreferencesSet: "{operator_id}'s preferences are set",
    e.PresenceStale: "nothing is heard of presence: who was there is what was known last",
    e.PresenceFresh: "presence is heard of again",
    e.StatusChosen: "{operator_id} chooses to be {status}",
    e.StatusBreakEnded: "{operator_id}'s break is over: {status}",
    e.OperatorStatusChanged: "{operator_id} is {effective}, {cause}",
    e.OperatorUnresponsive: "{operator_id} let {missed} offers in a row expire",
    # visitors
    e.VisitorIdentified: "{visitor_id} is known as {contact_id}",
    e.VisitorAssigned: "{visitor_id} is assigned to {to} ahead, {source}",
    e.VisitorUnassigned: "{visitor_id} is not assigned ahead any more, {source}",
    e.VisitorLeft: "the visitor {visitor_id} leaves",
    e.VisitorBack: "the visitor {visitor_id} is back",
    e.RuleFired: "the rule {rule_id} fires for {visitor_id}",
    e.VisitorInvited: "{visitor_id} is invited by the rule {rule_id}",
    e.VisitorAsked: "{visitor_id} is asked for a group by the rule {rule_id}",
    e.VisitorPrepared: "what {visitor_id} opens gets priority {priority}, tags: {tags}, "
    "skills: {skills}",
    e.VisitorSessionEnded: "the session of {visitor_id} is over",
    e.VisitorSeen: "{visitor_id} reads a page",
    # conversations
    e.ConversationOpened: "opened by {visitor_id} at {entry_point_id}, for {scope} "
    "({scope_source}), priority {priority}, skills: {skills}",
    e.VisitorWrote: "the visitor writes",
    e.SlotFreed: "the visitor is silent, the slot of {operator_id} is free again",
    e.SlotRetaken: "the visitor writes again, and takes a slot of {operator_id} again",
    e.ConversationChanged: "changed: priority {priority}, skills: {skills}, tags: {tags}",
    e.ConversationClaimed: "{operator_id} claims it; before it was {previous_owner}'s",
    e.OperatorReplied: "{operator_id} replies, by {channel}",
    e.ParticipantJoined: "{operator_id} joins in",
    e.ParticipantLeft: "{operator_id} leaves it",
    e.OwnerLeft: "its owner {operator_id} leaves it",
    e.ConversationReleased: "{operator_id} puts it back",
    e.ConversationForwarded: "forwarded to {to}; before it was {previous_owner}'s",
    e.ConversationClosed: "closed: {reason}; it was {owner}'s",
    e.ConversationReopened: "opened again, for {scope}, owner: {owner}",
    e.ConversationUnused: "nobody has written for a long time",
    e.ConversationMissed: "missed: nobody answered in time",
    e.WrapUpEnded: "{operator_id} has had the time to wrap it up",
    # offers
    e.BackOffEnded: "the pause is over, who declined is asked again",
    e.OfferAccepted: "{operator_id} accepts offer {offer}",
    e.OfferDeclined: "{operator_id} declines offer {offer}: {reason}",
    e.OfferExpired: "offer {offer} to {operator_id} expires",
    e.ForwardOffered: "{sender} wants to forward it to {to}",
    e.ForwardRecalled: "{sender} takes the forward back",
    e.ForwardExpired: "nobody accepted the forward in time",
    e.ForwardReturned: "the forward comes back to {sender}: {reason}",
    e.ConversationOffered: "offered to {operator_id}, as offer {offer}: {reason}",
    e.OfferRescinded: "offer {offer} to {operator_id} is off: {reason}",
    e.RoundEnded: "everybody was asked, round {round} is over",
    # routing
    e.RoutingCut: "so much followed that the rest comes next",
    e.RoutingContinues: "what was left follows",
    e.ConversationSlow: "a message has gone unanswered for too long, step {step}: {action}",
    e.OwnerAwayTooLong: "its owner {operator_id} has been away for too long",
    e.WideningDue: "it has waited long enough for step {step} of widening",
    e.AffinityWaitEnded: "it waits no longer for whom the visitor knows",
    e.ConversationWidened: "step {step} of widening, priority {priority}",
    e.ConversationEscalated: "invisible operators are alerted: {operator_ids}",
    e.ConversationReassigned: "taken from {operator_id}: {reason}",
    e.NobodyElse: "stays with {operator_id}: nobody else could take it",
    e.ConversationAssigned: "goes to {operator_id}: {reason}",
    e.ConversationQueued: "waits: {reason}; it {hold}",
    e.ConversationBroadcast: "these are told that it waits: {operator_ids}",
    e.ConversationRedirected: "goes on to {to}: {reason}",
}

REASONS: Mapping[type[Event], Mapping[Any, str]] = {
    e.ConversationClosed: words.CLOSED,
    e.OfferDeclined: words.DECLINED,
    e.ForwardReturned: words.RETURNED,
    e.ConversationOffered: words.ASSIGNED,
    e.OfferRescinded: words.RESCINDED,
    e.ConversationReassigned: words.REASSIGNED,
    e.ConversationAssigned: words.ASSIGNED,
    e.ConversationQueued: words.WAITING,
    e.ConversationRedirected: words.REDIRECTED,
}
"""What the field ``reason`` says, event by event."""

_CODES: Mapping[str, Mapping[Any, str]] = {
    "hold": words.HOLDS,
    "action": words.SLOW_ACTIONS,
    "mode": words.MODES,
    "cause": words.CAUSES,
    "effective": words.STATUSES,
    "status": words.STATUSES,
    "source": words.AHEAD,
    "scope_source": words.SCOPE_SOURCES,
}

_WORDS_ALONE = ("hold", "scope_source")
"""What nobody searches for."""


def said_of(event: Event) -> str:
    """The event in words."""
    kind = type(event)
    fields = {name: _shown(kind, name, getattr(event, name)) for name in kind.__struct_fields__}
    said = SAID[kind].format_map(fields)
    more = _widened(event) if isinstance(event, e.ConversationWidened) else []
    return ", ".join([said, *more])


def _widened(event: e.ConversationWidened) -> list[str]:
    """Who else is asked, and what is done without."""
    more = [f"also the group {group_id}" for group_id in event.groups]
    more += ["also everyone"] if event.everyone else []
    more += [f"without the skill {skill}" for skill in event.skills_dropped]
    return [*more, *(["invisible operators are alerted"] if event.alert_invisible else [])]


def _shown(kind: type[Event], name: str, value: Any) -> str:
    codes = REASONS.get(kind) if name == "reason" else _CODES.get(name)
    if codes is not None and value in codes:
        said = str(codes[value])
        return said if said == value or name in _WORDS_ALONE else f"{said} ({value})"
    match value:
        case None:
            return "nobody" if name in _PEOPLE else "none"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(map(str, value)) or "none"
        case Scope():
            return words.scope(value)
        case PolicyScope():
            return value.group or value.entry_point or "the workspace"
        case msgspec.Struct():
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)


def named(event_type: str) -> str:
    """The name of an event without its version: ``conversation_assigned``."""
    return event_type.partition(".")[0]
