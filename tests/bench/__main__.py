"""``python -m tests.bench [--quick]``: everything from one run, as a table and as a file.

Beside each figure of the engine stands the floor's: a program that takes the same messages, commits
as many rows of the same bytes and says as much, but decides nothing. The machine drops out of the
ratio. Nothing fails for being slow; it fails if an answer, a row or an event is missing.
"""

import argparse
import asyncio
import os
import platform
from pathlib import Path

import msgspec
from rich.console import Console, JustifyMethod
from rich.table import Table

from shared.routing.ids import WorkspaceId
from shared.runtime.garbage import spare_what_lasts
from shared.runtime.logs import configure_logs
from tests.bench import choosing, committing, holding, presence, replaying, rules, stages
from tests.bench.figures import Row, Spread, as_builtins
from tests.bench.lean_nats import LeanNats
from tests.bench.load import precise_loop
from tests.bench.office import CAPACITY, OPERATORS
from tests.bench.opening_hours import settle, shapes
from tests.bench.rounds import IN_FLIGHT, Contest, Plan
from tests.bench.sides import servers

FULL = Plan(rounds=7, warm_up=5_000, conversations=20_000, seconds=8)
QUICK = Plan(rounds=5, warm_up=1_000, conversations=4_000, seconds=2)
_WIDTH = 118
_EXPLAINED = f"""
{os.cpu_count()} cores are shared by the engine or the floor, the broker, the database and the load.
{OPERATORS:,} operators with {CAPACITY} places each, so that every conversation is assigned; all are
closed after each round. {IN_FLIGHT:,} requests are in flight where no rate is named. Medians, with
the lowest and the highest round; a ratio is the median of the rounds' own ratios. The floor of
choosing is its smallest size. Presence is a process of its own, with one session for each operator.
What opening, choosing and replaying cost is in this process, without servers."""
FILE = Path(__file__).resolve().parents[2] / "build" / "bench.json"


async def _contest(plan: Plan) -> list[Row]:
    async with servers() as both, both.engine(WorkspaceId("engine")) as engine:
        await settle(both, engine)
        recorded = await shapes(both, engine)
        async with both.floor(WorkspaceId("floor"), recorded) as floor:
            client = await LeanNats.connect(both.nats_url)
            try:
                return await Contest(both, client, engine, floor).rows(plan)
            finally:
                await client.close()


def main() -> None:
    """Measure, print the table, write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, under two minutes")
    quick = parser.parse_args().quick
    configure_logs(level="warning")
    with asyncio.Runner(loop_factory=precise_loop) as runner:
        rows = runner.run(_contest(QUICK if quick else FULL))
    spare_what_lasts()  # as in the engine's own process
    rows += stages.rows(rounds=5, conversations=1_000 if quick else 4_000)
    rows += committing.rows(rounds=3, batches=5 if quick else 20)
    rows += choosing.rows(rounds=5, pairs=500 if quick else 2_000)
    rows += replaying.rows(rounds=3, events=50_000 if quick else 200_000)
    rows += holding.rows(rounds=1 if quick else 3)
    rows += rules.rows(rounds=5)
    rows.append(asyncio.run(rules.through_broker(rounds=5, views=10_000 if quick else 40_000)))
    rows += asyncio.run(presence.rows(rounds=3, seconds=2 if quick else 8))
    FILE.parent.mkdir(exist_ok=True)
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    written = {"machine": machine, "rows": list(as_builtins(rows))}
    FILE.write_bytes(msgspec.json.format(msgspec.json.encode(written)))
    Console(width=_WIDTH).print(_table(rows), _EXPLAINED)


def _table(rows: list[Row]) -> Table:
    table = Table()
    for column in ("", "ours", "floor", "unit", "ratio", "rounds"):
        justify: JustifyMethod = "left" if column in ("", "unit") else "right"
        table.add_column(column, justify=justify, no_wrap=True)
    for one in rows:
        table.add_row(
            one.name,
            _shown(one.ours),
            _shown(one.floor) if one.floor is not None else "",
            one.unit,
            f"{one.ratio:.2f}" if one.ratio is not None else "",
            str(len(one.ours.rounds)),
        )
    return table


def _shown(spread: Spread) -> str:
    digits = 0 if spread.median >= 100 else 1 if spread.median >= 10 else 2
    low, high = spread.range
    return f"{spread.median:,.{digits}f} ({low:,.{digits}f}-{high:,.{digits}f})"


if __name__ == "__main__":
    main()
