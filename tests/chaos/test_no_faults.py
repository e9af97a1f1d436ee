"""The workload without faults: it must mostly succeed, or a run with faults would prove little."""

from pathlib import Path

from tests.chaos.caller import Caller
from tests.chaos.history import History
from tests.chaos.verdict import judge, share_of_ok
from tests.chaos.workload import Workload, set_up
from tests.servers.client import connected
from tests.servers.engine import Engine

COMMANDS = 600
OK_MIN = 0.9


async def test_without_faults_nearly_everything_is_accepted(engine: Engine, tmp_path: Path) -> None:
    history = History()
    async with connected(engine.url) as client:
        caller = Caller(client, history, "w", timeout_s=10)
        await set_up(caller)
        await Workload([caller], seed=1, commands=COMMANDS).run()
        log = await judge(history, client, engine.store_url, "w", tmp_path)
    assert share_of_ok(history) >= OK_MIN
    assert len(log) > COMMANDS
    assert {attempt.outcome for attempt in history.attempts} <= {"ok", "fail"}
