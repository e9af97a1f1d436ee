"""How one service tells the router something: a command over the wire, as everybody sends them."""

from shared.ports import Bus, Message
from shared.ports.tracing import Tracer
from shared.runtime import spans
from shared.wire.headers import COMMAND_ID, ERROR, TRACE
from shared.wire.subjects import Call, subject_of


class Reporting:
    """Sends reports one at a time; who calls tries again."""

    def __init__(self, bus: Bus, tracer: Tracer | None) -> None:
        self._bus = bus
        self._tracer = tracer

    async def report(self, call: Call, body: bytes, command_id: str, *, within_s: float) -> Message:
        """Send one and wait for the answer. Raises what ``Bus.request`` does."""
        headers = {COMMAND_ID: command_id}
        if self._tracer is None:
            return await self._bus.request(
                subject_of(call), body, headers=headers, timeout_s=within_s
            )
        span = self._tracer.begin(
            spans.REPORT, None, workspace=call.workspace_id, command=call.name
        )
        outcome = "not_answered"
        try:
            answer = await self._bus.request(
                subject_of(call), body, headers=headers | {TRACE: span.trace}, timeout_s=within_s
            )
            outcome = answer.headers.get(ERROR, "answered")
        finally:
            span.end(outcome=outcome)
        return answer
