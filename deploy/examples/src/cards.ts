// Conversations as an operator sees them, each with what may be done with it.

import type { ConversationView, RosterEntry, Scope } from "../../../schemas/typescript/fernamt.js";
import { arrange, inside, made, time } from "./page.js";
import type { Texts } from "./texts.js";
import { word, type Word } from "./words.js";

export type Deed =
  | { what: "accept" | "decline"; offer: number }
  | { what: "claim" | "close" }
  | { what: "forward"; to: Scope }
  | { what: "reply"; text: string };

export type Act = (conversation: ConversationView, deed: Deed) => Promise<boolean>;

export class Cards {
  readonly #list: HTMLElement;
  readonly #me: string;
  readonly #texts: Texts;
  readonly #act: Act;
  #shown = new Map<string, ConversationView>();
  #roster: RosterEntry[] = [];

  constructor(list: HTMLElement, me: string, texts: Texts, act: Act) {
    this.#list = list;
    this.#me = me;
    this.#texts = texts;
    this.#act = act;
  }

  show(conversations: ConversationView[]): void {
    this.#shown = new Map(conversations.map((one) => [one.conversation_id, one]));
    this.refresh();
  }

  /** Whom one may forward to, by the latest roster. */
  offerTargets(roster: RosterEntry[]): void {
    this.#roster = roster;
    this.refresh();
  }

  has(id: string): boolean {
    return this.#shown.has(id);
  }

  visitorOf(id: string): string | undefined {
    return this.#shown.get(id)?.visitor_id;
  }

  focus(id: string): void {
    const card = [...this.#list.children].find((one) => (one as HTMLElement).dataset["key"] === id);
    (card as HTMLElement | undefined)?.focus();
  }

  /** Something beside the conversations has changed. */
  refresh(): void {
    arrange(
      this.#list,
      [...this.#shown.keys()],
      (id) => this.#made(id),
      (card, id) => this.#fillCard(card, this.#shown.get(id) as ConversationView),
    );
  }

  #made(id: string): HTMLElement {
    const card = made("card");
    const act = (deed: Deed) => this.#act(this.#shown.get(id) as ConversationView, deed);
    const offer = () => this.#shown.get(id)?.offer?.offer ?? 0;
    const button = (name: string, deed: () => Deed) => {
      inside(card, name, HTMLButtonElement).onclick = () => void act(deed());
    };
    button("accept", () => ({ what: "accept", offer: offer() }));
    button("decline", () => ({ what: "decline", offer: offer() }));
    button("claim", () => ({ what: "claim" }));
    button("close", () => ({ what: "close" }));
    const text = inside(card, "text", HTMLTextAreaElement);
    inside(card, "reply", HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      void act({ what: "reply", text: text.value.trim() }).then((done) => {
        if (done) text.value = "";
      });
    };
    const to = inside(card, "to", HTMLSelectElement);
    inside(card, "forward", HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      void act({ what: "forward", to: JSON.parse(to.value) as Scope });
      to.value = "";
    };
    return card;
  }

  #fillCard(card: HTMLElement, view: ConversationView): void {
    const offered = view.offer?.operator_id === this.#me;
    const open = view.state === "waiting" || view.why_mine === "escalated";
    const mine = view.why_mine === "owner" || view.why_mine === "participant";
    inside(card, "visitor", HTMLElement).textContent = view.visitor_id;
    inside(card, "id", HTMLElement).textContent = view.conversation_id;
    inside(card, "standing", HTMLElement).textContent = standing(view, offered);
    inside(card, "accept", HTMLElement).hidden = !offered;
    inside(card, "decline", HTMLElement).hidden = !offered;
    inside(card, "claim", HTMLElement).hidden = !open;
    for (const name of ["close", "reply", "forward"]) {
      inside(card, name, HTMLElement).hidden = !mine;
    }
    card.dataset["offered"] = String(offered);
    this.#fillTexts(inside(card, "texts", HTMLElement), view);
    this.#fillTargets(inside(card, "to", HTMLSelectElement));
  }

  #fillTexts(list: HTMLElement, { conversation_id, visitor_id }: ConversationView): void {
    const lines = this.#texts.of(conversation_id).map(({ from, text }) => {
      const line = document.createElement("li");
      line.className = from === visitor_id ? "theirs" : "mine"; // or a colleague's
      line.textContent = text;
      return line;
    });
    list.replaceChildren(...lines);
  }

  /** Groups that somebody is in, and colleagues. It stays as it is, perhaps open, if it can. */
  #fillTargets(to: HTMLSelectElement): void {
    const roster = this.#roster.map(({ operator_id, groups, effective }) => [operator_id, groups, effective]);
    const targets = JSON.stringify(roster);
    if (to.dataset["targets"] === targets) return;
    to.dataset["targets"] = targets;
    const groups = [...new Set(this.#roster.flatMap((one) => one.groups))].sort();
    const colleagues = this.#roster.filter((one) => one.operator_id !== this.#me);
    const section = (name: Word, options: HTMLOptionElement[]) => {
      const made = document.createElement("optgroup");
      made.label = word(name);
      made.append(...options);
      return made;
    };
    const target = (label: string, scope: Scope) => new Option(label, JSON.stringify(scope));
    const before = to.value;
    to.replaceChildren(
      new Option(word("forward_to"), ""),
      section("groups", groups.map((group) => target(group, { group }))),
      section("colleagues", colleagues.map(({ operator_id, effective }) =>
        target(`${operator_id} (${word(effective)})`, { operator: operator_id }))),
    );
    to.value = before;
    if (to.selectedIndex < 0) to.value = ""; // that one is there no more
  }
}

/** How it stands, in a line. */
function standing(view: ConversationView, offered: boolean): string {
  const parts: string[] = [];
  if (view.offer && offered) {
    return word("is_offered", { until: time(view.offer.expires_at, "2-digit") });
  }
  if (view.offer) {
    parts.push(word("offered_to", { who: view.offer.operator_id }));
  }
  if (view.waiting_reason) parts.push(word(view.waiting_reason));
  else if (view.why_mine && view.why_mine !== "offered") {
    parts.push(word(`is_${view.why_mine}`, { owner: view.owner ?? "" }));
  }
  if (view.missed) parts.push(word("missed"));
  parts.push(word("since", { at: time(view.queued_at ?? view.opened_at) }));
  return parts.join(", ");
}
