"""What a browser is told: bounded, the last state only, and nothing after it was dropped."""

import asyncio

from services.console.courses import waits_of
from services.console.watching import WAITING_MAX, Browser, News
from services.console.wording import Words
from shared.audit.answers import EventView
from shared.routing import events as e
from shared.routing.ids import ConversationId, OperatorId, Position, UnixMs


def news(kind: str, number: int) -> News:
    return News(kind, number, lambda words: f"{words.language}\n{number}", {})


async def _told(browser: Browser, count: int) -> list[int]:
    told: list[int] = []
    async with asyncio.timeout(5):
        async for one in browser.news():
            assert one is not None
            told.append(one.its_id)
            if len(told) == count:
                break
    return told


async def test_au08_of_states_only_the_last_one_is_told() -> None:
    browser = Browser()
    for kind, number in (("state", 1), ("decisions", 2), ("state", 3), ("decisions", 4)):
        browser.tell(news(kind, number))
    assert await _told(browser, 3) == [2, 3, 4]


async def test_au08_a_browser_that_cannot_keep_up_is_dropped() -> None:
    browser = Browser()
    for number in range(WAITING_MAX):
        browser.tell(news("decisions", number))
    assert not browser.over
    browser.tell(news("decisions", WAITING_MAX))
    assert await _told(browser, 1) == [], "it is over"


async def test_au08_a_browser_that_waits_is_told_at_once() -> None:
    browser = Browser()
    waiting = asyncio.create_task(_told(browser, 1))
    await asyncio.sleep(0)
    browser.tell(news("decisions", 7))
    assert await waiting == [7]


async def test_au08_a_message_is_made_once_for_a_language() -> None:
    made: list[str] = []

    def render(words: Words) -> str:
        made.append(words.language)
        return "two\nlines"

    one = News("state", 5, render, {})
    for words in (Words("en"), Words("de"), Words("en")):
        text = one.text(words)
        assert text == "event: state\nid: 5\ndata: two\ndata: lines\n\n"
    assert made == ["en", "de"]


# --- waits of a conversation ----------------------------------------------------------------

CHAT = ConversationId("c-1")


def _at(position: int, at: int, event: e.EventUnion) -> EventView:
    return EventView(
        position=Position(position),
        at=UnixMs(at),
        type="",
        decision=isinstance(event, e.Decision),
        first=Position(position),
        rev=1,
        epoch=1,
        by=None,
        cmd=None,
        event=event,
    )


def test_au08_waits_last_from_losing_an_owner_to_having_one() -> None:
    queued = e.ConversationQueued(
        CHAT, "auto", "all_full", Position(2), Position(0), 0, "most_free_slots"
    )
    waits = waits_of(
        [
            _at(2, 1_000, queued),
            _at(3, 5_000, e.ConversationClaimed(CHAT, OperatorId("ana"), None)),
            _at(4, 9_000, e.ConversationReleased(CHAT, OperatorId("ana"))),
            _at(5, 9_000, queued),
        ]
    )
    assert [(w.position, w.decided, w.ms, w.reasons) for w in waits] == [
        (2, 2, 4_000, ["all_full"]),
        (4, 5, 0, ["all_full"]),
    ]
    assert waits[1].end is None


def test_au08_being_assigned_at_once_is_no_wait() -> None:
    released = e.ConversationReleased(CHAT, OperatorId("ana"))
    claimed = e.ConversationClaimed(CHAT, OperatorId("ben"), None)
    assert waits_of([_at(1, 10, released), _at(2, 10, claimed)]) == []
