// One connection to the broker and who speaks over it: subjects, ids of commands, tries.

import {
  AuthorizationError,
  headers,
  RequestError,
  TimeoutError,
  tokenAuthenticator,
  wsconnect,
  type NatsConnection,
} from "@nats-io/nats-core";

import type {
  Answered,
  BeatBody,
  Commands,
  FeedMessage,
  Feeds,
  PageView,
  Queries,
  Refused,
  ReplyWith,
} from "../../../schemas/typescript/fernamt.js";
import type { Settings } from "./settings.js";

const ANSWER_WITHIN_MS = 5_000;
const TRIES_MAX = 8;
const PAUSE_MS = 250; // after the first try; each later pause is twice the last
const PAUSE_MAX_MS = 4_000;
const LATER = ["overloaded", "unavailable"]; // nothing is wrong with what was said

/** `turned_away`: the broker is there, and knows nobody by this session. */
export type Link = "connecting" | "connected" | "turned_away";

/** The engine said no; nothing was changed. Programs rely on `code`, people read the message. */
export class Refusal extends Error {
  readonly code: string;
  /** When the same may be said again, where that is all that was wrong with it. */
  readonly retryAfterMs: number | null;

  constructor({ code, message, detail }: Refused) {
    super(message);
    this.code = code;
    const told = detail?.["retry_after_ms"];
    this.retryAfterMs = typeof told === "number" ? told : LATER.includes(code) ? 0 : null;
  }
}

export class Client {
  readonly #nats: NatsConnection;
  readonly #actor: string; // W.K.A, which stands in every subject
  readonly #workspace: string;
  readonly #whenBack: (() => void)[] = [];

  private constructor(nats: NatsConnection, workspace: string, actor: string) {
    this.#nats = nats;
    this.#workspace = workspace;
    this.#actor = actor;
  }

  /**
   * Try until the broker lets this actor in; `told` hears how it goes, now and later.
   *
   * A browser sends the session's cookie by itself. Answers arrive below a prefix that names the
   * actor, as nobody may listen for those of others.
   */
  static async connect(
    { url, workspace, actor, token }: Settings & { workspace: string; actor: string },
    kind: "admin" | "operator" | "visitor",
    told: (link: Link) => void,
  ): Promise<Client> {
    const who = `${workspace}.${kind}.${actor}`;
    const options = {
      servers: url,
      name: who,
      inboxPrefix: `_INBOX.${who}`,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true, // while nobody can check sessions, good ones are turned away too
      reconnectTimeWait: 1_000,
      reconnectJitter: 2_000, // all desks lose a broker at the same moment
      ...(token === null ? {} : { authenticator: tokenAuthenticator(token) }),
    };
    for (;;) {
      told("connecting");
      try {
        const client = new Client(await wsconnect(options), workspace, who);
        void client.#watch(told);
        return client;
      } catch (error) {
        if (error instanceof AuthorizationError) told("turned_away");
        await pause(PAUSE_MAX_MS * (0.5 + Math.random()));
      }
    }
  }

  /** Change something, once however often it has to be said. Throws `Refusal`, `TimeoutError`. */
  command<Name extends keyof Commands>(
    name: Name,
    body: Commands[Name]["body"],
  ): Promise<Answered<Commands[Name]["result"]>> {
    const id = crypto.randomUUID(); // the same in every try
    return this.#request(`cmd.${this.#actor}.${name}`, body, ["Fernamt-Command-Id", id]);
  }

  /** Ask for the live state, as of `position` or later. Throws as `command` does. */
  ask<Name extends keyof Queries>(
    name: Name,
    body: Queries[Name]["body"],
    position = 0,
  ): Promise<Answered<Queries[Name]["result"]>> {
    return this.#request(`ask.${this.#actor}.${name}`, body, ["Fernamt-Min-Position", `${position}`]);
  }

  /** Hear a feed from now on: one's own, the team's, or that of the entry point `of`. */
  listen<Feed extends keyof Feeds>(
    feed: Feed,
    hear: (message: FeedMessage<Feed>) => void,
    of = "",
  ): void {
    const whose: Record<keyof Feeds, string> = {
      operator: this.#actor,
      visitor: this.#actor,
      team: `${this.#workspace}.team`,
      entry: `${this.#workspace}.entry.${of}`,
    };
    this.#nats.subscribe(`fernamt.v1.feed.${whose[feed]}`, {
      callback: (_, message) => {
        const said = message.json<Partial<FeedMessage<Feed>>>();
        if (said.type && said.position) hear(said as FeedMessage<Feed>); // else somebody's joke
      },
    });
  }

  /** Called after each lost connection, for what was missed meanwhile. */
  whenBack(what: () => void): void {
    this.#whenBack.push(what);
  }

  /** A heartbeat of this device; nobody answers. */
  beat(session: string, body: BeatBody): void {
    this.#nats.publish(`fernamt.v1.beat.${this.#actor}.${session}`, JSON.stringify(body));
  }

  /** The visitor looks at a page; nobody answers, and rules may follow. */
  seen(view: PageView): void {
    this.#nats.publish(`fernamt.v1.seen.${this.#actor}`, JSON.stringify(view));
  }

  async #request<Result>(
    subject: string,
    body: object,
    beside: [string, string],
  ): Promise<Answered<Result>> {
    const options = { timeout: ANSWER_WITHIN_MS, headers: headers() };
    options.headers.set(...beside);
    for (let tries = 1; ; tries += 1) {
      try {
        const sent = this.#nats.request(`fernamt.v1.${subject}`, JSON.stringify(body), options);
        const reply = (await sent).json<ReplyWith<Result>>();
        if (reply.ok) return reply;
        throw new Refusal(reply.error);
      } catch (error) {
        const wait = waitAfter(error);
        if (tries === TRIES_MAX || wait === null) throw error;
        await pause(Math.max(wait, Math.min(PAUSE_MS * 2 ** (tries - 1), PAUSE_MAX_MS)));
      }
    }
  }

  /** Tell each change once: a try that is turned away counts as a lost connection, too. */
  async #watch(told: (link: Link) => void): Promise<void> {
    let link: Link = "connected";
    told(link);
    const becomes = (next: Link) => {
      if (next !== link) told((link = next));
    };
    for await (const status of this.#nats.status()) {
      if (status.type === "disconnect" && link === "connected") becomes("connecting");
      if (status.type === "error" && status.error instanceof AuthorizationError) becomes("turned_away");
      if (status.type === "reconnect") {
        becomes("connected");
        for (const what of this.#whenBack) what();
      }
    }
  }
}

/** How long at least, before the same may be tried again; null if that would be no use. */
function waitAfter(error: unknown): number | null {
  if (error instanceof Refusal) return error.retryAfterMs;
  return unanswered(error) ? 0 : null;
}

/** Nobody answered in time, and it may have happened; or nobody is there who could. */
export function unanswered(error: unknown): boolean {
  return error instanceof TimeoutError || (error instanceof RequestError && error.isNoResponders());
}

/** Wait until it is done; that it was so already, by one of these codes, is as good. */
export async function orAlready(done: Promise<unknown>, ...codes: string[]): Promise<void> {
  try {
    await done;
  } catch (error) {
    if (!(error instanceof Refusal && codes.includes(error.code))) throw error;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
