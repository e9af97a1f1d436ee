"""What takes long: verifying a log, and playing a stretch of it under other settings."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.console.asking import Denied, TooSlow
from services.console.charts import columns, rows
from services.console.desk import BadInput, desk_of, form_of, workspace_of
from services.console.moments import moment_in
from services.console.wording import Words, duration
from shared.audit.answers import Begun, JobView, MomentView
from shared.audit.simulating import Simulation
from shared.audit.verifying import Verified
from shared.routing import vocabulary as v
from shared.routing.commands import Refused
from shared.routing.ids import ID_PATTERN
from shared.routing.settings_views import WorkspaceView

WITHIN_S = 4.0
PLAYED_BACK = 20_000
"""Events before the head that are played where no time is named."""
OPERATORS_SHOWN = 30

CHOICES: Mapping[str, tuple[str, ...]] = {
    "delivery": get_args(v.Delivery),
    "ranking": get_args(v.Ranking),
    "assign_to": get_args(v.AssignTo),
    "affinity": get_args(v.Affinity),
    "queue_order": get_args(v.QueueOrder),
    "on_owner_offline": get_args(v.OnOwnerOffline),
}
"""Fields of a policy to choose from."""
NUMBERS = (
    "offer_timeout_s",
    "affinity_wait_s",
    "waiting_frees_slot_after_s",
    "reassign_after_s",
    "wrap_up_s",
    "max_waiting",
)
"""Fields of a policy that are numbers."""


async def verify(request: Request) -> Response:
    """Begin to verify the whole log."""
    desk, workspace = desk_of(request), workspace_of(request)
    told = await desk.engine.audit(workspace, "verify", Begun)
    return RedirectResponse(f"/{workspace}/jobs/{told.result.job_id}", 303)


async def simulate(request: Request) -> Response:
    """The form of what to suppose; sent, it begins the job."""
    desk, workspace = desk_of(request), workspace_of(request)
    words = await desk.words(request)
    moment = (await desk.engine.audit(workspace, "moment", MomentView)).result
    settings = (await desk.engine.audit(workspace, "workspace", WorkspaceView)).result
    nothing = False
    if request.method == "POST":
        form = await form_of(request)
        changes = list(_changes(form))
        if changes:
            question = {"changes": changes, **_stretch(form, words, moment)}
            begun = await desk.engine.audit(workspace, "simulate", Begun, question)
            return RedirectResponse(f"/{workspace}/jobs/{begun.result.job_id}", 303)
        nothing = True
    return await desk.page(
        request,
        "simulate.html",
        words=words,
        moment=moment,
        settings=settings,
        choices=CHOICES,
        numbers=NUMBERS,
        nothing=nothing,
        status=400 if nothing else 200,
        since=max(moment.head - PLAYED_BACK, 0),
    )


def _changes(form: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    """What the form supposes. Raises ``BadInput``."""
    policy: dict[str, Any] = {}
    for field, values in CHOICES.items():
        if form.get(field):
            if form[field] not in values:
                raise BadInput(field)
            policy[field] = form[field]
    for field in NUMBERS:
        if form.get(field, "").strip():
            policy[field] = _number(form, field)
    if policy:
        yield {"scope": _scope(form.get("scope", "")), "policy": policy}
    operator_id = form.get("operator", "").strip()
    if operator_id:
        if re.match(ID_PATTERN, operator_id) is None:
            raise BadInput("operator")
        capacity = {"operator_id": operator_id, "capacity": _number(form, "capacity")}
        yield {"update_operator": capacity}


def _number(form: Mapping[str, str], field: str) -> int:
    text = form.get(field, "").strip()
    if not (text.isascii() and text.isdecimal()) or len(text) > 9:
        raise BadInput(field)
    return int(text)


def _scope(text: str) -> Mapping[str, Any]:
    """``group:support``, ``entry_point:web``, or nothing for the whole workspace."""
    kind, _, its_id = text.partition(":")
    if not text:
        return {"workspace": True}
    if kind not in ("group", "entry_point") or re.match(ID_PATTERN, its_id) is None:
        raise BadInput("scope")
    return {kind: its_id}


def _stretch(form: Mapping[str, str], words: Words, moment: MomentView) -> Mapping[str, Any]:
    since = {"position": max(moment.head - PLAYED_BACK, 0)}
    if form.get("from", "").strip():
        since = dict(moment_in(form["from"], "from", words, moment))
    if not form.get("to", "").strip():
        return {"from": since}
    return {"from": since, "to": moment_in(form["to"], "to", words, moment)}


async def job(request: Request) -> Response:
    """How far a job has come, and its result."""
    desk, workspace = desk_of(request), workspace_of(request)
    its_id = request.path_params["job"]
    fields = {"job_id": its_id}
    try:
        told = await desk.engine.audit(workspace, "job", JobView, fields, within_s=WITHIN_S)
    except TooSlow as slow:  # only the auditor that began it answers, and that one is gone
        raise Denied(slow.who, Refused("unknown_job", f"nobody knows of {its_id}")) from None
    view = told.result
    result: dict[str, Any] = {}
    if view.state == "done":
        result = _VIEWS[view.question](view.result)
    return await desk.page(request, "job.html", job=view, **result)


def _verified(result: Any) -> dict[str, Any]:
    return {"verified": msgspec.convert(result, Verified)}


def _simulated(result: Any) -> dict[str, Any]:
    """The report with its charts: what was played as it was beside what was supposed."""
    report = msgspec.convert(result, Simulation)
    before, after = report.baseline.outcome, report.simulated.outcome
    bounds = [f"≤ {_bound(ms)}" for ms in report.wait_bounds_ms]
    bounds.append(f"> {_bound(report.wait_bounds_ms[-1])}")
    were = {load.operator_id: load for load in before.loads}
    loads = sorted(after.loads, key=lambda load: -load.assignments)[:OPERATORS_SHOWN]
    return {
        "report": report,
        "bounds": bounds,
        "waits": columns(bounds, before.waits.counts, after.waits.counts),
        "loads": [(were.get(load.operator_id, load), load) for load in loads],
        "loads_chart": rows(
            [load.operator_id for load in loads],
            [were.get(load.operator_id, load).assignments for load in loads],
            [load.assignments for load in loads],
        ),
    }


_VIEWS = {"verify": _verified, "simulate": _simulated}


def _bound(ms: int) -> str:
    """``15 s``, ``5 min``, ``1 h``: bounds are whole units."""
    return duration(ms).removesuffix(" 00 s").removesuffix(" 00 min")
