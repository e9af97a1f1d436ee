"""A small account of who owns what and who may, kept from events alone.

It shares no code with the engine's fold: it is what the engine is checked against.
"""

from collections.abc import Iterator

import msgspec

from shared.routing import events as e
from shared.routing.events import EventUnion
from shared.routing.permissions import BUILT_IN_ROLES, Permissions
from shared.routing.scope import Scope

Given = e.ConversationAssigned | e.ConversationOffered
_RANKED = ("routed", "affinity")


class Person(msgspec.Struct):
    """An operator as the log tells of him."""

    capacity: int
    role_id: str
    skills: tuple[str, ...]
    effective: str = "offline"
    removed: bool = False
    groups: set[str] = set()


class Case(msgspec.Struct):
    """A conversation as the log tells of it."""

    entry_point_id: str
    weight: int
    skills: tuple[str, ...]
    scope: Scope
    home: Scope
    owner: str | None = None
    closed: bool = False
    participants: set[str] = set()
    declined: set[str] = set()
    offered_to: str | None = None
    """To whom a live offer was made, whose slot it holds."""
    forwarded_to: Scope | None = None
    """Whom the latest forward on offer was for."""
    slot_free: bool = False
    """The visitor has been silent for so long that it uses none of its owner's slots."""

    def leaves(self, operator_id: str) -> None:
        """The owner is out and is not asked again; the home scope applies."""
        self.owner = None
        self.declined.add(operator_id)
        self.scope = self.home

    def goes_to(self, scope: Scope) -> None:
        self.scope = scope
        if scope.operator is None:
            self.home = scope


class Account:
    """Fed with every event in order; ``note`` says what was not right about it."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.cases: dict[str, Case] = {}
        self.roles: dict[str, Permissions] = dict(BUILT_IN_ROLES)  # type: ignore[arg-type]
        self.enabled: dict[str, bool] = {}
        self.entry_points: dict[str, tuple[str, ...]] = {}

    def load(self, operator_id: str) -> int:
        return sum(
            case.weight
            for case in self.cases.values()
            if (case.owner == operator_id and not case.slot_free) or case.offered_to == operator_id
        )

    # --- C4: one owner at a time ------------------------------------------------------------

    def note(self, event: EventUnion) -> Iterator[str]:
        """Apply the event; yield every breach of "one owner at a time" that it is."""
        match event:
            case e.ConversationAssigned():
                yield from self._taken(event.conversation_id, event.operator_id)
            case e.ConversationOffered():
                yield from self._offered(event)
            case e.ConversationClaimed() | e.OfferAccepted():
                yield from self._taken_over(event)
            case e.OwnerLeft() | e.ConversationReleased() | e.ConversationReassigned():
                yield from self._given_up(event.conversation_id, event.operator_id)
                self.cases[event.conversation_id].leaves(event.operator_id)
            case e.ConversationForwarded():
                yield from self._given_up(event.conversation_id, event.previous_owner)
                case = self.cases[event.conversation_id]
                case.owner, case.declined = None, set()
                case.goes_to(event.to)
            case e.ConversationMissed():
                yield from self._given_up(event.conversation_id, event.owner)
                case = self.cases[event.conversation_id]
                case.owner, case.declined, case.scope = None, set(), case.home
            case e.ConversationClosed():
                yield from self._given_up(event.conversation_id, event.owner)
                case = self.cases[event.conversation_id]
                case.owner, case.declined, case.closed = None, set(), True
            case e.ConversationReopened():
                case = self.cases[event.conversation_id]
                case.closed, case.participants, case.declined = False, set(), set()
                case.goes_to(event.scope)
                case.owner = event.owner
            case _:
                self._note_conversation(event)
                self._note_offer(event)
                self._note_person(event)
                self._note_setting(event)

    def _taken_over(self, event: e.ConversationClaimed | e.OfferAccepted) -> Iterator[str]:
        """Taken by somebody, and from somebody if it was owned."""
        case, former = self.cases[event.conversation_id], event.previous_owner
        if former is not None:
            yield from self._given_up(event.conversation_id, former)
            case.owner = None
        yield from self._taken(event.conversation_id, event.operator_id)
        if isinstance(event, e.OfferAccepted):
            case.offered_to = None
            if former is not None and case.forwarded_to is not None:
                case.goes_to(case.forwarded_to)
        elif former is not None:
            case.participants.add(former)

    def _offered(self, event: e.ConversationOffered) -> Iterator[str]:
        case = self.cases[event.conversation_id]
        if case.offered_to is not None:
            yield f"{event.conversation_id} is offered to {event.operator_id} and {case.offered_to}"
        case.offered_to = event.operator_id

    def _taken(self, conversation_id: str, operator_id: str) -> Iterator[str]:
        case = self.cases[conversation_id]
        if case.owner is not None:
            yield f"{conversation_id} goes to {operator_id} while {case.owner} owns it"
        if case.closed:
            yield f"{conversation_id} goes to {operator_id} though it is closed"
        case.owner, case.declined, case.slot_free = operator_id, set(), False
        case.participants.discard(operator_id)

    def _given_up(self, conversation_id: str, owner: str | None) -> Iterator[str]:
        case = self.cases[conversation_id]
        if case.owner != owner:
            yield f"{conversation_id} is taken from {owner}, but {case.owner} owns it"

    def _note_conversation(self, event: EventUnion) -> None:
        match event:
            case e.ConversationOpened():
                entry = Scope(entry_point=event.entry_point_id)
                home = entry if event.scope.operator is not None else event.scope
                self.cases[event.conversation_id] = Case(
                    event.entry_point_id, event.weight, event.skills, event.scope, home
                )
            case e.ConversationChanged():
                self.cases[event.conversation_id].skills = event.skills
            case e.ConversationRedirected():
                self.cases[event.conversation_id].goes_to(event.to)
            case e.SlotFreed():
                self.cases[event.conversation_id].slot_free = True
            case e.SlotRetaken():
                self.cases[event.conversation_id].slot_free = False
            case e.ParticipantJoined():
                self.cases[event.conversation_id].participants.add(event.operator_id)
            case e.ParticipantLeft():
                self.cases[event.conversation_id].participants.discard(event.operator_id)
            case _:
                pass

    def _note_offer(self, event: EventUnion) -> None:
        match event:
            case e.ForwardReturned() if not event.kept:
                self.cases[event.conversation_id].leaves(event.sender)
            case e.ForwardOffered():
                self.cases[event.conversation_id].forwarded_to = event.to
            case e.OfferDeclined() | e.OfferExpired():
                case = self.cases[event.conversation_id]
                case.offered_to = None
                if case.owner is None:  # else it was forwarded, and its sender still has it
                    case.declined.add(event.operator_id)
            case e.OfferRescinded():
                self.cases[event.conversation_id].offered_to = None
            case e.BackOffEnded():
                self.cases[event.conversation_id].declined.clear()
            case _:
                pass

    def _note_person(self, event: EventUnion) -> None:
        match event:
            case e.OperatorRegistered():
                self.people[event.operator_id] = Person(event.capacity, event.role_id, event.skills)
            case e.OperatorUpdated():
                person = self.people[event.operator_id]
                person.capacity, person.role_id = event.capacity, event.role_id
                person.skills = event.skills
            case e.OperatorRemoved():
                self._remove(event.operator_id)
            case e.GroupJoined():
                self.people[event.operator_id].groups.add(event.group_id)
            case e.GroupLeft():
                self.people[event.operator_id].groups.discard(event.group_id)
            case e.StatusChosen():
                for case in self.cases.values():
                    case.declined.discard(event.operator_id)
            case e.OperatorStatusChanged():
                self._status(event.operator_id, event.effective)
            case _:
                pass

    def _status(self, operator_id: str, effective: str) -> None:
        person = self.people[operator_id]
        if person.effective == "offline" != effective:
            for case in self.cases.values():
                case.declined.discard(operator_id)
        person.effective = effective

    def _remove(self, operator_id: str) -> None:
        self.people[operator_id].removed = True
        self.people[operator_id].groups.clear()
        for case in self.cases.values():
            case.participants.discard(operator_id)
            if case.owner == operator_id:
                case.owner, case.scope = None, case.home

    def _note_setting(self, event: EventUnion) -> None:
        match event:
            case e.RoleDefined():
                self.roles[event.role_id] = event.permissions
            case e.GroupDefined():
                self.enabled[event.group_id] = event.enabled
            case e.GroupDeleted():
                del self.enabled[event.group_id]
                for person in self.people.values():
                    person.groups.discard(event.group_id)
            case e.EntryPointDefined():
                self.entry_points[event.entry_point_id] = event.groups
            case e.EntryPointRemoved():
                del self.entry_points[event.entry_point_id]
            case e.PolicySet():
                for case in self.cases.values():
                    if case.owner is None and case.offered_to is None:
                        case.declined.clear()
            case _:
                pass

    # --- C5: capacity, before the event is noted ---------------------------------------------

    def overload(self, event: Given) -> Iterator[str]:
        """What is wrong with the load that this decision makes."""
        weight = self.cases[event.conversation_id].weight
        person = self.people[event.operator_id]
        load = self.load(event.operator_id) + weight
        exceeds = load > person.capacity
        told = f"{event.conversation_id} makes {load} of {person.capacity} for {event.operator_id}"
        if exceeds and event.reason in _RANKED:
            yield f"{told}: the engine may not exceed a capacity"
        if isinstance(event, e.ConversationAssigned) and exceeds != event.excess:
            yield f"{told}: marked as {'excess' if event.excess else 'no excess'}"

    # --- C6: eligibility, before the event is noted ------------------------------------------

    def unfitness(self, event: Given) -> Iterator[str]:
        """Why this operator should not have been given it."""
        person, case = self.people[event.operator_id], self.cases[event.conversation_id]
        told = f"{event.conversation_id} to {event.operator_id}"
        if person.removed:
            yield f"{told}: removed"
        if self.roles[person.role_id].missing_to_receive():
            yield f"{told}: the role does not permit it"
        if event.reason not in _RANKED:
            return
        if person.effective != "online":
            yield f"{told}: {person.effective}"
        if not set(case.skills) <= set(person.skills):
            yield f"{told}: lacks a skill"
        forwarded = case.owner is not None
        if event.operator_id in case.participants or (
            event.operator_id in case.declined and not forwarded
        ):
            yield f"{told}: takes part or gave it up"
        scope = case.forwarded_to if forwarded else case.scope
        if scope is None or not self._in_scope(person, scope):
            yield f"{told}: not in scope"

    def _in_scope(self, person: Person, scope: Scope) -> bool:
        groups = {str(scope.group)} if scope.group is not None else set[str]()
        if scope.entry_point is not None:
            groups = set(self.entry_points[scope.entry_point])
        if groups:
            return any(self.enabled[group_id] for group_id in groups & person.groups)
        bound = {group_id for point in self.entry_points.values() for group_id in point}
        return not bound or not person.groups or bool(bound & person.groups)
