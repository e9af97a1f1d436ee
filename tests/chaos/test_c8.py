"""The checker of notifications finds what is wrong: one that never failed proves nothing."""

from collections.abc import Sequence

import pytest

from shared.routing.ids import WorkspaceId
from shared.routing.transaction import Recorded
from tests.chaos.notifications import CalledFor, c8_notifications, called_for
from tests.core.told_story import tell
from tests.servers.client import Heard

ACME = WorkspaceId("acme")


@pytest.fixture(scope="module")
def log() -> Sequence[Recorded]:
    """A whole day."""
    return tell().log


@pytest.fixture
def expected(log: Sequence[Recorded]) -> list[CalledFor]:
    return called_for(log, ACME)


@pytest.fixture
def heard(expected: list[CalledFor]) -> list[Heard]:
    """What a listener hears whom nothing escapes."""
    return [Heard(wanted.subject, {}, wanted.body) for wanted in expected]


def breaches(heard: list[Heard], expected: list[CalledFor]) -> list[str]:
    return c8_notifications(heard, expected, bound_to_be_heard=expected)


def to_ana(heard: list[Heard]) -> list[int]:
    """Where in the list the messages to ana stand."""
    return [place for place, one in enumerate(heard) if one.subject.endswith(".operator.ana")]


def test_c8_passes_what_is_as_it_should_be_and_what_comes_twice(
    heard: list[Heard], expected: list[CalledFor]
) -> None:
    assert len(to_ana(heard)) > 8
    assert breaches(heard, expected) == []
    assert breaches(heard + heard[-40:], expected) == []


def test_c8_finds_a_lost_message(heard: list[Heard], expected: list[CalledFor]) -> None:
    del heard[to_ana(heard)[7]]
    (breach,) = breaches(heard, expected)
    assert breach.startswith("nobody heard")


def test_c8_finds_a_message_of_an_event_that_is_not_in_the_log(
    heard: list[Heard], log: Sequence[Recorded]
) -> None:
    shorter = called_for(log[:-3], ACME)
    found = breaches(heard, shorter)
    assert found
    assert all(breach.startswith("the log does not call for") for breach in found)


def test_c8_finds_one_message_in_two_forms(heard: list[Heard], expected: list[CalledFor]) -> None:
    first = heard[to_ana(heard)[0]]
    heard.append(first._replace(body=first.body | {"alert": not first.body["alert"]}))
    (breach,) = breaches(heard, expected)
    assert "the log calls for" in breach


def test_c8_finds_messages_out_of_turn(heard: list[Heard], expected: list[CalledFor]) -> None:
    one, other = to_ana(heard)[3:5]
    heard[one], heard[other] = heard[other], heard[one]
    assert [breach for breach in breaches(heard, expected) if "came after" in breach]
