"""Moments as people write them: a position, a time of the log's last day, a day and time."""

import re
from collections.abc import Mapping
from datetime import timedelta

from services.console.desk import BadInput
from services.console.wording import Words
from shared.audit.answers import MomentView

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_UNIX_MS = 10**11
"""Whole numbers from here on are times, smaller ones positions."""


def moment_in(text: str, field: str, words: Words, moment: MomentView) -> Mapping[str, int]:
    """What stands in a field, as audit questions take it. Raises ``BadInput``."""
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) <= 16:
        number = int(text)
        return {"at": number} if number >= _UNIX_MS else {"position": number}
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        hour, minute, second = (int(part or 0) for part in clock.groups())
        if hour > 23 or minute > 59 or second > 59:
            raise BadInput(field)
        head = words.local(moment.head_at)
        then = head.replace(hour=hour, minute=minute, second=second, microsecond=0)
        if then > head + timedelta(hours=1):
            then -= timedelta(days=1)
        return {"at": round(then.timestamp() * 1_000)}
    at = words.read_time(text)
    if at is None or at < 0:
        raise BadInput(field)
    return {"at": at}
