"""The stories whose logs are kept, each told from its beginning."""

from collections.abc import Callable
from typing import Any

from shared.routing.events import Actor
from tests.core.phrases import (
    accepts,
    active,
    declines,
    directed,
    idle,
    lapsed,
    on_offer,
    returned,
    shift_ended,
    shift_started,
)
from tests.core.rule_phrases import (
    HELLO,
    PREPARED,
    TO_BEN,
    TO_FRENCH,
    fired,
    fires,
    rule,
    seen,
    session_over,
    shop,
    vera_opens,
)
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    CLEO,
    DAN,
    VERA,
    WIM,
    Story,
    desk,
    entry_point,
    group,
    logged_in,
    online,
    opened,
    policy,
    registered,
    role,
    step,
)
from tests.core.told_story import tell


def second_level() -> Story:
    """Experts behind no entry point get only what is meant for them."""
    story = Story()
    story.given(desk(ana=2, ben=1), group("experts", names={"de": "Fachleute"}))
    story.given(online("cleo", "experts", capacity=3), registered("dan", "experts"))
    story.given(opened("c1", "c2", "c3", "c4"), step(ANA, "reply", conversation_id="c1"))
    story.given(step(ANA, "forward", conversation_id="c1", to={"group": "experts"}, note="deep"))
    story.given(step(ADMIN, "forward", conversation_id="c4", to={"group": "experts"}))
    story.given(on_offer("ben", "c2", {"group": "experts"})).after(5)
    story.given(step(CLEO, "close", conversation_id="c1", reason="solved"), logged_in("dan"))
    story.given(policy(group_id="experts", delivery="broadcast"), opened("c5"))
    story.given(step(ADMIN, "assign_visitor", visitor_id="vera", to={"group": "experts"}))
    story.given(step(VERA, "open", conversation_id="v1", entry_point_id="web")).after(20)
    return story.given(step(DAN, "claim", conversation_id="v1"))


def assign_by_hand() -> Story:
    """A supervisor hands out, takes over and puts back; colleagues come in and leave."""
    story = Story()
    story.given(role("guest", assigned="read"), policy(delivery="manual"))
    story.given(desk(ana=1, ben=3), online("cleo", "support", role_id="guest"))
    story.given(opened("c1", "c2", "c3", priority=7), step(ANA, "claim", conversation_id="c1"))
    story.given(directed("c2", "ana"), directed("c2", "ben"), directed("c3", "ben"))
    story.when(ADMIN, "forward", conversation_id="c3", to={"operator": "cleo"})
    story.given(step(BEN, "add_participant", conversation_id="c2", operator_id="ana"))
    story.given(
        step(BEN, "leave", conversation_id="c2"), step(BEN, "release", conversation_id="c3")
    )
    story.given(step(ANA, "join", conversation_id="c3"), policy(delivery="auto")).after(10)
    story.given(step(ADMIN, "assign_visitor", visitor_id="wim", to={"operator": "ben"}))
    story.given(step(WIM, "open", conversation_id="w1", entry_point_id="web", contact_id="k"))
    return story.given(step(ADMIN, "remove_operator", operator_id="ben"))


def status() -> Story:
    """Chosen, connected, on shift and active are four things; one status follows from them."""
    story = Story()
    story.given(policy(on_owner_offline="reassign_after", reassign_after_s=60), desk(ana=2, ben=2))
    story.given(opened("c1", "c2"), step(ANA, "set_status", status="busy", for_s=120)).after(30)
    story.given(lapsed("ben")).after(149).given(returned("ben"), idle("ana"), active("ana"))
    story.given(logged_in("ana", "phone"), lapsed("ana"), step(BEN, "log_out", session_id="ben-1"))
    story.after(60).given(logged_in("ben", "ben-2"), shift_ended("ben")).after(10)
    story.given(step(BEN, "set_status", status="invisible"), shift_started("ben"))
    story.given(step(ADMIN, "log_out_operator", operator_id="ana")).after(600)
    story.given(policy(manual_offline="deny"), logged_in("ana", "ana-3"))
    story.when(ANA, "set_status", status="offline")
    return story.given(idle("ben"), step(BEN, "reply", conversation_id="c2"))


def offers_and_overflow() -> Story:
    """Offers are declined, expire, go round; what nobody takes goes on to somebody else."""
    story = Story()
    rules: dict[str, Any] = {
        "offer_timeout_s": 20,
        "rounds_max": 2,
        "unresponsive_after": 2,
        "max_waiting": 2,
    }
    story.given(policy(delivery="offer", on_slow=[], **rules), group("rescue"))
    story.given(group("support"), online("ana", "support", capacity=1))
    story.given(online("ben", "support", capacity=1), online("cleo", "rescue", capacity=2))
    fallback = [{"group": "rescue"}, {"everyone": True}]
    story.given(entry_point("web", "support", fallback=fallback, weight=1))
    story.given(opened("c1"), declines("ana", "c1", reason="busy")).after(20).after(15)
    story.given(opened("c2", "c3", "c4", "c5")).after(20).after(20)
    story.given(step(ANA, "set_status", status="busy"), step(ANA, "set_status", status="online"))
    wider = [
        {"after_s": 30, "drop_optional_skills": "all", "raise_priority": 2, "add_everyone": True}
    ]
    story.given(policy(widening=wider), opened("c6", optional_skills=["fr"])).after(45)
    story.given(step(CLEO, "set_status", status="busy"), step(BEN, "set_status", status="busy"))
    story.given(step(ADMIN, "update_group", group_id="support", enabled=False)).after(120)
    return story.given(step(CLEO, "set_status", status="online")).after(10)


def too_slow() -> Story:
    """An unanswered visitor is noticed, moved, brought to those who hide, and missed at last."""
    story = Story()
    steps = [
        {"after_s": 20, "action": "notify"},
        {"after_s": 30, "action": "reassign"},
        {"after_s": 40, "action": "escalate_invisible"},
        {"after_s": 50, "action": "message_visitor"},
    ]
    story.given(
        policy(on_slow=steps, missed_after_s=90, waiting_frees_slot_after_s=60, wrap_up_s=15)
    )
    story.given(desk(ana=1, ben=1), online("cleo", "support"))
    story.given(step(CLEO, "set_preferences", reachable_when_slow=True))
    story.given(step(CLEO, "set_status", status="invisible"), opened("c1", "c2")).after(45)
    story.given(
        step(CLEO, "claim", conversation_id="c1"), step(CLEO, "reply", conversation_id="c1")
    )
    story.after(60).given(opened("c3"), step(ANA, "set_status", status="busy")).after(40)
    visitor = Actor("visitor", "visitor-c1")
    story.given(step(visitor, "write", conversation_id="c1"))
    story.given(step(CLEO, "close", conversation_id="c1")).after(15)
    story.given(step(visitor, "write", conversation_id="c1")).after(90)
    story.given(step(ANA, "set_status", status="online")).after(5)
    return story


def found_by_histories() -> Story:
    """Situations in which random histories once found the engine at fault."""
    story = Story()
    story.given(policy(ranking="round_robin", unresponsive_after=1), desk(ana=9), group("second"))
    story.given(online("ben", "second"), online("cleo", "second"), opened("c1", "c2", "c3"))
    second = {"group": "second"}
    story.given(on_offer("ana", "c1", second), on_offer("ana", "c2", second))
    story.given(on_offer("ana", "c3", {"operator": "ben"})).after(30)
    story.given(step(BEN, "set_status", status="online"), on_offer("ana", "c1", second))
    story.given(step(ADMIN, "delete_group", group_id="second"))
    story.given(policy(delivery="offer", participants_use_slot=True, on_owner_offline="reassign"))
    story.given(opened("c4"), step(ADMIN, "remove_entry_point", entry_point_id="web"))
    story.given(accepts("ana", "c4"), step(BEN, "join", conversation_id="c4"))
    story.given(logged_in("ana", "ana-2"), lapsed("ana", "ana-2"))
    return story.given(step(ANA, "log_out", session_id="ana-1")).after(60)


def rules() -> Story:
    """The visitor of the French pages is assigned, asked, invited and tagged, for its session."""
    story = shop(Story())
    story.given(policy(visitor_gone_after_s=60), role("guest"))
    story.given(rule("fr", TO_FRENCH), rule("hi", HELLO, {"ask_group": ["fr"]}, order=2))
    story.given(rule("vip", *PREPARED, override=True, order=3), vera_opens("c0"))
    fired(story, "fr", page="https://example.org/fr/", held=["when"])
    fires(story, "fr")
    fires(story, "hi")
    fired(story, "vip").after(40)
    story.given(seen(), step(ANA, "close", conversation_id="c0"))
    fired(story, "hi").given(vera_opens("c1"), step(BEN, "set_status", status="busy"))
    story.given(vera_opens("c2"), step(ADMIN, "save_rule", rule_id="fr", then=[TO_BEN]))
    story.given(step(ADMIN, "assign_visitor", visitor_id="vera", to={"group": "fr"}))
    fired(story, "fr").given(vera_opens("c3", group_id="fr")).after(10)
    fired(story, "vip", "s2").given(vera_opens("c4")).after(5)
    story.given(session_over("s2"), step(ADMIN, "delete_rule", rule_id="hi"))
    return story.given(vera_opens("c5")).after(61)


STORIES: dict[str, Callable[[], Story]] = {
    story.__name__: story
    for story in (
        second_level,
        assign_by_hand,
        status,
        offers_and_overflow,
        too_slow,
        found_by_histories,
        rules,
    )
} | {"a_day": tell}
"""By the name of the file that its log is kept in."""
