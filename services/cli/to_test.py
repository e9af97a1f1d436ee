"""``fernamt to-test``: an exported log as a test that fails once it would be decided otherwise."""

import asyncio
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from services.cli.opening import bundle_in, failing_in_words
from services.cli.progress_bar import progress_bar
from services.cli.verify import exit_code, told
from shared.audit import regression
from shared.audit.reading_bundles import BundleReader, archive_in
from shared.audit.verifying import verify

DIFFERENT = 1


def to_test(
    file: Annotated[Path, typer.Argument(help="What `fernamt export` wrote.")],
    directory: Annotated[
        Path, typer.Option("-o", "--output", help="Directory for the test and its data.")
    ],
) -> None:
    """Write a regression test: pytest runs it, and it fails if the engine decides otherwise.

    Exit code 0: written. 1: not written, as it would fail already. 2: it could not be read or
    written.
    """
    with failing_in_words():
        written = asyncio.run(_write(file, directory))
    if written is None:
        raise typer.Exit(DIFFERENT)
    typer.echo(f"written: pytest {written}")


async def _write(file: Path, directory: Path) -> Path | None:
    bundle = await bundle_in(file)
    with progress_bar(f"replaying {bundle.workspace_id}", bundle.events) as advance:
        verified = await verify(archive_in(bundle), bundle.workspace_id, progress=advance)
    if exit_code([verified]):
        typer.echo("\n".join(told(verified)), err=True)
        typer.echo("fernamt: the test would fail already: nothing was written", err=True)
        return None
    return await asyncio.to_thread(_files, bundle, directory)


def _files(bundle: BundleReader, directory: Path) -> Path:
    """Write both files, new ones; the test last."""
    directory.mkdir(parents=True, exist_ok=True)
    name = regression.name_of(bundle.workspace_id, bundle.events)
    rows = chain.from_iterable(bundle.rows())
    with (directory / f"{name}.jsonl").open("xb") as data:
        data.writelines(regression.data_lines(rows, bundle.state_hash))
    test = directory / f"test_{name}.py"
    with test.open("x", encoding="utf-8") as source:
        source.write(regression.test_source(bundle.workspace_id, bundle.events))
    return test
