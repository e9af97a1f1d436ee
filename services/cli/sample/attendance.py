"""Who is at the desks: shifts, breaks, lost connections, idle hands, as presence would report."""

from collections.abc import Sequence
from functools import partial

from services.cli.sample.play import Play, minutes
from services.cli.sample.shop import (
    PRESENCE,
    SHOP_FR,
    SHOP_HOURS,
    STAFF,
    Person,
    schedule_of,
)
from services.cli.sample.times import HOUR_MS, is_open, turns
from shared.routing import commands as c
from shared.routing.commands import Command
from shared.routing.events import Actor
from shared.routing.ids import SessionId, UnixMs

Calm = tuple[UnixMs, UnixMs]
"""Between these times nobody takes a break and no connection is lost."""

_STRETCH_MS = 7 * 24 * HOUR_MS
"""So much is planned at once: a long play would have too much in mind."""
_AHEAD_MS = 9 * HOUR_MS
"""Longer than a shift, as breaks are planned from its end."""
_FEW = 5
"""So many have to be there for one of them to be on a break at the very end."""


class Attendance:
    """Plans everything about presence from one time to another."""

    def __init__(self, play: Play, begins: UnixMs, ends: UnixMs, calms: Sequence[Calm]) -> None:
        self._play = play
        self._begins = begins
        self._ends = ends
        self._calms = list(calms)
        there = sum(is_open(schedule_of(*person.shift), ends) for person in STAFF)
        if there < _FEW:
            self._calms.append((UnixMs(ends - minutes(20)), ends))

    def plan(self) -> None:
        """As of now everybody whose shift it is sits at his desk."""
        for person in STAFF:
            if is_open(schedule_of(*person.shift), self._begins):
                self._comes(person, self._begins)
            else:
                self._will(self._begins, PRESENCE, _shift_ends(person))
        if not is_open(schedule_of(*SHOP_HOURS), self._begins):
            self._will(self._begins, PRESENCE, c.EndShift(entry_point_id=SHOP_FR))
        self._plan_from(self._begins)

    def _plan_from(self, after: UnixMs) -> None:
        """A week, and before it is over the next one."""
        upto = UnixMs(min(after + _STRETCH_MS, self._ends + _AHEAD_MS))
        for person in STAFF:
            for at, begins in turns(schedule_of(*person.shift), after, upto):
                if begins:
                    self._shift_begins(person, at)
                else:
                    self._shift_ends(person, at)
        for at, opens in turns(schedule_of(*SHOP_HOURS), after, upto):
            command = c.StartShift if opens else c.EndShift
            self._will(at + 2, PRESENCE, command(entry_point_id=SHOP_FR))
        if upto < self._ends:
            self._play.at(upto - _AHEAD_MS, lambda _at: self._plan_from(upto))

    def _will(self, when: int, actor: Actor, command: Command) -> None:
        self._play.at(when, partial(self._play.do, actor, command))

    # --- shifts -----------------------------------------------------------------------------

    def _shift_begins(self, person: Person, at: UnixMs) -> None:
        start = c.StartShift(operator_id=person.operator_id)
        self._will(at + 2, PRESENCE, start)
        late = self._play.chance.randint(-6 * 60_000, 3 * 60_000)
        self._comes(person, UnixMs(max(at + late, self._begins)))

    def _comes(self, person: Person, at: UnixMs) -> None:
        self._will(at, person.actor, c.LogIn(session_id=SessionId(person.session)))
        self._will(at + 500, person.actor, c.SetStatus(status="online"))
        if person.agrees:
            agrees = c.SetPreferences(reachable_when_slow=True)
            self._will(at + 1_000, person.actor, agrees)

    def _shift_ends(self, person: Person, at: UnixMs) -> None:
        """Some take nothing new for the last minutes; all stay a little to end what they have."""
        if self._play.happens(70):
            self._will(at - minutes(8), person.actor, c.SetStatus(status="busy"))
        self._will(at + 2, PRESENCE, _shift_ends(person))
        stays = self._play.chance.randint(60_000, 6 * 60_000)
        self._will(at + stays, person.actor, c.LogOut(session_id=SessionId(person.session)))
        self._interrupt(person, at)

    # --- interruptions ----------------------------------------------------------------------

    def _interrupt(self, person: Person, ends: UnixMs) -> None:
        """A long break in the middle of the shift, short ones, and what nobody plans."""
        chance = self._play.chance
        begins = ends - minutes(480)
        self._pause(person, begins + minutes(chance.randint(210, 270)), 30, "busy")
        for number in range(2):
            at = begins + minutes(chance.randint(60, 190) + 220 * number)
            if person.agrees or self._play.happens(40):
                self._pause(person, at, chance.randint(10, 18), "invisible")
            else:
                self._pause(person, at, chance.randint(5, 9), "busy")
        if self._play.happens(45):
            self._loses_connection(person, begins + minutes(chance.randint(30, 440)))
        if self._play.happens(35):
            self._is_idle(person, begins + minutes(chance.randint(30, 440)))

    def _is_free(self, at: int, until: int) -> bool:
        return self._begins < at and not any(
            at < calm_to and until > calm_from for calm_from, calm_to in self._calms
        )

    def _pause(self, person: Person, at: int, length_min: int, status: str) -> None:
        """One with a set length ends by itself."""
        until = at + minutes(length_min)
        if not self._is_free(at, until):
            return
        if status == "busy":
            pause = c.SetStatus(status="busy", for_s=length_min * 60)
            self._will(at, person.actor, pause)
        else:
            self._will(at, person.actor, c.SetStatus(status="invisible"))
            self._will(until, person.actor, c.SetStatus(status="online"))

    def _loses_connection(self, person: Person, at: int) -> None:
        """For a moment or for so long that he counts as gone."""
        until = at + self._play.chance.choice((40_000, 95_000, minutes(5), minutes(8)))
        if self._is_free(at, until):
            who, session = person.operator_id, SessionId(person.session)
            self._will(at, PRESENCE, c.LapseSession(operator_id=who, session_id=session))
            self._play.at(until, lambda now: self._returns(person, now))

    def _returns(self, person: Person, at: UnixMs) -> None:
        """Whoever logged out meanwhile does not."""
        session = SessionId(person.session)
        if session in self._play.workspace.operators[person.operator_id].lapsed:
            command = c.ReturnSession(operator_id=person.operator_id, session_id=session)
            self._play.do(PRESENCE, command, at)

    def _is_idle(self, person: Person, at: int) -> None:
        until = at + minutes(self._play.chance.randint(2, 9))
        if self._is_free(at, until):
            who = person.operator_id
            self._will(at, PRESENCE, c.BecomeIdle(operator_id=who))
            self._will(until, PRESENCE, c.BecomeActive(operator_id=who))


def _shift_ends(person: Person) -> Command:
    return c.EndShift(operator_id=person.operator_id)
