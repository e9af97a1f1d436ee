"""The report of ``fernamt simulate`` in words and tables."""

from collections.abc import Callable, Iterator, Mapping

import msgspec
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from services.cli.moments import Clock
from shared.audit.outcomes import Outcome, Waited
from shared.audit.simulating import Assumption, AssumptionCode, Difference, Run, Simulation

ROWS_MAX = 20
"""Of the differences; all of them are in the JSON."""

_NOTHING_APPLIED = "A report: nothing was applied, and nothing is proposed."


def shown(report: Simulation, clock: Clock) -> Iterator[RenderableType]:
    """Everything that the report says, part by part."""
    stretch = report.stretch
    yield (
        f"[bold]What would have been[/bold], positions {stretch.after + 1} to {stretch.upto}"
        f" ({clock.full(stretch.begins_at)} to {clock.named(stretch.ends_at)}),"
        f" {stretch.events} events"
    )
    yield _NOTHING_APPLIED
    for change in report.changes:
        yield escape(f"  supposed: {msgspec.json.encode(change).decode()}")
    yield ""
    for table in (_totals(report), _buckets(report), _loads(report)):
        yield table
        yield ""
    yield from _different(report)
    yield ""
    yield "[bold]What it takes for granted[/bold]"
    for assumption in report.assumptions:
        yield escape(f"  {in_words(assumption)}")
    yield from _left_out(report.simulated)
    yield escape(_trust(report))


# --- tables -------------------------------------------------------------------------------------

_ROWS: tuple[tuple[str, Callable[[Outcome], str]], ...] = (
    ("conversations", lambda o: str(o.conversations)),
    ("a person had them", lambda o: str(o.assigned)),
    ("ended before that", lambda o: str(o.gave_up)),
    ("waiting at the end", lambda o: str(o.waiting_still)),
    ("with a bot at the end", lambda o: str(o.with_bots)),
    ("missed", lambda o: str(o.missed)),
    ("wait, median", lambda o: duration(o.waits.p50_ms)),
    ("wait, 90 of 100 at most", lambda o: duration(o.waits.p90_ms)),
    ("wait, 99 of 100 at most", lambda o: duration(o.waits.p99_ms)),
    ("wait, longest", lambda o: duration(o.waits.max_ms)),
    ("wait, mean", lambda o: duration(o.waits.mean_ms)),
)


def _outcomes(report: Simulation) -> tuple[Outcome, Outcome, Outcome]:
    return report.recorded.outcome, report.baseline.outcome, report.simulated.outcome


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(columns[0])
    for column in columns[1:]:
        table.add_column(column, justify="right")
    return table


def _totals(report: Simulation) -> Table:
    table = _table("", "recorded", "played as it was", "played with the changes")
    for label, said in _ROWS:
        table.add_row(label, *map(said, _outcomes(report)))
    return table


def _buckets(report: Simulation) -> Table:
    table = _table("how many waited", "recorded", "as it was", "with the changes")
    bounds = [f"up to {duration(bound)}" for bound in report.wait_bounds_ms] + ["longer"]
    counts = [outcome.waits.counts for outcome in _outcomes(report)]
    for label, *row in zip(bounds, *counts, strict=True):
        if any(row):
            table.add_row(label, *map(str, row))
    return table


def _loads(report: Simulation) -> Table:
    """Each figure as it was, and with the changes."""
    table = _table("operator", "capacity", "assigned", "peak load", "mean load", "over capacity")
    _, before, after = _outcomes(report)
    were = {load.operator_id: load for load in before.loads}
    for now in after.loads:
        was = were.get(now.operator_id, now)
        table.add_row(
            escape(now.operator_id),
            _both(was.capacity, now.capacity),
            _both(was.assignments, now.assignments),
            _both(was.peak_load, now.peak_load),
            _both(_decimal(was.mean_load_thousandths), _decimal(now.mean_load_thousandths)),
            _both(was.excess, now.excess),
        )
    return table


def _both(was: object, now: object) -> str:
    return str(now) if was == now else f"{was} → {now}"


def _decimal(thousandths: int) -> str:
    return f"{thousandths // 1_000}.{thousandths % 1_000 // 10:02d}"


def _different(report: Simulation) -> Iterator[RenderableType]:
    yield f"{report.differences_total} conversations come out differently with the changes"
    if not report.differences_total:
        return
    table = Table(box=None, pad_edge=False)
    for column in ("conversation", "as it was", "with the changes"):
        table.add_column(column)
    for difference in report.differences[:ROWS_MAX]:
        table.add_row(*map(escape, _row(difference)))
    yield table
    if report.differences_total > ROWS_MAX:
        yield f"… and {report.differences_total - ROWS_MAX} more: --json"


def _row(difference: Difference) -> tuple[str, str, str]:
    its_id = str(difference.conversation_id)
    return its_id, _fared(difference.baseline), _fared(difference.simulated)


def _fared(waited: Waited | None) -> str:
    if waited is None:
        return "did not wait"
    why = f" ({waited.reason.replace('_', ' ')})" if waited.reason is not None else ""
    if waited.waits_still:
        return f"waits still, {duration(waited.waited_ms)}{why}"
    if waited.first_owner is None:
        return f"ended after {duration(waited.waited_ms)}{why}"
    return f"{waited.first_owner} after {duration(waited.waited_ms)}{why}"


def duration(ms: int) -> str:
    """For people: ``0 s``, ``1.2 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if ms < 60_000:
        tenths = ms // 100
        return f"{tenths // 10} s" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10} s"
    if ms < 3_600_000:
        return f"{ms // 60_000} min {ms // 1_000 % 60:02d} s"
    return f"{ms // 3_600_000} h {ms // 60_000 % 60:02d} min"


# --- words --------------------------------------------------------------------------------------

_SENTENCES: Mapping[AssumptionCode, str] = {
    "visitors_as_recorded": "Visitors open conversations ({opened}), leave the page and come back"
    " when they did, however long they have to wait.",
    "visitors_keep_pace": "Visitors write ({wrote}) and close when the conversation has waited, or"
    " has been in somebody's hands, for as long as it had then. Nobody gives up who did not.",
    "presence_as_recorded": "Operators log in and out, choose their status, are idle and begin and"
    " end their shifts when they did.",
    "changes_outlive": "The changes hold from the beginning of the stretch, or from when there is"
    " what they name, and outlive later changes of the same settings.",
    "rules_as_recorded": "Rules fire for visitors where they did ({fired} times).",
    "work_takes_as_long": "Whoever has a conversation does with it what was done ({acts} acts),"
    " after it has been in somebody's hands, or has waited, for as long as it had then.",
    "owner_must_be_there": "{acts} acts wait for whoever has the conversation now, and did not"
    " have it then, to be there.",
    "acts_left_out": "{acts} acts of people did not fit and were left out.",
    "acts_not_reached": "{acts} acts of people were not reached before the end, or had become"
    " pointless.",
    "offers_as_recorded": "{offers} offers are answered as the same operator answered then.",
    "offers_accepted_after": "{offers} offers that nobody made then are accepted after {after}.",
    "claimed_after": "{claims} conversations that nobody had to claim then are claimed after"
    " {after}, by whom ranking would have chosen.",
    "answered_after": "{replies} conversations of which no answer is known are answered after"
    " {after}, the median.",
    "closed_after": "{closes} conversations of which no end is known are closed after {after},"
    " the median.",
    "nobody_known_to_answer": "Nothing was closed by people in the stretch: conversations of"
    " which no end is known stay open.",
    "present_rules": "{decisions} decisions were made by another revision of the rules; they are"
    " made again by the present one ({revision}).",
    "commands_not_understood": "{acts} commands are not known to this release and were left out.",
}


def in_words(assumption: Assumption) -> str:
    """The assumption as an English sentence."""
    numbers: dict[str, object] = dict(assumption.numbers)
    after_ms = assumption.numbers.get("after_ms")
    if after_ms is not None:
        measured = assumption.numbers.get("measured")
        source = {None: "", 0: ", for want of a better guess", 1: ", the median"}[measured]
        numbers["after"] = duration(after_ms) + source
    return _SENTENCES[assumption.code].format(**numbers)


def _left_out(run: Run) -> Iterator[str]:
    if run.tally is None:
        return
    for code, count in sorted(run.tally.left_out.items()):
        yield escape(f"    {count} of them: {code}")


def _trust(report: Simulation) -> str:
    """How far what was played as it was is from what was recorded."""
    artefacts = report.artefacts_total
    if not artefacts:
        return "Played as it was, every conversation came out as recorded."
    return (
        f"Played as it was, {artefacts} conversations did not come out as recorded:"
        " compare what was played with what was played."
    )
