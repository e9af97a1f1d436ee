"""``fernamt export``, ``import`` and ``to-test``, as processes of their own."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.adapters.open_store import Store, open_store
from shared.audit.verifying import verify
from shared.ports import Append, VaultRow
from shared.routing.describe import state_hash
from shared.routing.ids import Position, Ref, UnixMs
from tests.audit.sealed_log import (
    ACME,
    KEY,
    SEALED,
    archive_of,
    exported_story,
    keep,
    seals_over,
    spoil_log,
    story_rows,
    touched,
)
from tests.contract.log_samples import hold_everything, log_of
from tests.core.told_story import tell
from tests.integration.test_cli_verify import Said
from tests.servers.engine import ROOT, STOP_WITHIN_S, fernamt, surroundings

ROWS = story_rows()
HASH = state_hash(tell().workspace)
CANARY = b"Ana Petrova-Canary"


def run(*arguments: str, **variables: str) -> Said:
    done = subprocess.run(
        fernamt(*arguments),
        cwd=ROOT,
        env={**surroundings(), **variables},
        capture_output=True,
        text=True,
        timeout=STOP_WITHIN_S,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
async def sealed_file(tmp_path: Path) -> Path:
    """The told story, sealed in part, as an exported file."""
    return await exported_story(tmp_path)


@pytest.fixture
async def kept(store: Store) -> Store:
    """The told story in a store of each kind, with a text in the vault."""
    leases = await hold_everything(store)
    await store.events.register_workspace(ACME, UnixMs(0))
    text = VaultRow(Ref("1-name.hash"), "operator:ana", CANARY, Position(1))
    assert not await store.events.append([Append(ACME, ROWS, [text])], leases)
    for seal in seals_over(ROWS[:SEALED]):
        await store.seals.add(ACME, seal)
    return store


@pytest.mark.parametrize(("seed", "zone"), [("0", "UTC"), ("random", "Asia/Kathmandu")])
async def test_au07_another_machine_comes_to_the_same_state(
    kept: Store, store_url: str, tmp_path: Path, seed: str, zone: str
) -> None:
    file = tmp_path / "incident.fernamt"
    said = run("export", "--workspace", ACME, "--store", store_url, "-o", str(file))
    assert (said.code, said.err) == (0, "")
    assert f"state {HASH}" in said.out
    assert "sealed up to position 200" in said.out
    elsewhere = {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
    said = run("import", str(file), "--json", **elsewhere)
    assert (said.code, said.err) == (0, "")
    answer = json.loads(said.out)
    assert (answer["same_state"], answer["exported_hash"]) == (True, HASH)
    assert answer["verified"]["state_hash"] == HASH
    assert answer["verified"]["sealed"]["upto"] == SEALED


async def test_au07_an_imported_log_is_the_log(sealed_file: Path, tmp_path: Path) -> None:
    """Byte for byte; and whoever goes on with it is later, and tells nobody what was told."""
    data = tmp_path / "imported"
    said = run("import", str(sealed_file), "--data", str(data))
    assert (said.code, said.err) == (0, "")
    assert f"the state is the exported one: {HASH}" in said.out
    assert run("verify", "--data", str(data), "--key", KEY.public.hex()).code == 0
    store = await open_store(f"sqlite:///{data}")
    assert await log_of(store, ACME) == ROWS
    assert (await verify(archive_of(store), ACME)).sealed.upto == SEALED
    assert await store.progress.load() == {ACME: len(ROWS)}
    assert (await store.leases.acquire("router", [0]))[0].epoch > 7
    await store.close()


def test_au07_a_workspace_that_is_there_is_not_imported(sealed_file: Path, tmp_path: Path) -> None:
    data = tmp_path / "imported"
    assert run("import", str(sealed_file), "--data", str(data)).code == 0
    before = (data / "log.sqlite3").read_bytes()
    said = run("import", str(sealed_file), "--data", str(data))
    assert (said.code, said.out) == (2, "")
    assert said.err == f"fernamt: there is a workspace acme in {data} already\n"
    assert (data / "log.sqlite3").read_bytes() == before


def test_au07_a_file_that_was_changed_or_cut_off_is_refused(
    sealed_file: Path, tmp_path: Path
) -> None:
    whole = sealed_file.read_bytes()
    broken = tmp_path / "broken.fernamt"
    written = str(tmp_path / "none")
    for content, verb in (
        (whole[:-1], ("import", "--data", written)),
        (whole[:200] + b"\0" + whole[201:], ("to-test", "-o", written)),
        (b"", ("verify", "--log")),
    ):
        broken.write_bytes(content)
        said = run(*verb, str(broken))
        assert (said.code, said.out) == (1, "")
        assert f"{broken} was cut off or changed" in said.err
    assert not (tmp_path / "none").exists()


async def test_au07_a_file_is_verified_without_a_store(sealed_file: Path, tmp_path: Path) -> None:
    said = run("verify", "--log", str(sealed_file))
    assert said.code == 0
    assert said.out.splitlines()[-1].endswith(": identical")
    assert run("verify", "--log", str(sealed_file), "--key", "ab" * 32).code == 1
    said = run("verify", "--log", str(sealed_file), "--store", "sqlite:///x")
    assert (said.code, said.err) == (0, "")  # the environment may name a store all the same
    said = run("verify", "--log", str(tmp_path / "none"))
    assert said.code == 2
    assert str(tmp_path / "none") in said.err


async def test_au07_au09_no_text_of_the_vault_is_exported(
    kept: Store, store_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "incident.fernamt"
    said = run("export", "--workspace", ACME, "--store", store_url, "-o", str(file))
    assert said.code == 0
    assert "not in it: names and addresses of people, notes, attributes, texts" in said.out
    lines = gzip.decompress(file.read_bytes())
    assert b"conversation_assigned.v1" in lines
    assert CANARY not in lines


def test_a_file_that_is_there_is_not_overwritten(sealed_file: Path, tmp_path: Path) -> None:
    data = f"{tmp_path}/exported"
    before = sealed_file.read_bytes()
    said = run("export", "--workspace", ACME, "--data", data, "-o", str(sealed_file))
    assert said.code == 2
    assert sealed_file.read_bytes() == before
    file = tmp_path / "other.fernamt"
    said = run("export", "--workspace", ACME, "--data", data, "--until", "9999", "-o", str(file))
    assert (said.code, said.err) == (
        2,
        "fernamt: the log of workspace acme ends at position 249\n",
    )
    assert not file.exists()


async def test_au07_what_was_tampered_with_is_not_kept(tmp_path: Path) -> None:
    """Its seals tell, and the file is left as evidence."""
    url = f"sqlite:///{tmp_path}/spoilt"
    store = await open_store(url)
    await keep(store, ROWS, seals_over(ROWS[:SEALED]))
    await store.close()
    await spoil_log(url, touched(ROWS, 60))
    file = tmp_path / "spoilt.fernamt"
    assert run("export", "--workspace", ACME, "--store", url, "-o", str(file)).code == 0
    said = run("import", str(file), "--data", str(tmp_path / "imported"))
    assert said.code == 1
    assert "this is not the event that was sealed here" in said.out
    assert "nothing was written" in said.out
    assert not (tmp_path / "imported").exists()


def test_au06_au07_a_file_is_simulated_without_a_store(sealed_file: Path, tmp_path: Path) -> None:
    """Whatever reads a store reads a file, and says the same of it."""
    changes = tmp_path / "changes.json"
    changes.write_text('{"scope": {"workspace": true}, "policy": {"ranking": "fewest_open"}}')
    asked = ("simulate", str(changes), "--workspace", ACME, "--json")
    said = run(*asked, "--log", str(sealed_file))
    assert (said.code, said.err) == (0, "")
    assert said == run(*asked, "--data", f"{tmp_path}/exported")


# --- to-test ------------------------------------------------------------------------------------


def pytest_on(test: Path) -> tuple[int, str]:
    """Run one test file as somebody would, who has put it into his own copy of the repository."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=STOP_WITHIN_S,
        check=False,
    )
    return done.returncode, done.stdout


def test_au07_a_regression_test_passes_and_fails_once_an_event_is_another(
    sealed_file: Path, tmp_path: Path
) -> None:
    tests = tmp_path / "regressions"
    said = run("to-test", str(sealed_file), "-o", str(tests))
    test, data = tests / "test_acme_249.py", tests / "acme_249.jsonl"
    assert said == Said(0, f"written: pytest {test}\n", "")
    code, out = pytest_on(test)
    assert (code, "1 passed" in out) == (0, True), out
    kept = data.read_bytes()
    for old, new in (
        (b'"ranking":"longest_idle"', b'"ranking":"fewest_open"'),
        (b'"operator_id":"ben"', b'"operator_id":"ana"'),
        (b'{"state_hash":"', b'{"state_hash":"0'),
    ):
        assert old in kept
        data.write_bytes(kept.replace(old, new, 1))
        code, out = pytest_on(test)
        assert (code, "1 failed" in out) == (1, True), out
    data.write_bytes(b"".join(kept.splitlines(keepends=True)[:-3] + kept.splitlines(True)[-1:]))
    assert pytest_on(test)[0] == 1


def test_au07_a_regression_test_is_written_as_the_code_is(
    sealed_file: Path, tmp_path: Path
) -> None:
    tests = tmp_path / "regressions"
    assert run("to-test", str(sealed_file), "-o", str(tests)).code == 0
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff is not None
    settings = ("--config", str(ROOT / "pyproject.toml"))
    for check in (("check", *settings), ("format", "--check", *settings)):
        done = subprocess.run(
            [ruff, *check, str(tests)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
    said = run("to-test", str(sealed_file), "-o", str(tests))
    assert said.code == 2, "what is there already stays as it is"


async def test_au07_what_fails_already_does_not_become_a_test(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/other"
    store = await open_store(url)
    await keep(store, ROWS)
    await store.close()
    spoilt = [*ROWS]
    place = next(n for n, row in enumerate(ROWS) if b'"ranking":"longest_idle"' in row.state)
    state = ROWS[place].state.replace(b"longest_idle", b"fewest_open")
    spoilt[place] = ROWS[place]._replace(state=state)
    await spoil_log(url, spoilt)
    file = tmp_path / "other.fernamt"
    assert run("export", "--workspace", ACME, "--store", url, "-o", str(file)).code == 0
    said = run("to-test", str(file), "-o", str(tmp_path / "regressions"))
    assert (said.code, said.out) == (1, "")
    assert "the decision comes out differently" in said.err
    assert not (tmp_path / "regressions").exists()
