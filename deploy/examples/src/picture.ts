// A query's answer that is kept up to date: subscribe, then query, then apply what is newer.

import type { Queries } from "../../../schemas/typescript/fernamt.js";
import { pause, type Client } from "./client.js";

const REST_MS = 200; // between two questions: a burst of messages is one change to look at

/**
 * Feeds say at which `position` something changed, answers as of which they are; so whether the
 * picture is older than a message is a comparison, and asking again brings it up to date.
 */
export class Picture<Name extends keyof Queries> {
  readonly #client: Client;
  readonly #name: Name;
  readonly #body: Queries[Name]["body"];
  readonly #show: (result: Queries[Name]["result"], position: number) => void;
  readonly #trouble: (error: unknown) => void;
  #position = 0;
  #needed = 0;
  #stale = false;
  #asking = false;

  /** `show` is called with each answer and its position. */
  constructor(
    client: Client,
    [name, body]: [Name, Queries[Name]["body"]],
    show: (result: Queries[Name]["result"], position: number) => void,
    trouble: (error: unknown) => void,
  ) {
    this.#client = client;
    this.#name = name;
    this.#body = body;
    this.#show = show;
    this.#trouble = trouble;
  }

  /** Ask for the first time: subscribe before. */
  begin(): this {
    this.#client.whenBack(() => this.#again());
    this.#again();
    return this;
  }

  /** A feed has told of this position. */
  need(position: number): void {
    this.#needed = Math.max(this.#needed, position);
    if (!this.#asking) void this.#ask();
  }

  /** Whether what is shown is no older than this position. */
  shows(position: number): boolean {
    return this.#position >= position;
  }

  /** Nobody knows what has changed. */
  #again(): void {
    this.#stale = true;
    this.need(this.#position);
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    try {
      while (this.#stale || this.#needed > this.#position) {
        this.#stale = false;
        const answer = await this.#client.ask(this.#name, this.#body, this.#needed);
        this.#position = answer.position;
        this.#show(answer.result, answer.position);
        await pause(REST_MS);
      }
    } catch (error) {
      this.#trouble(error); // the next message, or the next connection, asks again
    } finally {
      this.#asking = false;
    }
  }
}
