"""Incidents: conversations that show a pattern, and what is different between two moments."""

import re
from collections.abc import Mapping
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.console.desk import BadInput, desk_of, number_in, workspace_of
from services.console.exporting import bundle_of
from services.console.moments import moment_in
from services.console.wording import Words
from shared.audit.answers import Diff, Found, MomentView
from shared.routing.ids import ID_PATTERN
from shared.wire.audit import Pattern

FOUND_MAX = 50
LOOKED_BACK = 50_000
"""Events before now that are looked through where no time is named."""


async def find(request: Request) -> Response:
    """The form, and what it found."""
    desk, workspace = desk_of(request), workspace_of(request)
    words = await desk.words(request)
    moment = (await desk.engine.audit(workspace, "moment", MomentView)).result
    asked = bool(request.query_params)
    found: Found | None = None
    if asked:
        found = (
            await desk.engine.audit(workspace, "find", Found, _question(request, words, moment))
        ).result
    return await desk.page(
        request,
        "incidents.html",
        words=words,
        found=found,
        moment=moment,
        patterns=get_args(Pattern),
        form=_form(request),
        query=_query_without(request, "position"),
    )


def _question(request: Request, words: Words, moment: MomentView) -> Mapping[str, Any]:
    """What the form asks for. Raises ``BadInput``."""
    form = request.query_params
    pattern = form.get("pattern", "waited_while_free")
    if pattern not in get_args(Pattern):
        raise BadInput("pattern")
    question: dict[str, Any] = {"pattern": pattern, "limit": FOUND_MAX}
    for field in ("visitor", "operator", "conversation"):
        its_id = form.get(field, "").strip()
        if its_id:
            if re.match(ID_PATTERN, its_id) is None:
                raise BadInput(field)
            question[f"{field}_id"] = its_id
    for field in ("over_s", "within_s", "more_than"):
        question[field] = number_in(request, field)
    question["from"] = _since(request, words, moment)
    if form.get("to", "").strip():
        question["to"] = moment_in(form["to"], "to", words, moment)
    return question


def _since(request: Request, words: Words, moment: MomentView) -> Mapping[str, int]:
    """Where to begin: where an answer before left off, at the time named, or a while ago."""
    position = number_in(request, "position")
    if position is not None:
        return {"position": position}
    text = request.query_params.get("from", "").strip()
    if text:
        return moment_in(text, "from", words, moment)
    return {"position": max(moment.head - LOOKED_BACK, 0)}


def _form(request: Request) -> Mapping[str, str]:
    names = ["pattern", "from", "to", "over_s", "within_s", "more_than"]
    names += ["visitor", "operator", "conversation"]
    defaults = {"pattern": "waited_while_free", "over_s": "60", "within_s": "60", "more_than": "0"}
    return {name: request.query_params.get(name, defaults.get(name, "")) for name in names}


def _query_without(request: Request, *names: str) -> str:
    """The address's query without some fields, to be gone on with."""
    kept = [(k, v) for k, v in request.query_params.multi_items() if k not in names]
    return str(request.url.replace(query="").include_query_params(**dict(kept)).query)


async def compare(request: Request) -> Response:
    """Two moments beside each other."""
    desk, workspace = desk_of(request), workspace_of(request)
    words = await desk.words(request)
    moment = (await desk.engine.audit(workspace, "moment", MomentView)).result
    before = request.query_params.get("before", "").strip()
    after = request.query_params.get("after", "").strip()
    found: Diff | None = None
    if before:
        fields: dict[str, Any] = {"from": moment_in(before, "before", words, moment)}
        if after:
            fields["to"] = moment_in(after, "after", words, moment)
        found = (await desk.engine.audit(workspace, "diff", Diff, fields)).result
    return await desk.page(
        request,
        "compare.html",
        words=words,
        diff=found,
        before=before,
        after=after,
        moment=moment,
    )


async def export(request: Request) -> Response:
    """What the file would hold, and where to fetch it."""
    desk, workspace = desk_of(request), workspace_of(request)
    moment = (await desk.engine.audit(workspace, "moment", MomentView)).result
    return await desk.page(request, "export.html", moment=moment)


async def export_file(request: Request) -> Response:
    """The file itself, as it is put together."""
    desk, workspace = desk_of(request), workspace_of(request)
    moment = (await desk.engine.audit(workspace, "moment", MomentView)).result
    until = number_in(request, "until", moment.head) or 0
    if not 1 <= until <= moment.head:
        raise BadInput("until")
    name = f"{workspace}-{until}.fernamt"
    return StreamingResponse(
        bundle_of(desk.engine, workspace, until),
        media_type="application/gzip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
