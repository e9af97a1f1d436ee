// What one operator or visitor is told: every message once, in order, and none missing.

import type { FeedMessage } from "../../../schemas/typescript/fernamt.js";
import type { Client } from "./client.js";

/**
 * The feed of whoever the client speaks for. `seq` counts without gaps; so a repeat is known by a
 * number that was there, and a loss by one that was left out, which is then asked for.
 */
export class NumberedFeed<Kind extends "operator" | "visitor"> {
  readonly #client: Client;
  readonly #kind: Kind;
  readonly #apply: (message: FeedMessage<Kind>) => void;
  readonly #trouble: (error: unknown) => void;
  #last = 0;
  #asking = false;
  #missing = false;

  constructor(
    client: Client,
    kind: Kind,
    apply: (message: FeedMessage<Kind>) => void,
    trouble: (error: unknown) => void,
  ) {
    this.#client = client;
    this.#kind = kind;
    this.#apply = apply;
    this.#trouble = trouble;
  }

  /** The number of the last message that was applied. */
  get last(): number {
    return this.#last;
  }

  /**
   * Subscribe, then go on from the message after number `after`; without it from now on.
   *
   * Ask for anything else after this: what the answers show, no message needs to tell.
   */
  async begin(after: number | null): Promise<void> {
    this.#asking = true;
    this.#client.listen(this.#kind, (message) => this.#hear(message));
    this.#client.whenBack(() => void this.#catchUp());
    this.#last = after ?? (await this.#client.ask("feed", {})).result.last;
    this.#asking = false;
    await this.#catchUp();
  }

  #hear(message: FeedMessage<Kind>): void {
    if (message.seq <= this.#last) return;
    if (!this.#asking && message.seq === this.#last + 1) this.#take(message);
    else void this.#catchUp();
  }

  /** Ask for what came after the last one, again and again until nothing comes. */
  async #catchUp(): Promise<void> {
    this.#missing = true;
    if (this.#asking) return;
    this.#asking = true;
    try {
      while (this.#missing) {
        this.#missing = false;
        const page = await this.#client.ask("feed", { after: this.#last });
        for (const message of page.result.messages) this.#take(message as FeedMessage<Kind>);
        this.#missing ||= page.result.messages.length > 0;
      }
    } catch (error) {
      this.#trouble(error); // the next message, or the next connection, shows the gap again
    } finally {
      this.#asking = false;
    }
  }

  #take(message: FeedMessage<Kind>): void {
    this.#last = message.seq;
    this.#apply(message);
  }
}
