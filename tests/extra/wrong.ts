// Mistakes that the types have to refuse: each marked line, and no other.

import type {
  Commands,
  CommandReply,
  Events,
  FeedMessage,
  Forward,
  Open,
  OnBehalf,
  PageView,
  Queries,
  QueryReply,
  Scope,
  Spoken,
} from "../../schemas/typescript/fernamt.js";

const to: Scope = { group: "support" };

export const lacking: Forward = { conversation_id: "chat-1" }; // wrong: `to` is mandatory
export const misspelt: Forward = {
  conversation_id: "chat-1",
  to,
  remark: "please", // wrong: no such field
};
export const retyped: Open = {
  conversation_id: 1, // wrong: ids are texts
  entry_point_id: "site",
};
export const unheardOf: Forward = {
  conversation_id: "chat-1",
  to,
  mode: "later", // wrong: no such word
};
export const both: Scope = { group: "support", operator: "ana" }; // wrong: exactly one of them
export const nobody: OnBehalf = {}; // wrong: exactly one of them
export const nullGroup: Scope = { group: null }; // wrong: never null
export const nowhere: PageView = { // wrong: `url` is mandatory
  session_id: "s-1",
  entry_point_id: "site",
};
export const body: Commands["visitor_left"]["body"] = { visitor_id: "v" }; // wrong: takes no fields
export const unspoken: Spoken<Open> = { conversation_id: "c", entry_point_id: "e" }; // wrong: no `as`
export type Unknown = Commands["wave"]; // wrong: no such command
export type Unasked = Queries["weather"]; // wrong: no such query
export type Unwritten = Events["group_joined"]; // wrong: stored names have a version

export function hasty(reply: CommandReply<"open">): string | null {
  return reply.result.conversation.owner; // wrong: it may have been refused
}

export function confused(reply: QueryReply<"roster">): unknown {
  return reply.ok && reply.result.conversations; // wrong: that is another query's
}

export function deaf(message: FeedMessage<"visitor">): number {
  if (message.type === "assigned") return 1; // wrong: visitors are not told that
  if (message.type === "queued") return message.place;
  return message.place; // wrong: only `queued` has a place
}
