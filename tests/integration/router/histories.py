"""Histories for ``Twins``: long ones full of ends that are taken up again, and some rare ones."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from random import Random
from typing import Any

import pytest

from services.router.naming import Asked
from services.router.personal import seal
from services.router.units import Job
from shared.adapters.open_store import open_store
from shared.audit.liveness import live_of
from shared.routing.events import Actor
from shared.routing.ids import VisitorId
from shared.runtime.tasks import Tasks
from tests.audit.test_pasts import RULE
from tests.core.rule_wanderings import RULES
from tests.core.story import ADMIN, ANA, VERA, WIM, Step, desk, group, opened, step
from tests.core.wanderer import Wanderer
from tests.integration.router.twins import WITHIN_S, Twins, question
from tests.servers.vandal import run_as_vandal

LEASE_MS = 600_000
"""Nobody renews it here."""
Script = Callable[[Twins], Coroutine[Any, Any, None]]


class History:
    """What a wanderer thinks of, and beside it much that ends and is taken up again."""

    def __init__(self, twins: Twins, seed: int) -> None:
        self._twins = twins
        self._wanderer: Any = Wanderer(seed)
        self._random = Random(f"beside-{seed}")

    async def open(self) -> None:
        await self._twins.all(tuple(self._wanderer.opening()))

    async def go_on(self) -> None:
        twins, draw = self._twins, self._random.random()
        if draw < 0.45:
            await twins.tell(self._wanderer.following(twins))
        elif draw < 0.6:
            await self._close()
        elif draw < 0.7:
            await self._of_somebody()
        elif draw < 0.75:
            await twins.repeat()
        else:
            await self._look()

    def _one(self, table: str, otherwise: str) -> str:
        """Any of them there ever was, or one there never was."""
        ids = [*getattr(self._twins.workspace, table), otherwise]
        return str(self._random.choice(ids))

    async def _close(self) -> None:
        workspace = self._twins.workspace
        if workspace.open:
            its_id = self._random.choice(list(workspace.open))
            await self._twins.tell(Step(ADMIN, "close", {"conversation_id": its_id}))

    async def _of_somebody(self) -> None:
        """Most of these name what may be settled."""
        twins, random = self._twins, self._random
        visitor_id = self._one("visitors", "nobody")
        visitor = Actor("visitor", visitor_id)
        its_id = self._one("conversations", "c-never")
        known = twins.workspace.conversations.get(its_id)  # type: ignore[call-overload]
        writer = Actor("visitor", known.visitor_id) if known is not None else visitor
        steps = [
            Step(writer, "write", {"conversation_id": its_id}),
            Step(writer, "open", {"conversation_id": its_id, "entry_point_id": "web"}),
            Step(ADMIN, "reopen", {"conversation_id": its_id}),
            Step(ADMIN, "reopen", {"conversation_id": its_id}),
            Step(visitor, "identify", {"contact_id": random.choice(["k1", "k2", "k3"])}),
            Step(ADMIN, "assign_visitor", {"visitor_id": visitor_id, "to": {"group": "red"}}),
            Step(ADMIN, "unassign_visitor", {"visitor_id": visitor_id}),
            Step(visitor, random.choice(["visitor_left", "visitor_back"]), {}),
            Step(ADMIN, "erase", {"subject": f"visitor:{visitor_id}"}),
            Step(ADMIN, "erase", {"subject": f"contact:{random.choice(['k1', 'k2', 'k3'])}"}),
            Step(ADMIN, "delete_rule", {"rule_id": random.choice(["r1", "r2", "r3", "r4"])}),
            Step(ADMIN, "delete_group", {"group_id": random.choice(["red", "green"])}),
            Step(
                Actor("operator", self._one("operators", "ghost")),
                "set_status",
                {"status": "busy", "conversation_id": its_id},
            ),
        ]
        await twins.tell(random.choice(steps))

    async def _look(self) -> None:
        twins, random = self._twins, self._random
        somebody = Actor("operator", self._one("operators", "ghost"))
        visitor_id = self._one("visitors", "nobody")
        its_id = self._one("conversations", "c-never")
        asks = [
            partial(twins.query, "conversation", ADMIN, conversation_id=its_id),
            partial(twins.query, "visitor", ADMIN, visitor_id=visitor_id),
            partial(twins.query, "entry_point", Actor("visitor", visitor_id), entry_point_id="web"),
            partial(self._leaf, somebody),
            partial(self._leaf, somebody),
        ]
        await random.choice(asks)()
        if random.random() < 0.1:
            for name in ("roster", "queue", "operators", "workspace"):
                await twins.query(name, ADMIN)

    async def _leaf(self, somebody: Actor) -> None:
        """A page of a list."""
        random = self._random
        places = [0, random.randrange(int(self._twins.workspace.position) + 1)]
        await self._twins.query(
            "inbox",
            somebody,
            view=random.choice(["all", "all", "unassigned", "mine"]),
            state=random.choice(["closed", "closed", None, "waiting"]),
            limit=random.choice([1, 3, 100]),
            after=random.choice([None, str(random.choice(places))]),
            group_id=random.choice([None, None, "red", "green"]),
        )


async def play(
    url: str, seed: int, patch: pytest.MonkeyPatch, script: Script, every: int = 0
) -> Twins:
    """What the script tells, to both, compared at every step; they are at its end."""
    patch.setattr("services.router.decider.seal", partial(seal, token=lambda _: "word"))
    patch.setattr("tests.core.wanderer.VISITORS", [f"v{n}" for n in range(9)])
    patch.setattr("services.router.settled.LET_GO_AT_ONCE", 3)
    patch.setattr("shared.adapters.log_rows.CHUNK_ROWS", 3)
    tasks, store = Tasks(), await open_store(url, migrate=True, lease_ms=LEASE_MS)
    twins = Twins(store, url, seed, every or Random(seed).choice([5, 20, 60]), tasks)
    try:
        await tasks.beside(_told(twins, script))
    finally:
        await tasks.stop()
        await store.close()
    return twins


async def _told(twins: Twins, script: Script) -> None:
    await twins.begin()
    await script(twins)
    twins.agree()


def wandering(seed: int, steps: int) -> Script:
    """A long history with restarts in between, in which what can go goes beside what happens."""

    async def tell(twins: Twins) -> None:
        random, history = Random(f"play-{seed}"), History(twins, seed)
        await history.open()
        going: list[asyncio.Task[None]] = []
        try:
            for _ in range(steps):
                draw = random.random()
                if draw < 0.2:
                    await asyncio.gather(*going)
                    going = []
                if draw < 0.05:
                    await twins.restart()
                elif draw < 0.2:
                    going = [asyncio.create_task(twins.let_go())]
                elif draw < 0.25:
                    twins.agree()
                await history.go_on()
        finally:
            await asyncio.gather(*going, return_exceptions=True)

    return tell


async def rule_deleted(twins: Twins) -> None:
    """A rule is deleted, and another of its name fires in the same session for who was away."""
    fired = {"visitor_id": "vera", "session_id": "v1", "rule_id": "r", "entry_point_id": "web"}
    await twins.all(desk(ana=1), RULE, (Step(RULES, "rule_fired", fired),))
    await twins.all(*(group(f"g{n}") for n in range(6)))
    await twins.let_go()
    await twins.all(step(ADMIN, "delete_rule", rule_id="r"), RULE)
    await twins.all((Step(RULES, "rule_fired", fired),))


async def named_meanwhile(twins: Twins) -> None:
    """A contact comes back, by another visitor, while what is known of it is going."""
    known = {"entry_point_id": "web", "contact_id": "k1"}
    await twins.all(desk(ana=2), step(VERA, "open", conversation_id="c1", **known))
    await twins.all(step(VERA, "close", conversation_id="c1"))
    await twins.all(step(VERA, "close", conversation_id="c1"))
    await twins.all(*(group(f"g{n}") for n in range(6)))
    going = asyncio.create_task(twins.let_go())
    await until_at_once(lambda: twins.abridged.decider.settled._touched is not None)
    await twins.all(step(WIM, "open", conversation_id="c2", **known))
    await going


async def reopened_meanwhile(twins: Twins) -> None:
    """What a page of closed conversations was to begin with is opened while it is looked for."""
    ids = [f"c{number}" for number in range(6)]
    await twins.all(desk(ana=9), *(opened(its_id) for its_id in ids))
    await twins.all(*(step(ADMIN, "close", conversation_id=its_id) for its_id in ids))
    await twins.let_go()
    settled: Any = twins.abridged.decider.settled
    read = settled.rows

    async def rows(keys: Any) -> Any:
        settled.rows = read
        found = await read(keys)
        for its_id in ids[:3]:
            both_asked(twins, twins.command(Step(ADMIN, "reopen", {"conversation_id": its_id})))
        await until_at_once(lambda: ids[2] in twins.abridged.decider.workspace.open)
        return found

    settled.rows = rows  # of the first chunk in which something is closed
    page = Job("reply", question("inbox", ANA, view="all", state="closed", limit=1), 0)
    twins.abridged.live.submit(page)
    await until_at_once(lambda: not twins.abridged.live.jobs)
    twins.whole.live.submit(page)
    await twins.compare()


async def identified_meanwhile(twins: Twins) -> None:
    """Somebody turns out to be the contact whose conversations are looked for to be erased."""
    known = {"entry_point_id": "web", "contact_id": "k1"}
    await twins.all(desk(ana=9), step(VERA, "open", conversation_id="c1", **known))
    await twins.all(step(WIM, "open", conversation_id="c2", entry_point_id="web"))
    await twins.all(*(step(ADMIN, "close", conversation_id=its_id) for its_id in ("c1", "c2")))
    await twins.all(*(group(f"g{n}") for n in range(6)))
    await twins.let_go()
    settled: Any = twins.abridged.decider.settled
    read = settled.every

    async def every(kind: str) -> Any:
        if kind == "conversation":
            settled.every = read
            both_asked(twins, twins.command(Step(WIM, "identify", {"contact_id": "k1"})))
            visitors = twins.abridged.decider.workspace.visitors
            await until_at_once(lambda: VisitorId("wim") in visitors and not twins.is_behind)
        async for one in read(kind):
            yield one

    settled.every = every
    erasing = twins.command(Step(ADMIN, "erase", {"subject": "contact:k1"}))
    twins.abridged.live.submit(Job("reply", erasing, 0))
    await until_at_once(lambda: not twins.abridged.live.jobs)
    twins.whole.live.submit(Job("reply", erasing, 0))
    await twins.compare()


def both_asked(twins: Twins, asked: Asked) -> None:
    for one in (twins.whole, twins.abridged):
        one.live.submit(Job("reply", asked, 0))


async def emptied(twins: Twins) -> None:
    """Somebody empties the tables in which what is settled lies."""
    await _closed_and_gone(twins)
    for table in ("snapshots", "snapshot_commands", "settled"):
        await run_as_vandal(twins.url, f"delete from {table}")  # noqa: S608
    await twins.all(step(ADMIN, "reopen", conversation_id="c1"))
    assert twins.abridged.live.trusts_snapshots


async def spoilt(twins: Twins) -> None:
    """What is settled cannot be read any more."""
    await _closed_and_gone(twins)
    await run_as_vandal(twins.url, "update settled set body = substr(body, 2)")
    await twins.all(step(ADMIN, "reopen", conversation_id="c1"))
    assert not twins.abridged.live.trusts_snapshots


async def somebody_new(twins: Twins) -> None:
    """Once it is known what is settled, nothing is read for those who were never there."""
    await _closed_and_gone(twins)
    await twins.restart()
    settled: Any = twins.abridged.decider.settled
    await settled.know_keys()
    reads = twins.fetched
    for number in range(20):
        who = Actor("visitor", f"new-{number}")
        opening = {"conversation_id": f"new-{number}", "entry_point_id": "web"}
        await twins.tell(Step(who, "open", {**opening, "contact_id": f"k-{number}"}))
    assert twins.fetched == reads
    await twins.all(step(ADMIN, "reopen", conversation_id="c1"))
    assert twins.fetched > reads


async def everything_over(twins: Twins) -> None:
    """After a long history nothing of it is in memory that is over."""
    await wandering(3, 200)(twins)
    for its_id in list(twins.workspace.open):
        await twins.all(step(ADMIN, "close", conversation_id=its_id))
    await twins.tell(3_600)  # whatever was still to come of them
    await twins.all(*(group(f"over-{n}") for n in range(6)))
    await twins.let_go()
    ours = twins.abridged.decider.workspace
    live = live_of(ours)
    assert list(ours.conversations) == list(live.conversations)
    assert list(ours.visitors) == list(live.visitors)
    assert len(ours.conversations) < len(twins.workspace.conversations) // 4


async def _closed_and_gone(twins: Twins) -> None:
    await twins.all(desk(ana=9), opened("c1", "c2"))
    await twins.all(step(ADMIN, "close", conversation_id="c1"))
    await twins.all(*(group(f"g{n}") for n in range(6)))
    await twins.let_go()
    assert "c1" not in twins.abridged.decider.workspace.conversations
    twins.keeping = None  # it would find out as well, and begin again


async def until_at_once(holds: Callable[[], bool]) -> None:
    """Go on as soon as this holds, before anything else is done."""
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0)
