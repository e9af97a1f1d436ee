"""Timers: due once, in order, before any later command; and passes too long for one group."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from shared.routing.describe import state_hash
from shared.routing.events import ConversationOpened, Envelope, PolicySet
from shared.routing.folding import Folding
from shared.routing.ids import ConversationId, UnixMs, VisitorId
from shared.routing.policy import PolicyScope
from shared.routing.replay import Replay
from shared.routing.transaction import Recorded, Stamp, advance, record
from shared.routing.workspace import Workspace
from tests.core.phrases import accepts, lapsed, offering
from tests.core.proof import prove, replay, restore
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    EPOCH,
    Event,
    Story,
    as_told,
    desk,
    event,
    online,
    opened,
    policy,
    step,
)
from tests.core.told_story import tell
from tests.core.wanderer import Wanderer, play

_BREAKS_S = (50, 10, 40, 10, 20, 30)


def dues(story: Story) -> list[tuple[str, int]]:
    """Every timer that fired, with its due time in seconds after the first event."""
    began = story.log[0].envelope.at
    told = map(as_told, story.log)
    return [(one.name, (one.fields["due"] - began) // 1_000) for one in told if is_timed(one)]


def is_timed(told: Event) -> bool:
    return told.fields.get("due") is not None


# --- in order, once, and before what comes later --------------------------------------------


def test_tm01_after_any_pause_each_fires_once_by_due_time_and_name(story: Story) -> None:
    story.given(desk())
    for number, break_s in enumerate(_BREAKS_S):
        operator_id = f"op{number}"
        story.given(online(operator_id))
        actor = story.log[-1].envelope.by
        assert actor is not None
        story.given(step(actor, "set_status", status="busy", for_s=break_s))
    story.after(86_400).then_among_others(
        *(
            event("status_break_ended", operator_id=f"op{number}")
            for number in sorted(range(6), key=lambda number: (_BREAKS_S[number], number))
        )
    )
    assert dues(story) == [("status_break_ended", due) for due in sorted(_BREAKS_S)]
    story.after(86_400).then()


@pytest.mark.parametrize(("ms", "won"), [(29_999, True), (30_000, False), (30_001, False)])
def test_tm01_stamps_decide_whether_an_answer_beats_its_expiry(
    story: Story, ms: int, won: bool
) -> None:
    story.given(offering(ana=1, ben=1), opened("c1"))
    story.at = UnixMs(story.at + ms)
    story.now(accepts("ana", "c1"))
    how = story.refusal.detail["how"] if story.refusal is not None else "accepted"
    assert how == ("accepted" if won else "expired")
    assert story.owner("c1") == ("ana" if won else None)


def test_tm01_what_a_timer_sets_off_is_over_before_the_next_fires(story: Story) -> None:
    story.given(offering(ana=1, ben=1, rules={"unresponsive_after": 1}), opened("c1", "c2"))
    story.after(600).then_among_others(
        event("offer_expired", conversation_id="c1", operator_id="ana"),
        event("operator_unresponsive", operator_id="ana"),
        event("operator_status_changed", operator_id="ana", effective="busy"),
        event("offer_expired", conversation_id="c2", operator_id="ben"),
    )


def test_tm01_after_a_pause_nobody_is_asked_with_a_deadline_that_is_over(story: Story) -> None:
    story.given(offering(ana=1, ben=1), opened("c1")).after(86_400)
    story.then(
        event("offer_expired", operator_id="ana"),
        event("conversation_offered", operator_id="ben", expires_at=story.at + 30_000),
    )


def test_tm01_a_policy_moves_no_timer_that_runs(story: Story) -> None:
    story.given(offering(ana=1), opened("c1"), policy(offer_timeout_s=5)).after(29).then()
    story.after(1).then_among_others(event("offer_expired", operator_id="ana"))


def test_tm01_p08_a_grace_ends_when_it_would_have_whatever_stood_still(story: Story) -> None:
    story.given(desk(ana=1), lapsed("ana")).after(100)
    restored = restore(story.workspace)
    folded = Folding(Workspace(workspace_id="acme"))
    for _, envelope in story.log:
        list(folded.feed(envelope))
    list(folded.finish())
    late = UnixMs(story.at + 50_000)
    expected = list(advance(story.workspace, late, EPOCH))
    assert [as_told(one).name for one in expected][:1] == ["disconnect_grace_ended"]
    for workspace in (restored, folded.workspace):
        before = UnixMs(story.at + 49_999)
        assert list(advance(workspace, before, EPOCH)) == []
        assert list(advance(workspace, late, EPOCH)) == expected
    story.log.extend(expected)


def test_tm01_of_all_that_is_over_no_timer_is_left(story: Story) -> None:
    everything: dict[str, Any] = {
        "missed_after_s": 600,
        "close_after_idle_s": 700,
        "visitor_gone_after_s": 0,
        "widening": [{"after_s": 5, "add_everyone": True}],
        "waiting_frees_slot_after_s": 60,
    }
    story.given(desk(ana=1), policy(**everything), opened("c1", "c2"))
    story.given(step(ANA, "reply", conversation_id="c1"))
    assert len(story.workspace.timers) > 3
    story.given(step(ADMIN, "close", conversation_id="c2"))
    story.given(step(ADMIN, "close", conversation_id="c1"))
    assert story.workspace.timers == {}
    story.after(86_400).then()


def test_tm01_any_number_may_be_due_at_once(story: Story) -> None:
    many = [f"c{number:04}" for number in range(1_500)]
    story.given(desk(ana=0), opened(*many)).after(86_400)
    assert [told["conversation_id"] for told in story.told("conversation_slow")] == many
    assert {told["due"] for told in story.told("conversation_slow")} == {story.at - 86_340_000}
    story.after(0).then()


def test_tm01_a_timer_that_was_passed_over_is_found(story: Story) -> None:
    story.given(desk(ana=1), step(ANA, "set_status", status="busy", for_s=60)).after(60)
    story.given(step(ANA, "set_status", status="invisible"))
    (ended,) = (one for one in story.log if as_told(one).name == "status_break_ended")
    skipped = [one for one in story.log if one.envelope.first != ended.position]
    assert list(divergences(story.log)) == []
    assert next(divergences(renumbered(skipped))) == "a timer was due before this event"


def divergences(log: list[Recorded]) -> Iterator[str]:
    replaying = Replay(Workspace(workspace_id="acme"))
    for position, envelope in log:
        found = replaying.feed(position, envelope)
        if found is not None:
            yield found.what


def renumbered(log: list[Recorded]) -> list[Recorded]:
    """The log without a gap where something was taken out."""
    at = {old.position: new for new, old in enumerate(log, start=1)}
    return [
        Recorded(
            type(one.position)(at[one.position]),
            msgspec.structs.replace(
                one.envelope, first=at.get(one.envelope.first, at[one.position])
            ),
        )
        for one in log
    ]


# --- passes that are too long ---------------------------------------------------------------


def plainly(log: list[Recorded]) -> list[tuple[str, dict[str, Any]]]:
    """What happened, without positions and without the cuts."""
    told = [as_told(one) for one in log]
    return [
        (one.name, {name: value for name, value in one.fields.items() if name not in _POSITIONS})
        for one in told
        if one.name not in ("routing_cut", "routing_continues")
    ]


_REFERENCES = ("note", "text", "name", "email", "secret", "then", "message")
_POSITIONS = ("decided_at", "policy_version", "key", "version", *_REFERENCES)


def test_tm01_a_pass_that_is_too_long_is_cut_and_goes_on_at_once(story: Story) -> None:
    story.decisions_max = 2
    story.given(desk(ana=9), policy(delivery="manual"), opened("c1", "c2", "c3", "c4", "c5"))
    began = story.at
    story.given(*(policy(delivery="auto"),))
    told = [as_told(one) for one in story.log[-4:]]
    assert [one.name for one in told] == [
        "policy_set",
        "conversation_assigned",
        "conversation_assigned",
        "routing_cut",
    ]
    assert told[-1].fields == {"due": began}
    story.after(3).then(
        event("routing_continues", due=began),
        event("conversation_assigned", conversation_id="c3"),
        event("conversation_assigned", conversation_id="c4"),
        event("routing_cut", due=story.at),
        event("routing_continues", due=story.at),
        event("conversation_assigned", conversation_id="c5"),
    )


def test_tm01_what_was_left_over_comes_before_any_later_command(story: Story) -> None:
    story.decisions_max = 1
    story.given(desk(ana=2), policy(delivery="manual"), opened("c1", "c2"))
    story.given(policy(delivery="auto"))
    assert story.owners("c1", "c2") == ["ana", None]
    story.given(step(ANA, "set_status", status="busy"))
    assert story.owners("c1", "c2") == ["ana", "ana"]
    story.after(0)


def test_tm01_and_before_any_timer_that_was_due_earlier(story: Story) -> None:
    story.decisions_max = 1
    story.given(desk(ana=0, ben=0), policy(delivery="manual", on_slow=[]), opened("c1", "c2"))
    story.given(step(ANA, "set_status", status="busy", for_s=60))
    story.given(policy(delivery="broadcast"))
    story.given(step(BEN, "set_status", status="busy", for_s=90))
    story.after(100).then_among_others(
        event("status_break_ended", operator_id="ana"),
        event("operator_status_changed", operator_id="ana"),
        event("routing_cut"),
        event("routing_continues"),
        event("conversation_broadcast", operator_ids=["ana"]),
        event("status_break_ended", operator_id="ben"),
    )


def test_tm01_exactly_as_many_as_fit_are_not_cut(story: Story) -> None:
    story.given(desk(ana=9), policy(delivery="manual"), opened("c1", "c2", "c3"))
    story.decisions_max = 3
    story.given(policy(delivery="auto")).after(0).then()
    assert not story.told("routing_cut")


@pytest.mark.parametrize("decisions_max", [1, 2, 3, 4])
def test_tm01_a_whole_day_comes_out_the_same_however_it_is_cut(
    monkeypatch: pytest.MonkeyPatch, decisions_max: int
) -> None:
    whole = tell()
    monkeypatch.setattr(Story, "decisions_max", decisions_max)
    cut = tell()
    assert cut.told("routing_cut")
    assert not whole.told("routing_cut")
    assert plainly(cut.log) == plainly(whole.log)
    prove(cut.log, cut.workspace)


@pytest.mark.parametrize("decisions_max", [1, 2, 3, 4])
def test_tm01_wherever_the_log_ends_a_successor_goes_on_the_same(
    monkeypatch: pytest.MonkeyPatch, decisions_max: int
) -> None:
    monkeypatch.setattr(Story, "decisions_max", decisions_max)
    log = tell().log
    ends = [one.position for one in log if as_told(one).name == "routing_cut"]
    for end in ends:
        folded = fold([one.envelope for one in log[:end]])
        replayed = replay(log[:end])
        assert state_hash(folded) == state_hash(replayed)
        goes_on = list(advance(folded, log[end].envelope.at, EPOCH, decisions_max))
        assert goes_on == log[end : end + len(goes_on)]
        assert not folded.is_cut


@pytest.mark.parametrize("seed", [3, 6, 25])
@pytest.mark.parametrize("decisions_max", [1, 2])
def test_tm01_so_does_any_other_history(seed: int, decisions_max: int) -> None:
    whole, cut = Story(), Story()
    cut.decisions_max = decisions_max
    for told in Wanderer(seed).wander(whole, 150):
        play(cut, told)
        cut.after(0)
    whole.after(0)
    assert plainly(cut.log) == plainly(whole.log)
    ends = [one.position for one in cut.log if as_told(one).name == "routing_cut"]
    assert ends
    for end in ends:
        folded = fold([one.envelope for one in cut.log[:end]])
        goes_on = list(advance(folded, cut.log[end].envelope.at, EPOCH, decisions_max))
        assert goes_on == cut.log[end : end + len(goes_on)]


def fold(log: list[Envelope]) -> Workspace:
    folding = Folding(Workspace(workspace_id="acme"))
    for envelope in log:
        list(folding.feed(envelope))
    list(folding.finish())
    return folding.workspace


def test_tm01_a_cut_pass_that_does_not_go_on_is_found(story: Story) -> None:
    story.decisions_max = 1
    story.given(desk(ana=2), policy(delivery="manual"), opened("c1", "c2"))
    story.given(policy(delivery="auto")).after(0)
    assert list(divergences(story.log)) == []
    names = [as_told(one).name for one in story.log]
    last = len(names) - names[::-1].index("routing_continues") - 1
    skipped = story.log[:last] + story.log[last + 1 :]
    assert list(divergences(renumbered(skipped))) == ["the decision comes out differently"]


@pytest.mark.parametrize("number", [20_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_tm01_all_who_wait_are_released_in_parts_and_none_is_dropped(number: int) -> None:
    story = Story()
    story.given(desk(ana=10_000, ben=10_000), policy(delivery="manual", on_slow=[]))
    for n in range(10):
        story.given(online(f"op{n}", "support", capacity=10_000))
    all_open(story.workspace, number)
    whole = released(restore(story.workspace), 1_000_000)
    assert len(whole) == 1 + number
    cut = released(story.workspace, 5_000)
    parts = [one.position for one in cut if as_told(one).name == "routing_continues"]
    assert len(parts) == number // 5_000 - 1
    assert plainly(cut) == plainly(whole)


def all_open(workspace: Workspace, number: int) -> None:
    """That many conversations wait, as if they had been opened one by one."""
    first = msgspec.convert({"type": "conversation_opened.v1", **_OPENED}, ConversationOpened)
    facts = (
        msgspec.structs.replace(
            first, conversation_id=ConversationId(f"c{n}"), visitor_id=VisitorId(f"v{n}")
        )
        for n in range(number)
    )
    for _ in record(workspace, facts, Stamp(workspace.at, EPOCH), 10 * number):
        pass
    assert len(workspace.places) == number


_OPENED: dict[str, Any] = {
    "conversation_id": "c",
    "visitor_id": "v",
    "contact_id": None,
    "entry_point_id": "web",
    "entry_mode": "live",
    "scope": {"entry_point": "web"},
    "scope_source": "entry_point",
    "priority": 5,
    "skills": [],
    "optional_skills": [],
    "weight": 1,
    "language": None,
    "attributes": None,
}


def released(workspace: Workspace, decisions_max: int) -> list[Recorded]:
    """Everything that follows when they are no longer held back."""
    stamp = Stamp(UnixMs(workspace.at + 1_000), EPOCH)
    change = PolicySet(PolicyScope(workspace=True), {"on_slow": []})
    log = [
        *record(workspace, (change,), stamp, decisions_max),
        *advance(workspace, stamp.at, EPOCH, decisions_max),
    ]
    assert not workspace.is_cut
    assert all(one.owner is not None for one in workspace.conversations.values())
    return log
