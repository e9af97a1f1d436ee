"""Opening what a question about the past is answered from: a store or a file, for reading only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import typer

from services.cli.options import fail, store_url
from shared.adapters.migrations import MigrationError
from shared.adapters.open_store import open_archive
from shared.audit.reading_bundles import BundleDamaged, BundleReader, archive_in
from shared.ports import LogCorrupt, StoreError
from shared.ports.archive import Archive
from shared.routing.ids import WorkspaceId

DAMAGED = 1
"""Exit code where a log cannot be read as a whole."""


@contextlib.asynccontextmanager
async def archive_at(
    store: str, data: Path, name: str, *, file: Path | None = None
) -> AsyncIterator[Archive]:
    """What is in a file that `fernamt export` wrote, at an address, or else in a data directory.

    Raises as ``open_archive`` does, and ``BundleDamaged``.
    """
    if file is not None:  # the environment may name a store all the same
        archive = archive_in(await bundle_in(file))
    else:
        archive = await open_archive(store_url(store, data), name=name)
    try:
        yield archive
    finally:
        await archive.close()


async def bundle_in(file: Path) -> BundleReader:
    """Read a file that `fernamt export` wrote. Raises ``BundleDamaged`` and ``OSError``."""
    return await asyncio.to_thread(BundleReader.open, file)


async def workspaces_in(archive: Archive, wanted: str = "") -> Sequence[WorkspaceId]:
    """All workspaces, or the one that is wanted. Raises ``ValueError`` if there is none."""
    known = await archive.log.workspaces()
    if not wanted:
        return known
    its_id = WorkspaceId(wanted)
    if its_id not in known and not await archive.log.head(its_id):
        there_are = ", ".join(known) or "none"
        raise ValueError(f"there is no workspace {wanted}; there are: {there_are}")
    return [its_id]


@contextlib.contextmanager
def failing_in_words() -> Iterator[None]:
    """End with one line on stderr: exit code 1 if the log is damaged, 2 if it was not reached."""
    try:
        yield
    except BundleDamaged as error:
        typer.echo(f"fernamt: {error}", err=True)
        raise typer.Exit(DAMAGED) from error
    except LogCorrupt as error:
        typer.echo(f"fernamt: the log is damaged: {error}", err=True)
        raise typer.Exit(DAMAGED) from error
    except MigrationError as error:
        raise fail(f"{error}: fernamt migrate") from error
    except (StoreError, ValueError, OSError) as error:
        raise fail(str(error)) from error
