"""What services tell each other in bodies of notices: the position that a log has reached."""

import re

from shared.routing.ids import Position

_DIGITS = re.compile(rb"[1-9][0-9]{0,17}")


def position_body(position: Position) -> bytes:
    """The body of a notice of a new head."""
    return b"%d" % position


def read_position(body: bytes) -> Position | None:
    """The position in such a body; none where there is something else."""
    return Position(int(body)) if _DIGITS.fullmatch(body) else None
