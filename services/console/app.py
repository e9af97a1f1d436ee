"""The console as an ASGI application: which address is which page, and what an error looks like."""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.console.asking import Denied, Engine, TooSlow, Trouble, Unanswered
from services.console.decisions import DecisionLine
from services.console.desk import BadInput, Desk, desk_of
from services.console.guarding import Guard
from services.console.known import Known
from services.console.pages import (
    conversation,
    entrance,
    health,
    incidents,
    jobs,
    live,
    time_machine,
)
from services.console.picture import Picture
from services.console.rendering import Pages, look_of
from services.console.settings import Settings, checked
from services.console.watching import Hub
from services.console.wording import Words
from shared.ports import Bus

SERVICE_OF = {
    "router": "router",
    "notifier": "notifier",
    "evaluator": "evaluator",
    "auditor": "auditor",
}
"""What each is called by ``fernamt run``."""


class _Id(Convertor[str]):
    regex = "[A-Za-z0-9_-]{1,64}"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("id", _Id())


def console(bus: Bus, settings: Settings) -> Guard:
    """The whole console, behind its guard. Raises ``ValueError`` if that would let all in."""
    checked(settings)
    engine, pages = Engine(bus), Pages()
    desk = Desk(engine, settings, pages, Known(engine, settings.workspaces))

    def render(words: Words, workspace: str, picture: Picture) -> str:
        return pages.text("live_state.html", words, picture=picture, workspace=workspace)

    def render_lines(words: Words, workspace: str, lines: Sequence[DecisionLine]) -> str:
        return pages.text("live_decisions.html", words, lines=lines, workspace=workspace)

    desk.hub = Hub(engine, render, render_lines)
    app = Starlette(
        routes=_routes(),
        exception_handlers={
            Trouble: _on_trouble,
            BadInput: _on_bad_input,
            HTTPException: _on_http,
            Exception: _on_fault,
        },
    )
    app.state.desk = desk
    app.state.settings = settings
    return Guard(app, settings)


def _routes() -> list[Route]:
    conversation_path = "/{workspace:id}/conversations/{conversation:id}"
    return [
        Route("/", entrance.home),
        Route("/~/static/{version}/{name}", entrance.static),
        Route("/~/login", entrance.login, methods=["GET", "POST"]),
        Route("/~/logout", entrance.logout, methods=["POST"]),
        Route("/~/appearance", entrance.appearance, methods=["POST"]),
        Route("/favicon.ico", entrance.icon),
        Route("/{workspace:id}", entrance.into),
        Route("/{workspace:id}/", live.live),
        Route("/{workspace:id}/stream", live.stream),
        Route("/{workspace:id}/search", conversation.search),
        Route(conversation_path, conversation.conversation),
        Route(f"{conversation_path}/decisions/{{position:int}}", conversation.decision),
        Route(f"{conversation_path}/why-not", conversation.why_not),
        Route(f"{conversation_path}/why-waiting", conversation.why_waiting),
        Route(f"{conversation_path}/free", conversation.free_meanwhile),
        Route("/{workspace:id}/at", time_machine.at),
        Route("/{workspace:id}/at/step", time_machine.step),
        Route("/{workspace:id}/incidents", incidents.find),
        Route("/{workspace:id}/incidents/compare", incidents.compare),
        Route("/{workspace:id}/incidents/simulate", jobs.simulate, methods=["GET", "POST"]),
        Route("/{workspace:id}/incidents/export", incidents.export),
        Route("/{workspace:id}/incidents/export/file", incidents.export_file),
        Route("/{workspace:id}/health", health.health),
        Route("/{workspace:id}/health/verify", jobs.verify, methods=["POST"]),
        Route("/{workspace:id}/jobs/{job:id}", jobs.job),
    ]


# --- what goes wrong ------------------------------------------------------------------------


async def _on_trouble(request: Request, error: Exception) -> Response:
    assert isinstance(error, Trouble)
    words = _words(request)
    who = words.of("who", error.who)
    detail = ""
    match error:
        case Denied(reason=reason):
            known = f"refusal.{reason.code}" in words
            what = words.of("refusal", reason.code) if known else reason.message
            todo = words("trouble.refused_do")
            detail = f"{reason.code}: {reason.message}"
        case Unanswered():
            what = words("trouble.nobody", who=who)
            todo = words("trouble.nobody_do", service=SERVICE_OF.get(error.who, error.who))
        case TooSlow(within_s=within_s):
            what = words("trouble.slow", who=who, seconds=round(within_s))
            todo = words("trouble.slow_do")
        case _:
            what, todo = words("trouble.lost"), words("trouble.lost_do")
    return _say(request, words, error.status, (what, todo, detail))


async def _on_bad_input(request: Request, error: Exception) -> Response:
    assert isinstance(error, BadInput)
    words = _words(request)
    what = words("trouble.bad_input", field=error.field)
    return _say(request, words, 400, (what, words("trouble.bad_input_do"), ""))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = _words(request)
    if error.status_code == HTTPStatus.NOT_FOUND:
        what, todo = words("trouble.not_found"), words("trouble.not_found_do")
    elif error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        what, todo = words("trouble.method"), words("trouble.not_found_do")
    else:
        what, todo = error.detail, words("trouble.not_found_do")
    return _say(request, words, error.status_code, (what, todo, ""))


async def _on_fault(request: Request, _error: Exception) -> Response:
    """A fault of the console's own: the server logs it, the browser learns no more than that."""
    words = _words(request)
    return _say(request, words, 500, (words("trouble.fault"), words("trouble.fault_do"), ""))


def _words(request: Request) -> Words:
    """Without asking anybody: it may be that nobody answers."""
    workspace = str(request.path_params.get("workspace", ""))
    return Words(look_of(request).language, desk_of(request).known.zone_heard(workspace))


def _say(request: Request, words: Words, status: int, said: tuple[str, str, str]) -> Response:
    """``said``: what is wrong, what to do, and how the engine put it."""
    what, todo, detail = said
    key = "trouble.not_found_title" if status == HTTPStatus.NOT_FOUND else "trouble.title"
    return desk_of(request).pages.page(
        request,
        "trouble.html",
        words=words,
        workspace=_workspace_in(request, status, what),
        status=status,
        title=words(key),
        what=what,
        todo=todo,
        detail=detail,
    )


def _workspace_in(request: Request, status: int, what: str) -> str:
    """Whose navigation to show; none if there is no such workspace."""
    workspace = str(request.path_params.get("workspace", ""))
    unknown = Words("en")("refusal.unknown_workspace"), Words("de")("refusal.unknown_workspace")
    return "" if status == HTTPStatus.NOT_FOUND and what in unknown else workspace
