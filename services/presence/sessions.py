"""Which sessions are alive: a lease for each, renewed by every heartbeat, by elapsed time alone.

All leases are of the same length, so that the one heard of longest ago is always the next to run
out, and a heartbeat costs the same however many there are.
"""

from collections import OrderedDict

from shared.wire.subjects import Beat

Session = Beat
"""A session is known by what its heartbeats say: workspace, operator, session."""


class Leases:
    """The sessions that the logs show as alive, in the order in which they were last heard of.

    One whose lease is over stays here until it is heard of again or the log shows that it lapsed.
    """

    def __init__(self, lease_ms: int) -> None:
        self._lease_ms = lease_ms
        # An OrderedDict: a plain dict that is emptied from its front is searched through all the
        # places that were emptied before.
        self._heard: OrderedDict[Session, int] = OrderedDict()
        self._over: dict[Session, None] = {}
        self._afresh = 0

    def __len__(self) -> int:
        return len(self._heard) + len(self._over)

    def __contains__(self, session: Session) -> bool:
        return session in self._heard or session in self._over

    def give(self, session: Session, now: int) -> None:
        """A whole lease from ``now`` on, in milliseconds of elapsed time, which never go back."""
        self._over.pop(session, None)
        self._heard[session] = now
        self._heard.move_to_end(session)

    def renew(self, session: Session, now: int) -> bool:
        """The same for a session that is here; false if it is not."""
        if session in self._heard:
            self._heard[session] = now
            self._heard.move_to_end(session)
            return True
        if session in self._over:
            self.give(session, now)
            return True
        return False

    def drop(self, session: Session) -> None:
        """The session is over, or shown as lapsed."""
        if self._heard.pop(session, None) is None:
            self._over.pop(session, None)

    def run_out(self, by: int, at_most: int) -> list[Session]:
        """Up to ``at_most`` leases that ran out ``by`` then; each is handed out once."""
        found: list[Session] = []
        while self._heard and len(found) < at_most:
            session, heard = next(iter(self._heard.items()))
            if max(heard, self._afresh) + self._lease_ms > by:
                break
            del self._heard[session]
            self._over[session] = None
            found.append(session)
        return found

    def is_over(self, session: Session) -> bool:
        """Whether its lease ran out and it has not been heard of since."""
        return session in self._over

    def start_afresh(self, now: int) -> None:
        """Nobody was listening: every session gets a whole lease."""
        self._afresh = now
        for session in list(self._over):
            self.give(session, now)
