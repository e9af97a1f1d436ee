// A small workspace to try the pages with. It speaks as an admin, which no page of a real platform
// does: it is for an engine that asks nobody who he is.

import type { Commands } from "../../../schemas/typescript/fernamt.js";
import { Client, orAlready } from "./client.js";
import { attempt, part, showLink } from "./page.js";
import { readSettings } from "./settings.js";
import { speak } from "./words.js";

type Step = { [Name in keyof Commands]: [Name, Commands[Name]["body"]] }[keyof Commands];

const settings = await readSettings("workspace", "entry_point");
speak("en");

const STEPS: Step[] = [
  ["create_workspace", { name: "To try it out" }],
  ["create_group", { group_id: "support", name: "Support" }],
  ["create_group", { group_id: "second-level", name: "Second level", public: false }],
  ["define_entry_point", { entry_point_id: settings.entry_point, name: "Site", groups: ["support"] }],
  ["register_operator", { operator_id: "ana" }],
  ["register_operator", { operator_id: "ben" }],
  ["register_operator", { operator_id: "cleo" }],
  ["join_group", { operator_id: "ana", group_id: "support" }],
  ["join_group", { operator_id: "ben", group_id: "support" }],
  ["join_group", { operator_id: "cleo", group_id: "second-level" }],
];

const client = await Client.connect({ ...settings, actor: "setup" }, "admin", showLink);
const ready = await attempt(async () => {
  for (const [name, body] of STEPS) {
    await orAlready(client.command(name, body), "workspace_exists", "already_exists");
  }
});
part("links", HTMLElement).hidden = !ready;
