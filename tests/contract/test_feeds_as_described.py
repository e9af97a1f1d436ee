"""Whatever the core tells anybody is one of the messages that are described, field by field."""

from typing import Any

import msgspec
import pytest

from services.cli.demo.clients import LoggedEvent
from services.cli.demo.wording import event_text
from services.notifier.rendering import body_of
from shared.routing.events import Decision, RoutingCut
from shared.wire.feeds import FEEDS
from tests.core.listening import heard_again
from tests.core.rule_phrases import HELLO, fires, rule, shop
from tests.core.story import Story
from tests.golden.stories import STORIES


@pytest.mark.parametrize("name", STORIES)
def test_every_message_of_a_story_is_as_described(name: str) -> None:
    decoders = {feed: _decoder(feed) for feed in FEEDS}
    for numbered in heard_again(STORIES[name]().log):
        body = body_of(numbered, {})
        described = decoders[numbered.notification.recipient.kind].decode(body)
        again = msgspec.json.decode(msgspec.json.encode(described))
        assert again == msgspec.json.decode(body)


def test_together_they_bring_every_message_there_is() -> None:
    stories = [*(tell() for tell in STORIES.values()), _a_rule_speaks()]
    notes = [note.notification for story in stories for note in heard_again(story.log)]
    described = {(feed, str(s.__struct_config__.tag)) for feed, all_ in FEEDS.items() for s in all_}
    assert {(note.recipient.kind, note.type) for note in notes} == described


def test_the_demo_has_words_for_every_decision() -> None:
    silent = set()
    for tell in STORIES.values():
        for position, envelope in tell().log:
            name = str(envelope.data.__struct_config__.tag)
            fields = msgspec.json.decode(msgspec.json.encode(envelope.data))
            text = event_text(LoggedEvent(position, name.partition(".")[0], fields))
            if isinstance(envelope.data, Decision) and not isinstance(envelope.data, RoutingCut):
                silent |= {name} if not text else set()
    assert silent == set()


def _a_rule_speaks() -> Story:
    story = shop(Story())
    story.given(rule("hi", HELLO, {"ask_group": ["fr"]}, only_when_live=False))
    return fires(story, "hi")


def _decoder(feed: str) -> "msgspec.json.Decoder[Any]":
    shapes = FEEDS[feed]
    union: Any = shapes[0]
    for shape in shapes[1:]:
        union |= shape
    return msgspec.json.Decoder(union)
