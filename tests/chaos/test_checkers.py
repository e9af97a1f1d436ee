"""The checkers, each fed a history or a log that is broken in the way it is there to find."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from shared.routing.events import Actor, ConversationAssigned, OperatorRegistered
from shared.routing.ids import CommandId, Position, WorkspaceId
from shared.routing.transaction import Recorded
from tests.chaos import checkers
from tests.chaos.history import Attempt, History
from tests.chaos.verdict import breaches_of
from tests.core.story import ADMIN, ANA, BEN, VERA, WIM, Story, entry_point, group, registered

W = WorkspaceId("acme")
replace = msgspec.structs.replace


class Run:
    """A true log and the history of those who made it, to be broken afterwards."""

    def __init__(self) -> None:
        self.history = History()
        self._story = Story().given(
            group("support"),
            group("sales"),
            entry_point("web", "support"),
            registered("ana", "support", capacity=1, skills=["de"]),
            registered("ben", "sales", capacity=5),
        )
        self.log = self._story.log

    def does(self, actor: Actor, command: str, cmd: str, **fields: Any) -> Attempt:
        """One command, answered before the next is sent."""
        self._story.when(actor, command, cmd=cmd, **fields)
        attempt = self.history.invoke(actor, command, fields, CommandId(cmd))
        seen = self._story.repeated
        attempt.outcome = "fail" if self._story.refusal is not None else "ok"
        attempt.position = seen.position if seen else self._story.workspace.position
        attempt.at, attempt.repeated = self._story.at, seen is not None
        attempt.ended_ns = attempt.invoked_ns + 1
        return attempt

    def attempt(self, cmd: str) -> Attempt:
        """The first attempt of a command."""
        return next(one for one in self.history.attempts if one.command_id == cmd)

    def batch(self, cmd: str) -> list[Recorded]:
        return [recorded for recorded in self.log if recorded.envelope.cmd == cmd]

    def change(self, position: int, **fields: Any) -> None:
        """Change the envelope at a position."""
        recorded = self.log[position - 1]
        self.log[position - 1] = recorded._replace(envelope=replace(recorded.envelope, **fields))

    def change_event(self, position: int, **fields: Any) -> None:
        """Change the event at a position."""
        self.change(position, data=replace(self.log[position - 1].envelope.data, **fields))

    def assigned(self, conversation: str) -> int:
        """Where the conversation was assigned first."""
        return next(
            recorded.position
            for recorded in self.log
            if isinstance(data := recorded.envelope.data, ConversationAssigned)
            and data.conversation_id == conversation
        )

    def verdict(self) -> set[str]:
        """Which checkers find something."""
        found = breaches_of(self.history, self.log, W)
        return {breach.partition(":")[0] for breach in found}


@pytest.fixture
def run() -> Run:
    """A morning: one conversation goes to ana, who is full then; the other waits and is claimed."""
    run = Run()
    run.does(ANA, "log_in", "in-ana", session_id="s")
    run.does(VERA, "open", "open-1", conversation_id="c1", entry_point_id="web")
    run.does(WIM, "open", "open-2", conversation_id="c2", entry_point_id="web")
    run.does(ANA, "reply", "reply-1", conversation_id="c1")
    run.does(BEN, "log_in", "in-ben", session_id="s")
    run.does(BEN, "claim", "claim-2", conversation_id="c2")
    run.does(ANA, "claim", "too-late", conversation_id="c2")
    run.does(ADMIN, "join_group", "idle", operator_id="ana", group_id="support")
    run.does(BEN, "claim", "claim-2", conversation_id="c2")
    run.does(VERA, "write", "write-1", conversation_id="c1")
    return run


def test_a_true_history_passes(run: Run) -> None:
    assert run.verdict() == set()
    assert {attempt.outcome for attempt in run.history.attempts} == {"ok", "fail"}
    assert [attempt.command_id for attempt in run.history.attempts if attempt.repeated]


def test_what_had_nothing_to_do_may_have_something_when_it_is_sent_again(run: Run) -> None:
    for sent in range(2):
        if sent:
            run.does(ADMIN, "leave_group", "out", operator_id="ana", group_id="support")
        attempt = run.does(ADMIN, "join_group", "in", operator_id="ana", group_id="support")
        assert not attempt.repeated
    assert run.verdict() == set()
    run.attempt("in").position = run.log[-1].position
    assert "C2" in run.verdict()


# --- C1 -------------------------------------------------------------------------------------


def test_c1_finds_an_acknowledged_command_that_the_log_lacks_at_its_end(run: Run) -> None:
    del run.log[-1]
    assert run.verdict() == {"C1"}


def test_c1_finds_an_acknowledged_command_that_the_log_lacks_in_the_middle(run: Run) -> None:
    for position, _ in run.batch("reply-1"):
        run.change(position, cmd=None, by=None, request=None)
    assert run.verdict() == {"C1"}


def test_c1_finds_an_answer_that_names_another_position(run: Run) -> None:
    run.attempt("reply-1").position -= 1  # type: ignore[assignment]
    assert "C1" in run.verdict()


def test_c1_finds_a_command_that_nobody_sent(run: Run) -> None:
    run.history.attempts.remove(run.attempt("write-1"))
    assert run.verdict() == {"C1"}


def test_c1_finds_a_command_that_left_no_trace_and_should_have(run: Run) -> None:
    run.attempt("idle").fields = {"operator_id": "ana", "group_id": "sales"}
    assert run.verdict() == {"C1"}


# --- C2 -------------------------------------------------------------------------------------


def test_c2_finds_a_command_that_was_carried_out_twice(run: Run) -> None:
    again = Position(len(run.log) + 1)
    ((_, envelope),) = run.batch("write-1")
    run.log.append(Recorded(again, replace(envelope, first=again)))
    assert run.verdict() == {"C2"}


def test_c2_finds_a_refused_command_that_was_carried_out(run: Run) -> None:
    run.attempt("write-1").outcome = "fail"
    assert run.verdict() == {"C2"}


def test_c2_finds_a_refused_retry_of_what_was_carried_out(run: Run) -> None:
    retry = replace(run.attempt("open-1"), outcome="fail", code="already_open")
    run.history.attempts.append(retry)
    assert run.verdict() == {"C2"}
    retry.code = "overloaded"
    assert run.verdict() == set()


def test_c2_finds_a_retry_that_was_told_another_position(run: Run) -> None:
    retry = run.history.attempts[-2]
    assert retry.repeated
    retry.position = Position(retry.position + 1)
    assert "C2" in run.verdict()


def test_c2_finds_a_retry_that_is_called_a_first(run: Run) -> None:
    run.history.attempts[-2].repeated = False
    assert run.verdict() == {"C2"}


def test_c2_finds_a_repetition_without_a_first(run: Run) -> None:
    run.attempt("idle").repeated = True
    assert run.verdict() == {"C2"}


# --- C3 -------------------------------------------------------------------------------------


def test_c3_finds_a_gap(run: Run) -> None:
    del run.log[run.assigned("c1") - 1]
    assert "C3" in run.verdict()


def test_c3_finds_a_command_that_stands_before_what_was_answered_earlier(run: Run) -> None:
    early, late = run.attempt("open-1"), run.attempt("reply-1")
    early.invoked_ns, late.invoked_ns = late.invoked_ns, early.invoked_ns
    early.ended_ns, late.ended_ns = late.ended_ns, early.ended_ns
    assert run.verdict() == {"C3"}


def test_c3_finds_a_read_of_the_past(run: Run) -> None:
    run.attempt("idle").position = run.attempt("open-2").position
    assert "C3" in run.verdict()


@pytest.mark.parametrize("fields", [{"epoch": 1}, {"at": 1}])
def test_c3_finds_a_deposed_writer_and_a_clock_set_back(run: Run, fields: dict[str, Any]) -> None:
    run.change(len(run.log), **fields)
    assert run.verdict() == {"C3"}


def test_c3_finds_batches_that_are_mixed_up(run: Run) -> None:
    run.change(len(run.log), first=run.batch("open-1")[0].position)
    assert "C3" in run.verdict()


# --- C4, C5, C6 -----------------------------------------------------------------------------


def test_c4_finds_a_second_owner(run: Run) -> None:
    again = Position(len(run.log) + 1)
    envelope = run.log[run.assigned("c1") - 1].envelope
    other = replace(envelope.data, operator_id="ben")
    run.log.append(Recorded(again, replace(envelope, data=other, cmd=None, by=None, first=again)))
    assert "C4" in run.verdict()


def test_c4_finds_a_conversation_taken_from_somebody_who_does_not_own_it(run: Run) -> None:
    run.does(BEN, "release", "release-2", conversation_id="c2")
    (released, *_) = run.batch("release-2")
    run.change_event(released.position, operator_id="ana")
    assert "C4" in run.verdict()


def test_c5_finds_one_too_many(run: Run) -> None:
    (place,) = [
        position
        for position, envelope in run.log
        if isinstance(envelope.data, OperatorRegistered) and envelope.data.operator_id == "ana"
    ]
    run.change_event(place, capacity=0)
    assert "C5" in run.verdict()


@pytest.mark.parametrize("reason", ["routed", "directed"])
def test_c5_finds_excess_that_is_none(run: Run, reason: str) -> None:
    run.change_event(run.assigned("c1"), excess=True, reason=reason)
    assert "C5" in run.verdict()


SPOILERS: dict[str, Callable[[Run], Any]] = {
    "offline": lambda run: run.change_event(run.batch("in-ana")[1].position, effective="offline"),
    "not in scope": lambda run: run.change_event(run.assigned("c1"), operator_id="ben"),
    "lacks a skill": lambda run: run.change_event(run.batch("open-1")[0].position, skills=("fr",)),
}


@pytest.mark.parametrize("what", SPOILERS)
def test_c6_finds_somebody_who_was_not_to_get_it(run: Run, what: str) -> None:
    SPOILERS[what](run)
    breaches = checkers.c6_eligibility(run.log)
    assert any(what in breach for breach in breaches), breaches


def test_c6_finds_a_conversation_given_back_to_whoever_gave_it_up(run: Run) -> None:
    run.does(ANA, "release", "release-1", conversation_id="c1")
    envelope = run.log[run.assigned("c1") - 1].envelope
    again = Position(len(run.log) + 1)
    run.log.append(Recorded(again, replace(envelope, cmd=None, by=None, first=again)))
    assert any("gave it up" in breach for breach in checkers.c6_eligibility(run.log))


# --- C9, C10 --------------------------------------------------------------------------------


def test_c9_c10_finds_a_decision_that_comes_out_differently(run: Run) -> None:
    run.change_event(run.assigned("c1"), pool_size=7)
    assert run.verdict() == {"C9/C10"}


def test_c9_finds_a_fact_that_does_not_fit(run: Run) -> None:
    (opened, *_) = run.batch("open-1")
    run.change_event(opened.position, visitor_id="nobody-known")
    run.does(WIM, "close", "close-2", conversation_id="c2")
    (closed, *_) = run.batch("close-2")
    run.change_event(closed.position, conversation_id="never-opened")
    assert checkers.c9_c10_replay(run.log, W)
