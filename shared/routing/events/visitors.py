"""What rules do to visitors, before these have a conversation and beside it."""

from shared.routing.events.kinds import Fact
from shared.routing.ids import EntryPointId, GroupId, Position, Ref, RuleId, SessionId, VisitorId
from shared.routing.rules import Condition, Frequency, KeptAction


class RuleSaved(Fact, frozen=True, tag="rule_saved.v1"):
    """A rule was made or replaced as a whole; its position is its version."""

    rule_id: RuleId
    name: str
    order: int
    enabled: bool
    when: Condition
    then: tuple[KeptAction, ...]
    frequency: Frequency
    override: bool
    only_when_live: bool


class RuleDeleted(Fact, frozen=True, tag="rule_deleted.v1"):
    rule_id: RuleId


class RuleFired(Fact, frozen=True, tag="rule_fired.v1"):
    """The trigger evaluator found that a page view fulfils a rule; what it does follows.

    ``held`` are the paths of the conditions that held, as ``when.all[0]``.
    """

    rule_id: RuleId
    version: Position
    visitor_id: VisitorId
    session_id: SessionId
    entry_point_id: EntryPointId
    held: tuple[str, ...]
    page: Ref | None


class VisitorInvited(Fact, frozen=True, tag="visitor_invited.v1"):
    visitor_id: VisitorId
    entry_point_id: EntryPointId
    rule_id: RuleId
    message: Ref


class VisitorAsked(Fact, frozen=True, tag="visitor_asked.v1"):
    """Which group it wants is asked of the visitor."""

    visitor_id: VisitorId
    entry_point_id: EntryPointId
    rule_id: RuleId
    groups: tuple[GroupId, ...]


class VisitorPrepared(Fact, frozen=True, tag="visitor_prepared.v1"):
    """What the conversations that the visitor opens in this session get, all rules together."""

    visitor_id: VisitorId
    priority: int | None
    tags: tuple[str, ...]
    skills: tuple[str, ...]


class VisitorSessionEnded(Fact, frozen=True, tag="visitor_session_ended.v1"):
    """What rules arranged for the visitor ends with its session."""

    visitor_id: VisitorId
    session_id: SessionId


class VisitorSeen(Fact, frozen=True, tag="visitor_seen.v1"):
    """The visitor reads a page: it is still there."""

    visitor_id: VisitorId
