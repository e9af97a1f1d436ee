// That this desk is there, every 15 seconds, and whether somebody touched it since the last time.

import type { Client } from "./client.js";

const TOUCHES = ["pointerdown", "pointermove", "keydown", "wheel"];

/** From now on, for as long as the page is open. */
export function beat(client: Client, session: string): void {
  let touched = true; // whoever logs in has just done something
  for (const name of TOUCHES) addEventListener(name, () => (touched = true), { passive: true });
  const say = () => {
    client.beat(session, { active: touched });
    touched = false;
  };
  const ticker = new Worker(new URL("ticker.js", import.meta.url), { type: "module" });
  ticker.onmessage = say;
  client.whenBack(say);
  say();
}
