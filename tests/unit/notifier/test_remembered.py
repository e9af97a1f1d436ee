"""What is remembered of feeds for those who ask what they missed."""

from services.notifier.catching_up import Remembered, Wanted
from shared.routing.ids import Position, UnixMs
from shared.routing.notify import TEAM, Notification, Numbered, Recipient

ANA, BEN = Recipient("operator", "ana"), Recipient("operator", "ben")


def _message(recipient: Recipient, seq: int | None) -> Numbered:
    told = Notification(recipient, "assigned", alert=False, fields={})
    return Numbered(told, f"{recipient.id}:{seq}", seq, Position(1), UnixMs(1))


def _numbers(remembered: Remembered, recipient: Recipient, after: int, limit: int) -> object:
    found = remembered.messages(Wanted(recipient, after, limit))
    return None if found is None else [message.seq for message in found]


def test_the_next_so_many_are_given_in_their_order_and_those_of_others_are_not() -> None:
    remembered = Remembered()
    for seq in range(1, 8):
        remembered.keep([_message(ANA, seq), _message(TEAM, None), _message(BEN, seq)])
    assert _numbers(remembered, ANA, 0, 100) == [1, 2, 3, 4, 5, 6, 7]
    assert _numbers(remembered, ANA, 3, 2) == [4, 5]
    assert _numbers(remembered, ANA, 6, 2) == [7]
    assert _numbers(remembered, ANA, 7, 2) == []
    assert remembered.messages(Wanted(TEAM, 0, 100)) is None


def test_none_are_given_where_the_next_is_forgotten() -> None:
    remembered = Remembered(most=6)
    for seq in range(1, 6):
        remembered.keep([_message(ANA, seq), _message(TEAM, None), _message(BEN, seq)])
    assert _numbers(remembered, ANA, 2, 100) == [3, 4, 5]
    assert _numbers(remembered, ANA, 1, 1) is None
    assert _numbers(remembered, Recipient("visitor", "vera"), 0, 1) is None
