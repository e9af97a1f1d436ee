"""One workspace's log as one file: the same log comes out of it, or it is refused."""

import gzip
import json
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from shared.adapters.open_store import Store
from shared.audit import bundle
from shared.audit.bundle import TRAILER_BYTES, Exported, export, line_of, trailer
from shared.audit.checking_seals import Accepted
from shared.audit.reading_bundles import BundleDamaged, BundleReader, archive_in
from shared.audit.verifying import verify
from shared.ports import LogCorrupt, StoredRow
from shared.ports.archive import Archive
from shared.routing.describe import state_hash
from shared.routing.ids import Position, WorkspaceId
from tests.audit.sealed_log import (
    ACME,
    KEY,
    SEALED,
    archive_of,
    envelope_of,
    exported_story,
    keep,
    seals_over,
    spoil_log,
    story_rows,
    touched,
)
from tests.core.told_story import tell

ROWS = story_rows()
SEALS = seals_over(ROWS[:SEALED])


async def written(archive: Archive, until: int | None = None) -> tuple[bytes, Exported]:
    parts: list[bytes] = []
    upto = Position(until) if until is not None else None
    done = await export(archive, ACME, upto, parts.append)
    return b"".join(parts), done


def read(file: bytes) -> BundleReader:
    return BundleReader.from_bytes(file, "a file")


async def all_rows(
    reader: BundleReader, after: int = 0, upto: int | None = None
) -> list[StoredRow]:
    last = Position(upto) if upto is not None else None
    return [row async for rows in reader.read(ACME, Position(after), last) for row in rows]


async def test_au07_what_comes_out_is_what_went_in(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle, "MEMBER_ROWS", 40)
    await keep(store, ROWS, SEALS)
    file, done = await written(archive_of(store))
    assert (done.events, done.bytes, done.sealed_upto) == (len(ROWS), len(file), SEALED)
    assert done.state_hash == state_hash(tell().workspace)
    reader = read(file)
    assert await all_rows(reader) == ROWS
    assert await all_rows(reader, 39, 41) == ROWS[39:41]
    assert await all_rows(reader, len(ROWS)) == []
    wanted = [Position(place) for place in (249, 40, 41, 1, 250, 0)]
    assert [row.position for row in await reader.read_at(ACME, wanted)] == [1, 40, 41, 249]
    assert [row for rows in reader.rows() for row in rows] == ROWS
    assert [seal async for seals in reader.after(ACME, Position(0)) for seal in seals] == SEALS
    assert await reader.last(ACME) == SEALS[-1]
    assert await reader.workspaces() == [ACME]
    other = WorkspaceId("other")
    assert await reader.heads([ACME, other]) == {ACME: len(ROWS), other: 0}
    assert [rows async for rows in reader.read(other, Position(0))] == []


async def test_au07_a_file_is_verified_like_the_store(store: Store) -> None:
    await keep(store, ROWS, SEALS)
    file, _ = await written(archive_of(store))
    assert await verify(archive_in(read(file)), ACME) == await verify(archive_of(store), ACME)


async def test_au07_an_export_of_an_export_is_the_same_file(store: Store) -> None:
    await keep(store, ROWS, SEALS)
    file, _ = await written(archive_of(store))
    again, _ = await written(archive_in(read(file)))
    assert again == file


async def test_au07_up_to_a_position_the_command_comes_along_whole(store: Store) -> None:
    """Half of a group could not be decided again; and no seal stands that reaches further."""
    await keep(store, ROWS, SEALS)
    firsts = [envelope_of(row).first for row in ROWS]
    inside = next(place for place, (a, b) in enumerate(pairwise(firsts), start=1) if a == b)
    until = max(inside, 1)
    file, done = await written(archive_of(store), until)
    assert done.events == firsts.index(firsts[until - 1], 0) + firsts.count(firsts[until - 1])
    found = await verify(archive_in(read(file)), ACME)
    assert (found.findings, found.state_hash) == ((), done.state_hash)
    _, done = await written(archive_of(store), 120)
    assert done.sealed_upto == 100


async def test_au07_it_says_what_is_in_it(store: Store) -> None:
    await keep(store, ROWS)
    _, done = await written(archive_of(store))
    workspace = tell().workspace
    assert done.contents.operators == len(workspace.operators)
    assert done.contents.conversations == len(workspace.conversations)
    assert done.contents.webhooks == len(workspace.webhooks)


async def test_what_is_not_there_is_not_exported(store: Store) -> None:
    await keep(store, ROWS)
    with pytest.raises(ValueError, match="ends at position 249"):
        await written(archive_of(store), 250)
    with pytest.raises(ValueError, match="is empty"):
        await export(archive_of(store), WorkspaceId("none"), None, list[bytes]().append)


@pytest.mark.parametrize("state", [b"[]", b"{", ROWS[60].state.replace(b",", b",\n", 1)])
async def test_a_log_that_cannot_be_folded_is_not_exported(
    store: Store, store_url: str, state: bytes
) -> None:
    await keep(store, ROWS)
    await spoil_log(store_url, [*ROWS[:60], ROWS[60]._replace(state=state), *ROWS[61:]])
    with pytest.raises(LogCorrupt, match="position 61"):
        await written(archive_of(store))


# --- the file -----------------------------------------------------------------------------------


@pytest.fixture
async def file(tmp_path: Path) -> bytes:
    return (await exported_story(tmp_path)).read_bytes()


def test_any_tool_for_gzip_shows_it(file: bytes) -> None:
    lines = gzip.decompress(file).splitlines()
    assert json.loads(lines[0]) == {
        "fernamt": "bundle",
        "version": 1,
        "workspace_id": ACME,
        "events": len(ROWS),
    }
    assert lines[1 : len(ROWS) + 1] == [line_of(row) for row in ROWS]
    assert json.loads(lines[-1]) == {"sha256": sha256(file[:-TRAILER_BYTES]).hexdigest()}


def test_au07_any_byte_that_was_changed_is_found(file: bytes) -> None:
    assert read(file).events == len(ROWS)
    for place in [*range(40), *range(40, len(file) - 120, 97), *range(len(file) - 120, len(file))]:
        for flipped in (file[place] ^ 1, file[place] ^ 0x80):
            changed = file[:place] + bytes([flipped]) + file[place + 1 :]
            with pytest.raises(BundleDamaged, match="was cut off or changed"):
                read(changed)


def test_au07_a_file_that_was_cut_off_or_grew_is_found(file: bytes) -> None:
    for length in [*range(120), *range(120, len(file) - 120, 501), *range(-120, 0)]:
        with pytest.raises(BundleDamaged, match="was cut off or changed"):
            read(file[:length])
    with pytest.raises(BundleDamaged):
        read(file + b"\n")
    with pytest.raises(BundleDamaged):
        read(file + file)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(gzip.compress(b"{}\n"))
    with pytest.raises(BundleDamaged, match=f"{other} was cut off or changed"):
        BundleReader.open(other)
    with pytest.raises(FileNotFoundError):
        BundleReader.open(tmp_path / "none")


def resealed(lines: list[bytes]) -> bytes:
    """A file that somebody wrote with a trailer that is right."""
    body = b"".join(gzip.compress(line + b"\n") for line in lines)
    return body + trailer(sha256(body).digest())


FOOTER = b'{"state_hash":"x"}'
EVENT = line_of(ROWS[0])


def header(events: int = 1, **other: object) -> bytes:
    fields = {"fernamt": "bundle", "version": 1, "workspace_id": ACME, "events": events}
    return msgspec.json.encode({**fields, **other})


MISSHAPEN = {
    "nothing": ([], "truncated"),
    "another kind": ([header(fernamt="log"), EVENT, FOOTER], "Invalid value"),
    "a later version": ([header(version=2), EVENT, FOOTER], "reads version 1, and it is 2"),
    "no workspace": ([header(workspace_id='"; import os'), EVENT, FOOTER], "workspace_id"),
    "no events": ([header(0), FOOTER], "events"),
    "an event too few": ([header(2), EVENT, FOOTER], "holds no event"),
    "no end": ([header(1), EVENT], "holds 1 events in place of 1"),
    "no event": ([header(1), b"{}", FOOTER], "holds no event"),
    "no hash": ([header(1), EVENT, b"{}"], "state_hash"),
    "no seal": ([header(1), EVENT, b'{"seal":[1]}', FOOTER], "seal"),
    "a seal of another kind": (
        [header(1), EVENT, b'{"seal":[1,2,"!","","",""]}', FOOTER],
        "base64",
    ),
}


@pytest.mark.parametrize("shape", MISSHAPEN)
def test_what_has_another_form_is_refused(shape: str) -> None:
    lines, what = MISSHAPEN[shape]
    with pytest.raises(BundleDamaged, match=what):
        read(resealed(lines))
    assert read(resealed([header(), EVENT, FOOTER])).events == 1


async def test_au07_one_who_writes_the_file_anew_is_found_by_the_seals(store: Store) -> None:
    """The trailer shows accidents. Who changes an event and writes a new one meets the seals."""
    changed = touched(ROWS, 60)
    await keep(store, changed, SEALS)
    file, _ = await written(archive_of(store))
    found = await verify(archive_in(read(file)), ACME, accepted=Accepted(frozenset({KEY.public})))
    (finding,) = found.findings
    assert ROWS[finding.position - 1] != changed[finding.position - 1]
    assert finding.check == "seal"
