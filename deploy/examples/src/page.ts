// The little that both pages need of the document: their parts, lists and words.

import { Refusal, unanswered, type Link } from "./client.js";
import { word, type Word } from "./words.js";

/** The element of this id, of which the page says that it is there. */
export function part<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`no ${kind.name} #${id} in this page`);
}

/** The same by `data-part`, inside of what was made from a template. */
export function inside<Kind extends HTMLElement>(
  whole: HTMLElement,
  name: string,
  kind: new () => Kind,
): Kind {
  const found = whole.querySelector(`[data-part=${name}]`);
  if (found instanceof kind) return found;
  throw new Error(`no ${kind.name} ${name} in this template`);
}

/** A new first element of the template, with its words in it. */
export function made(template: string): HTMLElement {
  const copy = document.importNode(part(template, HTMLTemplateElement).content, true);
  const first = copy.firstElementChild;
  if (!(first instanceof HTMLElement)) throw new Error(`the template ${template} is empty`);
  putWords(first);
  return first;
}

/** Give the list one entry for each key, in this order. What is there already stays itself. */
export function arrange(
  list: HTMLElement,
  keys: string[],
  make: (key: string) => HTMLElement,
  fill: (entry: HTMLElement, key: string) => void,
): void {
  const before = new Map([...list.children].map((one) => [(one as HTMLElement).dataset["key"], one]));
  const entries = keys.map((key) => {
    const entry = (before.get(key) as HTMLElement | undefined) ?? make(key);
    entry.dataset["key"] = key;
    fill(entry, key);
    return entry;
  });
  const kept = new Set<Element>(entries);
  for (const one of before.values()) if (!kept.has(one)) one.remove();
  entries.forEach((entry, index) => {
    if (list.children[index] !== entry) list.insertBefore(entry, list.children[index] ?? null);
  });
}

/** Put the reader's words wherever an element says `data-word`. */
export function putWords(whole: ParentNode): void {
  for (const one of whole.querySelectorAll<HTMLElement>("[data-word]")) {
    one.textContent = word(one.dataset["word"] as Word);
  }
  for (const one of whole.querySelectorAll<HTMLElement>("[data-label]")) {
    one.ariaLabel = word(one.dataset["label"] as Word);
  }
  for (const one of whole.querySelectorAll<HTMLTextAreaElement>("[data-hint]")) {
    one.placeholder = word(one.dataset["hint"] as Word);
  }
}

export function showLink(link: Link): void {
  const shown = part("link", HTMLElement);
  shown.dataset["link"] = link;
  shown.textContent = word(link);
}

/** Say what went wrong, in the engine's own words where it refused. */
export function showTrouble(error: unknown): void {
  if (!(error instanceof Refusal)) console.error(error);
  const shown = error instanceof Error && !unanswered(error) ? error.message : word("unanswered");
  part("trouble", HTMLElement).textContent = shown;
}

/** Do this, and show what goes wrong; what went wrong before is forgotten. */
export async function attempt(what: () => Promise<unknown>): Promise<boolean> {
  part("trouble", HTMLElement).textContent = "";
  try {
    await what();
    return true;
  } catch (error) {
    showTrouble(error);
    return false;
  }
}

export function time(ms: number, second?: "2-digit"): string {
  const parts = { hour: "2-digit", minute: "2-digit", ...(second && { second }) } as const;
  return new Date(ms).toLocaleTimeString(undefined, parts);
}

// What nobody expected is shown as well: a page that has stopped says why.
addEventListener("error", ({ error }) => showTrouble(error));
addEventListener("unhandledrejection", ({ reason }) => showTrouble(reason));
