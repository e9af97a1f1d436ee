// A front end as its authors would write it, to be compiled and not run.

import type {
  AuditReply,
  BeatBody,
  CommandReply,
  Commands,
  ErrorCode,
  FeedMessage,
  FernamtEvent,
  Jobs,
  Open,
  PageView,
  Queries,
  QueryReply,
  Scope,
  SeenAnswer,
  Spoken,
} from "../../schemas/typescript/fernamt.js";

declare function command<Name extends keyof Commands>(
  name: Name,
  body: Commands[Name]["body"],
): Promise<CommandReply<Name>>;

declare function ask<Name extends keyof Queries>(
  name: Name,
  body: Queries[Name]["body"],
): Promise<QueryReply<Name>>;

export async function openChat(): Promise<string | null> {
  const reply = await command("open", {
    conversation_id: "chat-1",
    entry_point_id: "site",
    attributes: { cart: 3, known: true },
  });
  if (!reply.ok) {
    return retriable(reply.error.code) ? openChat() : null;
  }
  return reply.result.conversation.owner;
}

function retriable(code: string): boolean {
  const busy: ErrorCode[] = ["overloaded", "unavailable"];
  return busy.some((each) => each === code);
}

export async function handOver(): Promise<number> {
  const to: Scope = { group: "support" };
  const reply = await command("forward", { conversation_id: "chat-1", to, mode: "offer" });
  await command("set_status", { status: "busy", for_s: 600 });
  await command("visitor_left", {});
  return reply.ok ? reply.position : 0;
}

export async function mine(): Promise<string[]> {
  const reply = await ask("inbox", { view: "mine", limit: 50 });
  return reply.ok ? reply.result.conversations.map((each) => each.conversation_id) : [];
}

export function heard(message: FeedMessage<"operator"> | FeedMessage<"team">): string {
  switch (message.type) {
    case "assigned":
      return `${message.seq}: ${message.reason}`;
    case "offered":
      return `accept ${message.offer} until ${new Date(message.expires_at).toISOString()}`;
    case "status_changed":
      return message.effective;
    default:
      return message.alert ? "ring" : "show";
  }
}

export function told(event: FernamtEvent): string | null {
  return event.type === "conversation_assigned.v1" ? event.operator_id : null;
}

export const page: PageView = {
  session_id: "s-81",
  entry_point_id: "site",
  url: "https://example.org/fr/prix",
};
export const heartbeat: BeatBody = { active: true };
export const spoken: Spoken<Open> = {
  conversation_id: "chat-1",
  entry_point_id: "site",
  as: { visitor: "v-17" },
};
export const gone: Spoken<Commands["visitor_left"]["body"]> = { as: { visitor: "v-17" } };

export function fired(answer: SeenAnswer, why: AuditReply<"explain">, done: Jobs["verify"]): unknown {
  return [answer.fired.length, why.ok && why.result.decision, done.state_hash];
}
