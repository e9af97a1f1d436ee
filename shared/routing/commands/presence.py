"""What the presence service tells the router."""

from shared.routing.commands.command import Command
from shared.routing.commands.fields import AnEntryPoint, AnOperator, ASession


class PresenceReport(Command, frozen=True):
    """Sent by the presence service, on change only."""

    allowed = ("service",)
    reserved = "presence"


class LapseSession(PresenceReport, frozen=True):
    operator_id: AnOperator
    session_id: ASession


class ReturnSession(PresenceReport, frozen=True):
    """A heartbeat: of a session that lapsed its return, of an unknown one a log-in.

    One that logged out stays out.
    """

    operator_id: AnOperator
    session_id: ASession


class BecomeIdle(PresenceReport, frozen=True):
    operator_id: AnOperator


class BecomeActive(PresenceReport, frozen=True):
    operator_id: AnOperator


class StartShift(PresenceReport, frozen=True):
    """An operator's shift or an entry point's hours begin."""

    operator_id: AnOperator | None = None
    entry_point_id: AnEntryPoint | None = None
    auto_online: bool = True


class EndShift(PresenceReport, frozen=True):
    operator_id: AnOperator | None = None
    entry_point_id: AnEntryPoint | None = None
