"""``fernamt`` with one safeguard switched off, named by ``ABLATION``. For ablation tests alone.

A safeguard that can be switched off without a checker turning red is either not needed or not
checked.
"""

import os
from collections.abc import Callable, Sequence

import pytest

from services.cli.main import app
from services.notifier.sending import Sending
from services.presence.pulse import Pulse
from services.router import decider, loading
from services.router.commits import Commits
from services.router.live import LiveWorkspace
from services.router.units import Unit
from shared.ports import Append
from shared.routing.evolve import evolve
from shared.routing.folding import Folding
from shared.routing.ids import WorkspaceId

patch = pytest.MonkeyPatch()


def no_command_ids() -> None:
    """A retry is a command like any other."""
    patch.setattr(decider, "repeat_of", lambda _workspace, _stamp: None)


def answer_before_commit() -> None:
    """Whoever asked is told as soon as it is decided."""

    def hand_on(live: LiveWorkspace, unit: Unit) -> None:
        live._outlet.release(live, unit)
        if unit.rows:
            live._pending.append(unit)
            live._outlet.commit(live, unit)

    def committed(live: LiveWorkspace, _unit: Unit) -> None:
        live._pending.popleft()

    patch.setattr(LiveWorkspace, "_hand_on", hand_on)
    patch.setattr(LiveWorkspace, "committed", committed)


def ignore_taken_positions() -> None:
    """What the store did not write because somebody was faster counts as written."""
    append = Commits._append

    async def _append(commits: Commits, appends: Sequence[Append]) -> frozenset[WorkspaceId]:
        await append(commits, appends)
        return frozenset()

    patch.setattr(Commits, "_append", _append)


def fold_without_rest() -> None:
    """Nothing is done for what was in no event after the log was read."""

    class Bare(Folding):
        def feed(self, envelope):  # type: ignore[no-untyped-def]
            self._position = self.next_position
            evolve(self.workspace, envelope)
            yield envelope

        def finish(self):  # type: ignore[no-untyped-def]
            yield from ()

    patch.setattr(loading, "Folding", Bare)


def save_before_sending() -> None:
    """How far everything was sent is kept first, and then it is sent."""

    async def run(sending: Sending) -> None:
        while True:
            await sending._work.wait()
            sending._work.clear()
            sending._unsaved.update({mark.workspace_id: mark.position for mark in sending._marks})
            await sending._save()
            publish(sending)
            await sending._barrier()

    publish = Sending._hand_on
    patch.setattr(Sending, "_hand_on", lambda _sending: None)
    patch.setattr(Sending, "run", run)


def never_afresh() -> None:
    """Presence holds silence against people also where it was deaf itself."""
    patch.setattr(Pulse, "steady", property(lambda _pulse: True))


ABLATIONS: dict[str, Callable[[], None]] = {
    ablation.__name__: ablation
    for ablation in (
        no_command_ids,
        answer_before_commit,
        ignore_taken_positions,
        fold_without_rest,
        save_before_sending,
        never_afresh,
    )
}

if __name__ == "__main__":
    ABLATIONS[os.environ["ABLATION"]]()
    app(prog_name="fernamt")
