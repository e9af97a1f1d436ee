"""The identifiers of the domain, as types. It makes none: ids come from callers."""

from typing import NewType

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}\Z"
"""What any id is made of, so that it can stand in a subject, a file name or an address as it is."""

WorkspaceId = NewType("WorkspaceId", str)
OperatorId = NewType("OperatorId", str)
VisitorId = NewType("VisitorId", str)
ContactId = NewType("ContactId", str)
ConversationId = NewType("ConversationId", str)
GroupId = NewType("GroupId", str)
EntryPointId = NewType("EntryPointId", str)
RoleId = NewType("RoleId", str)
SessionId = NewType("SessionId", str)
RuleId = NewType("RuleId", str)
WebhookId = NewType("WebhookId", str)
CommandId = NewType("CommandId", str)

Position = NewType("Position", int)
"""Place of an event in its workspace's log: 1, 2, 3 ... without gaps. 0 is before the first."""

UnixMs = NewType("UnixMs", int)
"""Milliseconds since 1970-01-01T00:00:00Z, stamped once by the router."""

Ref = NewType("Ref", str)
"""Stands in the log for a personal text kept in the vault: random part, dot, salted hash."""
