"""What is changed in the shop during the day, and what its manager does by hand."""

from functools import partial

from services.cli.sample.desks import Desks
from services.cli.sample.play import Play, minutes, operator
from services.cli.sample.shop import (
    ADMIN,
    ANA,
    BILLING,
    HELP,
    OUTLET,
    REPAIRS,
    SALES,
    SECOND_LEVEL,
    SITE,
    SUPPORT,
)
from services.cli.sample.times import HOUR_MS, latest
from services.cli.sample.visitors import Visitors, Wish
from shared.routing import commands as c
from shared.routing.commands import Command
from shared.routing.events import Actor, PresenceFresh, PresenceStale
from shared.routing.ids import OperatorId, UnixMs
from shared.routing.policy import PolicyPatch, PolicyScope
from shared.routing.scope import Scope

_DAN, _EVA, _GINA, _JAN, _OTTO, _TOM = (
    OperatorId(name) for name in ("dan", "eva", "gina", "jan", "otto", "tom")
)
_ROUND_MS = 12 * 60_000
"""So often the manager looks at what waits."""


def billing_is_short(before: UnixMs) -> tuple[UnixMs, UnixMs]:
    """From when to when. Nobody is on a break then: all are asked, and are heard to say no."""
    begins = latest(11, 15, before)
    return begins, UnixMs(begins + minutes(14))


class Changes:
    """Plans what happens once, at the last such time of day before ``before``."""

    def __init__(
        self, play: Play, visitors: Visitors, desks: Desks, begins: UnixMs, before: UnixMs
    ) -> None:
        self._play = play
        self._visitors = visitors
        self._desks = desks
        self._begins = begins
        self._before = before

    def plan(self) -> None:
        self._settings_change()
        self._outlet_ends()
        self._billing_is_short()
        self._dan_is_alerted()
        self._play.at(self._latest(14, 45), self._needs_second_level)
        self._tom_tries_out()
        self._night()
        self._play.at(self._begins + HOUR_MS, self._manager_looks)

    def _will(self, when: int, actor: Actor, *commands: Command) -> None:
        for command in commands:
            self._play.at(when, partial(self._play.do, actor, command))

    def _latest(self, hour: int, minute: int) -> UnixMs:
        return latest(hour, minute, self._before)

    # --- settings ---------------------------------------------------------------------------

    def _settings_change(self) -> None:
        in_turn = PolicyPatch(ranking="round_robin")
        sales = PolicyScope(group=SALES)
        self._will(self._latest(12, 0), ADMIN, c.SetPolicy(scope=sales, policy=in_turn))
        limit = PolicyPatch(max_waiting=6, fallback_when_nobody_online=True)
        site = PolicyScope(entry_point=SITE)
        self._will(self._latest(19, 30), ADMIN, c.SetPolicy(scope=site, policy=limit))
        self._will(self._latest(16, 5), ADMIN, c.UpdateOperator(operator_id=ANA, capacity=3))
        ends = self._latest(14, 25)
        joins = c.JoinGroup(operator_id=_OTTO, group_id=SUPPORT)
        self._will(ends - minutes(85), ADMIN, joins)
        self._will(ends, ADMIN, c.LeaveGroup(operator_id=_OTTO, group_id=SUPPORT))

    def _outlet_ends(self) -> None:
        """Its one member takes a break, somebody asks for it, and it is no more."""
        deleted = self._latest(17, 30)
        disabled = deleted - minutes(90) - 20_000  # no status is changed but at whole minutes
        pause = c.SetStatus(status="busy", for_s=900)
        self._will(disabled - 30_000, operator(_GINA), pause)
        self._play.at(disabled - 25_000, self._asks_for_outlet)
        off = c.UpdateGroup(group_id=OUTLET, enabled=False)
        self._will(disabled, ADMIN, off)
        self._will(deleted, ADMIN, c.DeleteGroup(group_id=OUTLET))

    def _asks_for_outlet(self, at: UnixMs) -> None:
        who = self._visitors.somebody_new()
        opened = self._visitors.opens(who, SITE, Wish(group_id=OUTLET), at)
        if opened is not None:
            self._play.untouchable[opened] = None

    def _tom_tries_out(self) -> None:
        """An operator who is there for some hours only."""
        left = self._latest(18, 10)
        self._will(
            left - minutes(150),
            ADMIN,
            c.RegisterOperator(operator_id=_TOM, name="Tom", capacity=1),
            c.JoinGroup(operator_id=_TOM, group_id=SUPPORT),
        )
        self._will(left, ADMIN, c.RemoveOperator(operator_id=_TOM))

    # --- hard times -------------------------------------------------------------------------

    def _billing_is_short(self) -> None:
        """Jan answers nothing for a while, and the others in his group want nothing more."""
        begins, _ = billing_is_short(self._before)
        self._play.at(begins, self._jan_is_away)
        for number in range(4):
            self._play.at(begins + 10_000 + number * 40_000, self._asks_for_billing)
        self._play.at(begins + minutes(12), self._billing_is_well)

    def _jan_is_away(self, at: UnixMs) -> None:
        self._desks.silent[_JAN] = None
        self._desks.unwilling.update({_EVA: None, _OTTO: None})
        for conversation in self._play.owned_by(_JAN):
            close = c.Close(conversation_id=conversation.conversation_id, reason="other")
            self._play.do(operator(_JAN), close, at)

    def _dan_is_alerted(self) -> None:
        """He works unseen while somebody waits for what nobody can do, and agreed to be told."""
        begins = self._latest(15, 20)
        for after_ms in (0, 60_000):
            self._will(begins + after_ms, operator(_DAN), c.SetStatus(status="invisible"))
        self._play.at(begins, self._asks_for_repairs)
        self._will(begins + minutes(9), operator(_DAN), c.SetStatus(status="online"))

    def _asks_for_repairs(self, at: UnixMs) -> None:
        self._visitors.opens(self._visitors.somebody_new(), HELP, Wish(skills=(REPAIRS,)), at)

    def _needs_second_level(self, at: UnixMs) -> None:
        """Whoever forwards it sees at once that it is for others."""
        who = self._visitors.somebody_new()
        opened = self._visitors.opens(who, HELP, Wish(priority=9), at)
        if opened is not None:
            to = Scope(group=SECOND_LEVEL)
            forward = c.Forward(conversation_id=opened, to=to, mode="direct", note="a lost parcel")
            self._play.do(operator(_EVA), forward, UnixMs(at + 4_000))

    def _billing_is_well(self, _at: UnixMs) -> None:
        self._desks.silent.clear()
        self._desks.unwilling.clear()

    def _asks_for_billing(self, at: UnixMs) -> None:
        who = self._visitors.somebody_new()
        self._visitors.opens(who, HELP, Wish(group_id=BILLING), at)

    def _night(self) -> None:
        """Somebody's texts are erased; the presence service is away for a moment."""
        self._play.at(self._latest(3, 10), self._erases)
        stale = self._latest(5, 0)
        self._play.at(stale, lambda at: self._play.note(PresenceStale(), at))
        self._play.at(stale + 25_000, lambda at: self._play.note(PresenceFresh(), at))

    def _erases(self, at: UnixMs) -> None:
        visitor_id = next(iter(self._play.workspace.visitors))
        self._play.do(ADMIN, c.Erase(subject=f"visitor:{visitor_id}"), at)

    # --- by hand ----------------------------------------------------------------------------

    def _manager_looks(self, now: UnixMs) -> None:
        """Takes what has waited longest, where nobody is to be given it."""
        self._play.at(now + _ROUND_MS, self._manager_looks)
        eva = self._play.workspace.operators[_EVA]
        if not self._play.is_there(_EVA) or eva.effective == "invisible":
            return
        waiting = [
            each
            for each in (
                self._play.workspace.conversations[its] for its in self._play.workspace.places
            )
            if each.conversation_id not in self._play.untouchable
            and now - each.queued_at > 6 * 60_000
        ]
        for conversation in waiting[:1]:
            claim = c.Claim(conversation_id=conversation.conversation_id)
            self._play.do(operator(_EVA), claim, now)
