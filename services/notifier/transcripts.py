"""The text of a conversation, asked of the chat back end: it is kept there and nowhere else."""

import msgspec
import structlog

from shared.adapters.nats_bus import NotSent
from shared.ports import Bus, NoResponders
from shared.routing.ids import ConversationId, WorkspaceId
from shared.wire.subjects import Transcript, subject_of

log = structlog.get_logger()

TIMEOUT_S = 5.0
BYTES_MAX = 256 * 1024
"""Of an answer. A longer one is left out whole: nobody sees what a cut would have hidden."""


class TranscriptText(msgspec.Struct, frozen=True):
    """What the chat back end answers."""

    text: str


_decode = msgspec.json.Decoder(TranscriptText).decode


async def transcript_of(
    bus: Bus, workspace_id: WorkspaceId, conversation_id: ConversationId
) -> str | None:
    """The text, or none where nobody offers it, in time, and well formed."""
    subject = subject_of(Transcript(workspace_id, conversation_id))
    reason = ""
    try:
        answer = await bus.request(subject, b"{}", timeout_s=TIMEOUT_S)
        if len(answer.data) > BYTES_MAX:
            reason = f"{len(answer.data)} bytes, {BYTES_MAX} at most"
        else:
            return _decode(answer.data).text
    except NoResponders:
        return None
    except TimeoutError:
        reason = f"no answer within {TIMEOUT_S} s"
    except (NotSent, ConnectionError, PermissionError):
        reason = "the bus did not take the request"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        reason = "the answer is not a text"
    log.warning(
        "transcript_left_out",
        workspace=workspace_id,
        conversation_id=conversation_id,
        reason=reason,
    )
    return None
