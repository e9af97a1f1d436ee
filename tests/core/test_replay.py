"""The same log gives the same state everywhere, and whatever was tampered with is found."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from shared.routing import events as e
from shared.routing.describe import state_hash
from shared.routing.events import Decision, Envelope, EventUnion
from shared.routing.ids import ConversationId, GroupId, OperatorId, Position, UnixMs
from shared.routing.replay import Divergence, Replay
from shared.routing.revision import REVISION
from shared.routing.transaction import Recorded, Stamp, adopt_revision
from shared.routing.workspace import Workspace
from tests.core.proof import prove
from tests.core.told_story import tell
from tests.tidy.sources import ROOT


def first_divergence(log: Sequence[Recorded]) -> Divergence | None:
    replaying = Replay(Workspace(workspace_id="acme"))
    for position, envelope in log:
        divergence = replaying.feed(position, envelope)
        if divergence is not None:
            return divergence
    return replaying.finish()


def renumbered(envelopes: Sequence[Envelope]) -> list[Recorded]:
    """The same events without a gap, each command still beginning where it begins."""
    old_first: dict[int, int] = {}
    log = []
    for number, envelope in enumerate(envelopes, start=1):
        first = Position(old_first.setdefault(envelope.first, number))
        log.append(Recorded(Position(number), msgspec.structs.replace(envelope, first=first)))
    return log


def decisions(log: Sequence[Recorded]) -> list[int]:
    return [number for number, (_, told) in enumerate(log) if isinstance(told.data, Decision)]


def test_the_told_story_holds() -> None:
    story = tell()
    prove(story.log, story.workspace)
    told = {type(recorded.envelope.data) for recorded in story.log}
    decided = {kind for kind in told if issubclass(kind, Decision)}
    assert decided == set(Decision.__subclasses__())


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
@pytest.mark.parametrize("seed", ["0", "1", "random"])
def test_f05_a_fresh_interpreter_comes_to_the_same_state(seed: str, zone: str) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
    told = subprocess.run(
        [sys.executable, "-m", "tests.core.told_story"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == state_hash(tell().workspace)


def test_au05_a_true_log_shows_no_divergence() -> None:
    assert first_divergence(tell().log) is None


def test_au05_a_decision_that_was_tampered_with_is_found() -> None:
    log = tell().log
    for number in decisions(log):
        position, envelope = log[number]
        forged = msgspec.structs.replace(envelope, data=_tampered(envelope.data))
        found = first_divergence([*log[:number], Recorded(position, forged), *log[number + 1 :]])
        assert found is not None
        assert found.position == position
        assert found.recorded == forged.data
        assert found.expected == envelope.data


_NOBODY = OperatorId("nobody")
_FORGERIES: dict[type[Decision], Callable[[Any], dict[str, Any]]] = {
    e.OperatorStatusChanged: lambda _: {"cause": "logout", "effective": "busy"},
    e.EntryPointModeChanged: lambda _: {"mode": "hidden"},
    e.ConversationAssigned: lambda told: {"pool_size": told.pool_size + 1},
    e.ConversationQueued: lambda _: {"hold": "manual", "reason": "manual"},
    e.ConversationBroadcast: lambda told: {"operator_ids": (_NOBODY, *told.operator_ids)},
    e.ConversationRedirected: lambda _: {"reason": "operator_gone"},
    e.ConversationOffered: lambda told: {"expires_at": told.expires_at + 1},
    e.OfferRescinded: lambda _: {"reason": "forwarded"},
    e.RoundEnded: lambda told: {"round": told.round + 1},
    e.OperatorUnresponsive: lambda told: {"missed": told.missed + 1},
    e.ForwardReturned: lambda told: {"kept": not told.kept},
    e.ConversationWidened: lambda told: {"priority": told.priority - 1},
    e.ConversationEscalated: lambda told: {"operator_ids": (*told.operator_ids, _NOBODY)},
    e.ConversationReassigned: lambda _: {"operator_id": _NOBODY},
    e.NobodyElse: lambda _: {"operator_id": _NOBODY},
}


def _tampered(decision: EventUnion) -> EventUnion:
    assert isinstance(decision, Decision)
    return msgspec.structs.replace(decision, **_FORGERIES[type(decision)](decision))


def test_au05_a_decision_that_is_missing_is_found() -> None:
    log = tell().log
    for number in decisions(log):
        envelopes = [told for position, told in log if position != log[number].position]
        found = first_divergence(renumbered(envelopes))
        assert found is not None
        assert found.expected == log[number].envelope.data
        assert found.position == log[number].position


def test_au05_a_decision_that_nothing_called_for_is_found() -> None:
    log = tell().log
    for number in decisions(log):
        position, envelope = log[number]
        extra = Recorded(Position(position + 1), envelope)
        found = first_divergence([*log[: number + 1], extra])
        assert found is not None
        assert found.position == position + 1
        assert found.recorded == envelope.data
        assert found.expected != envelope.data


def test_au05_a_gap_is_found() -> None:
    log = tell().log
    for number in range(1, len(log) - 1):
        found = first_divergence([*log[:number], *log[number + 1 :]])
        assert found is not None
        assert found.position == log[number].position + 1
        assert str(log[number].position) in found.what


def test_au05_a_fact_that_does_not_fit_is_found() -> None:
    log = tell().log
    for fact in (
        e.GroupLeft(OperatorId("ana"), GroupId("experts")),
        e.ConversationReleased(ConversationId("c99"), OperatorId("ana")),
    ):
        position = Position(log[-1].position + 1)
        envelope = msgspec.structs.replace(log[-1].envelope, data=fact, first=position)
        found = first_divergence([*log, Recorded(position, envelope)])
        assert found is not None
        assert (found.position, found.recorded, found.expected) == (position, fact, None)
        assert "does not fit" in found.what


def test_au05_the_end_of_a_log_may_be_missing_a_decision() -> None:
    log = tell().log
    last = decisions(log)[-1]
    found = first_divergence(log[:last])
    assert found is not None
    assert found.recorded is None
    assert found.position == log[last].position
    assert found.expected == log[last].envelope.data


def test_au05_decisions_of_another_revision_are_folded_and_not_made_again() -> None:
    log = tell().log
    foreign = [
        Recorded(position, msgspec.structs.replace(envelope, rev=REVISION + 1))
        for position, envelope in log
    ]
    replaying = Replay(Workspace(workspace_id="acme"))
    for position, envelope in foreign:
        replaying.feed(position, envelope)
    assert replaying.folded_only == len(decisions(log))
    assert replaying.remade == 0
    assert state_hash(replaying.workspace) == state_hash(tell().workspace)


def test_au05_new_rules_are_announced_in_the_log_once() -> None:
    story = tell()
    stamp = Stamp(UnixMs(story.at), 1)
    assert list(adopt_revision(story.workspace, stamp)) == []
    story.workspace.revision = REVISION - 1
    (adopted,) = adopt_revision(story.workspace, stamp)
    assert adopted.envelope.data == e.RoutingRevisionAdopted(REVISION)
    assert list(adopt_revision(Workspace(workspace_id="new"), stamp)) == []
