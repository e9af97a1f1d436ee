// One conversation as its visitor sees it: how it stands, and what was said and happened.

import type { ConversationView, FeedMessage } from "../../../schemas/typescript/fernamt.js";
import type { Client } from "./client.js";
import { attempt, part, showTrouble } from "./page.js";
import { Picture } from "./picture.js";
import { word } from "./words.js";

/** What a visitor is told of one conversation; the rest are invitations. */
export type Told = Extract<FeedMessage<"visitor">, { conversation_id: string }>;

export class Conversation {
  readonly id: string;
  readonly #client: Client;
  readonly #lines = part("lines", HTMLOListElement);
  readonly #away = new Set<string>();
  #picture: Picture<"conversation"> | null = null;
  #view: ConversationView | null = null;
  #place = 0;

  constructor(client: Client, id: string) {
    this.#client = client;
    this.id = id;
    this.#showProgress();
  }

  /** It is known to the engine: from here on it may be asked for. */
  opened(): void {
    const question = { conversation_id: this.id };
    const show = ({ conversation }: { conversation: ConversationView }) => {
      this.#view = conversation;
      this.#showProgress();
    };
    const trouble = (error: unknown) => {
      showTrouble(error);
      part("another", HTMLElement).hidden = false; // perhaps the engine knows it no more
    };
    const asked = new Picture(this.#client, ["conversation", question], show, trouble);
    this.#picture = asked.begin();
  }

  hear(message: Told): void {
    const said = this.#lineOf(message);
    if (said !== null) this.#line("event", said).dataset["id"] = message.id;
    this.#picture?.need(message.position);
    this.#showProgress();
  }

  /** Somebody else's text. */
  theirs(text: string): void {
    this.#line("theirs", text);
  }

  /** The visitor's text, which `deliver` delivers; where that fails, another try is offered. */
  async mine(text: string, deliver: () => Promise<unknown>): Promise<void> {
    const line = this.#line("mine", text);
    line.dataset["state"] = "sending";
    if (await attempt(deliver)) {
      line.dataset["state"] = "sent";
      return;
    }
    line.dataset["state"] = "failed";
    const again = document.createElement("button");
    again.textContent = word("not_sent");
    again.onclick = () => {
      line.remove();
      void this.mine(text, deliver);
    };
    line.append(again);
  }

  #lineOf(message: Told): string | null {
    switch (message.type) {
      case "queued":
        this.#place = message.place;
        return null;
      case "operator_presence":
        if (message.shown === "offline") this.#away.add(message.operator_id);
        else this.#away.delete(message.operator_id);
        return null;
      case "operator_joined":
        return word("joined", { who: message.operator_id });
      case "operator_left":
        return word("left", { who: message.operator_id });
      case "reassigned":
        return word("reassigned", { who: message.operator_id });
      case "notice":
        return message.text;
      case "closed":
        return word("closed");
      default:
        return null; // what a later version of the wire may tell
    }
  }

  #showProgress(): void {
    const shown = part("progress", HTMLElement);
    shown.textContent = this.#progress();
    shown.dataset["state"] = this.#view?.state ?? "waiting";
    part("end", HTMLElement).hidden = this.#view?.state === "closed";
    part("another", HTMLElement).hidden = this.#view?.state !== "closed";
  }

  #progress(): string {
    const view = this.#view;
    if (view?.state === "closed") return word("over");
    if (view?.owner) {
      return word(this.#away.has(view.owner) ? "gone" : "talking", { who: view.owner });
    }
    if (view?.missed || view?.entry_mode === "messenger") return word("noted");
    return this.#place ? word("place", { place: this.#place }) : word("looking");
  }

  #line(kind: "event" | "mine" | "theirs", text: string): HTMLLIElement {
    const line = document.createElement("li");
    line.className = kind;
    line.textContent = text;
    this.#lines.append(line);
    line.scrollIntoView({ block: "nearest" });
    return line;
  }
}
