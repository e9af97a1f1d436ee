"""Logs that were recorded once come out of today's rules byte for byte."""

import os
import subprocess
import sys

import pytest

from tests.golden import record
from tests.golden.record import Differs, check, path_of, stored_events
from tests.golden.stories import STORIES
from tests.tidy.sources import ROOT


def test_every_story_has_a_log_and_every_log_a_story() -> None:
    assert {path.stem for path in record.LOGS.iterdir()} == set(STORIES)


@pytest.mark.parametrize("name", STORIES)
def test_au05_a_recorded_log_comes_out_again(name: str) -> None:
    check(name, path_of(name).read_bytes())


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Chatham"])
@pytest.mark.parametrize("seed", ["0", "7", "random"])
def test_f05_recorded_logs_come_out_again_in_a_fresh_interpreter(seed: str, zone: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
    compared = subprocess.run(
        [sys.executable, "-m", "tests.golden.record"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (compared.returncode, compared.stdout) == (0, ""), compared.stderr


def test_nothing_is_written_by_comparing() -> None:
    before = {path: path.stat().st_mtime_ns for path in record.LOGS.iterdir()}
    assert record.main([]) == 0
    assert {path: path.stat().st_mtime_ns for path in record.LOGS.iterdir()} == before


FORGERIES = {
    "another operator": (b'"operator_id":"ben"', b'"operator_id":"ana"'),
    "another reason": (b'"reason":"routed"', b'"reason":"affinity"'),
    "another state": (b'{"state_hash":"', b'{"state_hash":"0'),
    "another encoding": (b'"scope":{"entry_point":"web"}', b'"scope": {"entry_point":"web"}'),
}


def test_an_event_that_is_missing_is_told() -> None:
    *events, last = path_of("second_level").read_bytes().splitlines(keepends=True)
    with pytest.raises(Differs):
        check("second_level", b"".join([*events[:-1], last]))


@pytest.mark.parametrize("forgery", FORGERIES)
def test_what_was_changed_by_hand_is_told(forgery: str) -> None:
    kept = path_of("second_level").read_bytes()
    old, new = FORGERIES[forgery]
    assert old in kept
    with pytest.raises(Differs):
        check("second_level", kept.replace(old, new, 1))


def test_the_states_are_cut_out_whole() -> None:
    kept = path_of("status").read_bytes()
    events = list(stored_events(kept))
    assert len(events) == kept.count(b"\n") - 1
    for topic, state in events:
        assert topic.endswith(".v1")
        assert state.startswith(b'{"at":')
        assert state.endswith(b"}")
