// What is said between Fernamt and its front ends, as types. `make schemas` writes this file.

export interface AcceptOffer {
  conversation_id: string;
  offer: number;
}

/** One thing that a rule does, as its author writes it; exactly one field is set. */
export type Action =
  | { assign: Scope; invite?: never; ask_group?: never; set_priority?: never; add_tag?: never; require_skill?: never; }
  | { invite: Invitation; assign?: never; ask_group?: never; set_priority?: never; add_tag?: never; require_skill?: never; }
  | { ask_group: string[]; assign?: never; invite?: never; set_priority?: never; add_tag?: never; require_skill?: never; }
  | { set_priority: number; assign?: never; invite?: never; ask_group?: never; add_tag?: never; require_skill?: never; }
  | { add_tag: string; assign?: never; invite?: never; ask_group?: never; set_priority?: never; require_skill?: never; }
  | { require_skill: string; assign?: never; invite?: never; ask_group?: never; set_priority?: never; add_tag?: never; };

/** One thing that a rule does; exactly one field is set. */
export type ActionView =
  | { assign: Scope; invite?: never; ask_group?: never; set_priority?: never; add_tag?: never; require_skill?: never; }
  | { invite: InvitationView; assign?: never; ask_group?: never; set_priority?: never; add_tag?: never; require_skill?: never; }
  | { ask_group: string[]; assign?: never; invite?: never; set_priority?: never; add_tag?: never; require_skill?: never; }
  | { set_priority: number; assign?: never; invite?: never; ask_group?: never; add_tag?: never; require_skill?: never; }
  | { add_tag: string; assign?: never; invite?: never; ask_group?: never; set_priority?: never; require_skill?: never; }
  | { require_skill: string; assign?: never; invite?: never; ask_group?: never; set_priority?: never; add_tag?: never; };

/** Who speaks. `service` names the back end that spoke for this actor, if one did. */
export interface Actor {
  kind: "admin" | "operator" | "service" | "visitor";
  id: string;
  service?: string | null;
}

export interface AddParticipant {
  conversation_id: string;
  operator_id: string;
}

/** `by` brought you in. */
export interface Added {
  type: "added";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  by: string;
}

export interface AffinityWaitEnded {
  type: "affinity_wait_ended.v1";
  conversation_id: string;
  due: number;
}

export interface AheadView {
  to: Scope;
  by: "person" | "rule" | "visitor";
}

/** Done, and committed at `position`; or a query's answer, as of `position`. */
export interface Answered<Result = unknown> {
  ok: true;
  position: number;
  at: number;
  repeated?: boolean;
  result: Result;
}

/** One conversation; a visitor may ask for its own. */
export interface AskConversation {
  conversation_id: string;
}

/** `conversation` as of a moment. */
export interface AskConversationThen {
  conversation_id: string;
  position?: number | null;
  at?: number | null;
}

/** The conversations that a visitor opened before a position, the latest first. */
export interface AskConversationsOf {
  visitor_id: string;
  before?: number | null;
  limit?: number;
}

/** What could be delivered neither by e-mail nor to webhooks, `limit` at a time. */
export interface AskDeadLetters {
  limit?: number;
  after?: string | null;
}

/** What is different between two moments, `limit` things of each kind. */
export interface AskDiff {
  from: Moment;
  to?: Moment;
  limit?: number;
}

/** How an entry point shows itself now, and the groups it offers. */
export interface AskEntryPoint {
  entry_point_id: string;
}

/** `entry_point` as of a moment. */
export interface AskEntryPointThen {
  entry_point_id: string;
  position?: number | null;
  at?: number | null;
}

/** The events after a position as they are stored, `limit` at a time. */
export interface AskEvents {
  after?: number;
  limit?: number;
}

/**
 * Why a conversation went where it went: the decision at `position`, or its last one by
 * `at`; without either its last one of all. `limit` candidates are told, from number `skip`
 * on.
 */
export interface AskExplain {
  conversation_id: string;
  skip?: number;
  limit?: number;
  position?: number | null;
  at?: number | null;
}

/**
 * The asker's own feed again, from the message after number `after`; without it none.
 *
 * The answer says in any case which number the last one has.
 */
export interface AskFeed {
  after?: number | null;
  limit?: number;
}

/**
 * Conversations of a stretch of the log that show a pattern.
 *
 * A long stretch is looked through piece by piece: `next` of the answer is the position of
 * `from` to ask on with.
 */
export interface AskFind {
  pattern?:
    | "any"
    | "forwarded"
    | "missed"
    | "owner_left"
    | "reassigned"
    | "refused"
    | "waited"
    | "waited_while_free";
  from?: Moment;
  to?: Moment;
  over_s?: number;
  within_s?: number;
  more_than?: number;
  visitor_id?: string | null;
  operator_id?: string | null;
  conversation_id?: string | null;
  limit?: number;
}

/** A rule asks the visitor which group it wants. */
export interface AskGroup {
  type: "ask_group";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  entry_point_id: string;
  groups: GroupAsked[];
}

/** Conversations as the asking operator may see them, `limit` at a time. */
export interface AskInbox {
  view: "all" | "mine" | "unassigned";
  group_id?: string | null;
  operator_id?: string | null;
  entry_point_id?: string | null;
  state?: "assigned" | "closed" | "offered" | "waiting" | null;
  limit?: number;
  after?: string | null;
}

/** `inbox` as of a moment, as the asking operator saw it then. */
export interface AskInboxThen {
  view: "all" | "mine" | "unassigned";
  group_id?: string | null;
  operator_id?: string | null;
  entry_point_id?: string | null;
  state?: "assigned" | "closed" | "offered" | "waiting" | null;
  limit?: number;
  after?: string | null;
  position?: number | null;
  at?: number | null;
}

/** How far a job has come, and its result once it is done. */
export interface AskJob {
  job_id: string;
}

/** The asking operator's own status, sessions, offers and preferences. */
export type AskMe = { [name: string]: never };

/** Which position and which time a moment is, and how far the log reaches. */
export interface AskMoment {
  position?: number | null;
  at?: number | null;
}

/** Every operator with all settings. */
export type AskOperators = { [name: string]: never };

/** What waits, with places, for one group or for all. */
export interface AskQueue {
  group_id?: string | null;
}

/** `queue` as of a moment. */
export interface AskQueueThen {
  group_id?: string | null;
  position?: number | null;
  at?: number | null;
}

/** Let dead letters be tried again: all, unless `ids` names some. The log stays as it is. */
export interface AskResendDeadLetters {
  ids?: string[] | null;
}

/** Who is online and how loaded, in one group or in the whole workspace. */
export interface AskRoster {
  group_id?: string | null;
}

/** `roster` as of a moment. */
export interface AskRosterThen {
  group_id?: string | null;
  position?: number | null;
  at?: number | null;
}

/** The seals of the log that reach beyond a position, `limit` at a time. */
export interface AskSeals {
  after?: number;
  limit?: number;
}

/**
 * Begin to play a stretch of the log as it would have been under `changes`; the answer names
 * the job. A change is what `set_policy` takes, or one of `{"update_operator": ...}`,
 * `{"join_group": ...}` and `{"leave_group": ...}` with what these take.
 */
export interface AskSimulate {
  changes: { [name: string]: unknown }[];
  from?: Moment;
  to?: Moment;
}

/** Everything that happened in one conversation, `limit` events at a time. */
export interface AskTimeline {
  conversation_id: string;
  after?: number;
  limit?: number;
}

/** Begin to check the whole log and to re-make every decision; the answer names the job. */
export interface AskVerify {
  until?: number | null;
}

/** To whom a visitor is assigned ahead, and its open conversations. */
export interface AskVisitor {
  visitor_id: string;
}

/** `visitor` as of a moment. */
export interface AskVisitorThen {
  visitor_id: string;
  position?: number | null;
  at?: number | null;
}

/** Why one operator did not get one conversation. */
export interface AskWhyNot {
  operator_id: string;
  conversation_id: string;
  position?: number | null;
  at?: number | null;
}

/** Why a rule did not fire for the last page views of a visitor; operators need `audit`. */
export interface AskWhyNotFired {
  rule_id: string;
  visitor_id: string;
}

/** Why a conversation waited, and what would have ended it; by default the last time it did. */
export interface AskWhyWaiting {
  conversation_id: string;
  position?: number | null;
  at?: number | null;
}

/** Roles, groups, entry points and policies with their versions. */
export type AskWorkspace = { [name: string]: never };

/** `workspace` as of a moment. */
export interface AskWorkspaceThen {
  position?: number | null;
  at?: number | null;
}

export interface AssignVisitor {
  visitor_id: string;
  to: Scope;
}

/**
 * It is yours: by ranking, because you know the visitor, as the bot that answers first,
 * because its owner is out and you take part longest, because its visitor or a fallback names
 * you, or again.
 */
export interface Assigned {
  type: "assigned";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  reason: "affinity" | "directed" | "first_responder" | "handed_over" | "reopened" | "routed";
}

/** What had to be taken for granted, by a code that never changes, and its numbers. */
export interface Assumption {
  code:
    | "acts_left_out"
    | "acts_not_reached"
    | "answered_after"
    | "changes_outlive"
    | "claimed_after"
    | "closed_after"
    | "commands_not_understood"
    | "nobody_known_to_answer"
    | "offers_accepted_after"
    | "offers_as_recorded"
    | "owner_must_be_there"
    | "presence_as_recorded"
    | "present_rules"
    | "rules_as_recorded"
    | "visitors_as_recorded"
    | "visitors_keep_pace"
    | "work_takes_as_long";
  numbers?: { [name: string]: number };
}

/** Whoever declined or let the offer expire is asked again. */
export interface BackOffEnded {
  type: "back_off_ended.v1";
  conversation_id: string;
  due: number;
}

/** What a heartbeat says beside its subject. */
export interface BeatBody {
  active?: boolean;
}

export interface BecomeActive {
  operator_id: string;
}

export interface BecomeIdle {
  operator_id: string;
}

/** Whom the visitor was assigned to by somebody who goes before rules. */
export interface Before {
  by: "person" | "rule" | "visitor";
  to: Scope;
}

/** A job that was begun. */
export interface Begun {
  job_id: string;
}

/**
 * One operator as routing saw him for one conversation.
 *
 * `verdict`: `first` in the ranking, `eligible` behind, or `excluded`, by all of
 * `exclusions`. `key` is the place in the ranking, lower first: the rank, then the position of
 * the last assignment. `missing_skills` are those asked for that he lacks.
 */
export interface CandidateView {
  operator_id: string;
  verdict: "eligible" | "excluded" | "first";
  exclusions: (
    | "already_involved"
    | "at_capacity"
    | "busy"
    | "declined"
    | "disconnected"
    | "group_disabled"
    | "idle"
    | "invisible"
    | "no_permission"
    | "not_member"
    | "off_shift"
    | "offline"
    | "removed"
    | "skill_missing"
    | "unresponsive")[];
  key: number[];
  effective: "busy" | "invisible" | "offline" | "online";
  cause:
    | "chosen"
    | "disconnected"
    | "idle"
    | "logout"
    | "never_logged_in"
    | "shift_end"
    | "unresponsive";
  load: number;
  capacity: number;
  missing_skills: string[];
}

/** A single change that would release the conversation, with what it concerns. */
export interface Change {
  what:
    | "ask_again"
    | "group_enabled"
    | "hours"
    | "membership"
    | "online"
    | "permission"
    | "policy"
    | "skill"
    | "slot"
    | "visitor_back";
  operator_id?: string | null;
  status?:
    | "already_involved"
    | "at_capacity"
    | "busy"
    | "declined"
    | "disconnected"
    | "group_disabled"
    | "idle"
    | "invisible"
    | "no_permission"
    | "not_member"
    | "off_shift"
    | "offline"
    | "removed"
    | "skill_missing"
    | "unresponsive"
    | null;
  skill?: string | null;
  group_id?: string | null;
  entry_point_id?: string | null;
  field?: string | null;
  value?: string | null;
}

export interface Claim {
  conversation_id: string;
}

export interface ClearPolicy {
  scope: PolicyScope;
}

export interface Close {
  conversation_id: string;
  reason?: "abandoned" | "other" | "solved" | "spam";
  text?: string | null;
}

/** It is over. */
export interface Closed {
  type: "closed";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  reason: "abandoned" | "other" | "solved" | "spam";
}

export type ComeBack = { [name: string]: never };

/**
 * A tree with exactly one of `all`, `any`, `not`, `always` and `field` at each node.
 *
 * `{"field": "current_url", "op": "starts_with", "value": "https://example.org/fr/"}`
 */
export interface Condition {
  all?: Condition[] | null;
  any?: Condition[] | null;
  not?: Condition | null;
  always?: boolean;
  field?: string | null;
  op?:
    | "contains"
    | "ends_with"
    | "equals"
    | "exists"
    | "gt"
    | "gte"
    | "in"
    | "lt"
    | "lte"
    | "matches"
    | "not_equals"
    | "starts_with"
    | "wildcard"
    | null;
  value?: string | number | boolean | (string | number | boolean)[] | null;
}

/**
 * One condition on a field: what it wants, what there was, and what came of it.
 *
 * `doubt` says why that cannot be compared: `unknown`, `not_a_number` and so on.
 */
export interface ConditionSeen {
  path: string;
  field: string;
  op:
    | "contains"
    | "ends_with"
    | "equals"
    | "exists"
    | "gt"
    | "gte"
    | "in"
    | "lt"
    | "lte"
    | "matches"
    | "not_equals"
    | "starts_with"
    | "wildcard"
    | null;
  wanted: string | number | boolean | (string | number | boolean)[] | null;
  actual: string | number | boolean | null;
  held: boolean;
  doubt: string | null;
}

/** `positions` name the events of its timeline; empty for visitors. */
export interface ConversationAnswer {
  conversation: ConversationView;
  positions: number[];
}

/**
 * Who owns it now and why it was he.
 *
 * `ranking`, `key` and `tie_break` are null or empty where nobody was ranked. `excess`
 * marks an owner whose load exceeds his capacity by this assignment. `presence_stale`: who was
 * there is what was known last, as nothing was heard of the presence service.
 */
export interface ConversationAssigned {
  type: "conversation_assigned.v1";
  conversation_id: string;
  operator_id: string;
  reason: "affinity" | "directed" | "first_responder" | "handed_over" | "routed";
  decided_at: number;
  policy_version: number;
  pool_size: number;
  ranking:
    | "fewest_open"
    | "highest_free_ratio"
    | "longest_idle"
    | "most_free_slots"
    | "round_robin"
    | null;
  key: number[];
  tie_break: "key" | "least_recently_assigned" | "operator_id" | "sole" | null;
  excess: boolean;
  presence_stale: boolean;
}

/** These operators are told that it waits; each is told once. */
export interface ConversationBroadcast {
  type: "conversation_broadcast.v1";
  conversation_id: string;
  operator_ids: string[];
}

export interface ConversationChanged {
  type: "conversation_changed.v1";
  conversation_id: string;
  priority: number;
  skills: string[];
  optional_skills: string[];
  tags: string[];
}

/** `previous_owner`, if there is one, becomes a participant: it had been escalated. */
export interface ConversationClaimed {
  type: "conversation_claimed.v1";
  conversation_id: string;
  operator_id: string;
  previous_owner: string | null;
}

export interface ConversationClosed {
  type: "conversation_closed.v1";
  conversation_id: string;
  owner: string | null;
  reason: "abandoned" | "other" | "solved" | "spam";
  text: string | null;
}

/** A conversation that is different; `before` is null if it was not there yet. */
export interface ConversationDiff {
  conversation_id: string;
  before: ConversationView | null;
  after: ConversationView;
}

/** Invisible operators who agreed to it are alerted; none of them may mean nobody did. */
export interface ConversationEscalated {
  type: "conversation_escalated.v1";
  conversation_id: string;
  operator_ids: string[];
}

/** `previous_owner` is out, `to` is the scope; both at this position. */
export interface ConversationForwarded {
  type: "conversation_forwarded.v1";
  conversation_id: string;
  to: Scope;
  previous_owner: string | null;
  note: string | null;
}

/** Nobody answered until `due`, or before the visitor closed it: it waits behind all. */
export interface ConversationMissed {
  type: "conversation_missed.v1";
  conversation_id: string;
  owner: string | null;
  due: number | null;
}

/**
 * One live offer, ending as accepted, declined, expired or rescinded. See also the fields of
 * `conversation_assigned`; `ranking` is null where a person named the operator.
 */
export interface ConversationOffered {
  type: "conversation_offered.v1";
  conversation_id: string;
  operator_id: string;
  offer: number;
  expires_at: number;
  reason: "affinity" | "directed" | "first_responder" | "handed_over" | "routed";
  decided_at: number;
  policy_version: number;
  pool_size: number;
  ranking:
    | "fewest_open"
    | "highest_free_ratio"
    | "longest_idle"
    | "most_free_slots"
    | "round_robin"
    | null;
  key: number[];
  tie_break: "key" | "least_recently_assigned" | "operator_id" | "sole" | null;
  presence_stale: boolean;
}

export interface ConversationOpened {
  type: "conversation_opened.v1";
  conversation_id: string;
  visitor_id: string;
  contact_id: string | null;
  entry_point_id: string;
  entry_mode: "hidden" | "live" | "messenger";
  scope: Scope;
  scope_source: "entry_point" | "person" | "rule" | "target_unavailable" | "visitor";
  priority: number;
  skills: string[];
  optional_skills: string[];
  weight: number;
  language: string | null;
  attributes: string | null;
}

/** It waits: to be delivered as `hold` says, or held for that reason. */
export interface ConversationQueued {
  type: "conversation_queued.v1";
  conversation_id: string;
  hold:
    | "affinity_wait"
    | "auto"
    | "broadcast"
    | "manual"
    | "offer"
    | "out_of_hours"
    | "parked_missed"
    | "visitor_away";
  reason:
    | "affinity_wait"
    | "all_declined"
    | "all_full"
    | "back_off"
    | "broadcast"
    | "group_disabled"
    | "group_empty"
    | "held"
    | "manual"
    | "nobody_online"
    | "out_of_hours"
    | "parked_missed"
    | "skill_missing"
    | "visitor_away";
  decided_at: number;
  policy_version: number;
  pool_size: number;
  ranking: "fewest_open" | "highest_free_ratio" | "longest_idle" | "most_free_slots" | "round_robin";
}

/** Taken from `operator_id`; the longest participant comes first, else it is routed. */
export interface ConversationReassigned {
  type: "conversation_reassigned.v1";
  conversation_id: string;
  operator_id: string;
  reason: "owner_offline" | "slow";
}

/** Its scope cannot serve it (`reason`); `to` is the next in line. */
export interface ConversationRedirected {
  type: "conversation_redirected.v1";
  conversation_id: string;
  to: Scope;
  reason:
    | "entry_point_removed"
    | "group_deleted"
    | "group_disabled"
    | "max_waiting"
    | "nobody_online"
    | "operator_gone"
    | "out_of_hours";
}

/** The owner put it back into the home scope; participants stay participants. */
export interface ConversationReleased {
  type: "conversation_released.v1";
  conversation_id: string;
  operator_id: string;
}

/** `owner` has it back at once; without one it waits in `scope`. */
export interface ConversationReopened {
  type: "conversation_reopened.v1";
  conversation_id: string;
  scope: Scope;
  owner: string | null;
}

/** The answer to every command about one conversation. */
export interface ConversationResult {
  conversation: ConversationView;
  warnings?: string[];
}

/** A visitor's message has gone unanswered long enough for step `step` of `on_slow`. */
export interface ConversationSlow {
  type: "conversation_slow.v1";
  conversation_id: string;
  step: number;
  action: "escalate_invisible" | "message_visitor" | "notify" | "reassign";
  due: number;
}

/** Nobody has written for so long that it is closed. */
export interface ConversationUnused {
  type: "conversation_unused.v1";
  conversation_id: string;
  due: number;
}

/**
 * One conversation. `queued_at` is null unless it waits or is offered, `waiting_reason`
 * unless it waits. `offer` is set on a forward that waits to be accepted, too.
 */
export interface ConversationView {
  conversation_id: string;
  visitor_id: string;
  contact_id: string | null;
  entry_point_id: string;
  state: "assigned" | "closed" | "offered" | "waiting";
  scope: Scope | null;
  home_scope: Scope | null;
  owner: string | null;
  participants: string[];
  offer: OfferView | null;
  priority: number;
  skills: string[];
  optional_skills: string[];
  tags: string[];
  queued_at: number | null;
  waiting_reason:
    | "affinity_wait"
    | "all_declined"
    | "all_full"
    | "back_off"
    | "broadcast"
    | "group_disabled"
    | "group_empty"
    | "held"
    | "manual"
    | "nobody_online"
    | "out_of_hours"
    | "parked_missed"
    | "skill_missing"
    | "visitor_away"
    | null;
  missed: boolean;
  opened_at: number;
  entry_mode: "hidden" | "live" | "messenger";
  why_mine?: "broadcast" | "escalated" | "offered" | "owner" | "participant";
}

/** Who else is asked from here on; `skills_dropped` and `priority` are as they now are. */
export interface ConversationWidened {
  type: "conversation_widened.v1";
  conversation_id: string;
  step: number;
  groups: string[];
  everyone: boolean;
  skills_dropped: string[];
  priority: number;
  alert_invisible: boolean;
  policy_version: number;
}

/** The answer to the query `conversation`. */
export interface ConversationWithTimeline {
  conversation: ConversationView;
  timeline: TimelineEntry[];
}

/**
 * What a visitor opened, the latest first. `next` is for `before` if there may be more:
 * the log was looked through back to there.
 */
export interface ConversationsOf {
  conversations: OpenedView[];
  next: number | null;
}

export interface CreateGroup {
  group_id: string;
  name: string;
  description?: string;
  public?: boolean;
  enabled?: boolean;
  names?: { [name: string]: string };
}

export interface CreateWorkspace {
  name: string;
  timezone?: string;
  locale?: string;
}

/** One message that was given up. `message` is the id that its receiver would have seen. */
export interface DeadLetterView {
  id: string;
  channel: "mail" | "webhook";
  recipient: string;
  message: string;
  position: number;
  at: number;
  attempts: number;
  died_at: number;
  error: string;
}

/** The answer to `dead_letters`; `next` is for `after` if there are more. */
export interface DeadLetters {
  dead_letters: DeadLetterView[];
  next: string | null;
}

export interface DeclineOffer {
  conversation_id: string;
  offer: number;
  reason?: "break" | "busy" | "other" | "wrong_skill";
  text?: string | null;
}

/** `name` and `groups` are needed when it is new. */
export interface DefineEntryPoint {
  entry_point_id: string;
  name?: string;
  groups?: string[] | "everyone";
  fallback?: Scope[];
  offline_display?: "hidden" | "messenger";
  ask_group?: boolean | string[];
  weight?: number;
  visitor_may_set?: ("optional_skills" | "priority" | "skills")[];
  first_responder?: string | null;
  names?: { [name: string]: string };
}

export interface DefineRole {
  role_id: string;
  permissions: Permissions;
}

/** `url`, `types` and `secret` are needed when it is new. */
export interface DefineWebhook {
  webhook_id: string;
  url?: string;
  types?: string[];
  secret?: string;
}

export interface DeleteGroup {
  group_id: string;
}

export interface DeleteRole {
  role_id: string;
}

export interface DeleteRule {
  rule_id: string;
}

/**
 * What is different between two moments. Of conversations those are told that were open at
 * one of them: what was opened and closed in between is not. The totals count what there is, also
 * beyond the limit. `policy_changed`: some policy was set in between.
 */
export interface Diff {
  before: MomentView;
  after: MomentView;
  operators: OperatorDiff[];
  operators_total: number;
  conversations: ConversationDiff[];
  conversations_total: number;
  entry_points: EntryPointDiff[];
  policy_changed: boolean;
}

/** One conversation for which not all three say the same; null where it did not wait. */
export interface Difference {
  conversation_id: string;
  recorded: Waited | null;
  baseline: Waited | null;
  simulated: Waited | null;
}

export interface DisconnectGraceEnded {
  type: "disconnect_grace_ended.v1";
  operator_id: string;
  due: number;
}

export interface EndShift {
  operator_id?: string | null;
  entry_point_id?: string | null;
}

/** Nothing was seen of the visitor for so long that its session is over. */
export interface EndVisitorSession {
  visitor_id: string;
  session_id: string;
}

export interface EntryPoint {
  entry_point_id: string;
  name: string;
  groups: string[];
  fallback: Scope[];
  offline_display: "hidden" | "messenger";
  ask_group: boolean | string[];
  weight: number;
  visitor_may_set: string[];
  first_responder: string | null;
  names: { [name: string]: string };
  closed?: boolean;
  schedule?: Schedule | null;
  mode?: "hidden" | "live" | "messenger" | null;
}

/** `groups` is empty where the entry point is bound to everyone. */
export interface EntryPointDefined {
  type: "entry_point_defined.v1";
  entry_point_id: string;
  name: string;
  groups: string[];
  fallback: Scope[];
  offline_display: "hidden" | "messenger";
  ask_group: boolean | string[];
  weight: number;
  visitor_may_set: string[];
  first_responder: string | null;
  names: { [name: string]: string };
}

/** An entry point whose mode is different; null where it was not there. */
export interface EntryPointDiff {
  entry_point_id: string;
  before: "hidden" | "live" | "messenger" | null;
  after: "hidden" | "live" | "messenger" | null;
}

export interface EntryPointModeChanged {
  type: "entry_point_mode_changed.v1";
  entry_point_id: string;
  mode: "hidden" | "live" | "messenger";
}

export interface EntryPointRemoved {
  type: "entry_point_removed.v1";
  entry_point_id: string;
}

export interface EntryPointView {
  mode: "hidden" | "live" | "messenger";
  groups: GroupOffered[];
}

/**
 * An event as the log holds it, with everything that was known when it was written.
 *
 * `at` is the router's stamp; `first` the position of the first event of the same command or
 * timer; `by`, `cmd` and `request` are absent on what a timer caused, `request` on all but
 * the first event of a command.
 */
export interface Envelope {
  at: number;
  first: number;
  rev: number;
  epoch: number;
  data:
    | WorkspaceCreated
    | RoutingRevisionAdopted
    | PolicySet
    | RoleDefined
    | RoleDeleted
    | GroupDefined
    | GroupDeleted
    | EntryPointDefined
    | EntryPointRemoved
    | HoursOpened
    | HoursClosed
    | EntryPointModeChanged
    | ScheduleSet
    | WebhookDefined
    | WebhookRemoved
    | SubjectErased
    | RuleSaved
    | RuleDeleted
    | OperatorRegistered
    | OperatorUpdated
    | OperatorRemoved
    | GroupJoined
    | GroupLeft
    | OperatorLoggedIn
    | OperatorLoggedOut
    | SessionLapsed
    | SessionReturned
    | DisconnectGraceEnded
    | OperatorIdle
    | OperatorActive
    | ShiftStarted
    | ShiftEnded
    | PreferencesSet
    | PresenceStale
    | PresenceFresh
    | StatusChosen
    | StatusBreakEnded
    | OperatorStatusChanged
    | VisitorIdentified
    | VisitorAssigned
    | VisitorUnassigned
    | RuleFired
    | VisitorInvited
    | VisitorAsked
    | VisitorPrepared
    | VisitorSessionEnded
    | VisitorSeen
    | ConversationOpened
    | VisitorWrote
    | SlotFreed
    | SlotRetaken
    | VisitorLeft
    | VisitorBack
    | ConversationChanged
    | ConversationClaimed
    | OperatorReplied
    | ParticipantJoined
    | ParticipantLeft
    | OwnerLeft
    | ConversationReleased
    | ConversationForwarded
    | ConversationClosed
    | ConversationReopened
    | ConversationMissed
    | ConversationUnused
    | WrapUpEnded
    | RoutingCut
    | RoutingContinues
    | ConversationSlow
    | OwnerAwayTooLong
    | WideningDue
    | AffinityWaitEnded
    | ConversationWidened
    | ConversationEscalated
    | ConversationReassigned
    | NobodyElse
    | ConversationAssigned
    | ConversationQueued
    | ConversationBroadcast
    | ConversationRedirected
    | BackOffEnded
    | OfferAccepted
    | OfferDeclined
    | OfferExpired
    | ForwardOffered
    | ForwardRecalled
    | ForwardExpired
    | ForwardReturned
    | ConversationOffered
    | OfferRescinded
    | RoundEnded
    | OperatorUnresponsive;
  by?: Actor | null;
  cmd?: string | null;
  request?: Request | null;
  trace?: string | null;
}

/** `subject` names whose texts go: `visitor:v-17`, `contact:c-1`, `operator:ana` ... */
export interface Erase {
  subject: string;
}

/** What `error.code` may be. More may come: take others as a plain refusal. */
export type ErrorCode =
  | "malformed"
  | "unknown_field"
  | "invalid_rule"
  | "invalid_policy"
  | "not_allowed"
  | "no_permission"
  | "unknown_workspace"
  | "unknown_operator"
  | "unknown_group"
  | "unknown_entry_point"
  | "unknown_conversation"
  | "unknown_rule"
  | "unknown_role"
  | "unknown_webhook"
  | "unknown_job"
  | "expired"
  | "command_id_reused"
  | "workspace_exists"
  | "already_exists"
  | "group_name_taken"
  | "group_disabled"
  | "group_not_offered"
  | "status_not_selectable"
  | "operator_offline"
  | "operator_removed"
  | "at_capacity"
  | "already_owned"
  | "already_closed"
  | "already_open"
  | "not_involved"
  | "no_offer"
  | "offer_ended"
  | "nobody_reachable"
  | "no_decision"
  | "not_waiting"
  | "in_use"
  | "too_large"
  | "too_many"
  | "overloaded"
  | "unavailable";

/** Its visitor has waited for too long: whoever claims it or replies first owns it. */
export interface Escalated {
  type: "escalated";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
}

/**
 * One event of the log. `first` is the position of the first event of its group: what it
 * follows from. `decision`: the engine concluded it; else it happened. `event` holds its
 * fields as they are stored, `type` among them. `by` and `cmd` are null where a timer
 * caused it.
 */
export interface EventView {
  position: number;
  at: number;
  type: string;
  decision: boolean;
  first: number;
  rev: number;
  epoch: number;
  by: Actor | null;
  cmd: string | null;
  event:
    | WorkspaceCreated
    | RoutingRevisionAdopted
    | PolicySet
    | RoleDefined
    | RoleDeleted
    | GroupDefined
    | GroupDeleted
    | EntryPointDefined
    | EntryPointRemoved
    | HoursOpened
    | HoursClosed
    | EntryPointModeChanged
    | ScheduleSet
    | WebhookDefined
    | WebhookRemoved
    | SubjectErased
    | RuleSaved
    | RuleDeleted
    | OperatorRegistered
    | OperatorUpdated
    | OperatorRemoved
    | GroupJoined
    | GroupLeft
    | OperatorLoggedIn
    | OperatorLoggedOut
    | SessionLapsed
    | SessionReturned
    | DisconnectGraceEnded
    | OperatorIdle
    | OperatorActive
    | ShiftStarted
    | ShiftEnded
    | PreferencesSet
    | PresenceStale
    | PresenceFresh
    | StatusChosen
    | StatusBreakEnded
    | OperatorStatusChanged
    | VisitorIdentified
    | VisitorAssigned
    | VisitorUnassigned
    | RuleFired
    | VisitorInvited
    | VisitorAsked
    | VisitorPrepared
    | VisitorSessionEnded
    | VisitorSeen
    | ConversationOpened
    | VisitorWrote
    | SlotFreed
    | SlotRetaken
    | VisitorLeft
    | VisitorBack
    | ConversationChanged
    | ConversationClaimed
    | OperatorReplied
    | ParticipantJoined
    | ParticipantLeft
    | OwnerLeft
    | ConversationReleased
    | ConversationForwarded
    | ConversationClosed
    | ConversationReopened
    | ConversationMissed
    | ConversationUnused
    | WrapUpEnded
    | RoutingCut
    | RoutingContinues
    | ConversationSlow
    | OwnerAwayTooLong
    | WideningDue
    | AffinityWaitEnded
    | ConversationWidened
    | ConversationEscalated
    | ConversationReassigned
    | NobodyElse
    | ConversationAssigned
    | ConversationQueued
    | ConversationBroadcast
    | ConversationRedirected
    | BackOffEnded
    | OfferAccepted
    | OfferDeclined
    | OfferExpired
    | ForwardOffered
    | ForwardRecalled
    | ForwardExpired
    | ForwardReturned
    | ConversationOffered
    | OfferRescinded
    | RoundEnded
    | OperatorUnresponsive;
}

/**
 * One decision about a conversation, with everybody who was looked at.
 *
 * `cause` is the event that the decision follows from. `conversation` and `candidates` are
 * as they were when it was made, at position `decided_at`. `remade`: the decision was made
 * again from that state and came out byte for byte; else `expected` is what came out, null if
 * nothing did. Null where another revision of the rules decided: nothing was compared.
 * `chosen` is null where it was to wait. `ranking` and `tie_break` are null where nobody was
 * ranked. `policy_version`: the position of the last change of a policy. `looked_at` counts
 * all candidates: those who were ranked come first, the best before the others.
 */
export interface Explained {
  decision: EventView;
  cause: EventView;
  decided_at: number;
  chosen: string | null;
  reason: "affinity" | "directed" | "first_responder" | "handed_over" | "routed" | null;
  waiting_reason:
    | "affinity_wait"
    | "all_declined"
    | "all_full"
    | "back_off"
    | "broadcast"
    | "group_disabled"
    | "group_empty"
    | "held"
    | "manual"
    | "nobody_online"
    | "out_of_hours"
    | "parked_missed"
    | "skill_missing"
    | "visitor_away"
    | null;
  ranking:
    | "fewest_open"
    | "highest_free_ratio"
    | "longest_idle"
    | "most_free_slots"
    | "round_robin"
    | null;
  key: number[];
  tie_break: "key" | "least_recently_assigned" | "operator_id" | "sole" | null;
  pool_size: number | null;
  policy_version: number;
  presence_stale: boolean;
  conversation: ConversationView;
  candidates: CandidateView[];
  looked_at: number;
  remade: boolean | null;
  expected:
    | WorkspaceCreated
    | RoutingRevisionAdopted
    | PolicySet
    | RoleDefined
    | RoleDeleted
    | GroupDefined
    | GroupDeleted
    | EntryPointDefined
    | EntryPointRemoved
    | HoursOpened
    | HoursClosed
    | EntryPointModeChanged
    | ScheduleSet
    | WebhookDefined
    | WebhookRemoved
    | SubjectErased
    | RuleSaved
    | RuleDeleted
    | OperatorRegistered
    | OperatorUpdated
    | OperatorRemoved
    | GroupJoined
    | GroupLeft
    | OperatorLoggedIn
    | OperatorLoggedOut
    | SessionLapsed
    | SessionReturned
    | DisconnectGraceEnded
    | OperatorIdle
    | OperatorActive
    | ShiftStarted
    | ShiftEnded
    | PreferencesSet
    | PresenceStale
    | PresenceFresh
    | StatusChosen
    | StatusBreakEnded
    | OperatorStatusChanged
    | VisitorIdentified
    | VisitorAssigned
    | VisitorUnassigned
    | RuleFired
    | VisitorInvited
    | VisitorAsked
    | VisitorPrepared
    | VisitorSessionEnded
    | VisitorSeen
    | ConversationOpened
    | VisitorWrote
    | SlotFreed
    | SlotRetaken
    | VisitorLeft
    | VisitorBack
    | ConversationChanged
    | ConversationClaimed
    | OperatorReplied
    | ParticipantJoined
    | ParticipantLeft
    | OwnerLeft
    | ConversationReleased
    | ConversationForwarded
    | ConversationClosed
    | ConversationReopened
    | ConversationMissed
    | ConversationUnused
    | WrapUpEnded
    | RoutingCut
    | RoutingContinues
    | ConversationSlow
    | OwnerAwayTooLong
    | WideningDue
    | AffinityWaitEnded
    | ConversationWidened
    | ConversationEscalated
    | ConversationReassigned
    | NobodyElse
    | ConversationAssigned
    | ConversationQueued
    | ConversationBroadcast
    | ConversationRedirected
    | BackOffEnded
    | OfferAccepted
    | OfferDeclined
    | OfferExpired
    | ForwardOffered
    | ForwardRecalled
    | ForwardExpired
    | ForwardReturned
    | ConversationOffered
    | OfferRescinded
    | RoundEnded
    | OperatorUnresponsive
    | null;
}

/**
 * The answer to the query `feed`: messages as they were sent, in the order of `seq`.
 *
 * `last` is the number of the newest there is, 0 if there is none.
 */
export interface FeedPage {
  messages: (
    | Assigned
    | Offered
    | OfferEnded
    | Forwarded
    | Added
    | QueueWaiting
    | Escalated
    | Slow
    | YourVisitorWrote
    | Released
    | Returned
    | Missed
    | YourConversationChanged
    | Queued
    | OperatorJoined
    | OperatorLeft
    | OperatorPresence
    | Reassigned
    | Notice
    | Invited
    | AskGroup
    | Closed)[];
  last: number;
}

/** Where the log is not as it should be: what stands there, and what ought to. */
export interface Finding {
  position: number;
  check: "decision" | "gap" | "order" | "seal" | "snapshot" | "undecodable";
  what: string;
  recorded?: unknown;
  expected?: unknown;
}

/**
 * A page view, or the time since, fulfils a rule of this version.
 *
 * `held` are the paths of the conditions that held, `page` the address that was looked at.
 */
export interface FireRule {
  rule_id: string;
  version: number;
  visitor_id: string;
  session_id: string;
  entry_point_id: string;
  held?: string[];
  page?: string | null;
}

/** The answer to a report that a rule holds: whether it did something, else why not. */
export interface FiringResult {
  fired: boolean;
  why_not?:
    | "disabled"
    | "fired_before"
    | "in_conversation"
    | "not_live"
    | "other_version"
    | "so_already"
    | "unknown_rule";
}

export interface Forward {
  conversation_id: string;
  to: Scope;
  mode?: "direct" | "offer" | null;
  note?: string | null;
}

export interface ForwardExpired {
  type: "forward_expired.v1";
  conversation_id: string;
  due: number;
}

/** `sender` stays owner until somebody of `to` accepts, or until `deadline`. */
export interface ForwardOffered {
  type: "forward_offered.v1";
  conversation_id: string;
  to: Scope;
  sender: string;
  deadline: number;
  note: string | null;
}

export interface ForwardRecalled {
  type: "forward_recalled.v1";
  conversation_id: string;
  sender: string;
}

/** `kept`: the sender still has it; else he was gone and it waits in its home scope. */
export interface ForwardReturned {
  type: "forward_returned.v1";
  conversation_id: string;
  sender: string;
  reason: "declined" | "expired" | "nobody_reachable" | "recalled";
  kept: boolean;
}

/** It is yours: `by` sent it to you. A note's text is in the query `conversation`. */
export interface Forwarded {
  type: "forwarded";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  by: string;
  note_ref?: string;
}

/**
 * What was found between two positions. `next`: the stretch goes on after this position;
 * null if it was looked through to its end. `left_out`: so many more show at the position of the
 * last one than fit into an answer.
 */
export interface Found {
  matches: Match[];
  left_out: number;
  looked_from: number;
  looked_to: number;
  next: number | null;
}

/**
 * Somebody who was routable and had a free slot while a conversation waited: first noticed at
 * `position`, and what kept it from him then; nothing if he was eligible and it was held.
 */
export interface FreeMeanwhile {
  operator_id: string;
  position: number;
  at: number;
  exclusions: (
    | "already_involved"
    | "at_capacity"
    | "busy"
    | "declined"
    | "disconnected"
    | "group_disabled"
    | "idle"
    | "invisible"
    | "no_permission"
    | "not_member"
    | "off_shift"
    | "offline"
    | "removed"
    | "skill_missing"
    | "unresponsive")[];
}

export interface Group {
  group_id: string;
  name: string;
  name_key: string;
  description: string;
  public: boolean;
  enabled: boolean;
  names: { [name: string]: string };
  members?: { [name: string]: null };
}

/** A group to choose; `name` is in the visitor's language. */
export interface GroupAsked {
  group_id: string;
  name: string;
}

/** A group was created or its settings replaced; `name_key` is the case-folded name. */
export interface GroupDefined {
  type: "group_defined.v1";
  group_id: string;
  name: string;
  name_key: string;
  description: string;
  public: boolean;
  enabled: boolean;
  names: { [name: string]: string };
}

export interface GroupDeleted {
  type: "group_deleted.v1";
  group_id: string;
}

export interface GroupJoined {
  type: "group_joined.v1";
  operator_id: string;
  group_id: string;
}

export interface GroupLeft {
  type: "group_left.v1";
  operator_id: string;
  group_id: string;
}

/** A group the visitor may choose, and whether somebody of it is there now. */
export interface GroupOffered {
  group_id: string;
  name: string;
  names: { [name: string]: string };
  live: boolean;
}

export interface HoursClosed {
  type: "hours_closed.v1";
  entry_point_id: string;
}

export interface HoursOpened {
  type: "hours_opened.v1";
  entry_point_id: string;
}

export interface Identify {
  contact_id: string;
}

/** One page; `next` is null on the last one. */
export interface Inbox {
  conversations: ConversationView[];
  next: string | null;
}

/** A targeted chat: what the visitor is asked. */
export interface Invitation {
  message: string;
}

/** `message` is a text once read from the vault; null if it was erased. */
export interface InvitationView {
  message: string | null;
}

/** A rule speaks to the visitor. `text` is null if it was erased. */
export interface Invited {
  type: "invitation";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  entry_point_id: string;
  text: string | null;
}

/**
 * How far a job has come: `done` of `total` events. `result` is what its question is
 * answered with once it is `done`, null before; `error` says why it `failed`.
 */
export interface JobView {
  job_id: string;
  question: "simulate" | "verify";
  state: "done" | "failed" | "running";
  done: number;
  total: number;
  result: unknown;
  error: string | null;
}

export interface Join {
  conversation_id: string;
}

export interface JoinGroup {
  operator_id: string;
  group_id: string;
}

/** The same as the log holds it: what is said to a visitor lies in the vault. */
export type KeptAction =
  | { assign: Scope; invite?: never; ask_group?: never; set_priority?: never; add_tag?: never; require_skill?: never; }
  | { invite: string; assign?: never; ask_group?: never; set_priority?: never; add_tag?: never; require_skill?: never; }
  | { ask_group: string[]; assign?: never; invite?: never; set_priority?: never; add_tag?: never; require_skill?: never; }
  | { set_priority: number; assign?: never; invite?: never; ask_group?: never; add_tag?: never; require_skill?: never; }
  | { add_tag: string; assign?: never; invite?: never; ask_group?: never; set_priority?: never; require_skill?: never; }
  | { require_skill: string; assign?: never; invite?: never; ask_group?: never; set_priority?: never; add_tag?: never; };

export interface LapseSession {
  operator_id: string;
  session_id: string;
}

export interface LastFiring {
  position: number;
  at: number;
  session_id: string;
}

export interface Leave {
  conversation_id: string;
}

export interface LeaveGroup {
  operator_id: string;
  group_id: string;
}

export type LeavePage = { [name: string]: never };

/**
 * What one operator had to carry.
 *
 * `excess` counts how often something came on top of a full load.
 */
export interface Load {
  operator_id: string;
  capacity: number;
  assignments: number;
  peak_load: number;
  mean_load_thousandths: number;
  excess: number;
}

export interface LogIn {
  session_id: string;
}

export interface LogOut {
  session_id: string;
}

export interface LogOutOperator {
  operator_id: string;
}

/**
 * A conversation that shows the pattern, as it looks within the stretch.
 *
 * `position` and `at` are those of the event that completes the pattern. `waited_ms` is its
 * longest wait, from `waited_from` to `waited_to` (positions; the latter null if it still
 * waits), for `reasons`. `times`: how often what is counted happened to it by then. `free`
 * names ten at most.
 */
export interface Match {
  conversation_id: string;
  visitor_id: string;
  pattern:
    | "any"
    | "forwarded"
    | "missed"
    | "owner_left"
    | "reassigned"
    | "refused"
    | "waited"
    | "waited_while_free";
  position: number;
  at: number;
  waited_ms: number;
  waited_from: number | null;
  waited_to: number | null;
  reasons: (
    | "affinity_wait"
    | "all_declined"
    | "all_full"
    | "back_off"
    | "broadcast"
    | "group_disabled"
    | "group_empty"
    | "held"
    | "manual"
    | "nobody_online"
    | "out_of_hours"
    | "parked_missed"
    | "skill_missing"
    | "visitor_away")[];
  owners: string[];
  times: number;
  free: FreeMeanwhile[];
}

/** An operator's own page. */
export interface MeView {
  operator_id: string;
  chosen: "busy" | "invisible" | "offline" | "online";
  effective: "busy" | "invisible" | "offline" | "online";
  cause:
    | "chosen"
    | "disconnected"
    | "idle"
    | "logout"
    | "never_logged_in"
    | "shift_end"
    | "unresponsive";
  since: number;
  break_until: number | null;
  sessions: string[];
  offers: MyOffer[];
  reachable_when_slow: boolean;
  email_missed: boolean;
  idle_timeout_s: number | null;
  locale: string | null;
  schedule: Schedule | null;
  capacity: number;
  load: number;
  groups: string[];
  permissions: Permissions;
}

/** It is yours no more: its visitor got no answer. */
export interface Missed {
  type: "missed";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
}

/** How an entry point shows itself from now on. */
export interface ModeChanged {
  type: "mode_changed";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  entry_point_id: string;
  mode: "hidden" | "live" | "messenger";
}

/** One moment of the log, by position or by time; of both, or neither, the head is meant. */
export interface Moment {
  position?: number | null;
  at?: number | null;
}

/**
 * A moment of the log: its last event and the stamp of that. `first_at` and `head_at` are
 * the stamps of the log's first and last event.
 */
export interface MomentView {
  position: number;
  at: number;
  head: number;
  head_at: number;
  first_at: number;
}

/** A live offer to whoever asks. */
export interface MyOffer {
  conversation_id: string;
  offer: number;
  expires_at: number;
}

/** It should be reassigned, but nobody else is eligible now: the owner keeps it. */
export interface NobodyElse {
  type: "nobody_else.v1";
  conversation_id: string;
  operator_id: string;
}

/** Refused; nothing was changed. */
export interface NotDone {
  ok: false;
  error: Refused;
}

/** The empty object: there is nothing to tell but that it was done. */
export type Nothing = { [name: string]: never };

/**
 * Something to tell: an answer takes longer (`please_wait`), or nobody could give one
 * (`missed`). `text` says it in the visitor's language.
 */
export interface Notice {
  type: "notice";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  code: "missed" | "please_wait";
  text: string;
}

/** `operator_id` owns it; on a forward, `previous_owner` is out. */
export interface OfferAccepted {
  type: "offer_accepted.v1";
  conversation_id: string;
  operator_id: string;
  offer: number;
  previous_owner: string | null;
}

export interface OfferDeclined {
  type: "offer_declined.v1";
  conversation_id: string;
  operator_id: string;
  offer: number;
  reason: "break" | "busy" | "other" | "wrong_skill";
  text: string | null;
}

/** It is offered to you no more. */
export interface OfferEnded {
  type: "offer_ended";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  offer: number;
  how: "accepted" | "declined" | "expired" | "rescinded";
}

/** `counted` towards being unresponsive: not while disconnected, not a bot. */
export interface OfferExpired {
  type: "offer_expired.v1";
  conversation_id: string;
  operator_id: string;
  offer: number;
  counted: boolean;
  due: number;
}

export interface OfferRescinded {
  type: "offer_rescinded.v1";
  conversation_id: string;
  operator_id: string;
  offer: number;
  reason: "claimed" | "closed" | "forwarded" | "recalled" | "unavailable";
}

/** A live offer; `offer` is the number that accepting and declining name. */
export interface OfferView {
  operator_id: string;
  offer: number;
  expires_at: number;
}

/** Yours if you accept it in time. `by` forwarded it and keeps it until then. */
export interface Offered {
  type: "offered";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  offer: number;
  expires_at: number;
  by?: string;
  note_ref?: string;
}

/** For whom a back end speaks, exactly one: `{"visitor": "v-17"}`. */
export type OnBehalf =
  | { operator: string; visitor?: never; admin?: never; }
  | { visitor: string; operator?: never; admin?: never; }
  | { admin: string; operator?: never; visitor?: never; };

export interface Open {
  conversation_id: string;
  entry_point_id: string;
  group_id?: string | null;
  language?: string | null;
  contact_id?: string | null;
  attributes?: { [name: string]: string | number | boolean | null } | null;
  priority?: number;
  skills?: string[];
  optional_skills?: string[];
}

/** A conversation that a visitor opened, with the event that says so. */
export interface OpenedView {
  conversation_id: string;
  entry_point_id: string;
  position: number;
  at: number;
}

export interface OperatorActive {
  type: "operator_active.v1";
  operator_id: string;
}

/** An operator who is different; null where he was not registered at that moment. */
export interface OperatorDiff {
  operator_id: string;
  before: RosterEntry | null;
  after: RosterEntry | null;
}

export interface OperatorIdle {
  type: "operator_idle.v1";
  operator_id: string;
}

/** An operator is in the conversation from now on. */
export interface OperatorJoined {
  type: "operator_joined";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  operator_id: string;
}

/** An operator is in it no more. */
export interface OperatorLeft {
  type: "operator_left";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  operator_id: string;
}

export interface OperatorLoggedIn {
  type: "operator_logged_in.v1";
  operator_id: string;
  session_id: string;
}

/** `session_id` is null where every session ended at once. */
export interface OperatorLoggedOut {
  type: "operator_logged_out.v1";
  operator_id: string;
  session_id: string | null;
}

/** An operator in the conversation went offline, or is back: `online` if merely busy too. */
export interface OperatorPresence {
  type: "operator_presence";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  operator_id: string;
  shown: "offline" | "online";
}

export interface OperatorRegistered {
  type: "operator_registered.v1";
  operator_id: string;
  kind: "bot" | "human";
  name: string | null;
  email: string | null;
  role_id: string;
  capacity: number;
  skills: string[];
  locale: string | null;
}

export interface OperatorRemoved {
  type: "operator_removed.v1";
  operator_id: string;
}

export interface OperatorReplied {
  type: "operator_replied.v1";
  conversation_id: string;
  operator_id: string;
  channel: "chat" | "email";
}

/** All settings of one operator. `name` and `email` are texts once read from the vault. */
export interface OperatorSettings {
  operator_id: string;
  name: string | null;
  email: string | null;
  kind: "bot" | "human";
  role_id: string;
  capacity: number;
  skills: string[];
  locale: string | null;
  groups: string[];
  reachable_when_slow: boolean;
  email_missed: boolean;
  idle_timeout_s: number | null;
  schedule: Schedule | null;
}

export interface OperatorStatusChanged {
  type: "operator_status_changed.v1";
  operator_id: string;
  effective: "busy" | "invisible" | "offline" | "online";
  cause:
    | "chosen"
    | "disconnected"
    | "idle"
    | "logout"
    | "never_logged_in"
    | "shift_end"
    | "unresponsive";
}

/** What matters of one operator at one moment. `free` is the number of his free slots. */
export interface OperatorThen {
  operator_id: string;
  effective: "busy" | "invisible" | "offline" | "online";
  cause:
    | "chosen"
    | "disconnected"
    | "idle"
    | "logout"
    | "never_logged_in"
    | "shift_end"
    | "unresponsive";
  connected: boolean;
  routable: boolean;
  load: number;
  capacity: number;
  free: number;
  skills: string[];
  groups: string[];
}

/** `missed` offers in a row expired. */
export interface OperatorUnresponsive {
  type: "operator_unresponsive.v1";
  operator_id: string;
  missed: number;
}

export interface OperatorUpdated {
  type: "operator_updated.v1";
  operator_id: string;
  name: string | null;
  email: string | null;
  role_id: string;
  capacity: number;
  skills: string[];
  locale: string | null;
}

export interface Operators {
  operators: OperatorSettings[];
}

/** What came of the conversations that began to wait in the stretch, or waited already. */
export interface Outcome {
  conversations: number;
  assigned: number;
  gave_up: number;
  waiting_still: number;
  with_bots: number;
  missed: number;
  waits: Waits;
  loads: Load[];
}

export interface OwnerAwayTooLong {
  type: "owner_away_too_long.v1";
  conversation_id: string;
  operator_id: string;
  due: number;
}

/** The owner is out; the longest participant comes first, else the home scope. */
export interface OwnerLeft {
  type: "owner_left.v1";
  conversation_id: string;
  operator_id: string;
}

/**
 * A visitor looks at a page. The same `view_id` again is the same view.
 *
 * `at` is the moment at which it did, in Unix milliseconds, where that is not now. `custom`
 * is flat: texts, numbers and booleans that rules may look at as `custom.NAME`.
 */
export interface PageView {
  session_id: string;
  entry_point_id: string;
  url: string;
  title?: string | null;
  referrer?: string | null;
  language?: string | null;
  country?: string | null;
  device?: string | null;
  custom?: { [name: string]: string | number | boolean | null } | null;
  at?: number | null;
  view_id?: string | null;
}

/** `added_by` is the operator who brought the participant in, null if he came himself. */
export interface ParticipantJoined {
  type: "participant_joined.v1";
  conversation_id: string;
  operator_id: string;
  added_by: string | null;
  uses_slot: boolean;
}

export interface ParticipantLeft {
  type: "participant_left.v1";
  conversation_id: string;
  operator_id: string;
}

/** What is not named is off. */
export interface Permissions {
  "conversations.unassigned"?: "off" | "read" | "write";
  "conversations.assigned"?: "off" | "read" | "write";
  forward?: boolean;
  assign_others?: boolean;
  manage?: boolean;
  audit?: boolean;
}

/** Fields named are set; `null` takes one back; what is not named stays. */
export interface PolicyPatch {
  delivery?: "auto" | "broadcast" | "manual" | "offer" | null;
  ranking?:
    | "fewest_open"
    | "highest_free_ratio"
    | "longest_idle"
    | "most_free_slots"
    | "round_robin"
    | null;
  assign_to?: "any" | "online" | null;
  offer_timeout_s?: number | null;
  decline_backoff_s?: number | null;
  rounds_max?: number | null;
  unresponsive_after?: number | null;
  affinity?: "off" | "prefer" | "wait" | null;
  affinity_wait_s?: number | null;
  on_slow?: SlowStep[] | null;
  widening?: WideningStep[] | null;
  queue_order?: "aged" | "strict" | null;
  priority_head_start_s?: number | null;
  max_waiting?: number | null;
  fallback_when_nobody_online?: boolean | null;
  forward_mode?: "direct" | "offer" | null;
  rule_mode?: "all_matches" | "first_match" | null;
  on_owner_offline?: "keep" | "reassign" | "reassign_after" | "reassign_on_next_message" | null;
  reassign_after_s?: number | null;
  idle_owner_after_s?: number | null;
  disconnect_grace_s?: number | null;
  idle_timeout_s?: number | null;
  manual_offline?: "allow" | "deny" | null;
  own_schedule?: "allow" | "deny" | null;
  waiting_frees_slot_after_s?: number | null;
  wrap_up_s?: number | null;
  reopen_window_s?: number | null;
  missed_after_s?: number | null;
  missed_delivery?: "auto" | "manual" | "offer" | null;
  on_visitor_left?: "close" | "keep" | "park" | null;
  visitor_gone_after_s?: number | null;
  close_after_idle_s?: number | null;
  participants_use_slot?: boolean | null;
}

/** Where a policy is set: `{"workspace": true}`, a group or an entry point. */
export type PolicyScope =
  | { workspace: true; group?: never; entry_point?: never; }
  | { group: string; workspace?: never; entry_point?: never; }
  | { entry_point: string; workspace?: never; group?: never; };

/** `policy` holds all fields set at this place from now on. */
export interface PolicySet {
  type: "policy_set.v1";
  scope: PolicyScope;
  policy: { [name: string]: unknown };
}

/** All preferences as they are from now on. `idle_timeout_s`: null is the workspace's. */
export interface PreferencesSet {
  type: "preferences_set.v1";
  operator_id: string;
  reachable_when_slow: boolean;
  email_missed: boolean;
  idle_timeout_s: number | null;
}

/** What rules give to the conversations that a visitor opens. */
export interface Prepared {
  priority: number | null;
  tags: string[];
  skills: string[];
}

/** It is heard of again. */
export interface PresenceFresh {
  type: "presence_fresh.v1";
}

/** Nothing is heard of the presence service: the last known facts about operators stand. */
export interface PresenceStale {
  type: "presence_stale.v1";
}

export interface Queue {
  waiting: WaitingView[];
  total: number;
}

/** Who waits, or in which order; at most one a second, the last of a burst among them. */
export interface QueueChanged {
  type: "queue_changed";
  id: string;
  position: number;
  at: number;
  alert: boolean;
}

/** It waits for whoever is first; you are one of those who are told. */
export interface QueueWaiting {
  type: "queue_waiting";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  why: "broadcast";
}

/**
 * It waits; `place` counts from 1 those who are served by the same operators.
 *
 * Told when it begins to wait, and another place ten seconds after the last at the soonest.
 */
export interface Queued {
  type: "queued";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  place: number;
}

/** `operator_id` has it no more, and somebody else is looked for. */
export interface Reassigned {
  type: "reassigned";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  operator_id: string;
}

export interface RecallOffer {
  conversation_id: string;
}

/** The reason why nothing was changed; `code` is part of the wire contract. */
export interface Refused {
  code: string;
  message: string;
  detail?: { [name: string]: unknown };
}

export interface RegisterOperator {
  operator_id: string;
  name?: string | null;
  email?: string | null;
  role_id?: string;
  capacity?: number;
  skills?: string[];
  locale?: string | null;
  email_missed?: boolean;
  idle_timeout_s?: number | null;
  weekly?: { [name: string]: [string, string][] } | null;
  exceptions?: { [name: string]: [string, string][] };
  kind?: "bot" | "human";
}

export interface Release {
  conversation_id: string;
}

/**
 * It is yours no more: it was forwarded, you left it or put it back, you were away, or its
 * visitor waited for you for too long.
 */
export interface Released {
  type: "released";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  reason: "forwarded" | "left" | "owner_offline" | "slow";
}

export interface RemoveEntryPoint {
  entry_point_id: string;
}

export interface RemoveOperator {
  operator_id: string;
}

export interface RemoveParticipant {
  conversation_id: string;
  operator_id: string;
}

export interface RemoveWebhook {
  webhook_id: string;
}

export interface Reopen {
  conversation_id: string;
}

export interface Reply {
  conversation_id: string;
  channel?: "chat" | "email";
}

/** What a retry is recognised by, beside the actor and the command id. */
export interface Request {
  name: string;
  body_hash: string;
}

/** The answer to `resend_dead_letters`: how many are tried again. */
export interface Resent {
  resent: number;
}

/**
 * A heartbeat: of a session that lapsed its return, of an unknown one a log-in.
 *
 * One that logged out stays out.
 */
export interface ReturnSession {
  operator_id: string;
  session_id: string;
}

/** What you forwarded on offer stays yours: nobody accepted it, or you took it back. */
export interface Returned {
  type: "returned";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  reason: "declined" | "expired" | "nobody_reachable" | "recalled";
}

export interface RoleDefined {
  type: "role_defined.v1";
  role_id: string;
  permissions: Permissions;
}

export interface RoleDeleted {
  type: "role_deleted.v1";
  role_id: string;
}

export interface Roster {
  operators: RosterEntry[];
}

/** One operator as every colleague may see him. `since` is Unix ms. */
export interface RosterEntry {
  operator_id: string;
  chosen: "busy" | "invisible" | "offline" | "online";
  effective: "busy" | "invisible" | "offline" | "online";
  cause:
    | "chosen"
    | "disconnected"
    | "idle"
    | "logout"
    | "never_logged_in"
    | "shift_end"
    | "unresponsive";
  since: number;
  connected: boolean;
  capacity: number;
  load: number;
  groups: string[];
  routable: boolean;
}

/** Everybody was asked. A new round begins `until`; null: this was the last. */
export interface RoundEnded {
  type: "round_ended.v1";
  conversation_id: string;
  round: number;
  until: number | null;
}

/** What was left when routing was cut follows from here on. */
export interface RoutingContinues {
  type: "routing_continues.v1";
  due: number;
}

/** So much followed from one command or timer that the rest is left to a timer, due at once. */
export interface RoutingCut {
  type: "routing_cut.v1";
  due: number;
}

export interface RoutingRevisionAdopted {
  type: "routing_revision_adopted.v1";
  revision: number;
}

export interface RuleDeleted {
  type: "rule_deleted.v1";
  rule_id: string;
}

/**
 * The trigger evaluator found that a page view fulfils a rule; what it does follows.
 *
 * `held` are the paths of the conditions that held, as `when.all[0]`.
 */
export interface RuleFired {
  type: "rule_fired.v1";
  rule_id: string;
  version: number;
  visitor_id: string;
  session_id: string;
  entry_point_id: string;
  held: string[];
  page: string | null;
}

/** A rule was made or replaced as a whole; its position is its version. */
export interface RuleSaved {
  type: "rule_saved.v1";
  rule_id: string;
  name: string;
  order: number;
  enabled: boolean;
  when: Condition;
  then: KeptAction[];
  frequency: "always" | "once_per_session" | "once_per_visitor";
  override: boolean;
  only_when_live: boolean;
}

/** A rule as `save_rule` takes it; `version` is the position at which it was saved. */
export interface RuleView {
  rule_id: string;
  version: number;
  name: string;
  order: number;
  enabled: boolean;
  when: Condition;
  then: ActionView[];
  frequency: "always" | "once_per_session" | "once_per_visitor";
  override: boolean;
  only_when_live: boolean;
}

/** What came of one way through the stretch. `tally` is null for what was recorded. */
export interface Run {
  outcome: Outcome;
  tally?: Tally | null;
}

/**
 * `name`, `order`, `when` and `then` are needed when it is new; else they are kept.
 *
 * `frequency` is `once_per_session` if not given, `always` for a rule that only assigns.
 */
export interface SaveRule {
  rule_id: string;
  name?: string;
  order?: number;
  enabled?: boolean;
  when?: Condition;
  then?: Action[];
  frequency?: "always" | "once_per_session" | "once_per_visitor";
  override?: boolean;
  only_when_live?: boolean;
}

/** Hours by the day of the week; a day that is missing has none. */
export interface Schedule {
  weekly: { [name: string]: [string, string][] };
  exceptions: { [name: string]: [string, string][] };
  timezone: string | null;
  auto_online: boolean;
}

/** Of an operator, of an entry point or, if neither is named, of the workspace; null: none. */
export interface ScheduleSet {
  type: "schedule_set.v1";
  operator_id: string | null;
  entry_point_id: string | null;
  schedule: Schedule | null;
}

/** Exactly one of its four fields is set: `{"group": "support"}`, `{"everyone": true}`. */
export type Scope =
  | { operator: string; group?: never; everyone?: never; entry_point?: never; }
  | { group: string; operator?: never; everyone?: never; entry_point?: never; }
  | { everyone: true; operator?: never; group?: never; entry_point?: never; }
  | { entry_point: string; operator?: never; group?: never; everyone?: never; };

/** A seal under the events from `first` to `upto`; bytes as hexadecimal digits. */
export interface SealView {
  first: number;
  upto: number;
  digests: string;
  hash: string;
  signature: string;
  key: string;
}

/** How far the log is sealed. `last` is the last seal, to be kept elsewhere and expected. */
export interface Sealed {
  upto: number;
  unsealed: number;
  keys: SealedBy[];
  last: string | null;
}

/** A stretch of the log and the public key that signed for it, in hexadecimal. */
export interface SealedBy {
  key: string;
  first: number;
  upto: number;
}

/** The visitor reads pages, which is a sign of it though it says nothing. */
export interface SeeVisitor {
  visitor_id: string;
}

/** What the view made fire is in the log, up to `position`. */
export interface SeenAnswer {
  ok: true;
  position: number;
  fired: string[];
}

export interface SessionLapsed {
  type: "session_lapsed.v1";
  operator_id: string;
  session_id: string;
}

export interface SessionReturned {
  type: "session_returned.v1";
  operator_id: string;
  session_id: string;
}

export interface SetConversation {
  conversation_id: string;
  priority?: number;
  skills?: string[];
  optional_skills?: string[];
  tags?: string[];
}

export interface SetPolicy {
  scope: PolicyScope;
  policy: PolicyPatch;
}

/** `weekly` null: the operator has no hours of his own, and the workspace's hold. */
export interface SetPreferences {
  reachable_when_slow?: boolean;
  email_missed?: boolean;
  idle_timeout_s?: number | null;
  locale?: string | null;
  weekly?: { [name: string]: [string, string][] } | null;
  exceptions?: { [name: string]: [string, string][] };
}

/**
 * Hours of an operator, of an entry point or, if neither is named, of the workspace.
 *
 * `weekly` is needed unless `clear` is true: then there are none, and nobody is off shift.
 */
export interface SetSchedule {
  operator_id?: string | null;
  entry_point_id?: string | null;
  timezone?: string | null;
  weekly?: { [name: string]: [string, string][] };
  exceptions?: { [name: string]: [string, string][] };
  auto_online?: boolean;
  clear?: boolean;
}

export interface SetStatus {
  status: "busy" | "invisible" | "offline" | "online";
  for_s?: number | null;
  conversation_id?: string | null;
}

export interface ShiftEnded {
  type: "shift_ended.v1";
  operator_id: string;
}

/** `goes_online`: a chosen `offline` from before the last shift's end is forgotten. */
export interface ShiftStarted {
  type: "shift_started.v1";
  operator_id: string;
  goes_online: boolean;
}

/**
 * The report. `differences` are those between `baseline` and `simulated`, first where
 * the waits differ most, at most `DIFFERENCES_MAX` of `differences_total`; `artefacts` those
 * between `recorded` and `baseline`, which the changes have nothing to do with.
 */
export interface Simulation {
  stretch: Stretch;
  changes: { [name: string]: unknown }[];
  assumptions: Assumption[];
  recorded: Run;
  baseline: Run;
  simulated: Run;
  differences_total: number;
  differences: Difference[];
  artefacts_total: number;
  artefacts: Difference[];
  wait_bounds_ms?: number[];
}

/** The visitor has been silent for so long that the owner may be given something else. */
export interface SlotFreed {
  type: "slot_freed.v1";
  conversation_id: string;
  operator_id: string;
  due: number;
}

/** The visitor wrote again. `excess` marks an owner whose load exceeds his capacity by it. */
export interface SlotRetaken {
  type: "slot_retaken.v1";
  conversation_id: string;
  operator_id: string;
  excess: boolean;
}

/** The visitor of a conversation that you are in has waited for too long. */
export interface Slow {
  type: "slow";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
}

/** What happens when a visitor's message has gone unanswered for `after_s`. */
export interface SlowStep {
  after_s: number;
  action: "escalate_invisible" | "message_visitor" | "notify" | "reassign";
}

/** An operator's shift or an entry point's hours begin. */
export interface StartShift {
  operator_id?: string | null;
  entry_point_id?: string | null;
  auto_online?: boolean;
}

export interface StatusBreakEnded {
  type: "status_break_ended.v1";
  operator_id: string;
  status: "busy" | "invisible" | "offline" | "online";
  due: number;
}

/** The effective status of an operator. */
export interface StatusChanged {
  type: "status_changed";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  operator_id: string;
  effective: "busy" | "invisible" | "offline" | "online";
  cause:
    | "chosen"
    | "disconnected"
    | "idle"
    | "logout"
    | "never_logged_in"
    | "shift_end"
    | "unresponsive";
}

/** `until` ends a break; then `afterwards` is the choice again. */
export interface StatusChosen {
  type: "status_chosen.v1";
  operator_id: string;
  status: "busy" | "invisible" | "offline" | "online";
  until: number | null;
  afterwards: "busy" | "invisible" | "offline" | "online" | null;
  conversation_id: string | null;
}

/** An operator's status as the answer to changing it. */
export interface StatusView {
  chosen: "busy" | "invisible" | "offline" | "online";
  effective: "busy" | "invisible" | "offline" | "online";
  cause:
    | "chosen"
    | "disconnected"
    | "idle"
    | "logout"
    | "never_logged_in"
    | "shift_end"
    | "unresponsive";
}

/** An event as it is stored: `state` are the very bytes, which are JSON. */
export interface StoredEvent {
  position: number;
  topic: string;
  state: unknown;
}

/** A page of the log; `next` is for `after` if there are more. */
export interface StoredEvents {
  events: StoredEvent[];
  next: number | null;
}

/** A page of seals; `next` is for `after` if there may be more. */
export interface StoredSeals {
  seals: SealView[];
  next: number | null;
}

/** `after` is the position before the first event, `upto` that of the last. */
export interface Stretch {
  after: number;
  upto: number;
  begins_at: number;
  ends_at: number;
  events: number;
}

/**
 * Every personal text about the subjects, up to this position, was deleted from the vault.
 *
 * The first is the one that was asked for, as `visitor:v-17`; the others hang on it.
 */
export interface SubjectErased {
  type: "subject_erased.v1";
  subjects: string[];
}

/** How much of the script could be played, and how much had to be supposed. */
export interface Tally {
  acts?: number;
  left_out?: { [name: string]: number };
  not_reached?: number;
  put_off?: number;
  offers_answered?: number;
  offers_supposed?: number;
  claims_supposed?: number;
  replies_supposed?: number;
  closes_supposed?: number;
}

/** Something about any conversation; what may be seen of it, the query says. */
export interface TeamConversationChanged {
  type: "conversation_changed";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  conversation_id: string;
  state: "assigned" | "closed" | "offered" | "waiting";
}

/**
 * The events of one conversation in their order; `next` is for `after` if there are more.
 *
 * `conversation` is how it stands after the last event of the log.
 */
export interface Timeline {
  conversation: ConversationView;
  events: EventView[];
  next: number | null;
}

/** One event of a conversation, with notes and other personal texts as text. */
export interface TimelineEntry {
  position: number;
  at: number;
  by: Actor | null;
  event: { [name: string]: unknown };
}

/** What the chat back end answers. */
export interface TranscriptText {
  text: string;
}

export interface UnassignVisitor {
  visitor_id: string;
}

export interface UpdateGroup {
  group_id: string;
  name?: string;
  description?: string;
  public?: boolean;
  enabled?: boolean;
  names?: { [name: string]: string };
}

export interface UpdateOperator {
  operator_id: string;
  name?: string | null;
  email?: string | null;
  role_id?: string;
  capacity?: number;
  skills?: string[];
  locale?: string | null;
  email_missed?: boolean;
  idle_timeout_s?: number | null;
  weekly?: { [name: string]: [string, string][] } | null;
  exceptions?: { [name: string]: [string, string][] };
}

/**
 * What came of verifying one workspace. `findings` stand in the order of their positions.
 *
 * `events` were read, `decisions` made again, `folded_only` applied alone: they were made by
 * another revision. `state_hash` is that of the state as far as it could be folded, and so many
 * `snapshots` were compared on the way.
 */
export interface Verified {
  workspace_id: string;
  events: number;
  decisions: number;
  folded_only: number;
  state_hash: string;
  snapshots: number;
  sealed: Sealed;
  findings: Finding[];
}

/** A page view as it was last judged, `seconds` after the visitor had turned to the page. */
export interface ViewSeen {
  url: string;
  entry_point_id: string;
  at: number;
  seconds: number;
  pages_seen: number;
  held: boolean;
  fired: string[];
  why:
    | "conditions"
    | "fired"
    | "not_judged_yet"
    | "nothing_seen"
    | "other_rule_first"
    | "person_first"
    | "disabled"
    | "fired_before"
    | "in_conversation"
    | "not_live"
    | "other_version"
    | "so_already"
    | "unknown_rule";
  conditions: ConditionSeen[];
}

export interface VisitorAnswer {
  visitor: VisitorView;
}

/** Which group it wants is asked of the visitor. */
export interface VisitorAsked {
  type: "visitor_asked.v1";
  visitor_id: string;
  entry_point_id: string;
  rule_id: string;
  groups: string[];
}

export interface VisitorAssigned {
  type: "visitor_assigned.v1";
  visitor_id: string;
  to: Scope;
  source: "person" | "rule" | "visitor";
}

export interface VisitorBack {
  type: "visitor_back.v1";
  visitor_id: string;
}

export interface VisitorIdentified {
  type: "visitor_identified.v1";
  visitor_id: string;
  contact_id: string;
}

export interface VisitorInvited {
  type: "visitor_invited.v1";
  visitor_id: string;
  entry_point_id: string;
  rule_id: string;
  message: string;
}

/** `due` where no sign of the visitor was what told it. */
export interface VisitorLeft {
  type: "visitor_left.v1";
  visitor_id: string;
  due: number | null;
}

/** What the conversations that the visitor opens in this session get, all rules together. */
export interface VisitorPrepared {
  type: "visitor_prepared.v1";
  visitor_id: string;
  priority: number | null;
  tags: string[];
  skills: string[];
}

/** The visitor reads a page: it is still there. */
export interface VisitorSeen {
  type: "visitor_seen.v1";
  visitor_id: string;
}

/** What rules arranged for the visitor ends with its session. */
export interface VisitorSessionEnded {
  type: "visitor_session_ended.v1";
  visitor_id: string;
  session_id: string;
}

export interface VisitorUnassigned {
  type: "visitor_unassigned.v1";
  visitor_id: string;
  source: "person" | "rule" | "visitor";
}

/**
 * `fired` are the rules that ever did something for it. What these arranged by `assigned`,
 * `asked` (groups, by entry point) and `prepared` (what it opens gets) is for `session`.
 */
export interface VisitorView {
  visitor_id: string;
  contact_id: string | null;
  assigned: AheadView[];
  conversations: string[];
  session: string | null;
  fired: string[];
  asked: { [name: string]: string[] };
  prepared: Prepared | null;
}

export interface VisitorWrote {
  type: "visitor_wrote.v1";
  conversation_id: string;
}

/**
 * How one conversation fared until a person had it.
 *
 * `waited_ms` leaves out the time that a bot had it. `first_owner` is null where nobody had
 * it; `reason` is the last one that it was queued for before that, null where it never was.
 */
export interface Waited {
  first_owner: string | null;
  waited_ms: number;
  reason:
    | "affinity_wait"
    | "all_declined"
    | "all_full"
    | "back_off"
    | "broadcast"
    | "group_disabled"
    | "group_empty"
    | "held"
    | "manual"
    | "nobody_online"
    | "out_of_hours"
    | "parked_missed"
    | "skill_missing"
    | "visitor_away"
    | null;
  waits_still: boolean;
}

/** One place in the queue. `place` counts within its own scope, from 1. */
export interface WaitingView {
  conversation_id: string;
  place: number;
  waited_ms: number;
  reason:
    | "affinity_wait"
    | "all_declined"
    | "all_full"
    | "back_off"
    | "broadcast"
    | "group_disabled"
    | "group_empty"
    | "held"
    | "manual"
    | "nobody_online"
    | "out_of_hours"
    | "parked_missed"
    | "skill_missing"
    | "visitor_away";
}

/** How long the assigned ones waited. All zero where there are none. */
export interface Waits {
  p50_ms: number;
  p90_ms: number;
  p99_ms: number;
  max_ms: number;
  mean_ms: number;
  counts: number[];
}

/** `types` are names of events or of feed messages; `secret` is what it is signed with. */
export interface WebhookDefined {
  type: "webhook_defined.v1";
  webhook_id: string;
  url: string;
  types: string[];
  secret: string;
}

export interface WebhookRemoved {
  type: "webhook_removed.v1";
  webhook_id: string;
}

/** A webhook without what it is signed with: that is never shown again. */
export interface WebhookView {
  webhook_id: string;
  url: string;
  types: string[];
}

/** `why` is about the newest view, `last_fired` as far as that is remembered. */
export interface WhyNotFired {
  rule_id: string;
  version: number;
  enabled: boolean;
  frequency: "always" | "once_per_session" | "once_per_visitor";
  rule_mode: "all_matches" | "first_match";
  visitor_id: string;
  session_id: string | null;
  why:
    | "conditions"
    | "fired"
    | "not_judged_yet"
    | "nothing_seen"
    | "other_rule_first"
    | "person_first"
    | "disabled"
    | "fired_before"
    | "in_conversation"
    | "not_live"
    | "other_version"
    | "so_already"
    | "unknown_rule";
  last_fired: LastFiring | null;
  assigned_before: Before | null;
  views: ViewSeen[];
}

/**
 * Why one operator did not get one conversation as of a moment.
 *
 * Without `exclusions` he was eligible; `behind` then names who came before him, if anybody,
 * with `behind_key`, and `because` what put that one first. `owned`: it was his.
 */
export interface WhyNotView {
  operator: OperatorThen;
  conversation: ConversationView;
  exclusions: (
    | "already_involved"
    | "at_capacity"
    | "busy"
    | "declined"
    | "disconnected"
    | "group_disabled"
    | "idle"
    | "invisible"
    | "no_permission"
    | "not_member"
    | "off_shift"
    | "offline"
    | "removed"
    | "skill_missing"
    | "unresponsive")[];
  missing_skills: string[];
  key: number[];
  behind: string | null;
  behind_key: number[];
  because: "affinity" | "directed" | "first_responder" | "handed_over" | "routed" | null;
  owned: boolean;
}

/**
 * Why a conversation waited as of a moment. `changes` are single changes that would have
 * ended it, the least intrusive kind first, each tried out on a copy; `until` is when something
 * would have fallen due for it by itself.
 */
export interface WhyWaitingView {
  conversation: ConversationView;
  waited_ms: number;
  place: number | null;
  reason:
    | "affinity_wait"
    | "all_declined"
    | "all_full"
    | "back_off"
    | "broadcast"
    | "group_disabled"
    | "group_empty"
    | "held"
    | "manual"
    | "nobody_online"
    | "out_of_hours"
    | "parked_missed"
    | "skill_missing"
    | "visitor_away";
  hold:
    | "affinity_wait"
    | "auto"
    | "broadcast"
    | "manual"
    | "offer"
    | "out_of_hours"
    | "parked_missed"
    | "visitor_away";
  changes: Change[];
  until: number | null;
}

export interface WideningDue {
  type: "widening_due.v1";
  conversation_id: string;
  step: number;
  due: number;
}

/** Whom else to ask, or what to do without, `after_s` after the conversation began to wait. */
export interface WideningStep {
  after_s: number;
  add_groups?: string[];
  add_everyone?: boolean;
  drop_optional_skills?: number | "all";
  include_consenting_invisible?: boolean;
  raise_priority?: number;
}

export interface WorkspaceCreated {
  type: "workspace_created.v1";
  workspace_id: string;
  name: string;
  timezone: string;
  locale: string;
}

/**
 * All settings of the workspace; `policy_version` is the position of the last policy.
 *
 * Rules come in the order in which they are tried.
 */
export interface WorkspaceView {
  workspace_id: string;
  name: string;
  timezone: string;
  locale: string;
  roles: { [name: string]: Permissions };
  groups: Group[];
  entry_points: EntryPoint[];
  policies: { [name: string]: unknown };
  policy_version: number;
  rules: RuleView[];
  schedule: Schedule | null;
  webhooks: WebhookView[];
  presence_stale: boolean;
}

export interface WrapUpEnded {
  type: "wrap_up_ended.v1";
  conversation_id: string;
  operator_id: string;
  due: number;
}

export interface Write {
  conversation_id: string;
}

/**
 * Something about a conversation that you are in; ask for it to see what. Or somebody else took
 * one of which you were told.
 */
export interface YourConversationChanged {
  type: "conversation_changed";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
  state: "assigned" | "closed" | "offered" | "waiting";
}

/** The visitor of a conversation that you are in. */
export interface YourVisitorWrote {
  type: "visitor_wrote";
  id: string;
  position: number;
  at: number;
  alert: boolean;
  seq: number;
  conversation_id: string;
}

/** Commands by name. */
export interface Commands {
  create_workspace: { body: CreateWorkspace; result: Nothing };
  set_policy: { body: SetPolicy; result: Nothing };
  clear_policy: { body: ClearPolicy; result: Nothing };
  define_role: { body: DefineRole; result: Nothing };
  delete_role: { body: DeleteRole; result: Nothing };
  create_group: { body: CreateGroup; result: Nothing };
  update_group: { body: UpdateGroup; result: Nothing };
  delete_group: { body: DeleteGroup; result: Nothing };
  define_entry_point: { body: DefineEntryPoint; result: Nothing };
  remove_entry_point: { body: RemoveEntryPoint; result: Nothing };
  register_operator: { body: RegisterOperator; result: Nothing };
  update_operator: { body: UpdateOperator; result: Nothing };
  remove_operator: { body: RemoveOperator; result: Nothing };
  log_out_operator: { body: LogOutOperator; result: Nothing };
  join_group: { body: JoinGroup; result: Nothing };
  leave_group: { body: LeaveGroup; result: Nothing };
  set_schedule: { body: SetSchedule; result: Nothing };
  define_webhook: { body: DefineWebhook; result: Nothing };
  remove_webhook: { body: RemoveWebhook; result: Nothing };
  erase: { body: Erase; result: Nothing };
  log_in: { body: LogIn; result: StatusView };
  log_out: { body: LogOut; result: StatusView };
  set_status: { body: SetStatus; result: StatusView };
  set_preferences: { body: SetPreferences; result: Nothing };
  session_lapsed: { body: LapseSession; result: Nothing };
  session_returned: { body: ReturnSession; result: Nothing };
  operator_idle: { body: BecomeIdle; result: Nothing };
  operator_active: { body: BecomeActive; result: Nothing };
  shift_started: { body: StartShift; result: Nothing };
  shift_ended: { body: EndShift; result: Nothing };
  save_rule: { body: SaveRule; result: Nothing };
  delete_rule: { body: DeleteRule; result: Nothing };
  rule_fired: { body: FireRule; result: FiringResult };
  visitor_session_ended: { body: EndVisitorSession; result: Nothing };
  visitor_seen: { body: SeeVisitor; result: Nothing };
  accept_offer: { body: AcceptOffer; result: ConversationResult };
  decline_offer: { body: DeclineOffer; result: ConversationResult };
  recall_offer: { body: RecallOffer; result: ConversationResult };
  visitor_left: { body: LeavePage; result: Nothing };
  visitor_back: { body: ComeBack; result: Nothing };
  claim: { body: Claim; result: ConversationResult };
  join: { body: Join; result: ConversationResult };
  leave: { body: Leave; result: ConversationResult };
  release: { body: Release; result: ConversationResult };
  reply: { body: Reply; result: ConversationResult };
  add_participant: { body: AddParticipant; result: ConversationResult };
  remove_participant: { body: RemoveParticipant; result: ConversationResult };
  forward: { body: Forward; result: ConversationResult };
  set_conversation: { body: SetConversation; result: ConversationResult };
  reopen: { body: Reopen; result: ConversationResult };
  close: { body: Close; result: ConversationResult };
  open: { body: Open; result: ConversationResult };
  write: { body: Write; result: ConversationResult };
  identify: { body: Identify; result: Nothing };
  assign_visitor: { body: AssignVisitor; result: Nothing };
  unassign_visitor: { body: UnassignVisitor; result: Nothing };
}

/** Queries by name. */
export interface Queries {
  roster: { body: AskRoster; result: Roster };
  operators: { body: AskOperators; result: Operators };
  me: { body: AskMe; result: MeView };
  inbox: { body: AskInbox; result: Inbox };
  queue: { body: AskQueue; result: Queue };
  conversation: { body: AskConversation; result: ConversationWithTimeline };
  entry_point: { body: AskEntryPoint; result: EntryPointView };
  visitor: { body: AskVisitor; result: VisitorAnswer };
  workspace: { body: AskWorkspace; result: WorkspaceView };
  feed: { body: AskFeed; result: FeedPage };
  dead_letters: { body: AskDeadLetters; result: DeadLetters };
  resend_dead_letters: { body: AskResendDeadLetters; result: Resent };
  why_not_fired: { body: AskWhyNotFired; result: WhyNotFired };
}

/** Questions about the past by name. */
export interface AuditQuestions {
  explain: { body: AskExplain; result: Explained };
  why_not: { body: AskWhyNot; result: WhyNotView };
  why_waiting: { body: AskWhyWaiting; result: WhyWaitingView };
  timeline: { body: AskTimeline; result: Timeline };
  moment: { body: AskMoment; result: MomentView };
  roster: { body: AskRosterThen; result: Roster };
  queue: { body: AskQueueThen; result: Queue };
  conversation: { body: AskConversationThen; result: ConversationAnswer };
  inbox: { body: AskInboxThen; result: Inbox };
  entry_point: { body: AskEntryPointThen; result: EntryPointView };
  visitor: { body: AskVisitorThen; result: VisitorAnswer };
  workspace: { body: AskWorkspaceThen; result: WorkspaceView };
  diff: { body: AskDiff; result: Diff };
  find: { body: AskFind; result: Found };
  conversations_of: { body: AskConversationsOf; result: ConversationsOf };
  events: { body: AskEvents; result: StoredEvents };
  seals: { body: AskSeals; result: StoredSeals };
  verify: { body: AskVerify; result: Begun };
  simulate: { body: AskSimulate; result: Begun };
  job: { body: AskJob; result: JobView };
}

/** What a job that is done has in `result`. */
export interface Jobs {
  verify: Verified;
  simulate: Simulation;
}

/** The messages of each kind of feed. */
export interface Feeds {
  operator:
    | Assigned
    | Offered
    | OfferEnded
    | Forwarded
    | Added
    | QueueWaiting
    | Escalated
    | Slow
    | YourVisitorWrote
    | Released
    | Returned
    | Missed
    | YourConversationChanged;
  visitor:
    | Queued
    | OperatorJoined
    | OperatorLeft
    | OperatorPresence
    | Reassigned
    | Notice
    | Invited
    | AskGroup
    | Closed;
  team: StatusChanged | TeamConversationChanged | QueueChanged;
  entry: ModeChanged;
}

/** Events by the name they are stored under. */
export interface Events {
  "workspace_created.v1": WorkspaceCreated;
  "routing_revision_adopted.v1": RoutingRevisionAdopted;
  "policy_set.v1": PolicySet;
  "role_defined.v1": RoleDefined;
  "role_deleted.v1": RoleDeleted;
  "group_defined.v1": GroupDefined;
  "group_deleted.v1": GroupDeleted;
  "entry_point_defined.v1": EntryPointDefined;
  "entry_point_removed.v1": EntryPointRemoved;
  "hours_opened.v1": HoursOpened;
  "hours_closed.v1": HoursClosed;
  "entry_point_mode_changed.v1": EntryPointModeChanged;
  "schedule_set.v1": ScheduleSet;
  "webhook_defined.v1": WebhookDefined;
  "webhook_removed.v1": WebhookRemoved;
  "subject_erased.v1": SubjectErased;
  "rule_saved.v1": RuleSaved;
  "rule_deleted.v1": RuleDeleted;
  "operator_registered.v1": OperatorRegistered;
  "operator_updated.v1": OperatorUpdated;
  "operator_removed.v1": OperatorRemoved;
  "group_joined.v1": GroupJoined;
  "group_left.v1": GroupLeft;
  "operator_logged_in.v1": OperatorLoggedIn;
  "operator_logged_out.v1": OperatorLoggedOut;
  "session_lapsed.v1": SessionLapsed;
  "session_returned.v1": SessionReturned;
  "disconnect_grace_ended.v1": DisconnectGraceEnded;
  "operator_idle.v1": OperatorIdle;
  "operator_active.v1": OperatorActive;
  "shift_started.v1": ShiftStarted;
  "shift_ended.v1": ShiftEnded;
  "preferences_set.v1": PreferencesSet;
  "presence_stale.v1": PresenceStale;
  "presence_fresh.v1": PresenceFresh;
  "status_chosen.v1": StatusChosen;
  "status_break_ended.v1": StatusBreakEnded;
  "operator_status_changed.v1": OperatorStatusChanged;
  "visitor_identified.v1": VisitorIdentified;
  "visitor_assigned.v1": VisitorAssigned;
  "visitor_unassigned.v1": VisitorUnassigned;
  "rule_fired.v1": RuleFired;
  "visitor_invited.v1": VisitorInvited;
  "visitor_asked.v1": VisitorAsked;
  "visitor_prepared.v1": VisitorPrepared;
  "visitor_session_ended.v1": VisitorSessionEnded;
  "visitor_seen.v1": VisitorSeen;
  "conversation_opened.v1": ConversationOpened;
  "visitor_wrote.v1": VisitorWrote;
  "slot_freed.v1": SlotFreed;
  "slot_retaken.v1": SlotRetaken;
  "visitor_left.v1": VisitorLeft;
  "visitor_back.v1": VisitorBack;
  "conversation_changed.v1": ConversationChanged;
  "conversation_claimed.v1": ConversationClaimed;
  "operator_replied.v1": OperatorReplied;
  "participant_joined.v1": ParticipantJoined;
  "participant_left.v1": ParticipantLeft;
  "owner_left.v1": OwnerLeft;
  "conversation_released.v1": ConversationReleased;
  "conversation_forwarded.v1": ConversationForwarded;
  "conversation_closed.v1": ConversationClosed;
  "conversation_reopened.v1": ConversationReopened;
  "conversation_missed.v1": ConversationMissed;
  "conversation_unused.v1": ConversationUnused;
  "wrap_up_ended.v1": WrapUpEnded;
  "routing_cut.v1": RoutingCut;
  "routing_continues.v1": RoutingContinues;
  "conversation_slow.v1": ConversationSlow;
  "owner_away_too_long.v1": OwnerAwayTooLong;
  "widening_due.v1": WideningDue;
  "affinity_wait_ended.v1": AffinityWaitEnded;
  "conversation_widened.v1": ConversationWidened;
  "conversation_escalated.v1": ConversationEscalated;
  "conversation_reassigned.v1": ConversationReassigned;
  "nobody_else.v1": NobodyElse;
  "conversation_assigned.v1": ConversationAssigned;
  "conversation_queued.v1": ConversationQueued;
  "conversation_broadcast.v1": ConversationBroadcast;
  "conversation_redirected.v1": ConversationRedirected;
  "back_off_ended.v1": BackOffEnded;
  "offer_accepted.v1": OfferAccepted;
  "offer_declined.v1": OfferDeclined;
  "offer_expired.v1": OfferExpired;
  "forward_offered.v1": ForwardOffered;
  "forward_recalled.v1": ForwardRecalled;
  "forward_expired.v1": ForwardExpired;
  "forward_returned.v1": ForwardReturned;
  "conversation_offered.v1": ConversationOffered;
  "offer_rescinded.v1": OfferRescinded;
  "round_ended.v1": RoundEnded;
  "operator_unresponsive.v1": OperatorUnresponsive;
}

/** What comes back to a request whose `result` is known. */
export type ReplyWith<Result> = Answered<Result> | NotDone;
export type CommandReply<Name extends keyof Commands> = ReplyWith<Commands[Name]["result"]>;
export type QueryReply<Name extends keyof Queries> = ReplyWith<Queries[Name]["result"]>;
export type AuditReply<Name extends keyof AuditQuestions> = ReplyWith<
  AuditQuestions[Name]["result"]
>;

/** A body as a back end sends it, which speaks for somebody. */
export type Spoken<Body> = string extends keyof Body
  ? { as: OnBehalf }
  : Body & { as: OnBehalf };

/** Any message of one kind of feed; `type` tells them apart. */
export type FeedMessage<Feed extends keyof Feeds = keyof Feeds> = Feeds[Feed];

/** Any event; `type` is the name it is stored under. */
export type FernamtEvent = Events[keyof Events];
