"""The way in: the list of workspaces, signing in and out, language and colours, files."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.console.desk import desk_of, form_of
from services.console.guarding import COOKIE, SESSION_S, Sessions
from services.console.rendering import THEMES
from services.console.wording import LANGUAGES

YEAR_S = 31_536_000


async def home(request: Request) -> Response:
    """The workspaces; the only one at once."""
    desk = desk_of(request)
    named = request.query_params.get("workspace", "").strip()
    if named.replace("-", "").replace("_", "").isalnum() and named.isascii() and len(named) <= 64:
        return RedirectResponse(f"/{named}/", 303)
    if not desk.known.names:
        await desk.known.look_around()
    if len(desk.known.names) == 1:
        return RedirectResponse(f"/{desk.known.names[0]}/", 303)
    return await desk.page(request, "home.html", names=desk.known.names)


async def into(request: Request) -> Response:
    return RedirectResponse(f"/{request.path_params['workspace']}/", 308)


async def static(request: Request) -> Response:
    version, name = request.path_params["version"], request.path_params["name"]
    return desk_of(request).pages.static(version, name)


async def icon(request: Request) -> Response:
    pages = desk_of(request).pages
    return pages.static(pages.version, "icon.svg")


# --- signing in -----------------------------------------------------------------------------


async def login(request: Request) -> Response:
    """The token opens a session; without a token there is nothing to sign in to."""
    desk = desk_of(request)
    if not desk.settings.token:
        return RedirectResponse("/", 303)
    wrong = False
    if request.method == "POST":
        sessions = Sessions(desk.settings.token)
        if sessions.opens((await form_of(request)).get("token", "")):
            response = RedirectResponse("/", 303)
            response.set_cookie(
                COOKIE,
                sessions.begin(),
                max_age=SESSION_S,
                httponly=True,
                samesite="strict",
                secure=request.url.scheme == "https",
            )
            return response
        wrong = True
    return await desk.page(request, "login.html", wrong=wrong, status=401 if wrong else 200)


async def logout(_request: Request) -> Response:
    response = RedirectResponse("/~/login", 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


# --- how it looks ---------------------------------------------------------------------------


async def appearance(request: Request) -> Response:
    """Keep language and colours in cookies, and go back to where the switch was used."""
    form = await form_of(request)
    response = RedirectResponse(_within(form.get("back", "/")), 303)
    for name, allowed in (("language", LANGUAGES), ("theme", THEMES)):
        chosen = form.get(name)
        if chosen in allowed:
            response.set_cookie(
                f"fernamt_{name}", str(chosen), max_age=YEAR_S, samesite="lax", httponly=True
            )
    return response


def _within(path: str) -> str:
    """A path of the console; its entrance where somebody tries to lead elsewhere."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if inside and path.isprintable() else "/"
