"""Page views as they come in, and what a view that was sent as a request is answered with."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.routing.commands import Refused
from shared.routing.commands.fields import ID, AnEntryPoint, ASession, Attributes, Name, Text
from shared.routing.ids import Position, RuleId
from shared.wire.bodies import BodyDecoder
from shared.wire.replies import Reply
from shared.wire.subjects import Call, Seen

PageAddress = Annotated[str, Meta(min_length=1, max_length=4_000)]
ViewId = Annotated[str, ID]
Moment = Annotated[int, Meta(ge=0, le=2**53)]


class PageView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A visitor looks at a page. The same ``view_id`` again is the same view.

    ``at`` is the moment at which it did, in Unix milliseconds, where that is not now. ``custom``
    is flat: texts, numbers and booleans that rules may look at as ``custom.NAME``.
    """

    session_id: ASession
    entry_point_id: AnEntryPoint
    url: PageAddress
    title: Text | None = None
    referrer: Text | None = None
    language: Name | None = None
    country: Name | None = None
    device: Name | None = None
    custom: Attributes | None = None
    at: Moment | None = None
    view_id: ViewId | None = None


class SeenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the view made fire is in the log, up to ``position``."""

    ok: bool = True
    position: Position
    fired: tuple[RuleId, ...]


_bodies = BodyDecoder(PageView)
_encode = msgspec.json.Encoder().encode


def decode_view(seen: Seen, body: bytes) -> PageView | Refused:
    """Read the body of a page view; never raises."""
    read = _bodies.decode(Call("cmd", seen.workspace_id, "visitor", seen.visitor_id, "seen"), body)
    return read if isinstance(read, Refused) else read.content


def seen_answer(position: Position, fired: tuple[RuleId, ...]) -> Reply:
    return Reply(_encode(SeenAnswer(position=position, fired=fired)), {})
