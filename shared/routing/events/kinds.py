"""The two kinds of event."""

import msgspec


class Event(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What all events have in common: a tag such as ``conversation_opened.v1``."""


class Fact(Event, frozen=True, gc=False):
    """Something happened in the world: a command was accepted or a timer fell due."""


class Decision(Event, frozen=True, gc=False):
    """The engine concluded something from the state, and can conclude it again."""
