"""One fixed history with something of everything, and the state it leads to.

As a program it prints that state's hash: ``python -m tests.core.told_story``.
"""

import sys
from typing import Any

from shared.routing.describe import state_hash
from shared.routing.events import Actor
from tests.core.story import (
    ADMIN,
    ANA,
    BEN,
    CLEO,
    DAN,
    VERA,
    Story,
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

EVE = Actor("operator", "eve")
FAY = Actor("operator", "fay")
GUS = Actor("operator", "gus")


def tell() -> Story:
    """A whole day: a morning without offers, and a night full of them."""
    story = Story()
    _morning(story)
    _night(story)
    return story


def _morning(story: Story) -> None:
    """At a shop with two desks, a second level and a phone."""
    story.given(group("sales", names={"de": "Verkauf"}), group("help"), group("experts"))
    story.given(role("helper", assigned="write", unassigned="write"))
    story.given(entry_point("shop", "sales", "help", fallback=[{"group": "experts"}]))
    story.given(entry_point("phone", "help", weight=3, ask_group=True), entry_point("app"))
    story.given(online("ana", "sales", "help", capacity=4, skills=["fr", "de"]))
    story.given(online("ben", "help", capacity=6), online("cleo", "sales", role_id="helper"))
    story.given(registered("dan", "experts", capacity=2), policy(ranking="longest_idle"))
    story.given(policy(group_id="help", ranking="highest_free_ratio", delivery="auto"))
    story.given(opened("c1", "c2", "c3", entry_point_id="shop", skills=["fr"]))
    story.given(opened("c4", "c5", entry_point_id="phone", priority=8)).after(45)
    story.given(opened("c6", "c7", "c8", "c9", entry_point_id="shop"), logged_in("dan"))
    story.given(step(BEN, "join", conversation_id="c1"), step(ANA, "reply", conversation_id="c1"))
    story.given(step(CLEO, "set_status", status="busy", for_s=30)).after(60)
    story.given(step(ADMIN, "forward", conversation_id="c1", to={"group": "experts"}, note="vip"))
    story.given(policy(group_id="experts", delivery="broadcast"), policy(ranking="round_robin"))
    story.given(step(ADMIN, "forward", conversation_id="c2", to={"group": "experts"}))
    story.given(step(DAN, "claim", conversation_id="c2"))
    story.given(step(ADMIN, "assign_visitor", visitor_id="vera", to={"operator": "dan"}))
    story.given(step(VERA, "open", conversation_id="v1", entry_point_id="app", contact_id="k"))
    story.given(opened("c10", "c11", "c12", "c13", entry_point_id="app", priority=2)).after(10)
    story.given(step(ADMIN, "update_group", group_id="sales", enabled=False))
    story.given(step(ADMIN, "update_group", group_id="help", enabled=False))
    story.given(opened("c14", entry_point_id="shop"), step(DAN, "leave", conversation_id="v1"))
    story.given(step(ADMIN, "set_conversation", conversation_id="c14", priority=9, tags=["x"]))
    story.given(step(ADMIN, "update_group", group_id="help", enabled=True))
    story.given(step(ADMIN, "remove_operator", operator_id="ben")).after(30)
    story.given(step(VERA, "close", conversation_id="v1")).after(5)
    story.given(step(VERA, "write", conversation_id="v1"))
    story.given(step(ADMIN, "delete_group", group_id="experts"))
    story.given(step(ADMIN, "remove_entry_point", entry_point_id="app"))


def _night(story: Story) -> None:
    """Everything is offered; people decline, fall silent, come and go, or are too slow."""
    story.given(group("night"), entry_point("bell", "night"), policy(unresponsive_after=1))
    asked: dict[str, Any] = {
        "delivery": "offer",
        "decline_backoff_s": 15,
        "rounds_max": 2,
        "ranking": None,
    }
    story.given(policy(group_id="night", **asked), policy(entry_point_id="bell", affinity="off"))
    story.given(online("eve", "night", capacity=4), online("fay", "night", capacity=3))
    story.given(opened("n1", entry_point_id="bell"))
    story.given(step(EVE, "decline_offer", conversation_id="n1", offer=1, text="no idea"))
    story.after(30).after(15)  # fay does not answer, and everybody was asked
    story.given(step(EVE, "set_status", status="busy"), step(EVE, "set_status", status="online"))
    story.given(step(EVE, "accept_offer", conversation_id="n1", offer=4))
    story.given(step(EVE, "reply", conversation_id="n1"), step(FAY, "set_status", status="online"))
    to_fay = {"conversation_id": "n1", "to": {"operator": "fay"}, "mode": "offer"}
    story.given(step(EVE, "forward", **to_fay, note="you know him"))
    story.given(step(FAY, "decline_offer", conversation_id="n1", offer=5, reason="wrong_skill"))
    story.given(step(EVE, "forward", **to_fay), step(EVE, "recall_offer", conversation_id="n1"))
    slow = [{"after_s": 20, "action": "reassign"}, {"after_s": 40, "action": "escalate_invisible"}]
    story.given(policy(group_id="night", on_slow=slow, on_owner_offline="reassign"))
    story.given(step(EVE, "set_status", status="busy"), opened("n2", entry_point_id="bell"))
    story.given(step(FAY, "accept_offer", conversation_id="n2", offer=1))
    story.given(online("gus", "night"), step(GUS, "set_status", status="invisible"))
    story.given(step(GUS, "set_preferences", reachable_when_slow=True)).after(20).after(20)
    story.given(step(EVE, "set_status", status="online"))
    story.given(step(GUS, "claim", conversation_id="n2"), step(GUS, "log_out", session_id="gus-1"))
    story.given(step(ADMIN, "log_out_operator", operator_id="eve"))
    wider = [{"after_s": 30, "add_everyone": True, "raise_priority": 2}]
    story.given(policy(entry_point_id="bell", widening=wider))
    story.given(step(ADMIN, "log_out_operator", operator_id="fay"))
    story.given(opened("n3", entry_point_id="bell", optional_skills=["fr"])).after(30)
    story.given(step(ADMIN, "set_policy", scope={"workspace": True}, policy={"wrap_up_s": 60}))
    story.given(step(ADMIN, "close", conversation_id="n2"))
    story.given(step(Actor("visitor", "visitor-n2"), "write", conversation_id="n2")).after(3_600)


if __name__ == "__main__":
    sys.stdout.write(state_hash(tell().workspace) + "\n")
