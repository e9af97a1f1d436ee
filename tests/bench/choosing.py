"""What choosing costs as a team or its queue grows: the core alone, in this process.

From an accepted fact to the state at rest again, decisions included; no decoding, no answers.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from time import process_time
from typing import Any

import msgspec

from shared.routing import events as e
from shared.routing.commands import COMMANDS, Refused
from shared.routing.decide import Instruction, decide
from shared.routing.events import Actor, Fact
from shared.routing.ids import (
    ConversationId,
    EntryPointId,
    OperatorId,
    SessionId,
    UnixMs,
    VisitorId,
    WorkspaceId,
)
from shared.routing.scope import Scope
from shared.routing.transaction import Recorded, Stamp, record
from shared.routing.vocabulary import Ranking
from shared.routing.workspace import Workspace
from tests.bench.figures import Row, row
from tests.bench.office import ENTRY_POINT, GROUP, Said, settled

BEGINNING = UnixMs(1_750_000_000_000)
EPOCH = 1

TEAMS = (100, 10_000, 100_000)
QUEUES = (10, 100_000)
FEW = 10
"""Times smaller than these, but for the smallest of each, where it is to be quick."""
OTHER_RANKINGS: tuple[Ranking, ...] = (
    "highest_free_ratio",
    "fewest_open",
    "round_robin",
    "longest_idle",
)
MORE_GROUPS = 19
"""Beside the one that everybody is in; each operator is in one of them, too."""
GOAL = "<= 5"
"""Times the smallest of its kind."""
_PLACES = 4
_TAKEN = 2
"""Of its places each operator has so many taken while the cost of choosing is measured."""
_DESK = 1_000


class Core:
    """A workspace without anything around it. Time stands still but for a tick with each fact."""

    def __init__(self, operators: int, capacity: int) -> None:
        self.workspace = Workspace(workspace_id=WorkspaceId("bench"))
        self._at = BEGINNING
        for said in settled(operators, capacity):
            self.tell(said)

    def tell(self, said: Said) -> None:
        command = msgspec.convert(said.fields, COMMANDS[said.name])
        outcome = decide(self.workspace, command, Instruction(Actor(*said[:2]), self._at))
        assert not isinstance(outcome, Refused), (said, outcome)
        for fact in outcome.events:
            self.record(fact)

    def record(self, fact: Fact) -> int:
        """Apply the fact and all that follows; how many events that were."""
        return sum(1 for _ in self.recorded(fact))

    def recorded(self, fact: Fact) -> Iterator[Recorded]:
        """The same, event by event."""
        self._at = UnixMs(self._at + 1)
        return record(self.workspace, (fact,), Stamp(self._at, EPOCH))

    def opened(self, number: int) -> Fact:
        """A conversation is opened by a visitor of its own."""
        scope = Scope(entry_point=EntryPointId(ENTRY_POINT))
        return e.ConversationOpened(
            conversation_id=ConversationId(f"c-{number}"),
            visitor_id=VisitorId(f"v-{number}"),
            contact_id=None,
            entry_point_id=EntryPointId(ENTRY_POINT),
            entry_mode="live",
            scope=scope,
            scope_source="entry_point",
            priority=5,
            skills=(),
            optional_skills=(),
            weight=1,
            language=None,
            attributes=None,
        )

    def closed(self, number: int) -> Fact:
        """It ends, whoever owns it."""
        conversation = self.workspace.conversations[ConversationId(f"c-{number}")]
        return e.ConversationClosed(
            conversation.conversation_id, conversation.owner, "solved", None
        )

    def comings_us(self, several: int) -> float:
        """Mean cost of one operator's going and of his coming back, one after the other."""
        count = len(self.workspace.operators)
        ids = [OperatorId(f"operator-{n * 7919 % count}") for n in range(several)]
        began = process_time()
        for operator_id in ids:
            session_id = SessionId(f"{operator_id}-1")
            _expect(self.record(e.OperatorLoggedOut(operator_id, session_id)), 2)  # and status
            _expect(self.record(e.OperatorLoggedIn(operator_id, session_id)), 2)
        return (process_time() - began) / several * 1e6


class Team:
    """Conversations come and go while everybody has places left."""

    def __init__(self, operators: int) -> None:
        self._core = Core(operators, _PLACES)
        self._next = 0
        self._open: deque[int] = deque()
        for _ in range(operators * _TAKEN):
            self._open_one()

    def rank_by(self, ranking: Ranking) -> None:
        """Choose by another ranking from here on."""
        scope, policy = {"workspace": True}, {"ranking": ranking}
        self._core.tell(_of_admin("set_policy", scope=scope, policy=policy))

    def spread(self) -> None:
        """Have conversations reach many groups at once."""
        groups = [f"group-{number}" for number in range(MORE_GROUPS)]
        for group_id in groups:
            self._core.tell(_of_admin("create_group", group_id=group_id, name=group_id))
        for number, operator_id in enumerate(self._core.workspace.operators):
            member = {"operator_id": operator_id, "group_id": groups[number % MORE_GROUPS]}
            self._core.tell(_of_admin("join_group", **member))
        web = {"entry_point_id": ENTRY_POINT, "name": ENTRY_POINT}
        self._core.tell(_of_admin("define_entry_point", **web, groups=[GROUP, *groups]))

    def comings_us(self, several: int) -> float:
        """Mean cost of one operator's going and coming back."""
        return self._core.comings_us(several)

    def _open_one(self) -> None:
        _expect(self._core.record(self._core.opened(self._next)), 2)  # opened, assigned
        self._open.append(self._next)
        self._next += 1

    def pair_us(self, pairs: int) -> float:
        """Mean cost of one assignment and one release."""
        began = process_time()
        for _ in range(pairs):
            self._open_one()
            _expect(self._core.record(self._core.closed(self._open.popleft())), 1)
        return (process_time() - began) / pairs * 1e6


class Queue:
    """Everybody is full and so many wait: whoever is released gets the first in line."""

    def __init__(self, waiting: int) -> None:
        self._core = Core(_DESK, 1)
        self._next = 0
        self._first_owned = 0
        for _ in range(_DESK + waiting):
            self._open_one()

    def _open_one(self) -> None:
        _expect(self._core.record(self._core.opened(self._next)), 2)  # then assigned, or queued
        self._next += 1

    def release_us(self, releases: int) -> float:
        """Mean cost of a release and of giving the operator the next; the refill is not counted."""
        spent = 0.0
        for _ in range(releases):
            closed = self._core.closed(self._first_owned)
            self._first_owned += 1
            began = process_time()
            _expect(self._core.record(closed), 2)  # closed, assigned
            spent += process_time() - began
            self._open_one()
        return spent / releases * 1e6

    def comings_us(self, several: int) -> float:
        """Mean cost of one operator's going and coming back, full and with all these waiting."""
        return self._core.comings_us(several)


def rows(rounds: int, pairs: int, *, quick: bool = False) -> Iterator[Row]:
    """A line for each size of a team and of a queue, stated against the smallest of its kind."""
    teams = {size: Team(size) for size in _sizes(TEAMS, quick=quick)}
    pairing = {size: partial(team.pair_us, pairs) for size, team in teams.items()}
    yield from _compared("assign + release, {:,} operators", _measured(rounds, pairing))
    going = {size: partial(team.comings_us, pairs) for size, team in teams.items()}
    yield from _compared("log out + in, {:,} operators", _measured(rounds, going))
    extremes = {size: pairing[size] for size in (min(teams), max(teams))}
    for ranking in OTHER_RANKINGS:
        for team in teams.values():
            team.rank_by(ranking)
        by = f"assign + release by {ranking}, {{:,}} operators"
        yield from _compared(by, _measured(rounds, extremes))
    for size in extremes:
        teams[size].rank_by("most_free_slots")
        teams[size].spread()
    many = f"assign + release over {MORE_GROUPS + 1} groups, {{:,}} operators"
    yield from _compared(many, _measured(rounds, extremes))
    del teams, pairing, going, extremes
    yield from _of_queues(rounds, pairs, _sizes(QUEUES, quick=quick))


def _sizes(usual: Sequence[int], *, quick: bool) -> Sequence[int]:
    return [usual[0], *(size // FEW for size in usual[1:])] if quick else usual


def _of_queues(rounds: int, pairs: int, sizes: Sequence[int]) -> Iterator[Row]:
    queues = {size: Queue(size) for size in sizes}
    us = _measured(rounds, {n: partial(queue.release_us, pairs) for n, queue in queues.items()})
    yield from _compared("release to the first of {:,}", us)
    us = _measured(rounds, {n: partial(queue.comings_us, pairs) for n, queue in queues.items()})
    yield from _compared("log out + in, {:,} waiting", us)


def _measured(
    rounds: int, measures: Mapping[int, Callable[[], float]]
) -> Mapping[int, Sequence[float]]:
    """All sizes in turn, round after round. One before the first builds the pools."""
    measured: dict[int, list[float]] = {size: [] for size in measures}
    for counted in (False, *[True] * rounds):
        for size, measure in measures.items():
            us = measure()
            if counted:
                measured[size].append(us)
    return measured


def _compared(name: str, us: Mapping[int, Sequence[float]]) -> Iterator[Row]:
    least = min(us)
    for size, rounds in us.items():
        goal = GOAL if size > least else ""
        yield row(name.format(size), "µs", rounds, us[least], goal=goal)


def _of_admin(name: str, /, **fields: Any) -> Said:
    return Said("admin", "root", name, fields)


def _expect(events: int, wanted: int) -> None:
    if events != wanted:
        raise AssertionError(f"{wanted} events were to follow, {events} did")
