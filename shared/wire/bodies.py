"""Bodies of requests: from bytes to a typed struct and who says it, or to the reason why not."""

from collections.abc import Mapping
from typing import Annotated, Generic, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from shared.routing.commands import Refused
from shared.routing.commands.fields import AnOperator, AVisitor
from shared.routing.events import Actor
from shared.routing.ids import ID_PATTERN
from shared.wire.refusals import BODY_BYTES_MAX, misshapen, not_json, too_large
from shared.wire.strict_json import breach
from shared.wire.subjects import Call

AnAdmin = Annotated[str, Meta(pattern=ID_PATTERN)]

T = TypeVar("T", bound=msgspec.Struct)


class OnBehalf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom a back end speaks, exactly one: ``{"visitor": "v-17"}``."""

    operator: AnOperator | None = None
    visitor: AVisitor | None = None
    admin: AnAdmin | None = None

    def __post_init__(self) -> None:
        if sum(its_id is not None for its_id in (self.operator, self.visitor, self.admin)) != 1:
            raise ValueError("exactly one of operator, visitor, admin is needed")


class Body(NamedTuple, Generic[T]):
    """What a body says, and who says it."""

    content: T
    by: Actor


class BodyDecoder(Generic[T]):
    """Decodes the bodies of one kind of request. Never raises; an empty body is ``{}``."""

    def __init__(self, shape: type[T], codes: Mapping[str, str] | None = None) -> None:
        """``codes``: what a fault inside a field is called, ``{"policy": "invalid_policy"}``."""
        self._shape = shape
        self._codes = codes
        self._decode = msgspec.json.Decoder(shape).decode

    def decode(self, call: Call, body: bytes) -> Body[T] | Refused:
        """Read what ``call`` brought, at most ``BODY_BYTES_MAX`` bytes."""
        if len(body) > BODY_BYTES_MAX:
            return too_large(len(body))
        body = body or b"{}"
        try:
            if call.kind == "service":
                by, content = _speaker(call.actor_id, body)
            else:
                by, content = Actor(call.kind, call.actor_id), body
            decoded = self._decode(content)
            return breach(body) or Body(decoded, by)
        except msgspec.ValidationError as error:
            return misshapen(self._shape, str(error), self._codes)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return not_json(error)


# --- a back end that speaks for somebody ----------------------------------------------------


class _Spoken(msgspec.Struct, frozen=True):
    """The one field of a back end's body that is not the request's own; the others are skipped."""

    behalf: OnBehalf | UnsetType = msgspec.field(default=UNSET, name="as")


_decode_spoken = msgspec.json.Decoder(_Spoken).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def _speaker(service_id: str, body: bytes) -> tuple[Actor, bytes]:
    """For whom a back end speaks, else itself; and the body without that field."""
    behalf = _decode_spoken(body).behalf
    if behalf is UNSET:
        return Actor("service", service_id), body
    fields = _decode_fields(body)
    fields.pop("as", None)
    return _actor(behalf, service_id), _encode(fields)


def _actor(behalf: OnBehalf, service_id: str) -> Actor:
    if behalf.operator is not None:
        return Actor("operator", behalf.operator, service_id)
    if behalf.visitor is not None:
        return Actor("visitor", behalf.visitor, service_id)
    return Actor("admin", behalf.admin or "", service_id)
