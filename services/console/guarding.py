"""Who may look, and what a browser is told never to do with what it gets.

On loopback nobody signs in, but a page of the internet must not get in by giving this machine a
name of its own. Anywhere else a session begins with the token, and ends by itself.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Message, Receive, Scope, Send

from services.console.settings import Settings, is_loopback

COOKIE = "fernamt_session"
SESSION_S = 12 * 3_600
OPEN_PATHS = ("/~/login", "/~/static/", "/~/appearance")
"""What whoever has not signed in may see."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class Sessions:
    """Cookies that prove somebody knew the token, until they expire or the token changes."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def opens(self, token: str) -> bool:
        """Whether it is the token; takes as long for every wrong one."""
        return hmac.compare_digest(token.encode(), self._token)

    def begin(self) -> str:
        """What the cookie holds."""
        until = str(int(time.time()) + SESSION_S)
        return f"{until}.{self._signature(until)}"

    def holds(self, cookie: str) -> bool:
        """Whether the cookie is one of ours and not over."""
        until, _, signature = cookie.partition(".")
        if not until.isdecimal() or len(until) > 12:
            return False
        signed = hmac.compare_digest(signature.encode(), self._signature(until).encode())
        return signed and int(until) > time.time()

    def _signature(self, until: str) -> str:
        text = f"fernamt console session {until}".encode()
        return hmac.new(self._token, text, hashlib.sha256).hexdigest()


class Guard:
    """Stands before the pages."""

    def __init__(self, app: Starlette, settings: Settings) -> None:
        self.app = app
        self._settings = settings
        self._sessions = Sessions(settings.token) if settings.token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    sent[name] = value
                sent.setdefault("Cache-Control", "no-store")
            await send(message)

        turned_away = self._turned_away(scope, headers)
        await (turned_away or self.app)(scope, receive, send_safely)

    def _turned_away(self, scope: Scope, headers: Headers) -> Response | None:
        if not self._is_ours(headers.get("host", "")):
            text = "This address is not one the console answers to.\n"
            return PlainTextResponse(text, 421)
        if scope["method"] not in ("GET", "HEAD") and not comes_from_here(headers):
            return PlainTextResponse("The request came from another page.\n", 403)
        if self._sessions is None or scope["path"].startswith(OPEN_PATHS):
            return None
        if self._sessions.holds(cookies(headers).get(COOKIE, "")):
            return None
        if scope["method"] != "GET" or headers.get("x-fragment"):
            return PlainTextResponse("Sign in first.\n", 401)
        return RedirectResponse("/~/login", 303)

    def _is_ours(self, host: str) -> bool:
        """On loopback only its own names will do: else a foreign page could read along."""
        if not self._settings.loopback and not self._settings.hosts:
            return True
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._settings.hosts:
            return True
        return self._settings.loopback and is_loopback(name)


def comes_from_here(headers: Headers) -> bool:
    """Whether a form was sent by a page of the console itself, as the browser says."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc == headers.get("host", "") != ""
    except ValueError:
        return False


def cookies(headers: Headers) -> dict[str, str]:
    """What the browser keeps for us; nothing if it cannot be read."""
    try:
        jar = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in jar.items()}
