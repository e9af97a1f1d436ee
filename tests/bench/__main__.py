"""``python -m tests.bench [--quick]``: everything from one run, as a table and as a file.

Beside each figure of the engine stands the floor's: a program that takes the same messages, commits
as many rows of the same bytes and says as much, but decides nothing. The machine drops out of the
ratio. Nothing fails for being slow; it fails if an answer, a row or an event is missing.
"""

import argparse
import asyncio
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from shared.routing.ids import WorkspaceId
from shared.runtime.garbage import spare_what_lasts
from shared.runtime.logs import configure_logs
from tests.bench import (
    choosing,
    closed_rounds,
    committing,
    embedded,
    holding,
    lives,
    open_rounds,
    overload,
    peers,
    presence,
    replaying,
    restart,
    routers,
    rules,
    slow_commits,
    stages,
)
from tests.bench.chart import draw
from tests.bench.figures import Row, as_builtins
from tests.bench.lean_nats import LeanNats
from tests.bench.load import precise_loop
from tests.bench.office import CAPACITY, OPERATORS
from tests.bench.opening_hours import settle, shapes
from tests.bench.rounds import IN_FLIGHT, Contest, Plan
from tests.bench.sides import servers
from tests.bench.table import show

FULL = Plan(
    rounds=5,
    warm_up=5_000,
    conversations=10_000,
    samples=20_000,
    lives=4_000,
    overload_s=4,
    lasting_s=60,
)
QUICK = Plan(rounds=2, warm_up=1_000, conversations=2_000, samples=600, lives=1_100, overload_s=1)
_EXPLAINED = f"""
{os.cpu_count()} cores are shared by the engine or the floor, the broker, the database and the load.
{OPERATORS:,} operators with {CAPACITY} places each, so that every conversation is assigned; all are
closed after each round. {IN_FLIGHT:,} requests are in flight where no rate is named. Medians, with
the lowest and the highest round; a ratio is the median of the rounds' own ratios, and what a goal
is about where there is one. On one core: all processes of the side; the others go where they like.
The floor of choosing is its smallest size. Presence is a process of its own, with one session for
each operator. Library and plain SQL are peers: they assign as others would, and do nothing else of
what the engine does. What opening, choosing and replaying cost is in this process, without servers.
A restart is a router's own process, from its start to the answer to somebody who was never there.
"""

BUILD = Path(__file__).resolve().parents[2] / "build"


class Results:
    """What was measured so far, in the files from the first row on."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._machine = _machine()

    def add(self, rows: Iterable[Row]) -> None:
        """Keep these, whatever becomes of the rest."""
        self.rows += rows
        BUILD.mkdir(exist_ok=True)
        measured = list(as_builtins(self.rows))
        written = msgspec.json.encode({"machine": self._machine, "rows": measured})
        (BUILD / "bench.json").write_bytes(msgspec.json.format(written))
        (BUILD / "bench.svg").write_text(draw(measured, self._machine))


async def _contest(plan: Plan, results: Results) -> None:
    async with servers() as both, both.engine(WorkspaceId("engine")) as engine:
        await settle(both.bus, engine.workspace_id)
        recorded = await shapes(both, engine)
        async with both.floor(WorkspaceId("floor"), recorded) as floor:
            client = await LeanNats.connect(both.nats_url)
            try:
                contest = Contest(both, client, engine, floor)
                for side in (floor, engine):
                    await closed_rounds.capacity(contest, side, plan.warm_up)
                results.add(await closed_rounds.rows(contest, plan))
                results.add(await open_rounds.rows(contest, plan))
                results.add(await lives.rows(contest, plan, recorded))
                results.add(await slow_commits.rows(contest, plan))
                results.add(await overload.rows(contest, plan))
                results.add(await peers.rows(contest, plan))
            finally:
                await client.close()


def main() -> None:
    """Measure, print the table, write it into ``build`` as JSON and as a picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, under two minutes")
    quick = parser.parse_args().quick
    configure_logs(level="warning")
    results = Results()
    _measure(QUICK if quick else FULL, results, quick=quick)
    show(results.rows, _EXPLAINED)


def _measure(plan: Plan, results: Results, *, quick: bool) -> None:
    """Everything, with servers and without."""
    with asyncio.Runner(loop_factory=precise_loop) as runner:
        runner.run(_contest(plan, results))
        results.add(runner.run(embedded.rows(plan)))
        results.add(runner.run(routers.rows(plan)))
    spare_what_lasts()  # as in the engine's own process
    rounds, few = plan.rounds, min(plan.rounds, 3)
    results.add(stages.rows(rounds, conversations=1_000 if quick else 4_000))
    results.add(committing.rows(few, batches=5 if quick else 20))
    results.add(choosing.rows(rounds, pairs=500 if quick else 2_000, quick=quick))
    results.add(replaying.rows(few, events=50_000 if quick else 200_000))
    results.add(holding.rows(1 if quick else few))
    results.add(rules.rows(rounds))
    views = 10_000 if quick else 40_000
    results.add([asyncio.run(rules.through_broker(rounds, views))])
    results.add(asyncio.run(presence.rows(few, seconds=2 if quick else 8)))
    events = 50_000 if quick else restart.EVENTS
    results.add(asyncio.run(restart.rows(1 if quick else rounds, events=events)))


def _machine() -> dict[str, object]:
    """Its shape, and the day."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "processor": names[0] if names else platform.machine(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    main()
