"""How often an actor may ask, by a clock that stands still until it is set."""

import pytest

from shared.routing.commands import Refused
from shared.routing.ids import WorkspaceId
from shared.runtime import throttle
from shared.runtime.throttle import (
    ALLOWANCES,
    KEPT_AT_LEAST,
    VARIABLE,
    Allowance,
    Throttle,
    allowances_from,
)
from shared.wire.subjects import Call
from tests.servers.hand_clock import HandClock

A_SECOND, AT_ONCE = 4, 3


class Gate:
    def __init__(self) -> None:
        self.watch = HandClock()
        self.throttle = Throttle(self.watch, {"visitor": Allowance(A_SECOND, AT_ONCE)})

    def ask(
        self, actor: str = "vera", kind: str = "visitor", workspace: str = "shop"
    ) -> Refused | None:
        return self.throttle.refusal(Call("cmd", WorkspaceId(workspace), kind, actor, "open"))  # type: ignore[arg-type]

    def spend(self, actor: str = "vera") -> None:
        while self.ask(actor) is None:
            pass


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_so_many_at_once_and_not_one_more(gate: Gate) -> None:
    assert [gate.ask() is None for _ in range(AT_ONCE + 1)] == [True] * AT_ONCE + [False]


def test_a_refusal_says_when_the_next_may_come(gate: Gate) -> None:
    gate.spend()
    refused = gate.ask()
    assert refused is not None
    assert (refused.code, refused.detail) == ("too_many", {"retry_after_ms": 250})
    gate.watch.now_ms += 249
    assert gate.ask() is not None
    gate.watch.now_ms += 1
    assert gate.ask() is None
    assert gate.ask() is not None


def test_what_is_refused_uses_nothing_up(gate: Gate) -> None:
    gate.spend()
    for _ in range(1_000):
        assert gate.ask() is not None
    gate.watch.now_ms += 250
    assert gate.ask() is None


def test_after_a_rest_the_whole_allowance_is_there_and_no_more(gate: Gate) -> None:
    gate.spend()
    gate.watch.now_ms += 3_600_000
    assert [gate.ask() is None for _ in range(AT_ONCE + 1)] == [True] * AT_ONCE + [False]


def test_each_actor_has_an_allowance_of_its_own(gate: Gate) -> None:
    gate.spend()
    assert gate.ask("vito") is None
    assert gate.ask(workspace="bank") is None, "another workspace's vera"


def test_kinds_without_an_allowance_are_not_counted(gate: Gate) -> None:
    assert all(gate.ask(kind="service") is None for _ in range(100 * AT_ONCE))


def test_who_has_rested_is_forgotten_and_nobody_else(gate: Gate) -> None:
    gate.spend("greedy")
    for number in range(KEPT_AT_LEAST - 1):
        gate.ask(f"v-{number}")
    gate.watch.now_ms += 500  # by now all but one have everything again
    gate.ask("one-more")
    assert set(gate.throttle._whole_at_us) == {
        ("shop", "visitor", "greedy"),
        ("shop", "visitor", "one-more"),
    }


def test_allowances_come_from_the_environment() -> None:
    assert allowances_from({}) == ALLOWANCES
    said = {VARIABLE: "visitor=5/60 operator=none admin=500/9000"}
    assert allowances_from(said) == {"visitor": Allowance(5, 60), "admin": Allowance(500, 9_000)}


@pytest.mark.parametrize(
    "text",
    [
        "guest=1/1",
        "visitor",
        "visitor=",
        "visitor=5",
        "visitor=5/",
        "visitor=0/5",
        "visitor=5/0",
        "visitor=-1/5",
        "visitor=1/2/3",
        "visitor=1234567/1",
        "visitor=²/5",
        "visitor=5/60,operator=1/1",
    ],
)
def test_what_is_no_allowance_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=rf"{VARIABLE}: KIND=.* is expected.*: {text[:7]}"):
        allowances_from({VARIABLE: text})


def test_the_usual_allowances_are_those_of_the_page_on_the_wire() -> None:
    assert throttle.ALLOWANCES["visitor"] == Allowance(10, 100)
    assert throttle.ALLOWANCES["operator"] == Allowance(100, 1_000)
    assert len(throttle.ALLOWANCES) == 2
