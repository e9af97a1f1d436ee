"""Options that several verbs share, with the environment variables that set them."""

from pathlib import Path
from typing import Annotated

import typer

DataDir = Annotated[
    Path,
    typer.Option("--data", envvar="FERNAMT_DATA", help="Directory for the log and the broker."),
]
StoreUrl = Annotated[
    str,
    typer.Option(
        "--store",
        envvar="FERNAMT_STORE_URL",
        help="postgresql://HOST/DATABASE or sqlite:///DIRECTORY; a log in --data if not given.",
    ),
]
LogFile = Annotated[
    Path | None,
    typer.Option("--log", help="A file that `fernamt export` wrote, in place of a store."),
]
NatsUrl = Annotated[
    str,
    typer.Option("--nats", envvar="FERNAMT_NATS_URL", help="nats://HOST:4222 of a running broker."),
]
NatsPort = Annotated[
    int,
    typer.Option(
        "--nats-port",
        envvar="FERNAMT_NATS_PORT",
        min=0,
        max=65_535,
        help="Port of its own broker; 0 is any free one.",
    ),
]
LEVELS = ("debug", "info", "warning", "error")


def _level(text: str) -> str:
    if text.lower() not in LEVELS:
        raise typer.BadParameter(f"{text}: expected one of {', '.join(LEVELS)}")
    return text.lower()


LogLevel = Annotated[
    str,
    typer.Option(
        "--log-level",
        envvar="FERNAMT_LOG_LEVEL",
        callback=_level,
        help="debug, info, warning or error.",
    ),
]
LeaseMs = Annotated[
    int,
    typer.Option(
        "--lease-ms",
        envvar="FERNAMT_LEASE_MS",
        min=300,
        max=60_000,
        help="How long others wait for a router that died; the same for all of one database.",
    ),
]
HealthPort = Annotated[
    int | None,
    typer.Option(
        "--health-port",
        envvar="FERNAMT_HEALTH_PORT",
        min=0,
        max=65_535,
        help="Answer /livez, /readyz and /metrics; 0 is any free one. Without it: nowhere.",
    ),
]
HealthHost = Annotated[
    str,
    typer.Option(
        "--health-host",
        envvar="FERNAMT_HEALTH_HOST",
        help="... and on this address; nobody has to say there who he is.",
    ),
]
LOOPBACK = "127.0.0.1"

DEFAULT_DATA = Path("data")


def store_url(store: str, data: Path) -> str:
    """The address of the store: as given, else a log in the data directory."""
    return store or f"sqlite:///{data.absolute()}"


def fail(message: str) -> typer.Exit:
    """Say on stderr what is wrong; the caller raises what this returns."""
    typer.echo(f"fernamt: {message}", err=True)
    return typer.Exit(2)
