"""The web server of a chat platform in small: it serves the example pages, and knows who is who.

It sets the session's cookie, which no script can read, and tells each page for whom it is: what
``deploy/examples/README.md`` asks of a platform.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.cookies import SimpleCookie
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt

from tests.servers.engine import ROOT

BUILT = ROOT / "build" / "examples"
COOKIE = "fernamt_session"
PAGES = {"visitor": "widget.html", "operator": "inbox.html"}

Sign = Callable[..., str]
"""Workspace, kind and actor to a session token, and its claims by name."""

HOLDS_S = 3_600


class PageServer:
    """``url`` is where it is, and the origin of its pages."""

    def __init__(self) -> None:
        self.settings: dict[str, str] = {}
        """What ``config.json`` says to everybody."""
        self.sign: Sign | None = None
        answering = partial(_Answering, self, directory=str(BUILT))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), answering)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def serve(self) -> None:
        self._server.serve_forever()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def login(self, workspace: str, kind: str, actor: str, holds_s: int = HOLDS_S) -> str:
        """An address that begins a session of so many seconds and leads to its page."""
        who = f"workspace={workspace}&kind={kind}&actor={actor}"
        return f"{self.url}/enter?{who}&holds_s={holds_s}"


class _Answering(SimpleHTTPRequestHandler):
    def __init__(self, ours: PageServer, *arguments: Any, **more: Any) -> None:
        self._ours = ours
        super().__init__(*arguments, **more)

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        if path == "/enter":
            self._enter(query)
        elif path == "/config.json":
            self._tell({**self._ours.settings, **self._whose()})
        else:
            super().do_GET()

    def _enter(self, query: Mapping[str, str]) -> None:
        assert self._ours.sign is not None
        ends = int(time.time()) + int(query["holds_s"])
        token = self._ours.sign(query["workspace"], query["kind"], query["actor"], exp=ends)
        self.send_response(303)
        self.send_header("Location", f"/{PAGES[query['kind']]}")
        self.send_header("Set-Cookie", f"{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/")
        self.end_headers()

    def _whose(self) -> Mapping[str, str]:
        """Whom the session names. The broker is who checks it."""
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        if cookie is None:
            return {}
        said = jwt.decode(cookie.value, options={"verify_signature": False})
        return {"workspace": said["fernamt"]["workspace"], "actor": said["sub"]}

    def _tell(self, what: Mapping[str, str]) -> None:
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@contextmanager
def page_server() -> Iterator[PageServer]:
    """One on a free port. Raises ``FileNotFoundError`` where the pages were not built."""
    if not (BUILT / "index.html").exists():
        raise FileNotFoundError(
            f"no pages in {BUILT}: `make build/examples/index.html` builds them"
        )
    server = PageServer()
    thread = threading.Thread(target=server.serve, name="pages")
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()
