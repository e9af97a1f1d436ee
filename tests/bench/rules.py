"""What judging page views costs: rules by the hundred, in this process, and through a broker.

A page view is taken, tracked and judged as the evaluator does it, on a state as its log has it.
``look-up`` rules name addresses and hosts, as most do; ``patterns`` have nothing to look up.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from time import perf_counter

import msgspec

from services.router.service import Router
from services.trigger_evaluator.judging import Judge
from services.trigger_evaluator.knowledge import Knowledge
from services.trigger_evaluator.service import Evaluator
from services.trigger_evaluator.sighting import Now
from services.trigger_evaluator.visit import VisitKey, Visits
from shared.adapters.clocks import SystemClock
from shared.adapters.nats_bus import NatsBus
from shared.adapters.nats_connection import NatsSettings
from shared.adapters.open_store import open_store
from shared.routing import events as e
from shared.routing.commands import Refused
from shared.routing.events import Envelope, EventUnion
from shared.routing.ids import (
    EntryPointId,
    Position,
    RuleId,
    SessionId,
    UnixMs,
    VisitorId,
    WorkspaceId,
)
from shared.routing.rules import Condition, KeptAction
from shared.runtime.world import World
from shared.wire.subjects import Seen
from shared.wire.views import decode_view
from tests.bench.figures import Row, row
from tests.servers.client import Client, connected
from tests.servers.nats import nats_server
from tests.servers.office import Office

WORKSPACE = WorkspaceId("bench")
BEGINNING = UnixMs(1_750_000_000_000)
AT_ONCE = 2_000
"""Published before one is waited for: a line of views is bounded."""
_VIEWS = 2_000


def _on(field: str, op: str, value: object) -> Condition:
    return msgspec.convert({"field": field, "op": op, "value": value}, Condition)


def _looked_up(number: int) -> Condition:
    """Five conditions, of which one names an address."""
    return Condition(
        all=(
            _on("current_url", "starts_with", f"https://www.example.org/shop/{number}/"),
            _on("time_on_site_s", "gte", 0),
            _on("pages_seen", "lt", 1_000),
            _on("country", "in", ["FR", "BE", "CH"]),
            Condition(negated=_on("custom.plan", "equals", f"plan-{number}")),
        )
    )


def _patterns(number: int) -> Condition:
    """Five conditions, all to be tried: the first four hold."""
    return Condition(
        all=(
            _on("title", "contains", "shoes"),
            _on("pages_seen", "gte", 1),
            _on("country", "not_equals", "DE"),
            _on("operators_online", "lt", 5),
            _on("url_path", "wildcard", f"*/item-{number}x"),
        )
    )


class Bench:
    """So many rules of one kind, and visitors who look at pages."""

    def __init__(self, rules: int, condition: Callable[[int], Condition]) -> None:
        self._known = Knowledge(WORKSPACE)
        self._judge = Judge(self._known)
        self._visits = Visits()
        self._rules = rules
        self._now_ms = 0
        self._number = 0
        self._feed(e.WorkspaceCreated(WORKSPACE, "Bench", "Europe/Berlin", "en"))
        self._feed(
            e.EntryPointDefined(
                entry_point_id=EntryPointId("site"),
                name="Site",
                groups=(),
                fallback=(),
                offline_display="messenger",
                ask_group=False,
                weight=1,
                visitor_may_set=(),
                first_responder=None,
                names={},
            )
        )
        for number in range(rules):
            self._feed(
                e.RuleSaved(
                    rule_id=RuleId(f"r-{number}"),
                    name=f"Rule {number}",
                    order=number,
                    enabled=True,
                    when=condition(number),
                    then=(KeptAction(add_tag=f"tag-{number}"),),
                    frequency="always",
                    override=False,
                    only_when_live=False,
                )
            )
        self._known.rest()

    def _feed(self, event: EventUnion) -> None:
        position = Position(self._known.workspace.position + 1)
        envelope = Envelope(at=BEGINNING, first=position, rev=1, epoch=1, data=event)
        self._known.feed(position, envelope)

    def view(self) -> int:
        """One page view from bytes to its firings; how many there were."""
        self._number += 1
        self._now_ms += 7
        visitor, number = self._number % 5_000, self._number % (2 * self._rules)
        body = (
            b'{"session_id":"s-1","entry_point_id":"site","country":"FR","language":"fr",'
            b'"title":"Red shoes","custom":{"plan":"gold"},'
            b'"url":"https://www.example.org/shop/%d/item-%dx?utm_source=mail&page=%d"}'
            % (number, number, self._number)
        )
        seen = Seen(WORKSPACE, VisitorId(f"v-{visitor}"))
        view = decode_view(seen, body)
        assert not isinstance(view, Refused)
        key = VisitKey(WORKSPACE, seen.visitor_id, SessionId("s-1"))
        now = Now(UnixMs(BEGINNING + self._now_ms), self._now_ms)
        _, page, _ = self._visits.track(key, view, str(self._number), self._now_ms)
        fired = sum(1 for _ in self._judge.firings(key, page, now))
        self._judge.next_moment(page, now)
        return fired

    def views_us(self) -> list[float]:
        """What each of many views cost, sorted."""
        costs: list[float] = []
        fired = 0
        for _ in range(_VIEWS):
            began = perf_counter()
            fired += self.view()
            costs.append((perf_counter() - began) * 1e6)
        assert fired, "some view was to make a rule fire"
        return sorted(costs)


_SIZES: Sequence[tuple[str, int, Callable[[int], Condition]]] = (
    ("50 look-up rules", 50, _looked_up),
    ("50 patterns", 50, _patterns),
    ("1,000 look-up rules", 1_000, _looked_up),
    ("1,000 patterns", 1_000, _patterns),
)


def rows(rounds: int) -> Iterator[Row]:
    """Cost of a page view, and views a second on one core, for each number and kind of rules."""
    for name, rules, condition in _SIZES:
        bench = Bench(rules, condition)
        measured = [bench.views_us() for _ in range(rounds)]
        yield row(f"a page view, {name} of 5", "µs", [median(costs) for costs in measured])
        rates = [_VIEWS / sum(costs) * 1e6 for costs in measured]
        yield row(f"page views, {name} of 5", "1/s", rates)


async def through_broker(rounds: int, views: int) -> Row:
    """Views a second by an evaluator with 50 rules; sender, broker and router share the machine.

    They are published; a last one is a request, whose answer says that all are judged.
    """
    with nats_server() as server, tempfile.TemporaryDirectory(prefix="fernamt-bench-") as name:
        async with running(server.url, Path(name)), connected(server.url) as client:
            office = Office(client, WORKSPACE)
            await office.set_up("ana")
            for number in range(50):
                when = msgspec.to_builtins(_looked_up(number))
                rule = {"name": f"Rule {number}", "order": number, "enabled": True, "when": when}
                then = [{"assign": {"operator": "ana"}}]
                await office.admin("save_rule", rule_id=f"r-{number}", then=then, **rule)
            return row(
                "page views through the broker, 50 rules",
                "1/s",
                [await _published(client, n, views) for n in range(rounds)],
            )


@asynccontextmanager
async def running(url: str, directory: Path) -> AsyncIterator[None]:
    """A router and an evaluator in this process, on a log in a directory."""
    async with AsyncExitStack() as stack:
        store = await open_store(f"sqlite:///{directory}/data", migrate=True)
        stack.push_async_callback(store.close)
        bus = await NatsBus.connect(NatsSettings(url=url, name="bench"))
        stack.push_async_callback(bus.close)
        world = World(store, bus, SystemClock())
        for service in (Router(world), Evaluator(world)):
            work = asyncio.create_task(service.run())
            stack.push_async_callback(asyncio.wait_for, work, 30)
            stack.callback(service.stop)
            await service.ready.wait()
        yield


async def _published(client: Client, number: int, views: int) -> float:
    began = perf_counter()
    for start in range(0, views, AT_ONCE):
        for view in range(start, start + AT_ONCE):
            url = f"https://www.example.org/shop/{view % 5_000 + 50}/item-{view}"
            body = {"session_id": "s-1", "entry_point_id": "site", "url": url, "country": "FR"}
            subject = f"fernamt.v1.seen.{WORKSPACE}.visitor.v-{view % 5_000}"
            client.bus.publish(subject, msgspec.json.encode(body))
        last = {"session_id": "s-1", "entry_point_id": "site", "url": f"https://e.org/{number}"}
        reply = await client.send(f"fernamt.v1.seen.{WORKSPACE}.visitor.last", last)
        assert reply["ok"], reply
    return views / (perf_counter() - began)
