"""What a session may publish and subscribe to: the one place where a right becomes a subject.

It holds no keys and knows no tokens. Ids were checked before a session is made (``sessions``), and
``subjects`` checks them once more: an id with a dot or a wildcard in it would be a right to speak
as somebody else.
"""

from collections.abc import Sequence
from typing import NamedTuple

from services.auth.sessions import Session
from shared.wire.subjects import ROOT, checked_token

ANSWERS_MAX = 1
ANSWER_WITHIN_S = 30
"""How often, and how long, whoever was asked something may answer."""


class Permissions(NamedTuple):
    """Subjects as the broker knows them. ``answers``: whether it may answer what it is asked."""

    account: str
    publish: Sequence[str]
    subscribe: Sequence[str]
    answers: bool = False


def permissions_of(session: Session) -> Permissions:
    """The rights of a session. Raises ``ValueError`` for an id that is no single token."""
    workspace, actor = checked_token(session.workspace_id), checked_token(session.actor_id)
    publish, subscribe = _everybody(workspace, session.kind, actor)
    if session.audits:
        publish.append(f"{ROOT}.audit.{workspace}.{session.kind}.{actor}.*")
    match session.kind:
        case "operator":
            publish.append(f"{ROOT}.beat.{workspace}.operator.{actor}.*")
            subscribe.append(f"{ROOT}.feed.{workspace}.operator.{actor}")
            subscribe.append(f"{ROOT}.feed.{workspace}.team")
        case "visitor":
            publish.append(f"{ROOT}.seen.{workspace}.visitor.{actor}")
            subscribe.append(f"{ROOT}.feed.{workspace}.visitor.{actor}")
        case "service":
            publish.append(f"{ROOT}.beat.{workspace}.operator.*.*")
            publish.append(f"{ROOT}.seen.{workspace}.visitor.*")
            subscribe.append(f"{ROOT}.evt.{workspace}.*")
            subscribe.append(f"{ROOT}.transcript.{workspace}.*")
            return Permissions("BACKEND", publish, subscribe, answers=True)
        case "admin":
            pass
    return Permissions("FRONT", publish, subscribe)


def _everybody(workspace: str, kind: str, actor: str) -> tuple[list[str], list[str]]:
    publish = [f"{ROOT}.{purpose}.{workspace}.{kind}.{actor}.*" for purpose in ("cmd", "ask")]
    return publish, [f"_INBOX.{workspace}.{kind}.{actor}.>", f"{ROOT}.feed.{workspace}.entry.*"]
