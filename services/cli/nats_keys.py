"""``fernamt nats-keys``: a key for every service that connects to the broker."""

import os
from pathlib import Path
from typing import Annotated

import typer

from services.cli.options import fail
from shared.adapters.nkey import Nkey

ISSUER = "issuer"
"""Signs what connections may do: the service ``auth`` alone has it."""
USERS = (
    *("system", "auth", "router", "presence", "evaluator", "notifier", "archivist"),
    *("auditor", "console"),
)
PUBLIC_FILE = "public.conf"

_HEAD = "# Public keys, read by accounts.conf. Made by `fernamt nats-keys`.\n"


def nats_keys(
    directory: Annotated[Path, typer.Argument(help="Where the keys go; made if need be.")],
) -> None:
    """Make the keys of services and what the broker has to know of them.

    A key that is there is kept. NAME.nk is a secret: give each to its service alone.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        public = {name: _key(directory / f"{name}.nk", name) for name in (ISSUER, *USERS)}
        lines = (f'{name.upper()}_KEY: "{key}"\n' for name, key in public.items())
        (directory / PUBLIC_FILE).write_text(_HEAD + "".join(lines), encoding="utf-8")
    except OSError as error:
        raise fail(f"cannot write to {directory}: {error.strerror}") from error
    except ValueError as error:
        raise fail(f"{error}; remove what is no key, and what it was will be made anew") from error
    typer.echo(f"keys of {len(public)} users are in {directory}; {PUBLIC_FILE} is for the broker")


def _key(file: Path, name: str) -> str:
    """The public half of the key in this file, which is made if it is not there."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        try:
            return Nkey.from_seed(file.read_bytes()).public
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error
    made = Nkey.new("account" if name == ISSUER else "user")
    with os.fdopen(descriptor, "w", encoding="ascii") as secret:
        secret.write(f"{made.seed}\n")
    return made.public
