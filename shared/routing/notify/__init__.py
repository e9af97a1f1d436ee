"""Whom an event concerns and what they are told: a function of the log, and of nothing else.

Which messages reach whom follows from the log, and so does the number each of them carries.
"""

from shared.routing.notify.concerned import notifications
from shared.routing.notify.feeds import Feeds, Numbered
from shared.routing.notify.messages import TEAM, Notification, Recipient, Wording
from shared.routing.notify.telling import Telling

__all__ = [
    "TEAM",
    "Feeds",
    "Notification",
    "Numbered",
    "Recipient",
    "Telling",
    "Wording",
    "notifications",
]
