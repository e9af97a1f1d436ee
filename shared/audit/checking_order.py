"""Whether the events of a log stand in an order in which a router writes them."""

from shared.routing.events import Envelope
from shared.routing.ids import Position

Disorder = tuple[str, str, str]
"""What is wrong, what stands there, and what ought to."""


class OrderCheck:
    """Takes envelopes in order. Stamps never go back, epochs never fall, groups stay together."""

    def __init__(self) -> None:
        self._last: Envelope | None = None

    def check(self, position: Position, envelope: Envelope) -> Disorder | None:
        """Compare the next event with the one before it; after a disorder nothing more is told."""
        last, self._last = self._last, envelope
        if last is not None and envelope.at < last.at:
            return "the stamp goes back", f"at {envelope.at}", f"at {last.at} or later"
        if last is not None and envelope.epoch < last.epoch:
            what = "the epoch of the writer falls"
            return what, f"epoch {envelope.epoch}", f"epoch {last.epoch} or higher"
        if envelope.first == position:
            return None
        if last is None or envelope.first != last.first:
            before = f" or {last.first}" if last is not None else ""
            what = "the event belongs to no command or timer that is under way"
            return what, f"first {envelope.first}", f"first {position}{before}"
        return _of_another_group(last, envelope)


def _of_another_group(last: Envelope, envelope: Envelope) -> Disorder | None:
    """All events of one command or timer have the same envelope, but for the first's request."""
    for name in ("at", "rev", "epoch", "by", "cmd", "trace"):
        here, before = getattr(envelope, name), getattr(last, name)
        if here != before:
            what = f"`{name}` is another than in the event before, of the same command or timer"
            return what, f"{name} {here}", f"{name} {before}"
    if envelope.request is not None:
        return "only the first event of a command has a request", "a request", "none"
    return None
