"""Which keys are settled: one that is is always known, and hardly any other is taken for one."""

from services.router.settled_keys import SettledKeys
from shared.ports.archive import SettledKey


def visitors(name: str, number: int) -> list[SettledKey]:
    return [("visitor", f"{name}-{one}") for one in range(number)]


def test_what_was_added_is_known_in_whatever_order_and_however_often() -> None:
    keys, some = SettledKeys(), visitors("v", 20_000)
    keys.add(reversed(some))
    keys.add(some)
    assert all(key in keys for key in some)
    assert keys.size_bytes == 4 * len(some)


def test_hardly_anything_else_is() -> None:
    keys = SettledKeys()
    keys.add(visitors("v", 20_000))
    strangers = [
        *visitors("w", 20_000),
        *[("conversation", its_id) for _, its_id in visitors("v", 9)],
    ]
    assert sum(key in keys for key in strangers) < 5


def test_nothing_is_known_at_first() -> None:
    assert ("visitor", "v") not in SettledKeys()
