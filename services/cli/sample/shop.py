"""The shop: who works there and when, its groups and entry points, its policies and its rule.

All of it is data and the commands that set it up. Times of the day are local.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from shared.routing import commands as c
from shared.routing.commands import Command
from shared.routing.events import Actor
from shared.routing.ids import (
    EntryPointId,
    GroupId,
    OperatorId,
    RoleId,
    RuleId,
    WorkspaceId,
)
from shared.routing.permissions import Permissions
from shared.routing.policy import PolicyPatch, PolicyScope
from shared.routing.rules import Action, Condition, Invitation
from shared.routing.schedule import DAYS, Schedule, Weekly
from shared.routing.scope import Scope

WORKSPACE = WorkspaceId("sample")
NAME = "Sample shop"
ZONE = "Europe/Berlin"

ADMIN = Actor("admin", "admin")
PRESENCE = Actor("service", "presence")
RULES = Actor("service", "rules")
SHOP_HOURS = ("09:00", "19:00")
FRENCH_RULE, BASKET_RULE = RuleId("french-visitors"), RuleId("basket")
PAGES = "https://shop.example.org"
SITE, SHOP_FR, HELP = EntryPointId("site"), EntryPointId("shop-fr"), EntryPointId("help")
SALES, SUPPORT, BILLING = GroupId("sales"), GroupId("support"), GroupId("billing")
SECOND_LEVEL, OUTLET = GroupId("second-level"), GroupId("outlet")
FRENCH, CUSTOMS, REPAIRS = "french", "customs", "repairs"
"""Skills. Few have ``customs``, and nobody has ``repairs``."""


class Person(NamedTuple):
    """An operator. ``shift`` is from when to when he is there, every day; it may go past midnight.

    ``agrees`` to be alerted while invisible.
    """

    operator_id: OperatorId
    shift: tuple[str, str]
    groups: tuple[GroupId, ...]
    capacity: int = 2
    skills: tuple[str, ...] = ()
    role_id: RoleId = RoleId("staff")
    agrees: bool = False

    @property
    def name(self) -> str:
        return self.operator_id.capitalize()

    @property
    def actor(self) -> Actor:
        return Actor("operator", self.operator_id)

    @property
    def session(self) -> str:
        """The one device at which he sits."""
        return f"desk-{self.operator_id}"


ANA = OperatorId("ana")
MANAGER = RoleId("manager")
STAFF = (
    Person(OperatorId("ana"), ("08:00", "16:30"), (SUPPORT,), capacity=3),
    Person(OperatorId("ben"), ("08:30", "17:00"), (SUPPORT,), skills=(CUSTOMS,)),
    Person(OperatorId("cleo"), ("09:00", "17:30"), (SUPPORT,), skills=(CUSTOMS,)),
    Person(OperatorId("dan"), ("10:00", "18:30"), (SUPPORT, SALES), agrees=True),
    Person(OperatorId("eva"), ("08:30", "17:30"), (BILLING, SUPPORT), role_id=MANAGER, capacity=1),
    Person(OperatorId("finn"), ("21:00", "05:00"), (SALES, SUPPORT), capacity=4),
    Person(OperatorId("gina"), ("12:00", "21:00"), (SALES, OUTLET)),
    Person(OperatorId("hugo"), ("08:30", "17:30"), (SALES,), skills=(FRENCH,)),
    Person(OperatorId("ida"), ("22:00", "06:30"), (SUPPORT, SALES), 4, (FRENCH,)),
    Person(OperatorId("jan"), ("04:30", "13:00"), (SALES, BILLING, SUPPORT), 3),
    Person(OperatorId("lea"), ("11:00", "20:00"), (SALES,), skills=(FRENCH,), agrees=True),
    Person(OperatorId("max"), ("10:00", "18:00"), (SECOND_LEVEL,), capacity=3),
    Person(OperatorId("nora"), ("13:00", "22:30"), (SECOND_LEVEL, BILLING, SUPPORT), 5),
    Person(OperatorId("otto"), ("05:30", "14:30"), (SALES, BILLING), 3, agrees=True),
    Person(OperatorId("pia"), ("16:00", "01:00"), (SUPPORT, BILLING, SALES), 5),
)
PEOPLE = {person.operator_id: person for person in STAFF}


def every_day(begins: str, ends: str) -> Weekly:
    """The same hours on every day of the week."""
    return dict.fromkeys(DAYS, ((begins, ends),))


def schedule_of(begins: str, ends: str) -> Schedule:
    return Schedule(weekly=every_day(begins, ends), exceptions={}, timezone=None, auto_online=True)


# --- setting it up --------------------------------------------------------------------------


def settings() -> Iterator[Command]:
    """What the admin says to make the shop, in this order."""
    yield c.CreateWorkspace(name=NAME, timezone=ZONE, locale="de")
    yield c.DefineRole(
        role_id=RoleId("listener"),
        permissions=Permissions(unassigned="read", assigned="read", audit=True),
    )
    yield from _groups()
    yield from _people()
    yield from _entry_points()
    yield from _policies()
    yield _french_rule()
    yield _basket_rule()


def _groups() -> Iterator[Command]:
    german = {SALES: "Verkauf", SUPPORT: "Hilfe", BILLING: "Rechnungen", OUTLET: "Ausverkauf"}
    for group_id, name in german.items():
        yield c.CreateGroup(group_id=group_id, name=group_id.capitalize(), names={"de": name})
    yield c.CreateGroup(
        group_id=SECOND_LEVEL,
        name="Second level",
        description="Asked by forwarding alone",
        public=False,
    )


def _people() -> Iterator[Command]:
    for person in STAFF:
        yield c.RegisterOperator(
            operator_id=person.operator_id,
            name=person.name,
            email=f"{person.operator_id}@example.org",
            role_id=person.role_id,
            capacity=person.capacity,
            skills=person.skills,
        )
        for group_id in person.groups:
            yield c.JoinGroup(operator_id=person.operator_id, group_id=group_id)
        yield c.SetSchedule(
            operator_id=person.operator_id, weekly=every_day(*person.shift), auto_online=True
        )


def _entry_points() -> Iterator[Command]:
    yield c.DefineEntryPoint(
        entry_point_id=SITE,
        name="Shop",
        groups=(SALES,),
        ask_group=(SALES, OUTLET),
        fallback=(Scope(group=SUPPORT),),
    )
    yield c.DefineEntryPoint(
        entry_point_id=SHOP_FR,
        name="Boutique",
        groups=(SALES,),
        visitor_may_set=("skills", "optional_skills"),
    )
    yield c.SetSchedule(entry_point_id=SHOP_FR, weekly=every_day(*SHOP_HOURS))
    yield c.DefineEntryPoint(
        entry_point_id=HELP,
        name="Help pages",
        groups=(SUPPORT,),
        ask_group=(SUPPORT, BILLING),
        visitor_may_set=("priority", "skills", "optional_skills"),
    )


def _policies() -> Iterator[Command]:
    for scope, fields in _POLICIES:
        yield c.SetPolicy(
            scope=msgspec.convert(scope, PolicyScope), policy=msgspec.convert(fields, PolicyPatch)
        )


_POLICIES: tuple[tuple[dict[str, object], dict[str, object]], ...] = (
    (
        {"workspace": True},
        {
            "waiting_frees_slot_after_s": 240,
            "close_after_idle_s": 3_600,
            "missed_after_s": 900,
            "visitor_gone_after_s": 1_800,
            "on_owner_offline": "reassign_after",
            "reassign_after_s": 120,
            "unresponsive_after": 3,
        },
    ),
    ({"group": SALES}, {"wrap_up_s": 20, "queue_order": "aged"}),
    (
        {"group": SUPPORT},
        {
            "affinity": "wait",
            "affinity_wait_s": 45,
            "on_slow": [
                {"after_s": 45, "action": "notify"},
                {"after_s": 75, "action": "escalate_invisible"},
                {"after_s": 150, "action": "reassign"},
                {"after_s": 240, "action": "message_visitor"},
            ],
            "widening": [
                {"after_s": 90, "drop_optional_skills": "all", "raise_priority": 1},
                {"after_s": 180, "add_groups": [BILLING], "include_consenting_invisible": True},
            ],
        },
    ),
    (
        {"group": BILLING},
        {
            "delivery": "offer",
            "offer_timeout_s": 25,
            "decline_backoff_s": 30,
            "rounds_max": 4,
            "ranking": "longest_idle",
        },
    ),
    ({"group": SECOND_LEVEL}, {"delivery": "broadcast"}),
)


def _french_rule() -> Command:
    return c.SaveRule(
        rule_id=FRENCH_RULE,
        name="French visitors",
        order=1,
        enabled=True,
        when=Condition(field="current_url", op="starts_with", value=f"{PAGES}/fr/"),
        then=(
            Action(assign=Scope(group=SALES)),
            Action(require_skill=FRENCH),
            Action(add_tag="fr"),
        ),
    )


def _basket_rule() -> Command:
    return c.SaveRule(
        rule_id=BASKET_RULE,
        name="Help with the basket",
        order=2,
        enabled=True,
        when=Condition(field="current_url", op="starts_with", value=f"{PAGES}/basket"),
        then=(
            Action(invite=Invitation("May we help you with your order?")),
            Action(set_priority=7),
        ),
    )
