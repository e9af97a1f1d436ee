"""One fixed history with something of everything, and the state it leads to.

As a program it prints that state's hash: ``python -m tests.core.told_story``.
"""

import sys

from shared.routing.describe import state_hash
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


def tell() -> Story:
    """A morning at a shop with two desks, a second level and a phone."""
    story = Story()
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
    return story


if __name__ == "__main__":
    sys.stdout.write(state_hash(tell().workspace) + "\n")
