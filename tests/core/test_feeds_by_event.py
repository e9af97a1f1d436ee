"""Every event there is: whether it tells operators, visitors, the team, a page, or nobody."""

from collections import defaultdict

from shared.routing.events import EVENT_TYPES, OperatorRemoved, VisitorAsked, VisitorInvited
from shared.routing.notify.operators import TELL_OPERATORS
from shared.routing.notify.visitors import TELL_VISITOR
from tests.core.listening import heard_again
from tests.core.story import as_told
from tests.core.told_story import tell

TELL_BEYOND_CONVERSATIONS = (OperatorRemoved, VisitorAsked, VisitorInvited)
"""These name no conversation, and tell visitors all the same."""

TELL_NOBODY_IN_IT = """
    workspace_created routing_revision_adopted policy_set role_defined role_deleted
    group_defined group_deleted entry_point_defined entry_point_removed entry_point_mode_changed
    hours_opened hours_closed schedule_set webhook_defined webhook_removed subject_erased
    presence_stale presence_fresh operator_registered operator_updated
    group_joined group_left operator_logged_in operator_logged_out session_lapsed session_returned
    disconnect_grace_ended operator_idle operator_active shift_started shift_ended preferences_set
    status_chosen status_break_ended operator_status_changed operator_unresponsive
    visitor_identified visitor_assigned visitor_unassigned visitor_left visitor_back
    conversation_opened conversation_queued operator_replied conversation_unused wrap_up_ended
    owner_away_too_long
    widening_due affinity_wait_ended conversation_widened nobody_else back_off_ended round_ended
    forward_recalled forward_expired routing_cut routing_continues
    rule_saved rule_deleted rule_fired visitor_prepared visitor_seen visitor_session_ended
"""
"""Neither those in a conversation nor its visitor hear of these: of what they lead to, they do.

A conversation that is queued has a place, which its visitor hears when the whole group is over.
"""

TELL_THE_TEAM_NOTHING = """
    visitor_wrote operator_replied status_chosen conversation_broadcast conversation_slow
    conversation_unused nobody_else owner_away_too_long widening_due affinity_wait_ended
    wrap_up_ended
"""
"""These name a conversation, and how it stands is the same as before."""


def test_no01_every_event_tells_those_in_the_conversation_or_is_known_to_tell_them_nothing() -> (
    None
):
    telling = {*TELL_OPERATORS, *TELL_VISITOR, *TELL_BEYOND_CONVERSATIONS}
    quiet = {tag.partition(".")[0] for tag, its in EVENT_TYPES.items() if its not in telling}
    assert quiet == set(TELL_NOBODY_IN_IT.split())


def test_no01_the_team_hears_of_every_change_of_a_conversation_or_a_status() -> None:
    story = tell()
    events = {recorded.position: as_told(recorded) for recorded in story.log}
    unheard = TELL_THE_TEAM_NOTHING.split()
    told = defaultdict(set)
    for message in heard_again(story.log):
        told[message.position].add((message.notification.recipient.kind, message.notification.type))
    for position, happened in events.items():
        named = "conversation_id" in happened.fields and happened.name not in unheard
        if happened.name != "operator_removed":  # of whom it depends what he was in
            assert (("team", "conversation_changed") in told[position]) == named, happened
        status = happened.name == "operator_status_changed"
        assert (("team", "status_changed") in told[position]) == status, happened
        mode = happened.name == "entry_point_mode_changed"
        assert (("entry", "mode_changed") in told[position]) == mode, happened
