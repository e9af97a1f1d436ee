"""How a stored event of an old version becomes one of today's, step by step, before decoding.

The log is never rewritten: a class that changed its shape got a new version, and the bytes of the
old one stay. A step knows nothing but the event itself.
"""

from collections.abc import Callable, Mapping
from typing import Any

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""From the JSON value of an event to that of its next version, ``type`` included.

It may change the value in place. What the old version did not know is given the value that the
engine acted on at that time, never one from today's settings.
"""

UPCASTS: Mapping[str, Upcast] = {}
"""One step for each stored name that has no class any more: ``conversation_opened.v1``."""


class UpcastStuck(Exception):
    """A step led back to a name that it came from."""


def upcast(event: dict[str, Any], upcasts: Mapping[str, Upcast]) -> dict[str, Any]:
    """Take ``event`` through every step there is for it. Raises ``UpcastStuck``."""
    passed: list[str] = []
    while (topic := str(event.get("type"))) in upcasts:
        if topic in passed:
            raise UpcastStuck(f"{' > '.join(passed)} leads back to {topic}")
        passed.append(topic)
        event = upcasts[topic](event)
    return event
