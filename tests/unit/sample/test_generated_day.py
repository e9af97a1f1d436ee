"""The generated day: the same every time, true to the rules, and with something for every page."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence

import pytest

from services.cli.sample.generating import LEAD_MS, SEED, generated
from services.cli.sample.incident import CONVERSATION, VISITOR
from services.cli.sample.shop import ANA, HELP, SITE, STAFF
from services.cli.sample.times import HOUR_MS, local
from shared.ports import StoredRow
from shared.routing.events import ConversationAssigned, ConversationOpened, Envelope
from shared.routing.explain import demand_of, exclusions
from shared.routing.ids import Position, UnixMs, WorkspaceId
from shared.routing.replay import Replay
from shared.routing.status import not_routable
from shared.routing.waiting import waiting_reason
from shared.routing.workspace import Workspace
from shared.wire.log_codec import decode_event


def at(text: str) -> UnixMs:
    return UnixMs(int(dt.datetime.fromisoformat(text).timestamp()) * 1_000)


MORNING = at("2026-03-11T09:41:07+01:00")
STARTS = (
    MORNING,
    at("2026-03-11T00:30:00+01:00"),
    at("2026-03-11T03:59:00+01:00"),
    at("2026-03-11T06:20:00+01:00"),
    at("2026-03-11T14:11:00+01:00"),  # in the middle of what happens at ten past two
    at("2026-03-11T14:32:00+01:00"),
    at("2026-03-11T20:45:00+01:00"),
    at("2026-03-29T10:00:00+02:00"),  # that day had 23 hours
    at("2026-10-25T14:14:00+01:00"),  # and that one 25
)

MUST_HAPPEN = (
    "back_off_ended",
    "conversation_assigned",
    "conversation_broadcast",
    "conversation_changed",
    "conversation_claimed",
    "conversation_closed",
    "conversation_escalated",
    "conversation_forwarded",
    "conversation_missed",
    "conversation_offered",
    "conversation_opened",
    "conversation_queued",
    "conversation_reassigned",
    "conversation_redirected",
    "conversation_released",
    "conversation_reopened",
    "conversation_slow",
    "conversation_widened",
    "disconnect_grace_ended",
    "entry_point_defined",
    "entry_point_mode_changed",
    "forward_offered",
    "forward_recalled",
    "forward_returned",
    "group_defined",
    "group_deleted",
    "group_joined",
    "group_left",
    "hours_closed",
    "hours_opened",
    "offer_accepted",
    "offer_declined",
    "offer_expired",
    "offer_rescinded",
    "operator_active",
    "operator_idle",
    "operator_logged_in",
    "operator_logged_out",
    "operator_registered",
    "operator_removed",
    "operator_replied",
    "operator_status_changed",
    "operator_unresponsive",
    "operator_updated",
    "owner_left",
    "participant_joined",
    "participant_left",
    "policy_set",
    "preferences_set",
    "presence_fresh",
    "presence_stale",
    "role_defined",
    "round_ended",
    "routing_revision_adopted",
    "rule_fired",
    "rule_saved",
    "schedule_set",
    "session_lapsed",
    "session_returned",
    "shift_ended",
    "shift_started",
    "slot_freed",
    "slot_retaken",
    "status_break_ended",
    "status_chosen",
    "subject_erased",
    "visitor_assigned",
    "visitor_back",
    "visitor_identified",
    "visitor_invited",
    "visitor_left",
    "visitor_prepared",
    "visitor_session_ended",
    "visitor_wrote",
    "widening_due",
    "workspace_created",
    "wrap_up_ended",
)


def rows_of(now: UnixMs, seed: int = SEED) -> list[StoredRow]:
    return [row for batch in generated(now, seed=seed) for row in batch.rows]


def read(rows: Sequence[StoredRow]) -> list[tuple[Position, Envelope]]:
    return [(row.position, decode_event(row.topic, row.state)) for row in rows]


@pytest.fixture(scope="module")
def morning() -> list[StoredRow]:
    return rows_of(MORNING)


# --- the same every time ----------------------------------------------------------------------


def test_the_same_time_and_seed_give_the_same_bytes(morning: list[StoredRow]) -> None:
    again = list(generated(MORNING))
    assert [row for batch in again for row in batch.rows] == morning
    vaults = [[batch.vault for batch in day] for day in (again, generated(MORNING))]
    assert vaults[0] == vaults[1]


def test_another_seed_gives_another_day(morning: list[StoredRow]) -> None:
    assert rows_of(MORNING, seed=7) != morning


# --- as a router would have written it --------------------------------------------------------


@pytest.mark.parametrize("now", STARTS)
def test_the_day_replays_to_the_same_decisions(now: UnixMs) -> None:
    replay = Replay(Workspace(workspace_id="sample"))
    for position, envelope in read(rows_of(now)):
        assert replay.feed(position, envelope) is None
    assert replay.finish() is None
    assert replay.remade > 500
    assert replay.folded_only == 0


@pytest.mark.parametrize("now", STARTS)
def test_the_day_is_the_one_before_now(now: UnixMs) -> None:
    stamps = [envelope.at for _, envelope in read(rows_of(now))]
    assert stamps == sorted(stamps)
    assert stamps[0] == now - 24 * HOUR_MS - LEAD_MS
    assert now - 60_000 < stamps[-1] <= now
    assert len(stamps) <= 6_000


def test_texts_are_in_the_vault_and_not_in_the_log(morning: list[StoredRow]) -> None:
    whole = b"".join(row.state for row in morning)
    texts = [row for batch in generated(MORNING) for row in batch.vault]
    assert {f"operator:{each.operator_id}" for each in STAFF} <= {text.subject for text in texts}
    assert b"Ana" in b"".join(text.body for text in texts)
    assert b"Ana" not in whole
    assert b"shop.example.org/basket" not in whole.replace(
        b'"https://shop.example.org/basket"', b""
    )


# --- something for every page -----------------------------------------------------------------


@pytest.mark.parametrize("now", STARTS)
def test_everything_worth_asking_about_happens(now: UnixMs) -> None:
    seen = Counter(row.topic.partition(".")[0] for row in rows_of(now))
    assert [name for name in MUST_HAPPEN if not seen[name]] == []


def test_conversations_go_where_they_go_for_every_reason(morning: list[StoredRow]) -> None:
    given = [e.data for _, e in read(morning) if isinstance(e.data, ConversationAssigned)]
    assert {"routed", "affinity", "directed"} <= {event.reason for event in given}
    assert {"most_free_slots", "round_robin"} <= {event.ranking for event in given}


def test_most_of_it_happens_at_noon_and_little_at_night(morning: list[StoredRow]) -> None:
    opened = [e for _, e in read(morning) if isinstance(e.data, ConversationOpened)]
    hours = Counter(local(envelope.at).hour for envelope in opened)
    assert hours[12] > hours[18] > 0
    assert 0 < hours[2] + hours[3] < hours[12] / 2


# --- the planted incident ---------------------------------------------------------------------


@pytest.mark.parametrize("now", STARTS)
def test_v17_waits_four_minutes_while_ana_is_free_and_lacks_a_skill(now: UnixMs) -> None:
    workspace = Workspace(workspace_id="sample")
    replay = Replay(workspace)
    opened_at, given_at, looks = 0, 0, 0
    for position, envelope in read(rows_of(now)):
        replay.feed(position, envelope)
        event = envelope.data
        if isinstance(event, ConversationOpened) and event.visitor_id == VISITOR:
            opened_at = envelope.at
        if isinstance(event, ConversationAssigned) and event.conversation_id == CONVERSATION:
            given_at = given_at or envelope.at
        if opened_at and not given_at:
            conversation, ana = workspace.conversations[CONVERSATION], workspace.operators[ANA]
            assert conversation.state == "waiting"
            assert not_routable(ana) is None
            assert ana.free >= 1
            demand = demand_of(workspace, conversation)
            assert exclusions(workspace, conversation, ana, demand) == ("skill_missing",)
            looks += 1
    assert local(UnixMs(opened_at)).strftime("%H:%M:%S") == "14:10:00"
    assert now - 24 * HOUR_MS - LEAD_MS < opened_at < now
    assert 230_000 <= given_at - opened_at <= 270_000
    assert looks > 10


# --- alive at the end ---------------------------------------------------------------------------


@pytest.mark.parametrize("now", STARTS)
def test_now_people_are_at_work_and_some_visitors_wait(now: UnixMs) -> None:
    workspace = Workspace(workspace_id="sample")
    replay = Replay(workspace)
    for position, envelope in read(rows_of(now)):
        replay.feed(position, envelope)
    operators = workspace.operators.values()
    assert sum(operator.effective == "online" for operator in operators) >= 2
    conversations = [workspace.conversations[its_id] for its_id in workspace.open]
    assert sum(each.state == "assigned" for each in conversations) >= 4
    reasons = {waiting_reason(workspace, each) for each in conversations if each.state == "waiting"}
    assert len(reasons) >= 2
    modes = {its_id: entry.mode for its_id, entry in workspace.entry_points.items()}
    assert (modes[SITE], modes[HELP]) == ("live", "live")
    assert 2 <= len(workspace.places) <= 16


# --- more of it -------------------------------------------------------------------------------


def test_longer_and_busier_logs_come_from_the_same_play() -> None:
    batches = list(generated(MORNING, days=2, scale=2, workspace_id=WorkspaceId("bench")))
    rows = [row for batch in batches for row in batch.rows]
    assert len(rows) > 2.5 * len(rows_of(MORNING))
    replay = Replay(Workspace(workspace_id="bench"))
    for position, envelope in read(rows):
        assert replay.feed(position, envelope) is None
    assert replay.finish() is None
    for batch in batches:
        first = decode_event(batch.rows[0].topic, batch.rows[0].state)
        assert first.first == batch.rows[0].position  # groups are never cut
