"""What ``fernamt top`` shows, on screens of several sizes."""

import io

import pytest
from rich.console import Console, ConsoleDimensions

from services.cli.moments import Clock, zone_named
from services.cli.tables import show
from services.cli.top_shown import LATEST, Decided, Seen, on_a_page, on_a_screen
from shared.routing.events import ConversationAssigned
from shared.routing.ids import ConversationId, OperatorId, Position, UnixMs
from shared.routing.views import RosterEntry, WaitingView
from shared.routing.vocabulary import EffectiveStatus

NOW = UnixMs(1_773_222_067_000)  # 2026-03-11 10:41:07 in Berlin
CLOCK = Clock(zone_named("Europe/Berlin"))


def operator(name: str, effective: EffectiveStatus, load: int, capacity: int) -> RosterEntry:
    return RosterEntry(
        operator_id=OperatorId(name),
        chosen="online",
        effective=effective,
        cause="chosen",
        since=UnixMs(NOW - 61_000),
        connected=True,
        capacity=capacity,
        load=load,
        groups=(),
        routable=effective == "online",
    )


def waiting(number: int) -> WaitingView:
    conversation_id = ConversationId(f"w-{number}")
    return WaitingView(
        conversation_id=conversation_id, place=1, waited_ms=1_000 * number, reason="all_full"
    )


def decided(position: int, ago_ms: int) -> Decided:
    assigned = ConversationAssigned(
        conversation_id=ConversationId(f"c-{position}"),
        operator_id=OperatorId("ana"),
        reason="routed",
        decided_at=Position(position),
        policy_version=Position(1),
        pool_size=1,
        ranking=None,
        key=(),
        tie_break=None,
        excess=False,
        presence_stale=False,
    )
    return Decided(Position(position), UnixMs(NOW - ago_ms), assigned)


def seen(
    *decided_: Decided, people: int = 3, queue: int = 2, quiet_ms: int = 0, complete: bool = True
) -> Seen:
    roster = [operator(f"op-{number}", "online", number % 3, 2) for number in range(people)]
    return Seen(
        now=NOW,
        position=Position(77),
        quiet_ms=quiet_ms,
        operators=[operator("zoe", "offline", 0, 5), *roster],
        waiting=[waiting(number) for number in range(1, queue + 1)],
        waiting_total=queue,
        decided=decided_,
        complete=complete,
    )


def screen(its: Seen, width: int = 120, height: int = 40, trouble: str = "") -> list[str]:
    out = io.StringIO()
    on = Console(file=out, width=width, height=height, color_system=None)
    on.print(on_a_screen(its, CLOCK, ConsoleDimensions(width, height), trouble), end="")
    return out.getvalue().splitlines()


def page(its: Seen) -> str:
    out = io.StringIO()
    show(on_a_page(its, CLOCK), Console(file=out, width=120, color_system=None))
    return out.getvalue()


@pytest.mark.parametrize(("width", "height"), [(40, 16), (80, 24), (120, 40), (200, 60)])
def test_it_fits_the_screen_whatever_there_is(width: int, height: int) -> None:
    much = seen(*(decided(n, 0) for n in range(100)), people=200, queue=300)
    for its in (seen(people=0, queue=0), much):
        lines = screen(its, width, height)
        assert len(lines) == height
        assert max(map(len, lines)) <= width
    text = "\n".join(screen(much, width, height))
    assert "op-0" in text
    assert "300 waiting" in text
    assert "c-99" in text, "the latest decision"
    assert "c-1 " not in text


def test_those_who_are_there_come_first_and_who_waits_longest() -> None:
    text = page(seen(queue=3))
    assert text.index("op-0") < text.index("op-2") < text.index("zoe")
    assert text.index("w-3") < text.index("w-1")


def test_slots_and_status_are_told() -> None:
    lines = page(seen()).splitlines()
    assert next(line for line in lines if line.startswith("op-1 ")).endswith("■□")
    assert "3 of 4 operators may get conversations, 3 slots free" in lines[0]
    many = page(seen()._replace(operators=[operator("max", "online", 12, 40)]))
    assert "12/40" in many


def test_decisions_a_second_are_those_of_the_last_ten() -> None:
    its = seen(decided(1, 70_000), decided(2, 15_000), *(decided(3 + n, 9_000) for n in range(20)))
    assert "2.0 decisions a second, 21 in the last minute" in page(its)
    assert "at least 2.0 decisions a second" in page(its._replace(complete=False))


def test_a_column_for_each_second_of_the_minute() -> None:
    its = seen(*(decided(n, 59_500) for n in range(14)), decided(99, 0), decided(100, 2_000))
    columns = page(its).splitlines()[3]
    assert len(columns) == 60
    assert (columns[0], columns[-1], columns[-3]) == ("█", "▂", "▂")
    assert set(columns[1:-3]) == {"▁"}


def test_waiting_goes_on_while_nothing_happens() -> None:
    text = page(seen(queue=1, quiet_ms=120_000))
    assert "nothing has happened for 2 min" in text
    assert "2 min 1 s" in text
    assert "nothing has happened" not in page(seen(quiet_ms=1_000))


def test_only_the_latest_are_listed() -> None:
    text = page(seen(*(decided(n, 0) for n in range(100, 200))))
    assert text.count("goes to ana") == LATEST
    assert text.index("c-199") < text.index("c-198")


def test_trouble_stands_where_it_is_seen() -> None:
    assert "no answer since 10:41:07" in "\n".join(
        screen(seen(), trouble="no answer since 10:41:07")
    )


def test_an_empty_workspace_has_a_page() -> None:
    text = page(seen(people=0, queue=0))
    assert "nobody waits" in text
