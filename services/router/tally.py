"""What one router has written since it started: plain numbers, for whoever asks for its figures."""

from collections import defaultdict
from collections.abc import Iterator

from services.router.units import Unit
from shared.runtime import metrics
from shared.runtime.figures import Figure, Times


class Tally:
    """Counts what was committed, unit by unit, and what was not."""

    def __init__(self) -> None:
        self.topics: defaultdict[str, int] = defaultdict(int)
        """Committed events of each kind."""
        self.commits = Times()
        self.commands = Times()
        self.owned_after = Times()
        self.conflicts = 0
        self.failed = {"unavailable": 0, "in_doubt": 0, "lease_lost": 0}

    def committed(self, unit: Unit, now_ms: int) -> None:
        """The unit's rows are durable; ``now_ms`` is by the clock of ``Job.came_at``."""
        for row in unit.rows:
            self.topics[row.topic] += 1
        for waited_ms in unit.waits:
            self.owned_after.add(waited_ms)
        if unit.job is not None:
            self.commands.add(now_ms - unit.job.came_at)

    def figures(self) -> Iterator[Figure]:
        names: defaultdict[str, int] = defaultdict(int)
        for topic, number in self.topics.items():
            names[topic.partition(".")[0]] += number
        for name, number in names.items():
            yield Figure(metrics.EVENTS, number, (name,))
        yield Figure(metrics.COMMIT_TIME, self.commits)
        yield Figure(metrics.COMMAND_TIME, self.commands)
        yield Figure(metrics.OWNED_AFTER, self.owned_after)
        yield Figure(metrics.COMMIT_ROWS, sum(self.topics.values()))
        yield Figure(metrics.CONFLICTS, self.conflicts)
        for why, number in self.failed.items():
            yield Figure(metrics.COMMITS_FAILED, number, (why,))
