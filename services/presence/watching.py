"""One life of the presence service: what it hears, what it reads in the logs, and its clockwork.

Nothing lapses and nobody becomes idle before it has listened for as long as that takes: leases and
idle times begin anew whenever it starts and whenever it was deaf.
"""

import asyncio
from collections.abc import Iterator

import msgspec
import structlog

from services.presence.hours import Place
from services.presence.idleness import Idleness
from services.presence.office import Now, Office, Tables
from services.presence.pulse import Pulse
from services.presence.reports import OfActivity, OfSession
from services.presence.roster import PASSED_OVER
from services.presence.sending import Sending
from services.presence.sessions import Leases
from services.presence.settings import Settings
from shared.adapters.log_follower import Events, LogFollower
from shared.ports import Message, Subscription
from shared.routing.commands import Refused
from shared.routing.ids import OperatorId, UnixMs, WorkspaceId
from shared.runtime import metrics
from shared.runtime.figures import Figure, of_follower
from shared.runtime.reporting import Reporting
from shared.runtime.tasks import Tasks
from shared.runtime.world import World
from shared.wire.refusals import BODY_BYTES_MAX
from shared.wire.subjects import BEATS, SIGNS, Beat, Sign, parse_beat, parse_sign

log = structlog.get_logger()

CHUNK_EVENTS = 1_000
"""Read at once; most of them are passed over."""
REST_S = 0.05
"""Between two readings of a log: nothing here is counted in less than seconds."""
SLICE = 500
"""What is looked at in one go before messages get their turn again."""
SET_BACK_MS = 1_000
"""A wall clock that moves back by less is being adjusted, not set."""
COMPLAIN_EVERY_MS = 60_000
"""Unreadable heartbeats are counted, and named in the log so often at most."""


class BeatBody(msgspec.Struct, frozen=True):
    """What a heartbeat says beside its subject."""

    active: bool = False


class Counters(msgspec.Struct):
    """What was heard."""

    beats: int = 0
    malformed: int = 0
    strays: int = 0
    """Heartbeats of operators whom nobody knows."""
    stalls: int = 0
    """How often leases began anew."""


_decode = msgspec.json.Decoder(BeatBody).decode
_SILENT = (b"", b"{}")


class Watching:
    """Listens, follows and reports. ``run`` does so until cancelled."""

    def __init__(self, world: World, settings: Settings) -> None:
        self.ready = asyncio.Event()
        self.counters = Counters()
        self._world = world
        self._settings = settings
        self._leases = Leases(settings.lease_ms)
        self._idleness = Idleness()
        self._tables = Tables(self._leases, self._idleness, settings.lease_ms, settings.second_ms)
        self._offices: dict[WorkspaceId, Office] = {}
        self._tasks = Tasks()
        self._follower = LogFollower(
            world.store.events,
            world.bus,
            self._on_events,
            passed_over=PASSED_OVER,
            chunk_events=CHUNK_EVENTS,
            rest_s=REST_S,
        )
        self._pulse = Pulse(world.bus, world.lease_clock, settings, self._on_proof, self._on_stall)
        self._sending = Sending(
            Reporting(world.bus, world.tracer),
            self._tasks,
            self._now,
            lambda: self._pulse.steady,
        )
        self._proof: int | None = None
        self._news = asyncio.Event()
        self._wall = UnixMs(0)
        self._complained = -COMPLAIN_EVERY_MS

    def figures(self) -> Iterator[Figure]:
        """What was heard, and how far behind the logs it is."""
        counters = self.counters
        heard = counters.beats - counters.strays
        yield Figure(metrics.HEARTBEATS, heard, ("heard",))
        yield Figure(metrics.HEARTBEATS, counters.strays, ("stray",))
        yield Figure(metrics.HEARTBEATS, counters.malformed, ("malformed",))
        yield Figure(metrics.SESSIONS, len(self._leases))
        yield Figure(metrics.STALLS, counters.stalls)
        yield from of_follower("presence", self._follower)

    async def run(self) -> None:
        """Serve. Raises whatever ends one of the parts."""
        subscriptions: list[Subscription] = []
        try:
            for subject, handler in ((BEATS, self._on_beat), (SIGNS, self._on_sign)):
                subscriptions.append(await self._world.bus.subscribe(subject, handler))
            self._tasks.start(self._follower.run(), "follow the logs")
            self._tasks.start(self._pulse.run(), "pulse")
            self._tasks.start(self._reckon(), "reckon")
            await self._tasks.failed()
        finally:
            self.ready.clear()
            await self._tasks.stop()
            for subscription in subscriptions:
                await subscription.stop()

    # --- what comes in: handlers, which wait for nothing ------------------------------------

    def _on_beat(self, message: Message) -> None:
        beat = parse_beat(message.subject)
        active = _is_active(message.data)
        if isinstance(beat, Refused) or active is None:
            self._complain(message)
            return
        self.counters.beats += 1
        now = self._elapsed()
        if not self._leases.renew(beat, now):
            self._hear(beat)
        elif active:  # of what logged out or is to return anyway it says nothing more
            self._stir(beat.workspace_id, beat.operator_id)

    def _hear(self, beat: Beat) -> None:
        """A heartbeat of a session that is not alive in the log, as far as it was read."""
        upto = self._follower.noticed(beat.workspace_id)
        office = self._offices.get(beat.workspace_id)
        if office is None and upto:
            office = self._office(beat.workspace_id)
        if office is None or not office.hear(beat, self._now(), upto):
            self.counters.strays += 1
            return
        self._see_to(office)

    def _on_sign(self, message: Message) -> None:
        sign = parse_sign(message.subject)
        if isinstance(sign, Sign) and sign.kind == "operator":
            self._stir(sign.workspace_id, OperatorId(sign.actor_id))

    def _stir(self, workspace_id: WorkspaceId, operator_id: OperatorId) -> None:
        office = self._offices.get(workspace_id)
        if office is not None:
            office.stir(operator_id, self._now())
            self._see_to(office)

    def _complain(self, message: Message) -> None:
        self.counters.malformed += 1
        now = self._elapsed()
        if now - self._complained >= COMPLAIN_EVERY_MS:
            self._complained = now
            subject, so_far = message.subject[:200], self.counters.malformed
            log.warning("heartbeat_unreadable", subject=subject, so_far=so_far)

    async def _on_events(self, workspace_id: WorkspaceId, events: Events) -> None:
        office = self._office(workspace_id)
        office.take(events, self._now())
        self._see_to(office)
        while office.hours.unknown_zones:
            zone, _ = office.hours.unknown_zones.popitem()
            log.error("zone_unknown", workspace=workspace_id, zone=zone)

    def _office(self, workspace_id: WorkspaceId) -> Office:
        office = self._offices.get(workspace_id)
        if office is None:
            office = self._offices[workspace_id] = Office(workspace_id, self._tables)
        return office

    # --- the clockwork ----------------------------------------------------------------------

    def _on_stall(self) -> None:
        self.counters.stalls += 1
        self._start_afresh()

    def _start_afresh(self) -> None:
        now = self._elapsed()
        self._leases.start_afresh(now)
        self._idleness.start_afresh(now)

    def _on_proof(self, by: int) -> None:
        self._proof = by
        self._news.set()

    async def _reckon(self) -> None:
        """Once the logs were read: see, after each proof of hearing, what time has brought."""
        await self._follower.caught_up()
        self._start_afresh()
        self.ready.set()
        log.info("watching", workspaces=len(self._offices), sessions=len(self._leases))
        for office in list(self._offices.values()):
            self._see_to(office)
        while True:
            await self._news.wait()
            self._news.clear()
            if self._proof is not None:
                await self._leases_over(self._proof)
                await self._idle_times_over(self._proof)
            await self._hours_change()

    async def _leases_over(self, by: int) -> None:
        while sessions := self._leases.run_out(by, SLICE):
            for session in sessions:
                office = self._offices[session.workspace_id]
                office.put((OfSession(session.operator_id, session.session_id),))
                self._see_to(office)
            await asyncio.sleep(0)

    async def _idle_times_over(self, by: int) -> None:
        while people := self._idleness.run_out(by, SLICE):
            for workspace_id, operator_id in people:
                office = self._offices[workspace_id]
                office.put((OfActivity(operator_id),))
                self._see_to(office)
            await asyncio.sleep(0)

    async def _hours_change(self) -> None:
        wall = self._world.clock.wall_ms()
        set_back = wall < self._wall - SET_BACK_MS
        self._wall = wall
        for office in list(self._offices.values()):
            places: list[Place] = office.hours.set_back(wall) if set_back else []
            while places or (places := office.hours.turns(wall, SLICE)):
                office.look_at_hours(places, self._now())
                self._see_to(office)
                places = []
                await asyncio.sleep(0)

    def _see_to(self, office: Office) -> None:
        """What a log that is half read calls for is of no interest."""
        if self.ready.is_set():
            self._sending.see_to(office)

    def _elapsed(self) -> int:
        """By the machine's clock: nobody is silent while another one is set forward."""
        return self._world.lease_clock.elapsed_ms()

    def _now(self) -> Now:
        return Now(self._elapsed(), self._world.clock.wall_ms())


def _is_active(body: bytes) -> bool | None:
    """Whether a heartbeat says that the person did something; none if it cannot be read."""
    if body in _SILENT:
        return False
    if len(body) > BODY_BYTES_MAX:
        return None
    try:
        return _decode(body).active
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
