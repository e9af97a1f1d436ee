"""Rules on page views: what they look at and what they do. Data; they are judged elsewhere.

The trigger evaluator finds out which rules hold for a view, and reports it; only what they do is
decided on here.
"""

from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from shared.routing.ids import ID_PATTERN, GroupId, Position, Ref, RuleId
from shared.routing.scope import Scope

Op = Literal[
    "equals",
    "not_equals",
    "contains",
    "starts_with",
    "ends_with",
    "wildcard",
    "matches",
    "in",
    "gt",
    "gte",
    "lt",
    "lte",
    "exists",
]
Frequency = Literal["once_per_visitor", "once_per_session", "always"]

FIELDS = (
    "current_url",
    "url_host",
    "url_path",
    "title",
    "referrer",
    "time_on_page_s",
    "time_on_site_s",
    "pages_seen",
    "visit_count",
    "returning",
    "country",
    "language",
    "device",
    "entry_point",
    "local_time",
    "open_hours",
    "operators_online",
)
"""What a condition may look at, beside the three families below."""
FAMILIES = ("url_query.", "operators_online.", "custom.")
"""... followed by the name of a query parameter, the id of a group, or the name of an attribute."""

CONDITIONS_MAX = 1_000
"""In one rule."""

_Text = Annotated[str, Meta(max_length=4_000)]
_Number = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Plain = _Text | _Number | float | bool
Value = Plain | Annotated[tuple[Plain, ...], Meta(max_length=1_000)]


class Condition(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A tree with exactly one of ``all``, ``any``, ``not``, ``always`` and ``field`` at each node.

    ``{"field": "current_url", "op": "starts_with", "value": "https://example.org/fr/"}``
    """

    all: Annotated[tuple["Condition", ...], Meta(min_length=1, max_length=1_000)] | None = None
    any: Annotated[tuple["Condition", ...], Meta(min_length=1, max_length=1_000)] | None = None
    negated: "Condition | None" = msgspec.field(name="not", default=None)
    always: bool = False
    field: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    op: Op | None = None
    value: Value | None = None

    def __post_init__(self) -> None:
        kinds = (self.all, self.any, self.negated, self.always or None, self.field)
        if kinds.count(None) != len(kinds) - 1:
            raise ValueError("exactly one of all, any, not, always, field is needed")
        if self.field is None:
            if self.op is not None or self.value is not None:
                raise ValueError("op and value stand beside a field only")
        elif self.op is None:
            raise ValueError(f"a field needs an op, one of {', '.join(get_args(Op))}")


class Invitation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A targeted chat: what the visitor is asked."""

    message: Annotated[str, Meta(min_length=1, max_length=4_000)]


class Action(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One thing that a rule does, as its author writes it; exactly one field is set."""

    assign: Scope | None = None
    invite: Invitation | None = None
    ask_group: (
        Annotated[
            tuple[Annotated[GroupId, Meta(pattern=ID_PATTERN)], ...],
            Meta(min_length=1, max_length=1_000),
        ]
        | None
    ) = None
    set_priority: Annotated[int, Meta(ge=0, le=9)] | None = None
    add_tag: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    require_skill: Annotated[str, Meta(min_length=1, max_length=200)] | None = None

    def __post_init__(self) -> None:
        if sum(getattr(self, name) is not None for name in self.__struct_fields__) != 1:
            raise ValueError(f"exactly one of {', '.join(self.__struct_fields__)} is needed")


class KeptAction(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The same as the log holds it: what is said to a visitor lies in the vault."""

    assign: Scope | None = None
    invite: Ref | None = None
    ask_group: tuple[GroupId, ...] | None = None
    set_priority: int | None = None
    add_tag: str | None = None
    require_skill: str | None = None


class Rule(msgspec.Struct, frozen=True):
    """A saved rule. ``version`` is the position at which it was saved."""

    rule_id: RuleId
    version: Position
    name: str
    order: int
    enabled: bool
    when: Condition
    then: tuple[KeptAction, ...]
    frequency: Frequency
    override: bool
    """Replaces what a person assigned the visitor to."""
    only_when_live: bool
    """Invitations wait for somebody who could answer."""
