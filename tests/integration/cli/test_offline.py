"""Asking needs no broker, and cannot write: on a disk and in a database that only give to read."""

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from shared.adapters.open_store import open_store
from shared.adapters.postgres_grants import READS, grant
from shared.adapters.sqlite_reader import DATABASE_FILE
from shared.ports import Append, StoredRow
from shared.routing.ids import UnixMs, WorkspaceId
from shared.routing.partition import PARTITIONS
from shared.wire.log_codec import encode_event
from tests.audit.kept import ACME
from tests.core.story import Story
from tests.integration.cli.terminal import Said, fernamt
from tests.servers.engine import ROOT, surroundings

VERBS = (
    ("explain", "c1"),
    ("why-not", "ana", "c1"),
    ("why-waiting", "c1"),
    ("timeline", "c1"),
    ("roster", "--at", "15:10"),
    ("queue", "--at", "15:10"),
    ("diff", "--at", "15:07", "--at", "15:10"),
    ("find", "waited", "--over", "1m"),
)
WITHIN_S = 60

# --- a directory ----------------------------------------------------------------------------

_WITHOUT_PRIVILEGES = """
import ctypes, os, sys
if os.geteuid() == 0:  # who may write everywhere: no more, nor read everything
    for capability in (1, 2):
        assert ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) == 0
os.execv(sys.executable, [sys.executable, "-W", "error", "-c", sys.argv[1]])
"""
_ALL_VERBS = """
import json, pathlib, sys
from tests.integration.cli.terminal import fernamt
verbs, data = json.load(sys.stdin)
try:
    pathlib.Path(data, "new").touch()
except PermissionError:
    print(json.dumps([fernamt(*verb, "--data", data) for verb in verbs]))
"""


@pytest.fixture
def read_only(log: Path, tmp_path: Path) -> Path:
    """A copy of the log in a directory that nobody may write to."""
    directory = tmp_path / "data"
    directory.mkdir()
    shutil.copy(log / DATABASE_FILE, directory)
    (directory / DATABASE_FILE).chmod(0o400)
    directory.chmod(0o500)
    return directory


def everything_in(directory: Path) -> dict[str, str]:
    """All files with the hashes of what is in them."""
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in directory.iterdir()}


def test_au02_au03_au04_a_directory_that_is_read_only_is_enough(log: Path, read_only: Path) -> None:
    """All verbs, in a process that has no right to write there: the same answers, and not a byte
    or a file is different."""
    before = everything_in(read_only)
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_PRIVILEGES, _ALL_VERBS],
        input=json.dumps([VERBS, str(read_only)]),
        cwd=ROOT,
        env=surroundings(),
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    said = [Said(*each) for each in json.loads(done.stdout)]
    assert said == [fernamt(*verb, "--data", str(log)) for verb in VERBS]
    assert [each.code for each in said] == [0] * len(VERBS)
    assert everything_in(read_only) == before
    assert list(before) == [DATABASE_FILE]


# --- a database -----------------------------------------------------------------------------

READER = "audit_reader"


@pytest.fixture
async def read_only_url(postgres_url: str, story: Story) -> AsyncIterator[str]:
    """The story in PostgreSQL, as somebody who may select there and nothing else."""
    store = await open_store(postgres_url, migrate=True)
    try:
        leases = dict(await store.leases.acquire("router", range(PARTITIONS)))
        rows = [StoredRow(one.position, *encode_event(one.envelope)) for one in story.log]
        await store.events.register_workspace(ACME, UnixMs(0))
        assert await store.events.append([Append(ACME, rows)], leases) == frozenset()
    finally:
        await store.close()
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute(f"create role {READER} login")
        await grant(postgres_url, READER, READS)
        yield postgres_url.replace("//fernamt@", f"//{READER}@")
        await admin.execute(f"drop owned by {READER}; drop role {READER}")
    finally:
        await admin.close()


async def test_au02_au03_au04_a_role_that_may_only_select_is_enough(
    read_only_url: str, log: Path
) -> None:
    reader = await asyncpg.connect(read_only_url)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await reader.execute("delete from stored_events")
    for secret in ("vault", "service_keys"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch(f"select * from {secret}")  # noqa: S608
    await reader.close()
    for verb in VERBS:
        said = await asyncio.to_thread(fernamt, *verb, FERNAMT_STORE_URL=read_only_url)
        assert said == await asyncio.to_thread(fernamt, *verb, "--data", str(log))
        assert said.code == 0


# --- a file ---------------------------------------------------------------------------------


def test_au02_au03_au04_an_exported_file_is_enough(log: Path, tmp_path: Path) -> None:
    """On a machine that has the file and nothing else."""
    file = tmp_path / "acme.fernamt"
    made = fernamt("export", "--workspace", "acme", "-o", str(file), "--data", str(log))
    assert made.code == 0
    nothing = ("--data", str(tmp_path / "nothing"))
    for verb in VERBS:
        said = fernamt(*verb, "--log", str(file), *nothing)
        assert said == fernamt(*verb, "--data", str(log))
        assert said.code == 0
    assert list(tmp_path.iterdir()) == [file]


# --- which workspace ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_workspaces(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log with the workspaces ``acme`` and ``other``, of which one has the story."""
    directory = tmp_path_factory.mktemp("two") / "data"
    asyncio.run(_keep_two(story, directory))
    return directory


async def _keep_two(story: Story, directory: Path) -> None:
    store = await open_store(f"sqlite:///{directory}")
    try:
        leases = dict(await store.leases.acquire("router", range(PARTITIONS)))
        rows = [StoredRow(one.position, *encode_event(one.envelope)) for one in story.log]
        for workspace_id in (ACME, "other"):
            await store.events.register_workspace(WorkspaceId(workspace_id), UnixMs(0))
        await store.events.append([Append(ACME, rows)], leases)
    finally:
        await store.close()


def test_a_workspace_has_to_be_named_where_there_are_several(two_workspaces: Path) -> None:
    data = ("--data", str(two_workspaces))
    said = fernamt("explain", "c1", *data)
    which = "fernamt: which workspace? --workspace, one of: acme, other\n"
    assert said == Said(2, "", which)
    named = fernamt("explain", "c1", *data, "--workspace", "acme")
    assert (named.code, named.err) == (0, "")
    assert fernamt("explain", "c1", *data, FERNAMT_WORKSPACE="acme") == named
    unknown = fernamt("explain", "c1", *data, "--workspace", "third")
    assert unknown.err == "fernamt: there is no workspace third; there are: acme, other\n"
    empty = fernamt("roster", *data, "--workspace", "other")
    assert (empty.code, empty.out) == (2, "")


def test_a_log_without_workspaces_says_so(tmp_path: Path) -> None:
    async def make() -> None:
        await (await open_store(f"sqlite:///{tmp_path}")).close()

    asyncio.run(make())
    said = fernamt("roster", "--data", str(tmp_path))
    assert said == Said(2, "", "fernamt: the log holds no workspaces\n")
