"""Which rules fire for a page at a moment, in their order, and what is told of it to the router.

Whether a rule that holds has anything left to do is asked of the core, on the state as the log has
it: what fired before, who is there to answer an invitation, and what is arranged already.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from hashlib import blake2b
from typing import NamedTuple, cast

import structlog

from services.trigger_evaluator.compiling import CompiledRule, RuleSet, held, next_mark
from services.trigger_evaluator.knowledge import Knowledge
from services.trigger_evaluator.sighting import DAY_MINUTES, Now, Sighting, local_time
from services.trigger_evaluator.visit import Page, VisitKey
from shared.routing.commands import Command, FireRule, Refused
from shared.routing.decide import Instruction, decide
from shared.routing.events import Actor
from shared.routing.ids import CommandId
from shared.routing.state import command_key
from shared.routing.vocabulary import NotFired

log = structlog.get_logger()

ACTOR = Actor("service", "rules")
MINUTE_MS = 60_000
CLOCK_CHANGE_LOOK_MS = 15 * MINUTE_MS
"""When clocks change, times of the day are looked for in steps of so much: they change on these."""
SETTLES: tuple[NotFired, ...] = ("so_already",)
"""A rule that has nothing left to change had its turn; other reasons leave it to the next one."""
HELD_BYTES_MAX = 32_000
"""Of the paths in one report; a rule of many long ones names the first that held."""


class Firing(NamedTuple):
    """A rule that holds, and the report of it. The same view makes the same report."""

    rule: CompiledRule
    command: FireRule
    command_id: CommandId


class Judge:
    """Judges the pages of one workspace. ``failed`` counts rules that could not be judged."""

    def __init__(self, known: Knowledge) -> None:
        self._known = known
        self.failed = 0

    def sighting(self, page: Page, now: Now) -> Sighting:
        return Sighting(page, now, self._known.around())

    def firings(
        self, key: VisitKey, page: Page, now: Now, *, timed: bool = False, since_ms: int = 0
    ) -> Iterator[Firing]:
        """The reports to send, one after the other; under ``first_match`` until one has fired.

        ``timed``: no page was turned to, but time went by, so that only rules that look at it can
        have come to hold. ``since_ms``: what fired from then on fired for this view.
        """
        page.judged_ms = now.elapsed_ms
        rules = self._known.rules()
        if page.settled and rules.mode == "first_match":
            return
        sighting = self.sighting(page, now)
        for rule in rules.candidates(sighting):
            if timed and not rule.timed:
                continue
            if rule.rule.rule_id in page.settled or not self.holds(rule, sighting):
                continue
            firing = _firing(key, page, rule, sighting)
            why_not = self._why_not(firing, page, now, since_ms)
            if why_not is None:
                yield firing
            else:
                page.passed[rule.rule.rule_id] = why_not
                if why_not in SETTLES:
                    page.settled[rule.rule.rule_id] = None
            if page.settled and rules.mode == "first_match":
                return

    def holds(self, rule: CompiledRule, sighting: Sighting, *, ever: bool = False) -> bool:
        """Whether the rule holds; ``ever``: might, if nothing changed but time and operators."""
        try:
            return (rule.may_come if ever else rule.holds)(sighting) is True
        except Exception:
            # A fault that one rule meets must neither stop the others nor the visitor.
            log.exception("rule_failed", rule=rule.rule.rule_id, version=rule.rule.version)
            self.failed += 1
            return False

    def _why_not(self, firing: Firing, page: Page, now: Now, since_ms: int) -> NotFired | None:
        """Why the router would do nothing; a firing that this very view caused is noted."""
        why_not = would_not(self._known, firing.command, now)
        if why_not is None and firing.rule.rule.frequency != "always":
            return None
        workspace = self._known.workspace
        own = workspace.commands.get(command_key(ACTOR, firing.command_id))
        if own is not None:
            page.fired[firing.command.rule_id] = own.position
            return "so_already"
        last = self._known.firings.get((firing.command.visitor_id, firing.command.rule_id))
        if since_ms and last is not None and last.at >= since_ms:
            return "so_already"
        return why_not

    # --- moments ----------------------------------------------------------------------------

    def next_moment(self, page: Page, now: Now) -> int | None:
        """When some rule may come to hold without another view, in elapsed time; none if never."""
        rules = self._known.rules()
        if not still_matters(rules, page):
            return None
        sighting = self.sighting(page, now)
        moments = [
            moment
            for rule in rules.candidates(sighting)
            if rule.timed and rule.rule.rule_id not in page.settled
            for moment in _moments(rule, sighting)
            if self.holds(rule, sighting, ever=True)
        ]
        return min(moments, default=None)


def would_not(known: Knowledge, command: Command, now: Now) -> NotFired | None:
    """Why the core would do nothing about the report, as far as the log is known."""
    outcome = decide(known.workspace, command, Instruction(ACTOR, now.wall_ms))
    if isinstance(outcome, Refused):
        return "unknown_rule"
    if outcome.events:
        return None
    return cast("NotFired", outcome.warnings[0]) if outcome.warnings else "so_already"


def would_change(known: Knowledge, command: Command, now: Now) -> bool:
    """Whether the core would write anything about the report."""
    outcome = decide(known.workspace, command, Instruction(ACTOR, now.wall_ms))
    return not isinstance(outcome, Refused) and bool(outcome.events)


def _firing(key: VisitKey, page: Page, rule: CompiledRule, sighting: Sighting) -> Firing:
    command = FireRule(
        rule_id=rule.rule.rule_id,
        version=rule.rule.version,
        visitor_id=key.visitor_id,
        session_id=key.session_id,
        entry_point_id=page.entry_point_id,
        held=tuple(_first_of(held(rule, sighting))),
        page=page.url,
    )
    parts = (command.rule_id, str(command.version), key.visitor_id, key.session_id, page.view)
    digest = blake2b("\n".join(parts).encode(), digest_size=24).hexdigest()
    return Firing(rule, command, CommandId(digest))


def _first_of(paths: Iterable[str]) -> Iterator[str]:
    size = 0
    for path in paths:
        size += len(path) + len('"",')
        if size > HELD_BYTES_MAX:
            return
        yield path


def _moments(rule: CompiledRule, sighting: Sighting) -> Iterator[int]:
    page, now = sighting.page, sighting.now
    for since_ms, marks in (
        (page.since_ms, rule.marks.on_page_ms),
        (page.site_since_ms, rule.marks.on_site_ms),
    ):
        mark = next_mark(marks, now.elapsed_ms - since_ms)
        if mark is not None:
            yield since_ms + mark
    if rule.marks.minutes:
        yield now.elapsed_ms + _until_minute(rule.marks.minutes, sighting)


def _until_minute(minutes: tuple[int, ...], sighting: Sighting) -> int:
    """How long until the clock on the wall shows one of these, or is put forward or back."""
    wall_ms, zone = sighting.now.wall_ms, sighting.around.zone
    minute = next_mark(minutes, sighting.minute)
    away = (minute if minute is not None else minutes[0] + DAY_MINUTES) - sighting.minute
    wait_ms = away * MINUTE_MS - wall_ms % MINUTE_MS
    here, there = (local_time(at_ms, zone).utcoffset() for at_ms in (wall_ms, wall_ms + wait_ms))
    if (here or timedelta()) == (there or timedelta()):
        return wait_ms
    return min(wait_ms, CLOCK_CHANGE_LOOK_MS - wall_ms % CLOCK_CHANGE_LOOK_MS)


def still_matters(rules: RuleSet, page: Page) -> bool:
    """Whether time may still make a rule fire for the page."""
    return rules.timed and not (page.settled and rules.mode == "first_match")
