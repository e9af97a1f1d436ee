"""Subjects say what was put into them, and nothing hostile reads as a subject or gets into one."""

from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.routing.commands import COMMANDS, Refused
from shared.routing.events import EVENT_TYPES
from shared.routing.ids import (
    ConversationId,
    EntryPointId,
    OperatorId,
    SessionId,
    VisitorId,
    WorkspaceId,
)
from shared.routing.questions import QUERIES
from shared.routing.vocabulary import ActorKind
from shared.wire import subjects as s
from tests.wire import hostile

W = WorkspaceId("w-1")

ids = st.text("-09AZ_az", min_size=1, max_size=64)
words = st.from_regex(r"[a-z][a-z0-9_]{0,63}", fullmatch=True)
workspaces = ids.map(WorkspaceId)
kinds: st.SearchStrategy[ActorKind] = st.sampled_from(get_args(ActorKind))
purposes: st.SearchStrategy[s.Purpose] = st.sampled_from(get_args(s.Purpose))

PARSERS: dict[str, tuple[Callable[[str], Any], st.SearchStrategy[Any]]] = {
    "call": (s.parse_call, st.builds(s.Call, purposes, workspaces, kinds, ids, words)),
    "beat": (
        s.parse_beat,
        st.builds(s.Beat, workspaces, ids.map(OperatorId), ids.map(SessionId)),
    ),
    "seen": (s.parse_seen, st.builds(s.Seen, workspaces, ids.map(VisitorId))),
    "head": (s.parse_head, st.builds(s.Head, workspaces)),
    "sign": (
        s.parse_sign,
        st.builds(s.Sign, workspaces, st.sampled_from(["operator", "visitor"]), ids),
    ),
    "feed": (
        s.parse_feed,
        st.one_of(
            st.builds(s.OperatorFeed, workspaces, ids.map(OperatorId)),
            st.builds(s.VisitorFeed, workspaces, ids.map(VisitorId)),
            st.builds(s.EntryFeed, workspaces, ids.map(EntryPointId)),
            st.builds(s.TeamFeed, workspaces),
        ),
    ),
    "published": (s.parse_published, st.builds(s.Published, workspaces, words)),
    "transcript": (
        s.parse_transcript,
        st.builds(s.Transcript, workspaces, ids.map(ConversationId)),
    ),
}

SUBJECTS = {
    "fernamt.v1.cmd.w-1.operator.ana.claim": s.Call("cmd", W, "operator", "ana", "claim"),
    "fernamt.v1.ask.w-1.visitor.v.entry_point": s.Call("ask", W, "visitor", "v", "entry_point"),
    "fernamt.v1.audit.w-1.admin.a.why_not": s.Call("audit", W, "admin", "a", "why_not"),
    "fernamt.v1.beat.w-1.operator.ana.s-1": s.Beat(W, OperatorId("ana"), SessionId("s-1")),
    "fernamt.v1.seen.w-1.visitor.v-1": s.Seen(W, VisitorId("v-1")),
    "fernamt.v1.head.w-1": s.Head(W),
    "fernamt.v1.sign.w-1.operator.ana": s.Sign(W, "operator", "ana"),
    "fernamt.v1.sign.w-1.visitor.v-1": s.Sign(W, "visitor", "v-1"),
    "fernamt.v1.feed.w-1.operator.ana": s.OperatorFeed(W, OperatorId("ana")),
    "fernamt.v1.feed.w-1.visitor.v-1": s.VisitorFeed(W, VisitorId("v-1")),
    "fernamt.v1.feed.w-1.entry.web": s.EntryFeed(W, EntryPointId("web")),
    "fernamt.v1.feed.w-1.team": s.TeamFeed(W),
    "fernamt.v1.evt.w-1.group_joined": s.Published(W, "group_joined"),
    "fernamt.v1.transcript.w-1.c-1": s.Transcript(W, ConversationId("c-1")),
}


def parsed(subject: str) -> list[s.Address]:
    results = [parse(subject) for parse, _ in PARSERS.values()]
    return [result for result in results if not isinstance(result, Refused)]


@pytest.mark.parametrize(("subject", "address"), SUBJECTS.items())
def test_subjects_are_as_published(subject: str, address: s.Address) -> None:
    assert s.subject_of(address) == subject
    assert parsed(subject) == [address]


@pytest.mark.parametrize("family", PARSERS)
@given(data=st.data())
def test_what_is_built_parses_to_the_same(family: str, data: st.DataObject) -> None:
    parse, addresses = PARSERS[family]
    address = data.draw(addresses)
    assert parse(s.subject_of(address)) == address


@given(
    st.lists(st.sampled_from(["fernamt", "v1", *s.ROOT.split("."), "cmd", "feed", "w", "operator",
                              "team", "evt", "*", ">", "", "a b", "a\n", "claim"]), max_size=9)
    | st.lists(st.text(max_size=8), max_size=9)
)  # fmt: skip
def test_whatever_parses_builds_itself_and_nothing_else(tokens: list[str]) -> None:
    subject = ".".join(tokens)
    for address in parsed(subject):
        assert s.subject_of(address) == subject


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for subject in (text, f"{s.ROOT}.cmd.{text}", f"{s.ROOT}.cmd.w.operator.{text}.claim"):
        for address in parsed(subject):
            assert s.subject_of(address) == subject


@pytest.mark.parametrize("subject", [text for _, text in hostile.SUBJECTS])
def test_hostile_subjects_are_refused(subject: str) -> None:
    assert parsed(subject) == []
    refusal = s.parse_call(subject)
    assert isinstance(refusal, Refused)
    assert refusal.code == "malformed"


@pytest.mark.parametrize("text", [text for _, text in hostile.IDS])
def test_no_hostile_id_gets_into_a_subject(text: str) -> None:
    attempts: list[Callable[[], str]] = [
        lambda: s.subject_of(s.Call("cmd", WorkspaceId(text), "operator", "ana", "claim")),
        lambda: s.subject_of(s.Call("cmd", W, "operator", text, "claim")),
        lambda: s.subject_of(s.Call("cmd", W, "operator", "ana", text)),
        lambda: s.subject_of(s.Beat(W, OperatorId("ana"), SessionId(text))),
        lambda: s.subject_of(s.Head(WorkspaceId(text))),
        lambda: s.subject_of(s.Sign(W, "visitor", text)),
        lambda: s.subject_of(s.OperatorFeed(W, OperatorId(text))),
        lambda: s.subject_of(s.EntryFeed(W, EntryPointId(text))),
        lambda: s.subject_of(s.TeamFeed(WorkspaceId(text))),
        lambda: s.subject_of(s.Published(W, text)),
        lambda: s.subject_of(s.Transcript(W, ConversationId(text))),
        lambda: s.commands_of(text),
        lambda: s.queries_of(text, "roster"),
        lambda: s.queries_of("w", text),
        lambda: s.audit_questions_of(text),
        lambda: s.events_of(text),
    ]
    for attempt in attempts:
        with pytest.raises(ValueError, match="checked tokens"):
            attempt()


def test_an_entry_point_called_team_is_not_the_team() -> None:
    assert s.parse_feed("fernamt.v1.feed.w-1.entry.team") == s.EntryFeed(W, EntryPointId("team"))
    assert s.parse_feed("fernamt.v1.feed.w-1.team") == s.TeamFeed(W)


def test_a_service_gives_no_sign_of_life() -> None:
    assert parsed("fernamt.v1.sign.w-1.service.presence") == []


def test_every_command_query_and_event_has_a_subject() -> None:
    for name in COMMANDS:
        assert parsed(s.subject_of(s.Call("cmd", W, "admin", "a", name)))
    for name in QUERIES:
        assert parsed(s.subject_of(s.Call("ask", W, "admin", "a", name)))
    names = [topic.partition(".")[0] for topic in EVENT_TYPES]
    assert all(parsed(s.subject_of(s.Published(W, name))) for name in names)


def test_patterns_are_as_published() -> None:
    assert s.commands_of("w-1") == "fernamt.v1.cmd.w-1.>"
    assert s.queries_of("w-1", "roster") == "fernamt.v1.ask.w-1.*.*.roster"
    assert s.audit_questions_of("w-1") == "fernamt.v1.audit.w-1.>"
    assert s.events_of("w-1") == "fernamt.v1.evt.w-1.>"
    assert s.HEADS == "fernamt.v1.head.*"
    assert s.SIGNS == "fernamt.v1.sign.*.*.*"
    assert s.WATCH == "fernamt.v1.watch"
    assert s.WORKSPACE_CREATION == "fernamt.v1.cmd.*.*.*.create_workspace"


@pytest.mark.parametrize(
    "subject",
    ["_INBOX.aB3.x9", "_INBOX.w-1.operator.ana.Kd83.1", "_R_.x.y", "_INBOX.nUId/+=$.1"],
)
def test_answers_go_to_inboxes(subject: str) -> None:
    assert s.is_reply(subject)


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "_INBOX",
        "_INBOX.",
        "_INBOX..a",
        "_INBOX.>",
        "_INBOX.a.*",
        "_INBOX.a b",
        "_INBOX.a\r\nPUB x 0",
        "_INBOX.a\n",
        "_INBOXES.a",
        "_INBOX." + "a" * 5_000,
        "$JS.API.STREAM.DELETE.FERNAMT_EVENTS",
        "$JS.ACK.x",
        "$SRV.PING",
        *SUBJECTS,
    ],
)
def test_answers_go_nowhere_else(subject: str) -> None:
    assert not s.is_reply(subject)
