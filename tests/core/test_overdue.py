"""Looking at a state in which something is overdue, as between two timers of the same moment."""

from shared.routing.events import StatusBreakEnded
from shared.routing.ids import ConversationId
from shared.routing.relief import WhyWaiting, why_waiting
from shared.routing.transaction import Recorded
from tests.core.story import ANA, BEN, Story, desk, policy, registered


class Looking(Story):
    """Asks why ``c2`` waits once ben's break is over, before anything else falls due."""

    asked: WhyWaiting | None = None

    def saw(self, recorded: Recorded) -> None:
        if isinstance(recorded.envelope.data, StatusBreakEnded):
            c2 = self.workspace.conversations[ConversationId("c2")]
            self.asked = why_waiting(self.workspace, c2)


def test_an_overdue_end_of_wrap_up_is_what_a_conversation_waits_for() -> None:
    story = Looking()
    story.given(desk(ana=1), policy(wrap_up_s=60), registered("ben"))
    story.when(BEN, "set_status", status="busy", for_s=60)
    story.opens("c1")
    story.when(ANA, "close", conversation_id="c1")
    story.opens("c2")
    story.after(60)
    assert story.asked is not None
    assert story.owner("c2") == "ana"
    assert story.asked.changes == ()
    assert story.asked.until == story.workspace.at
