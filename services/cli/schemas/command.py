"""The verb itself: write every description, and remove those of what no longer exists."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.schemas import asyncapi, json_schema, typescript

DIRECTORY = Path("schemas")


def schemas(
    to: Annotated[Path, typer.Option("--to", help="Directory to write into.")] = DIRECTORY,
) -> None:
    """Write what is said on the wire as AsyncAPI, JSON Schemas and TypeScript types."""
    files = generated()
    for name, text in files.items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_text(text, encoding="utf-8")
    for stale in set(to.glob(f"{json_schema.FOLDER}/*{json_schema.SUFFIX}")) - {
        to / name for name in files
    }:
        stale.unlink()
    typer.echo(f"wrote {len(files)} files into {to}")


def generated() -> dict[str, str]:
    """Every file's text by its path; the same text from the same code, always."""
    return {**json_schema.files(), **asyncapi.files(), **typescript.files()}
