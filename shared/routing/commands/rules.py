"""Commands on rules, and what the trigger evaluator reports."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from shared.routing.commands.command import Command
from shared.routing.commands.fields import AnEntryPoint, ARule, ASession, AVisitor, Name
from shared.routing.ids import Position
from shared.routing.rules import Action, Condition, Frequency

RuleOrder = Annotated[int, Meta(ge=-(2**31), le=2**31)]
Actions = Annotated[tuple[Action, ...], Meta(min_length=1, max_length=50)]
Paths = Annotated[tuple[Annotated[str, Meta(max_length=400)], ...], Meta(max_length=1_000)]
AVersion = Annotated[Position, Meta(ge=1, le=2**53)]
PageAddress = Annotated[str, Meta(max_length=4_000)]


class SaveRule(Command, frozen=True):
    """``name``, ``order``, ``when`` and ``then`` are needed when it is new; else they are kept.

    ``frequency`` is ``once_per_session`` if not given, ``always`` for a rule that only assigns.
    """

    rule_id: ARule
    name: Name | UnsetType = UNSET
    order: RuleOrder | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    when: Condition | UnsetType = UNSET
    then: Actions | UnsetType = UNSET
    frequency: Frequency | UnsetType = UNSET
    override: bool | UnsetType = UNSET
    only_when_live: bool | UnsetType = UNSET

    def texts(self) -> Mapping[str, object]:
        """What it asks visitors, by ``invitation_key``."""
        actions = () if self.then is UNSET else self.then
        return {
            invitation_key(number): action.invite.message
            for number, action in enumerate(actions)
            if action.invite is not None
        }


def invitation_key(number: int) -> str:
    """How the text of a rule's action is called, from 0."""
    return f"then[{number}].invite.message"


class DeleteRule(Command, frozen=True):
    rule_id: ARule


class RuleReport(Command, frozen=True):
    """Sent by the trigger evaluator."""

    allowed = ("service",)
    reserved = "rules"


class FireRule(RuleReport, frozen=True):
    """A page view, or the time since, fulfils a rule of this version.

    ``held`` are the paths of the conditions that held, ``page`` the address that was looked at.
    """

    personal = ("page",)
    rule_id: ARule
    version: AVersion
    visitor_id: AVisitor
    session_id: ASession
    entry_point_id: AnEntryPoint
    held: Paths = ()
    page: PageAddress | None = None


class EndVisitorSession(RuleReport, frozen=True):
    """Nothing was seen of the visitor for so long that its session is over."""

    visitor_id: AVisitor
    session_id: ASession


class SeeVisitor(RuleReport, frozen=True):
    """The visitor reads pages, which is a sign of it though it says nothing."""

    visitor_id: AVisitor
