"""What rules arrange for a visitor's session: questions, what its conversations get, their end."""

from typing import Any

import pytest

from shared.routing.events import RuleSaved
from shared.routing.ids import EntryPointId
from shared.routing.queries import VisitorAnswer, answer
from shared.routing.questions import AskEntryPoint, AskVisitor, AskWorkspace
from shared.routing.settings_views import WorkspaceView
from shared.routing.views import EntryPointView
from tests.core.rule_phrases import (
    HELLO,
    PREPARED,
    RULES,
    TO_FRENCH,
    does_nothing,
    fired,
    fires,
    rule,
    seen,
    session_over,
    shop,
    vera_opens,
    visitor,
)
from tests.core.story import (
    ADMIN,
    ANA,
    VERA,
    WIM,
    Story,
    entry_point,
    event,
    group,
    online,
    policy,
    step,
)

ASK: dict[str, Any] = {"ask_group": ["fr", "support"]}


# --- questions ------------------------------------------------------------------------------


def test_tr04_gr10_a_visitor_may_choose_among_what_a_rule_asks(story: Story) -> None:
    shop(story).given(rule("r", ASK))
    story.now(vera_opens("c0", group_id="fr")).refused("group_not_offered", group_id="fr")
    fires(story, "r").then(
        event("rule_fired"),
        event(
            "visitor_asked",
            visitor_id="vera",
            entry_point_id="web",
            rule_id="r",
            groups=["fr", "support"],
        ),
    )
    story.now(vera_opens("c1", group_id="fr")).then(
        event("conversation_opened", scope={"group": "fr"}, scope_source="visitor"),
        event("conversation_assigned", operator_id="ben"),
    )
    story.when(VERA, "assign_visitor", visitor_id="vera", to={"group": "fr"}).then(
        event("visitor_assigned", source="visitor")
    )


def test_gr10_nobody_else_may_nor_elsewhere(story: Story) -> None:
    shop(story).given(rule("r", ASK), entry_point("app", "support"))
    fired(story, "r")
    story.opens("c1", group_id="fr").refused("group_not_offered")
    story.when(WIM, "assign_visitor", visitor_id="wim", to={"group": "fr"}).refused(
        "group_not_offered"
    )
    story.now(vera_opens("c1", entry_point_id="app", group_id="fr")).refused("group_not_offered")


def test_gr10_gr07_groups_that_are_disabled_or_gone_are_left_out(story: Story) -> None:
    shop(story).given(group("it"), rule("r", {"ask_group": ["it", "fr"]}))
    story.given(step(ADMIN, "update_group", group_id="fr", enabled=False))
    fires(story, "r").then(event("rule_fired"), event("visitor_asked", groups=["it"]))
    story.given(step(ADMIN, "delete_group", group_id="it"))
    story.now(vera_opens("c1", group_id="it")).refused("group_not_offered")
    does_nothing(fires(story, "r", visitor_id="wim"), "so_already")


def test_tr06_the_same_question_is_put_once_unless_it_is_always(story: Story) -> None:
    shop(story).given(rule("r", ASK, HELLO), step(ANA, "log_out", session_id="ana-1"))
    fires(story, "r").then(event("rule_fired"), event("visitor_asked"))
    does_nothing(fires(story, "r"), "not_live")
    story.given(rule("always", ASK, frequency="always"))
    for _ in range(2):
        fires(story, "always").then(event("rule_fired"), event("visitor_asked"))


def test_gr10_the_entry_point_shows_the_visitor_what_it_is_asked(story: Story) -> None:
    shop(story).given(rule("r", ASK))
    fired(story, "r")
    question = AskEntryPoint(entry_point_id=EntryPointId("web"))
    for actor, expected in ((VERA, ["fr", "support"]), (WIM, [])):
        shown = answer(story.workspace, question, actor, story.at)
        assert isinstance(shown, EntryPointView)
        assert [one.group_id for one in shown.groups] == expected


# --- what its conversations get ---------------------------------------------------------------


def test_tr04_what_the_visitor_opens_gets_priority_tags_and_skills(story: Story) -> None:
    shop(story).given(rule("r", *PREPARED), online("cleo", "support", skills=["fr"]))
    fires(story, "r").then(
        event("rule_fired"),
        event("visitor_prepared", visitor_id="vera", priority=8, tags=["vip"], skills=["fr"]),
    )
    story.now(vera_opens("c1")).then(
        event("conversation_opened", priority=8, skills=["fr"]),
        event("conversation_changed", priority=8, skills=["fr"], tags=["vip"]),
        event("conversation_assigned", operator_id="cleo"),
    )
    story.opens("c2")
    assert (story.conversation("c2").priority, story.conversation("c2").tags) == (5, ())


def test_tr04_what_the_visitor_says_itself_is_kept(story: Story) -> None:
    shop(story).given(rule("r", *PREPARED))
    fired(story, "r").now(vera_opens("c1", priority=2, skills=["it"], optional_skills=["es"]))
    conversation = story.conversation("c1")
    assert (conversation.priority, conversation.skills) == (2, ("it", "fr"))
    assert conversation.optional_skills == ("es",)


def test_tr04_rules_add_up_and_of_two_priorities_the_later_holds(story: Story) -> None:
    shop(story).given(rule("a", {"set_priority": 8}, {"add_tag": "a"}))
    story.given(rule("b", {"set_priority": 3}, {"add_tag": "b"}, {"require_skill": "fr"}))
    fired(story, "a")
    fires(story, "b").then(
        event("rule_fired"),
        event("visitor_prepared", priority=3, tags=["a", "b"], skills=["fr"]),
    )
    story.given(rule("c", {"add_tag": "a"}, {"set_priority": 3}))
    does_nothing(fires(story, "c"), "so_already")


def test_tr04_what_it_has_open_changes_and_stays_where_it_is(story: Story) -> None:
    shop(story).given(rule("r", *PREPARED), vera_opens("c1"), policy(delivery="manual"))
    story.given(vera_opens("c2", priority=8, skills=["fr"]))
    fires(story, "r").then(
        event("rule_fired"),
        event("visitor_prepared"),
        event("conversation_changed", conversation_id="c1", priority=8, skills=["fr"]),
        event("conversation_changed", conversation_id="c2", priority=8, tags=["vip"]),
    )
    assert story.owners("c1", "c2") == ["ana", None]


def test_tr05_what_people_change_afterwards_is_theirs(story: Story) -> None:
    shop(story).given(rule("r", *PREPARED, frequency="always"), vera_opens("c1"))
    fired(story, "r")
    story.given(step(ANA, "set_conversation", conversation_id="c1", priority=1, tags=[]))
    does_nothing(fires(story, "r"), "so_already")
    fired(story.given(rule("tag", {"add_tag": "late"})), "tag")
    conversation = story.conversation("c1")
    assert (conversation.priority, conversation.tags) == (1, ("late",))


def test_tr04_what_waits_is_served_by_its_new_needs(story: Story) -> None:
    shop(story).given(rule("r", {"require_skill": "fr"}), policy(delivery="manual"))
    story.given(vera_opens("c1"))
    fired(story, "r").given(policy(delivery="auto"))
    assert story.reason("c1") == "skill_missing"
    story.given(online("cleo", "support", skills=["fr"]))
    assert story.owner("c1") == "cleo"


# --- sessions -------------------------------------------------------------------------------


def test_fw12_it_all_ends_with_the_session(story: Story) -> None:
    shop(story).given(rule("r", TO_FRENCH, *PREPARED, ASK))
    fired(story, "r")
    story.now(session_over()).then(
        event("visitor_session_ended", visitor_id="vera", session_id="s1")
    )
    story.now(session_over()).then()
    story.now(vera_opens("c1", group_id="fr")).refused("group_not_offered")
    story.now(vera_opens("c1")).then(
        event("conversation_opened", scope_source="entry_point", priority=5, skills=[]),
        event("conversation_assigned", operator_id="ana"),
    )


def test_fw12_what_people_chose_stays(story: Story) -> None:
    shop(story).given(rule("r", TO_FRENCH))
    story.given(step(ADMIN, "assign_visitor", visitor_id="vera", to={"operator": "ana"}))
    fired(story, "r").now(session_over()).then(event("visitor_session_ended"))
    assert list(visitor(story).ahead) == ["person"]


@pytest.mark.parametrize("session_id", ["s0", "s2"])
def test_fw12_the_end_of_another_session_ends_nothing(story: Story, session_id: str) -> None:
    shop(story).given(rule("r", TO_FRENCH))
    fired(story, "r").now(session_over(session_id)).then()
    story.when(RULES, "visitor_session_ended", visitor_id="wim", session_id="s1").then()


def test_fw12_where_nothing_was_arranged_nothing_ends(story: Story) -> None:
    shop(story).given(rule("r", HELLO))
    fired(story, "r").now(session_over()).then()
    fires(story, "r", "s2").then(event("rule_fired"), event("visitor_invited"))


def test_fw12_a_new_session_ends_what_was_arranged_for_the_former_one(story: Story) -> None:
    shop(story).given(rule("fr", TO_FRENCH), rule("tag", {"add_tag": "t"}))
    fired(story, "fr")
    fires(story, "tag", "s2").then(
        event("visitor_session_ended", session_id="s1"),
        event("rule_fired", session_id="s2"),
        event("visitor_prepared", priority=None, tags=["t"], skills=[]),
    )
    fires(story, "fr", "s2").then(event("rule_fired"), event("visitor_assigned"))
    assert story.told("visitor_session_ended")[1:] == []


def test_fw12_what_does_nothing_in_a_new_session_ends_nothing_either(story: Story) -> None:
    shop(story).given(rule("fr", TO_FRENCH), rule("hi", HELLO))
    fired(story, "fr").given(step(ANA, "log_out", session_id="ana-1"))
    does_nothing(fires(story, "hi", "s2"), "not_live")
    assert "rule" in visitor(story).ahead


# --- signs of life --------------------------------------------------------------------------


def test_tm06_reading_pages_is_a_sign_but_not_each_page_an_event(story: Story) -> None:
    shop(story).given(policy(visitor_gone_after_s=60), vera_opens("c1"))
    story.after(30).now(seen()).then()
    story.after(1).now(seen()).then(event("visitor_seen", visitor_id="vera"))
    story.now(seen()).then()
    story.after(59).then()
    story.after(1).then_among_others(event("visitor_left", visitor_id="vera"))
    story.now(seen()).then_among_others(event("visitor_back", visitor_id="vera"))


def test_tm06_whoever_said_it_left_is_back_when_it_reads(story: Story) -> None:
    shop(story).given(vera_opens("c1"), step(VERA, "visitor_left"))
    story.now(seen()).then_among_others(event("visitor_back", visitor_id="vera"))
    story.now(seen()).then()


def test_tm06_without_a_time_to_be_gone_or_a_conversation_reading_changes_nothing(
    story: Story,
) -> None:
    shop(story)
    story.now(seen()).then()
    assert "vera" not in story.workspace.visitors
    story.given(vera_opens("c1"))
    story.after(3_600).now(seen()).then()


# --- what is shown --------------------------------------------------------------------------


def test_qy01_the_workspace_shows_its_rules_in_their_order_with_versions(story: Story) -> None:
    shop(story).given(rule("b", HELLO, order=2), rule("a", TO_FRENCH, order=2, enabled=False))
    story.given(rule("c", TO_FRENCH, order=1))
    shown = answer(story.workspace, AskWorkspace(), ADMIN, story.at)
    assert isinstance(shown, WorkspaceView)
    assert [one.rule_id for one in shown.rules] == ["c", "a", "b"]
    logged = {
        recorded.envelope.data.rule_id: recorded.position
        for recorded in story.log
        if isinstance(recorded.envelope.data, RuleSaved)
    }
    assert {one.rule_id: one.version for one in shown.rules} == logged
    invite = shown.rules[2].then[0].invite
    assert invite is not None
    assert invite.message is not None


def test_qy01_the_visitor_shows_what_rules_arranged(story: Story) -> None:
    shop(story).given(rule("r", TO_FRENCH, *PREPARED, ASK))
    fired(story, "r")
    shown = answer(story.workspace, AskVisitor(visitor_id=visitor(story).visitor_id), ANA, story.at)
    assert isinstance(shown, VisitorAnswer)
    assert [(one.to.group, one.by) for one in shown.visitor.assigned] == [("fr", "rule")]
    assert shown.visitor.session == "s1"
    assert shown.visitor.fired == ("r",)
    assert shown.visitor.asked == {"web": ("fr", "support")}
    prepared = shown.visitor.prepared
    assert prepared is not None
    assert (prepared.priority, prepared.tags, prepared.skills) == (8, ("vip",), ("fr",))
