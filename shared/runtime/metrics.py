"""Every figure that the services tell of themselves: the one catalogue of them.

What is exported, ``docs/metrics.md``, the dashboard and the alerts follow from it or are tested
against it. No label holds an id, nor the name of a workspace: there are too many of them, and
whoever watches the machines has no business with them.
"""

from typing import Literal, NamedTuple

Kind = Literal["counter", "gauge", "histogram"]


class Metric(NamedTuple):
    """One figure. ``remedy`` says what to do where it is not as it should be."""

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    told_by: str
    """Which services tell it."""
    meaning: str
    remedy: str


# --- every process ------------------------------------------------------------------------------

SERVING = Metric(
    "fernamt_serving",
    "gauge",
    "1 or 0",
    ("service",),
    "all",
    "Whether the service does its work; 0 also where it stands by while another works.",
    "Of each service one process at least is to show 1; /readyz says what keeps it from that.",
)
BUS_CONNECTED = Metric(
    "fernamt_bus_connected",
    "gauge",
    "1 or 0",
    (),
    "all",
    "Whether messages flow between the process and the broker.",
    "Look whether the broker runs and lets the process in; it connects again by itself.",
)
BUS_MESSAGES = Metric(
    "fernamt_bus_messages_total",
    "counter",
    "messages",
    ("direction",),
    "all",
    "Messages sent (out) and received (in).",
    "Nothing by itself: it is what the others are compared with.",
)
BUS_FAULTS = Metric(
    "fernamt_bus_faults_total",
    "counter",
    "faults",
    ("fault",),
    "all",
    "Messages not sent as too much waited (refused), unreadable ones (malformed), handlers that "
    "failed (handler_failed) or kept the reading waiting (slow), permissions missing (denied).",
    "denied: give the service's user its permissions. refused: the broker does not take what it is "
    "sent. handler_failed: a fault of ours, with its trace in the log.",
)
BUS_RENEWED = Metric(
    "fernamt_bus_connections_renewed_total",
    "counter",
    "connections",
    ("how",),
    "all",
    "Connections to the broker that were lost and found again, by the client or from scratch.",
    "Seek the cause in the network, or in the broker's log.",
)

# --- who answers --------------------------------------------------------------------------------

ANSWERS = Metric(
    "fernamt_answers_total",
    "counter",
    "answers",
    ("service", "outcome"),
    "router, notifier, evaluator, auditor, auth",
    "Answers to commands and questions: answered, repeated, or the code of the refusal. To the "
    "broker's questions who somebody is: admitted, turned_away.",
    "overloaded: more comes than is done, so more routers or fewer senders. unavailable: the store "
    "cannot be read, or a fault stands in the log. not_allowed, malformed, too_many: look at the "
    "front end.",
)

# --- the router ---------------------------------------------------------------------------------

WAITING = Metric(
    "fernamt_conversations_waiting",
    "gauge",
    "conversations",
    ("reason",),
    "router",
    "Conversations without an owner, by what they wait for.",
    "fernamt why-waiting CONVERSATION says of each what would end it.",
)
OLDEST = Metric(
    "fernamt_waiting_oldest_seconds",
    "gauge",
    "seconds",
    (),
    "router",
    "How long the conversation waits that has waited longest, of those whose visitor is there; 0 "
    "where none does.",
    "fernamt queue lists those that wait; who may take them is too few, or not there.",
)
STUCK = Metric(
    "fernamt_conversations_stuck",
    "gauge",
    "conversations",
    (),
    "router",
    "Conversations that wait although somebody eligible is free and nothing holds them. Always 0.",
    "A fault of ours: keep the log (fernamt export), restart the router that says so, report it.",
)
OWNED_AFTER = Metric(
    "fernamt_assignment_wait_seconds",
    "histogram",
    "seconds",
    (),
    "router",
    "How long each conversation had no owner before it got one, since it was opened, forwarded, or "
    "its owner went.",
    "fernamt find waited shows which; more operators, more capacity, or another policy, which "
    "fernamt simulate tries out.",
)
EVENTS = Metric(
    "fernamt_events_total",
    "counter",
    "events",
    ("event",),
    "router",
    "Facts and decisions written to the logs, by name: what became of offers among them.",
    "Nothing by itself. Many offer_expired: operators who are online and do not look.",
)
LOG_EVENTS = Metric(
    "fernamt_log_events",
    "gauge",
    "events",
    (),
    "router",
    "How far the logs reach of all workspaces that this router holds, added up.",
    "Nothing by itself: it grows as long as anything happens.",
)
WORKSPACES = Metric(
    "fernamt_workspaces",
    "gauge",
    "workspaces",
    ("state",),
    "router",
    "Workspaces that this router holds: on_duty, loading, or off_duty after a fault.",
    "off_duty: the router's log says log_corrupt or workspace_off_duty; fernamt verify looks.",
)
PARTITIONS_HELD = Metric(
    "fernamt_partitions_held",
    "gauge",
    "partitions",
    (),
    "router",
    "Partitions whose lease this router holds: 64 in all routers together.",
    "Fewer for longer than a lease lasts: a router cannot take its share, and its log says why.",
)
UNDER_WAY = Metric(
    "fernamt_requests_under_way",
    "gauge",
    "requests",
    (),
    "router",
    "Commands and questions that were read and are not answered yet.",
    "Compare the commits: a slow store keeps them all waiting.",
)
COMMAND_TIME = Metric(
    "fernamt_command_seconds",
    "histogram",
    "seconds",
    (),
    "router",
    "From the reading of a command to the commit of what it brought.",
    "Compare fernamt_commit_seconds: the rest of it is waiting for the router's own processor.",
)
COMMIT_TIME = Metric(
    "fernamt_commit_seconds",
    "histogram",
    "seconds",
    (),
    "router",
    "How long the store takes for one commit, of whatever had come meanwhile.",
    "Look at the database: its disk, its locks, the network to it.",
)
COMMIT_ROWS = Metric(
    "fernamt_commit_rows_total",
    "counter",
    "events",
    (),
    "router",
    "Events committed; by the number of commits, how many went together.",
    "Nothing by itself.",
)
COMMITS_FAILED = Metric(
    "fernamt_commits_failed_total",
    "counter",
    "commits",
    ("why",),
    "router",
    "Commits that came to nothing: unavailable, in_doubt (nobody knows), lease_lost.",
    "The router reads the log again by itself. Look at the database and the way to it.",
)
CONFLICTS = Metric(
    "fernamt_append_conflicts_total",
    "counter",
    "conflicts",
    (),
    "router",
    "Workspaces whose next position had been taken by another writer.",
    "Rare and harmless when partitions change hands. Otherwise somebody else writes to the log.",
)
RELAY_LAG = Metric(
    "fernamt_relay_lag_events",
    "gauge",
    "events",
    (),
    "router",
    "Committed events that are not in the broker's stream for back ends yet.",
    "Look at the broker: whether JetStream is on and has room. It catches up by itself.",
)
PRESENCE_STALE = Metric(
    "fernamt_presence_stale",
    "gauge",
    "1 or 0",
    (),
    "router",
    "Whether the router hears nothing of a presence service: statuses are those known last.",
    "Start fernamt run presence, or look why the broker does not carry its watch.",
)

# --- who follows the log ------------------------------------------------------------------------

FOLLOWER_LAG = Metric(
    "fernamt_projection_lag_events",
    "gauge",
    "events",
    ("service",),
    "notifier, presence, evaluator, archivist",
    "Events that the service has heard of and has not worked through, in all workspaces.",
    "Look whether its processor is busy, and the store answers it.",
)
UNFOLLOWED = Metric(
    "fernamt_logs_unfollowed",
    "gauge",
    "workspaces",
    ("service",),
    "notifier, presence, evaluator, archivist",
    "Workspaces whose log the service has stopped following, as an event cannot be read or does "
    "not fit what stands before it.",
    "fernamt verify says where and what; a release that is older than the log cannot read it.",
)

# --- the notifier -------------------------------------------------------------------------------

FEEDS_UNSEEN = Metric(
    "fernamt_feed_messages_unseen",
    "gauge",
    "messages",
    (),
    "notifier",
    "Messages to feeds that the broker is not known to have.",
    "Look at the broker. They are sent again on the next connection, in order.",
)
DELIVERIES = Metric(
    "fernamt_deliveries_total",
    "counter",
    "tries",
    ("channel", "outcome"),
    "notifier",
    "What became of mails and webhooks: sent, not_needed, failed (tried again), dead.",
    "fernamt dead-letters lists the dead with the reason; --resend or --all sends them again.",
)
RECIPIENTS_FAILING = Metric(
    "fernamt_recipients_failing",
    "gauge",
    "recipients",
    ("channel",),
    "notifier",
    "Recipients whose last try failed and for whom something waits.",
    "not_delivered in the notifier's log says whom and why.",
)

# --- presence -----------------------------------------------------------------------------------

HEARTBEATS = Metric(
    "fernamt_heartbeats_total",
    "counter",
    "heartbeats",
    ("outcome",),
    "presence",
    "Heartbeats heard, of operators whom nobody knows (stray), or unreadable (malformed).",
    "malformed and stray: look at the front end that sends them; the log names some.",
)
SESSIONS = Metric(
    "fernamt_sessions",
    "gauge",
    "sessions",
    (),
    "presence",
    "Devices that are logged in.",
    "A sudden fall: front ends lost the broker.",
)
STALLS = Metric(
    "fernamt_presence_stalls_total",
    "counter",
    "stalls",
    (),
    "presence",
    "Times it could not hear for a while, so that silence proves nothing and leases began anew.",
    "Each delays by a lease that somebody is found to be gone. Give it a processor that is free.",
)

# --- the evaluator ------------------------------------------------------------------------------

VISITS = Metric(
    "fernamt_visits",
    "gauge",
    "visits",
    (),
    "evaluator",
    "Visits to sites that are kept in memory.",
    "Nothing by itself: there is a bound, beyond which the oldest are forgotten.",
)
VIEWS_LOST = Metric(
    "fernamt_views_lost_total",
    "counter",
    "page views",
    ("why",),
    "evaluator",
    "Page views that no rule was held against: refused as unreadable, or dropped as too many came.",
    "refused: the log says view_refused and why. dropped: fewer rules, or fewer views.",
)
RULE_REPORTS = Metric(
    "fernamt_rule_reports_total",
    "counter",
    "reports",
    ("outcome",),
    "evaluator",
    "Tries to tell the router that a rule holds (sent), and reports it never answered (failed).",
    "failed: look whether a router serves the workspace.",
)

# --- the archivist ------------------------------------------------------------------------------

UNSEALED = Metric(
    "fernamt_events_unsealed",
    "gauge",
    "events",
    (),
    "archivist",
    "Events that no seal covers yet: up to 1,000 in each workspace, for a minute.",
    "not_sealed in the archivist's log says why.",
)
SEAL_FAULTS = Metric(
    "fernamt_seal_faults_total",
    "counter",
    "faults",
    (),
    "archivist",
    "Times the log was not what the seals say, or lacked rows that had been heard of. Always 0.",
    "Somebody touched the log, or a backup was restored: fernamt verify names the position.",
)
SNAPSHOTS = Metric(
    "fernamt_snapshots_total",
    "counter",
    "snapshots",
    (),
    "archivist",
    "Snapshots taken, which spare routers and questions the reading of whole logs.",
    "Nothing by itself: one for every 5,000 events or so.",
)

# --- the auditor --------------------------------------------------------------------------------

VERIFY_FINDINGS = Metric(
    "fernamt_verify_findings_total",
    "counter",
    "findings",
    (),
    "auditor",
    "Differences that verifying a log found, asked for over the wire or in the console. Always 0.",
    "fernamt verify names the position, and what is recorded and expected there.",
)

CATALOGUE: tuple[Metric, ...] = tuple(
    value for value in tuple(globals().values()) if isinstance(value, Metric)
)
"""All of them, in the order in which they stand above."""
