"""What every page works with: the engine, the templates, and what is known of workspaces."""

from typing import Any
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.console.asking import Engine
from services.console.known import Known
from services.console.rendering import Pages, look_of
from services.console.settings import Settings
from services.console.watching import Hub
from services.console.wording import Words

FORM_BYTES_MAX = 65_536


class BadInput(Exception):
    """A field of a form or of an address holds what it cannot; ``field`` is its name."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Desk:
    """One for the whole console."""

    def __init__(self, engine: Engine, settings: Settings, pages: Pages, known: Known) -> None:
        self.engine = engine
        self.settings = settings
        self.pages = pages
        self.known = known
        self.hub: Hub | None = None

    async def words(self, request: Request) -> Words:
        """The texts of this browser, with the times of its workspace."""
        workspace = request.path_params.get("workspace")
        zone = await self.known.zone(workspace) if workspace else "UTC"
        return Words(look_of(request).language, zone)

    async def page(self, request: Request, template: str, **context: Any) -> Response:
        """A page of the workspace that the address names."""
        words = context.pop("words", None) or await self.words(request)
        workspace = request.path_params.get("workspace", "")
        return self.pages.page(request, template, words=words, workspace=workspace, **context)


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def workspace_of(request: Request) -> str:
    return str(request.path_params["workspace"])


def number_in(request: Request, field: str, default: int | None = None) -> int | None:
    """A number out of the address. Raises ``BadInput``."""
    text = request.query_params.get(field, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdecimal()) or len(text) > 16:
        raise BadInput(field)
    return int(text)


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a small form. Raises ``HTTPException`` for a large one."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES_MAX:
            raise HTTPException(413)
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
