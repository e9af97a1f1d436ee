"""Who sits in which pool: the indexes over operators that make choosing cheap."""

from collections.abc import Iterable
from typing import NamedTuple

from shared.routing.agenda import Agenda
from shared.routing.eligibility import (
    ALONE,
    alone,
    atoms_of,
    is_member,
    may_be_alerted,
    may_receive,
    unavailable,
    unfit,
)
from shared.routing.ids import GroupId, OperatorId
from shared.routing.ranking import Demand, Pool
from shared.routing.state import EVERYBODY, Audience, Operator
from shared.routing.vocabulary import AssignTo

POOLS_MAX = 1_000
"""Pools kept at a time; unused ones beyond it are dropped and built again when needed."""


class Standing(NamedTuple):
    """What the indexes know of an operator, kept to undo it when he changes."""

    atoms: dict[str, None]
    counted: bool
    alertable: bool
    """Invisible, and consents to hear of what nobody answers."""
    online: bool
    available: bool
    """Gets conversations automatically."""
    reachable: bool
    """Gets them where ``assign_to`` is ``any``."""
    assignable: bool
    """Whether a person, or a fallback, may direct something to him."""
    skills: tuple[str, ...]

    def serves(self, assign_to: AssignTo) -> bool:
        return self.available if assign_to == "online" else self.reachable


_GONE = Standing(
    {},
    counted=False,
    alertable=False,
    online=False,
    available=False,
    reachable=False,
    assignable=False,
    skills=(),
)
_ANY_SKILL = ""


class Reseated(NamedTuple):
    """How an operator's standing changed, and where nobody is online any more, or somebody now."""

    before: Standing | None
    after: Standing
    emptied: tuple[str, ...]
    filled: tuple[str, ...]


class Seats(Agenda):
    """``Agenda`` with the pools of operators and their numbers."""

    pools: dict[Demand, Pool] = {}
    combinations: dict[tuple[GroupId, ...], dict[str, None]] = {}
    """The atoms of whoever is in these groups: operators share them, as most are in the same."""
    pools_by_atom: dict[str, dict[str, dict[Demand, Pool]]] = {}
    """By each atom of their audience and the first skill they ask for: whoever lacks that is not
    even looked at."""
    standings: dict[OperatorId, Standing] = {}
    members: dict[str, int] = {}
    """Operators who may receive, by atom of an audience."""
    online: dict[str, int] = {}
    """Those of them who are effective online."""
    alertable: dict[str, dict[OperatorId, None]] = {}
    """Who may be told of what waits too long although invisible, by atom: few of many."""
    bound_groups: dict[str, None] = {}

    def reseat(self, operator: Operator) -> Reseated:
        """Bring pools and numbers up to date with whatever changed about the operator."""
        operator_id = operator.operator_id
        before = self.standings.pop(operator_id, None)
        if before is not None:
            self._count(before, -1)
            if before.alertable:
                for atom in before.atoms:
                    del self.alertable[atom][operator_id]
        after = _GONE if operator.removed else self._standing_of(operator)
        if not operator.removed:
            self.standings[operator_id] = after
            self._count(after, +1)
        if after.alertable:
            for atom in after.atoms:
                self.alertable.setdefault(atom, {})[operator_id] = None
        pools = dict.fromkeys(self._pools_at(operator_id, after))
        if before is not None:
            pools.update(dict.fromkeys(self._pools_at(operator_id, before)))
        for pool in pools:
            self._seat(pool, operator, after)
        were: Iterable[str] = before.atoms if before is not None and before.online else ()
        emptied = tuple(atom for atom in were if not self.online.get(atom))
        are: Iterable[str] = after.atoms if after.online else ()
        filled = tuple(atom for atom in are if self.online[atom] == 1 and atom not in were)
        return Reseated(before, after, emptied, filled)

    def load_changed(self, operator: Operator) -> None:
        """The short way of ``operator_changed`` where only load and ranking changed."""
        standing = self.standings.get(operator.operator_id)
        if standing is None or not standing.reachable:
            return
        for pool in self._pools_at(operator.operator_id, standing):
            self._seat(pool, operator, standing)

    def _standing_of(self, operator: Operator) -> Standing:
        human = operator.kind == "human"
        receives = may_receive(self.roles, operator)
        counted = human and receives
        return Standing(
            self._atoms_of(operator),
            counted=counted,
            alertable=may_be_alerted(self.roles, operator),
            online=counted and operator.effective == "online",
            available=human and not unavailable(self.roles, operator),
            reachable=human and not unavailable(self.roles, operator, "any"),
            assignable=receives and operator.effective != "offline",
            skills=operator.skills,
        )

    def _atoms_of(self, operator: Operator) -> dict[str, None]:
        groups = tuple(operator.groups)
        atoms = self.combinations.get(groups)
        if atoms is None:
            atoms = self.combinations[groups] = atoms_of(operator, self.bound_groups)
        return atoms

    def _count(self, standing: Standing, step: int) -> None:
        if not standing.counted:
            return
        for atom in standing.atoms:
            self.members[atom] = self.members.get(atom, 0) + step
            if standing.online:
                self.online[atom] = self.online.get(atom, 0) + step
        if standing.online:
            self.changed_entry_points.update(dict.fromkeys(self.entry_points))

    def _pools_at(self, operator_id: OperatorId, standing: Standing) -> list[Pool]:
        """Pools in which such an operator may sit, some of them twice."""
        found: list[Pool] = []
        for atom in (*standing.atoms, alone(operator_id)):
            by_skill = self.pools_by_atom.get(atom)
            if by_skill is not None:
                for skill in (_ANY_SKILL, *standing.skills):
                    found.extend(by_skill.get(skill, {}).values())
        return found

    def _seat(self, pool: Pool, operator: Operator, standing: Standing) -> None:
        eligible = (
            standing.serves(pool.demand.assign_to)
            and _is_meant(pool.demand.audience, operator, standing)
            and not unfit(operator, pool.demand)
        )
        if not eligible:
            pool.remove(operator.operator_id)
        elif pool.place(operator):
            self.stirred[pool.demand] = pool

    def pool(self, demand: Demand) -> Pool:
        """The pool for this demand, built by one walk over its audience if it is new."""
        pool = self.pools.get(demand)
        if pool is None:
            if len(self.pools) >= POOLS_MAX:
                self._drop_idle_pools()
            pool = self.pools[demand] = Pool(demand)
            for atom in demand.audience:
                by_skill = self.pools_by_atom.setdefault(atom, {})
                by_skill.setdefault(_first_skill(demand), {})[demand] = pool
            for operator_id in self.members_of(demand.audience):
                standing = self.standings[operator_id]
                operator = self.operators[operator_id]
                if standing.serves(demand.assign_to) and not unfit(operator, demand):
                    pool.place(operator)
        return pool

    def pool_size(self, demand: Demand) -> int:
        """Routable members with a free slot, before skills and personal exclusions."""
        return len(self.pool(demand._replace(skills=()) if demand.skills else demand))

    def _drop_idle_pools(self) -> None:
        idle = [demand for demand, pool in self.pools.items() if not pool.lanes]
        for demand in idle[: POOLS_MAX // 2]:
            del self.pools[demand]
            self.stirred.pop(demand, None)
            for atom in demand.audience:
                by_skill = self.pools_by_atom[atom]
                del by_skill[_first_skill(demand)][demand]
                if not by_skill[_first_skill(demand)]:
                    del by_skill[_first_skill(demand)]

    def members_of(self, audience: Audience) -> dict[OperatorId, None]:
        """Ids of all operators in the audience, whatever their status."""
        found: dict[OperatorId, None] = {}
        for atom in audience:
            if atom.startswith(ALONE):
                found[OperatorId(atom.removeprefix(ALONE))] = None
            elif atom == EVERYBODY:
                for operator_id, standing in self.standings.items():
                    if EVERYBODY in standing.atoms:
                        found[operator_id] = None
            else:
                found.update(self.groups[GroupId(atom)].members)
        return found

    def alertable_in(self, audience: Audience) -> dict[OperatorId, None]:
        """Ids of those in the audience who may be told of what waits too long."""
        found: dict[OperatorId, None] = {}
        for atom in audience:
            found.update(self.alertable.get(atom, {}))
        return found

    def somebody_online(self, audience: Audience) -> bool:
        for atom in audience:
            if self.online.get(atom, 0):
                return True
        return False

    def somebody_belongs(self, audience: Audience) -> bool:
        return any(self.members.get(atom, 0) for atom in audience)


def _is_meant(audience: Audience, operator: Operator, standing: Standing) -> bool:
    return is_member(audience, standing.atoms) or audience == (alone(operator.operator_id),)


def _first_skill(demand: Demand) -> str:
    return demand.skills[0] if demand.skills else _ANY_SKILL
