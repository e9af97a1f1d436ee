"""``fernamt verify`` on a sound log and on logs that somebody has been at."""

import asyncio
import json
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from shared.adapters.open_store import open_store
from shared.adapters.sqlite_reader import DATABASE_FILE
from shared.audit.seals import SealKey
from tests.audit.sealed_log import SEALED, keep, seals_over, story_rows
from tests.servers.client import Fields, connected
from tests.servers.engine import ROOT, STOP_WITHIN_S, fernamt, running_engine, surroundings
from tests.servers.vandal import lay_open

ADMIN = ("admin", "boss")
STORY: list[tuple[tuple[str, str], str, Fields]] = [
    (ADMIN, "create_workspace", {"name": "Work"}),
    (ADMIN, "create_group", {"group_id": "support", "name": "Support"}),
    (
        ADMIN,
        "define_entry_point",
        {"entry_point_id": "site", "name": "Site", "groups": ["support"]},
    ),
    (ADMIN, "register_operator", {"operator_id": "ana"}),
    (ADMIN, "register_operator", {"operator_id": "ben"}),
    (ADMIN, "join_group", {"operator_id": "ana", "group_id": "support"}),
    (ADMIN, "join_group", {"operator_id": "ben", "group_id": "support"}),
    (("operator", "ana"), "log_in", {"session_id": "s1"}),
    (("operator", "ben"), "log_in", {"session_id": "s2"}),
    (("visitor", "vera"), "open", {"conversation_id": "c1", "entry_point_id": "site"}),
]
SOUND = re.compile(r"replayed (\d+) events, re-made (\d+) decisions: identical")


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of an engine that has ended: workspaces ``a`` and ``b``, the same story."""
    with running_engine() as engine:
        asyncio.run(_play(engine.url))
        assert engine.stop() == 0
        kept = tmp_path_factory.mktemp("recorded") / "data"
        shutil.copytree(engine.data, kept)
    return kept


async def _play(url: str) -> None:
    async with connected(url) as client:
        for workspace in ("a", "b"):
            for actor, command, body in STORY:
                reply = await client.command(workspace, *actor, command, body)
                assert reply["ok"], reply


class Log:
    """A copy of the recorded log that may be damaged."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.file = data / DATABASE_FILE

    def position_of(self, topic: str) -> int:
        """Where the last event of this name stands in workspace ``a``."""
        ((position,),) = self.execute(
            "select max(originator_version) from stored_events"
            " where originator_id = 'a' and topic = ?",
            topic,
        )
        return int(position)

    def state_at(self, position: int) -> Fields:
        ((state,),) = self.execute(
            "select state from stored_events where originator_id = 'a' and originator_version = ?",
            position,
        )
        envelope: Fields = json.loads(state)
        return envelope

    def write(self, position: int, state: bytes) -> None:
        self.execute(
            "update stored_events set state = ?"
            " where originator_id = 'a' and originator_version = ?",
            state,
            position,
        )

    def remove(self, position: int) -> None:
        self.execute(
            "delete from stored_events where originator_id = 'a' and originator_version = ?",
            position,
        )

    def execute(self, sql: str, *arguments: object) -> list[Any]:
        connection = sqlite3.connect(self.file)
        try:
            with connection:
                lay_open(connection)
                return connection.execute(sql, arguments).fetchall()
        finally:
            connection.close()

    def verify(self, *arguments: str) -> Said:
        return _said("verify", "--data", str(self.data), *arguments)


def _said(*arguments: str) -> Said:
    done = subprocess.run(
        fernamt(*arguments),
        cwd=ROOT,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=STOP_WITHIN_S,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def sealed_log(recorded: Path, tmp_path: Path) -> Log:
    """As the engine left it."""
    shutil.copytree(recorded, tmp_path / "data")
    return Log(tmp_path / "data")


@pytest.fixture
def log(sealed_log: Log) -> Log:
    """Without its seals: what they alone tell has tests of its own."""
    sealed_log.execute("delete from log_seals")
    return sealed_log


# --- a sound log ------------------------------------------------------------------------------


def test_every_workspace_has_its_verdict_and_the_last_line_is_on_all(log: Log) -> None:
    said = log.verify()
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    head_a, unsealed, verdict_a, head_b, _, verdict_b, all_of_them, verdict = lines
    assert re.fullmatch("workspace a, state [0-9a-f]{64}", head_a)
    assert re.fullmatch("workspace b, state [0-9a-f]{64}", head_b)
    assert re.fullmatch(r"not sealed: \d+ events", unsealed)
    assert all_of_them == "all 2 workspaces together:"
    events, decisions = _counts(verdict_a)
    assert _counts(verdict_b) == (events, decisions)
    assert _counts(verdict) == (2 * events, 2 * decisions)


def test_one_workspace_has_one_verdict(log: Log) -> None:
    said = log.verify("--workspace", "b")
    assert said.code == 0
    assert len(said.out.splitlines()) == 3
    assert SOUND.fullmatch(said.out.splitlines()[-1])


def test_it_reads_up_to_a_position(log: Log) -> None:
    opened = log.position_of("conversation_opened.v1")
    said = log.verify("--workspace", "a", "--until", str(opened))
    assert said.code == 0, "that the decision has not been read yet is no fault of the log"
    assert _counts(said.out.splitlines()[-1])[0] == opened
    beyond = log.verify("--workspace", "a", "--until", "1000000")
    assert beyond.out == log.verify("--workspace", "a").out


def test_programs_get_a_line_of_json_for_each_workspace(log: Log) -> None:
    said = log.verify("--json")
    assert said.code == 0
    answers = [json.loads(line) for line in said.out.splitlines()]
    assert [answer["workspace_id"] for answer in answers] == ["a", "b"]
    assert {answer["folded_only"] for answer in answers} == {0}
    assert [answer["findings"] for answer in answers] == [[], []]


def test_it_reads_beside_an_engine_that_writes() -> None:
    with running_engine() as engine:
        asyncio.run(_play(engine.url))
        assert Log(engine.data).verify().code == 0
        assert engine.stop() == 0


def test_verifying_writes_nothing(log: Log) -> None:
    before = log.file.read_bytes()
    log.verify()
    assert log.file.read_bytes() == before


# --- what it refuses ----------------------------------------------------------------------------


def test_an_unknown_workspace_is_answered_with_those_there_are(log: Log) -> None:
    said = log.verify("--workspace", "c")
    assert said == Said(2, "", "fernamt: there is no workspace c; there are: a, b\n")


def test_where_no_log_is_it_says_so_and_makes_none(tmp_path: Path) -> None:
    said = Log(tmp_path / "nothing").verify()
    assert (said.code, said.out) == (2, "")
    assert f"there is no log at {tmp_path}" in said.err
    assert list(tmp_path.iterdir()) == []


# --- logs that somebody has been at -------------------------------------------------------------


def test_a_decision_that_was_changed_is_named(log: Log) -> None:
    position = log.position_of("conversation_assigned.v1")
    envelope = log.state_at(position)
    envelope["data"]["operator_id"] = "ben"
    log.write(position, _bytes(envelope))
    said = log.verify("--workspace", "a")
    assert said.code == 1
    lines = said.out.splitlines()
    assert lines[2].endswith(": not identical")
    assert lines[3] == f"  position {position}: the decision comes out differently"
    assert '"operator_id":"ben"' in lines[4]
    assert '"operator_id":"ana"' in lines[5]


def test_a_fact_that_was_changed_shows_in_the_decision_that_follows(log: Log) -> None:
    """Facts are taken as they are; but what was decided on them no longer comes out."""
    changed = log.position_of("group_joined.v1") - 1
    envelope = log.state_at(changed)
    assert envelope["data"]["operator_id"] == "ana"
    envelope["data"]["operator_id"] = "ben"
    log.write(changed, _bytes(envelope))
    said = log.verify("--workspace", "a")
    assert said.code == 1
    assert "position " in said.out


def test_a_missing_row_is_named(log: Log) -> None:
    position = log.position_of("operator_logged_in.v1")
    log.remove(position)
    said = log.verify("--workspace", "a")
    assert said.code == 1
    assert f"  position {position}: position {position} of workspace a is missing" in said.out


def test_a_decision_cut_off_at_the_end_is_missed(log: Log) -> None:
    position = log.position_of("conversation_assigned.v1")
    log.remove(position)
    said = log.verify("--workspace", "a")
    assert said.code == 1
    assert f"position {position}: a decision is missing" in said.out


@pytest.mark.parametrize("state", [b"", b"{", b'{"at": 1}', b"\xff\xfe"])
def test_a_row_that_cannot_be_read_is_named(log: Log, state: bytes) -> None:
    position = log.position_of("group_joined.v1")
    log.write(position, state)
    said = log.verify("--workspace", "a")
    assert (said.code, said.err) == (1, "")
    assert f"  position {position}: " in said.out
    assert said.out.splitlines()[2].endswith(": not identical")


def test_a_file_that_is_no_database_is_damaged(log: Log) -> None:
    for beside in log.data.glob(f"{DATABASE_FILE}-*"):
        beside.unlink()
    log.file.write_bytes(b"this was a log once\n" * 500)
    said = log.verify()
    assert said.code == 1
    assert said.err.startswith("fernamt: the log is damaged: ")


def test_damage_in_one_workspace_makes_the_whole_not_identical(log: Log) -> None:
    position = log.position_of("conversation_assigned.v1")
    log.remove(position)
    said = log.verify()
    assert said.code == 1
    assert said.out.splitlines()[-1].endswith(": not identical")


def test_au05_what_an_engine_wrote_is_sealed_once_it_has_ended(sealed_log: Log) -> None:
    key = _said("seal-key", "--data", str(sealed_log.data)).out.strip()
    said = sealed_log.verify("--key", key)
    assert said.code == 0
    assert said.out.count("not sealed: 0 events") == 2
    position = sealed_log.position_of("operator_registered.v1")
    state = sealed_log.state_at(position)
    sealed_log.write(position, _bytes({**state, "trace": "changed"}))
    said = sealed_log.verify("--workspace", "a")
    assert said.code == 1
    assert f"  position {position}: this is not the event that was sealed here" in said.out


async def test_au05_seals_are_told_and_what_was_kept_elsewhere_is_expected(tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path}/data")
    seed = await store.vault.key("seals")
    rows = story_rows()
    await keep(store, rows, seals_over(rows[:SEALED], SealKey.from_seed(seed)))
    await store.close()
    log = Log(tmp_path / "data")
    key = _said("seal-key", "--data", str(log.data)).out.strip()
    assert key == SealKey.from_seed(seed).public.hex()
    said = log.verify("--key", key)
    assert said.code == 0
    assert f"sealed up to position {SEALED}, not sealed: 49 events" in said.out
    assert f"  positions 1 to {SEALED} by --key {key}" in said.out
    last = re.search(r"--expect (\d+:[0-9a-f]{64})", said.out)
    assert last is not None
    answer = json.loads(log.verify("--json").out)
    assert answer["sealed"]["last"] == last[1]
    of_acme = ("--workspace", "acme", "--expect", last[1])
    assert log.verify(*of_acme).code == 0
    log.execute("delete from stored_events where originator_version > 100")
    log.execute("delete from log_seals where upto > 100")
    cut = log.verify(*of_acme)
    assert cut.code == 1
    assert f"  position 101: the log ends at position 100, and was sealed up to {SEALED}" in cut.out


def test_what_is_kept_elsewhere_is_read_strictly(log: Log) -> None:
    for wrong in (("--key", "12"), ("--expect", "12"), ("--expect", "x:" + "ab" * 32)):
        said = log.verify("--workspace", "a", *wrong)
        assert (said.code, said.out) == (2, "")
    said = log.verify("--expect", "1:" + "ab" * 32)
    assert (said.code, said.err) == (2, "fernamt: --expect is about one workspace: --workspace\n")
    log.execute("delete from service_keys where name = 'seals'")
    assert "no key is kept" in _said("seal-key", "--data", str(log.data)).err


def test_decisions_of_another_revision_are_not_called_identical(log: Log) -> None:
    position = log.position_of("conversation_assigned.v1")
    for each in range(log.state_at(position)["first"], position + 1):
        envelope = log.state_at(each)
        envelope["rev"] += 1
        log.write(each, _bytes(envelope))
    said = log.verify("--workspace", "a")
    assert said.code == 3
    _, _, folded, verdict = said.out.splitlines()
    assert folded == "1 decisions by another revision: folded, not re-made"
    assert verdict.endswith(": no difference, but not all re-made")


def _counts(line: str) -> tuple[int, int]:
    found = SOUND.fullmatch(line)
    assert found, line
    return int(found[1]), int(found[2])


def _bytes(envelope: Fields) -> bytes:
    return json.dumps(envelope, separators=(",", ":")).encode()
