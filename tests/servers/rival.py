"""Events as another writer could put them into a log, which concern nobody else."""

import time

from shared.ports import StoredRow
from shared.routing.events import Envelope, VisitorIdentified
from shared.routing.ids import ContactId, Position, UnixMs, VisitorId
from shared.routing.revision import REVISION
from shared.wire.log_codec import encode_event


def foreign_row(position: Position, epoch: int, mark: str) -> StoredRow:
    """A fact that changes nothing for anybody else; each ``mark`` makes another one."""
    event = VisitorIdentified(VisitorId(f"rival-{mark}"), ContactId(f"contact-{mark}"))
    at = UnixMs(time.time_ns() // 1_000_000)
    envelope = Envelope(at=at, first=position, rev=REVISION, epoch=epoch, data=event)
    return StoredRow(position, *encode_event(envelope))
