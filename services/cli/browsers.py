"""How web pages reach the embedded broker: WebSocket on loopback, for pages of named origins alone.

That broker asks nobody who he is, so without a list of origins every page on the web that is open
in a browser of this machine could speak as anybody, and hear everything.
"""

import json
from collections.abc import Sequence
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

import typer

from services.cli.options import LOOPBACK

EXAMPLES = ("http://127.0.0.1:8480", "http://localhost:8480")
"""Where ``make examples`` serves its pages."""


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or text != f"{parts.scheme}://{parts.netloc}":
        raise typer.BadParameter(f"{text}: expected the origin of a page, as {EXAMPLES[0]}")
    return text


WebSocketPort = Annotated[
    int | None,
    typer.Option(
        "--websocket-port",
        envvar="FERNAMT_WEBSOCKET_PORT",
        min=1,
        max=65_535,
        help="Port of its own broker for web pages. Without it: none.",
    ),
]
WebSocketOrigins = Annotated[
    list[str] | None,
    typer.Option(
        "--websocket-origin",
        envvar="FERNAMT_WEBSOCKET_ORIGINS",
        parser=_origin,
        metavar="URL",
        help="Whose pages may connect there; may be given several times.",
    ),
]


class WebDoor(NamedTuple):
    """The listener, as the broker's configuration has it and as people are told of it."""

    port: int
    origins: Sequence[str]

    @property
    def config(self) -> str:
        """A section of the broker's configuration."""
        origins = ", ".join(map(json.dumps, self.origins))
        return (
            f'websocket {{ listen: "{LOOPBACK}:{self.port}", no_tls: true, '
            f"allowed_origins: [ {origins} ] }}"
        )

    @property
    def told(self) -> str:
        """One line for people."""
        return f"Web pages of {' and '.join(self.origins)} connect to ws://{LOOPBACK}:{self.port}."
