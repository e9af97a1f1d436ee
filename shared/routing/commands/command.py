"""What all commands have in common, and what a refusal is."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec
from msgspec import UNSET

from shared.routing.vocabulary import ActorKind


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request to change something; the actor and the workspace stand beside it."""

    allowed: ClassVar[tuple[ActorKind, ...]] = ("admin",)
    """Kinds of actor that may send it; ``admin`` includes operators whose role may manage."""

    personal: ClassVar[tuple[str, ...]] = ()
    """Fields whose text goes to the vault."""

    reserved: ClassVar[str] = ""
    """The one service that may send it, for what services tell the router."""

    def texts(self) -> Mapping[str, object]:
        """The personal texts in it; ``decide`` gets a reference for each by the same key."""
        said = {field: getattr(self, field) for field in self.personal}
        return {field: text for field, text in said.items() if text not in (None, UNSET)}


class Refused(msgspec.Struct, frozen=True):
    """The reason why nothing was changed; ``code`` is part of the wire contract."""

    code: str
    message: str
    detail: dict[str, object] = {}
