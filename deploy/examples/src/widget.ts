// The visitor's page: whether somebody is there, opening a conversation, writing in it.

import type { EntryPointView, FeedMessage } from "../../../schemas/typescript/fernamt.js";
import { Client, orAlready } from "./client.js";
import { Conversation } from "./conversation.js";
import { NumberedFeed } from "./feed.js";
import { attempt, part, putWords, showLink, showTrouble } from "./page.js";
import { Picture } from "./picture.js";
import { readSettings } from "./settings.js";
import { Texts } from "./texts.js";
import { speak, word } from "./words.js";

const settings = await readSettings("workspace", "actor", "entry_point");
const { entry_point: entry_point_id } = settings;
speak(settings.language);
putWords(document);

/** The open conversation, kept over a reload with the number of the last message before it. */
const KEPT = `${settings.workspace}.${settings.actor}.conversation`;
const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null") as Kept | null;
type Kept = { id: string; after: number };

const client = await Client.connect(settings, "visitor", showLink);
let current = kept && new Conversation(client, kept.id);
const texts = new Texts(({ conversation_id, from, text }) => {
  if (conversation_id === current?.id && from !== settings.actor) current.theirs(text);
});

const feed = new NumberedFeed(client, "visitor", hear, showTrouble);
const entry = new Picture(client, ["entry_point", { entry_point_id }], showEntry, showTrouble);

function hear(message: FeedMessage<"visitor">): void {
  if (message.type === "invitation") {
    part("invitation", HTMLElement).textContent = message.text ?? "";
  } else if (message.type === "ask_group") {
    entry.need(message.position); // more groups to choose from
  } else if (message.conversation_id === current?.id) {
    current.hear(message);
  }
}

// --- before ---------------------------------------------------------------------------------

const id = `chat-${crypto.randomUUID()}`; // the same if it has to be tried twice
const start = part("start", HTMLFormElement);
const first = part("first", HTMLTextAreaElement);
const group = part("group", HTMLSelectElement);

function showEntry({ mode, groups }: EntryPointView): void {
  document.body.dataset["mode"] = mode;
  part("mode", HTMLElement).textContent = word(mode);
  part("begin", HTMLButtonElement).textContent = word(mode === "live" ? "begin" : "leave_message");
  part("choice", HTMLElement).hidden = groups.length === 0;
  const chosen = group.value;
  const names = groups.map(({ group_id, name, names, live }) => {
    const who = names[settings.language] ?? name;
    return new Option(live ? who : word("away", { who }), group_id);
  });
  group.replaceChildren(new Option(word("anybody"), ""), ...names);
  group.value = groups.some(({ group_id }) => group_id === chosen) ? chosen : "";
  showWhich();
}

start.onsubmit = (event) => {
  event.preventDefault();
  void open(first.value.trim(), group.value || null);
};

async function open(text: string, group_id: string | null): Promise<void> {
  const opened = new Conversation(client, id);
  const after = feed.last;
  current = opened; // before it is opened: the feed may be faster than the answer
  const { language } = settings;
  const body = { conversation_id: id, entry_point_id, group_id, language };
  part("begin", HTMLButtonElement).disabled = true;
  if (await attempt(() => orAlready(client.command("open", body), "already_open"))) {
    sessionStorage.setItem(KEPT, JSON.stringify({ id, after } satisfies Kept));
    opened.opened();
    texts.send({ conversation_id: id, from: settings.actor, text });
    void opened.mine(text, async () => undefined); // to open says that the visitor wrote
    showWhich();
    part("text", HTMLTextAreaElement).focus();
  } else {
    current = null;
  }
  part("begin", HTMLButtonElement).disabled = false;
}

// --- in a conversation ------------------------------------------------------------------------

const compose = part("compose", HTMLFormElement);
const written = part("text", HTMLTextAreaElement);

compose.onsubmit = (event) => {
  event.preventDefault();
  const text = written.value.trim();
  const conversation_id = current?.id;
  if (!text || !conversation_id) return;
  written.value = "";
  void current?.mine(text, async () => {
    await client.command("write", { conversation_id });
    texts.send({ conversation_id, from: settings.actor, text });
  });
};

part("end", HTMLButtonElement).onclick = () => {
  const conversation_id = current?.id;
  if (conversation_id) void attempt(() => client.command("close", { conversation_id }));
};

part("another", HTMLButtonElement).onclick = () => {
  sessionStorage.removeItem(KEPT);
  location.reload();
};

for (const area of [first, written]) {
  area.onkeydown = (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    area.form?.requestSubmit();
  };
}

function showWhich(): void {
  start.hidden = current !== null;
  part("conversation", HTMLElement).hidden = current === null;
  part("widget", HTMLElement).hidden = document.body.dataset["mode"] === "hidden" && !current;
}

// --- and begin: subscribe, then ask, then apply -------------------------------------------------

client.listen("entry", (message) => entry.need(message.position), entry_point_id);
await attempt(() => feed.begin(kept && kept.after));
current?.opened();
entry.begin();
client.seen({
  session_id: crypto.randomUUID(),
  entry_point_id,
  url: location.href,
  title: document.title,
  language: settings.language,
});
