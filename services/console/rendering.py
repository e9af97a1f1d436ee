"""From a template to a response: in which language and colours, with which files beside it."""

import hashlib
import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jinja2
import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.console.telling import assumed, plainly, scope_text, told
from services.console.wording import LANGUAGES, Language, Words, language_of

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
FOREVER = "public, max-age=31536000, immutable"


class Look(NamedTuple):
    """How somebody sees a page."""

    language: Language
    theme: Theme


def look_of(request: Request) -> Look:
    """By the cookies that the switch leaves, else by what the browser asks for."""
    language = request.cookies.get("fernamt_language")
    theme = request.cookies.get("fernamt_theme")
    spoken = language_of(request.headers.get("accept-language", ""))
    return Look(
        next((one for one in LANGUAGES if one == language), spoken),
        next((one for one in THEMES if one == theme), "auto"),
    )


class StaticFile(NamedTuple):
    """A file that every page may use, as it lies in the package."""

    body: bytes
    media_type: str


class Pages:
    """Every template and every static file; the latter under an address that names its content."""

    def __init__(self) -> None:
        self._files = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir())}
        digest = hashlib.sha256()
        for name, body in self._files.items():
            digest.update(f"{name}:{len(body)}:".encode() + body)
        self.version = digest.hexdigest()[:16]
        """Of all of them together: modules import each other by relative addresses."""
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["fields"] = msgspec.to_builtins
        self._templates.filters["json"] = lambda value: msgspec.json.encode(value).decode()
        self._templates.globals["static"] = lambda name: f"/~/static/{self.version}/{name}"

    def static(self, version: str, name: str) -> Response:
        """A static file; of an old version only what has the same name now, and not for long."""
        body = self._files.get(name)
        if body is None:
            return Response(status_code=404)
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        keep = FOREVER if version == self.version else "no-cache"
        return Response(body, media_type=kind, headers={"Cache-Control": keep})

    def text(self, template: str, words: Words, **context: Any) -> str:
        """A template without a request around it."""
        return self._templates.get_template(template).render(
            t=words,
            told=lambda event: told(event, words),
            plain=lambda event: plainly(event, words),
            assumed=lambda assumption: assumed(assumption, words),
            scope_text=lambda scope: scope_text(scope, words),
            **context,
        )

    def page(
        self,
        request: Request,
        template: str,
        *,
        words: Words,
        workspace: str = "",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> Response:
        """A whole page, or the part of it that a script asked for."""
        look = look_of(request)
        fragment = "x-fragment" in request.headers
        html = self.text(
            template,
            words,
            look=look,
            workspace=workspace,
            layout="fragment.html" if fragment else "page.html",
            path=request.url.path,
            here=_here(request),
            signed_in=bool(request.app.state.settings.token),
            **context,
        )
        response = HTMLResponse(html, status, headers)
        response.headers["Vary"] = "Accept-Language, Cookie, X-Fragment"
        return response


def _here(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
