// The operator's page: log in, hear what is for one, answer offers, forward, close.

import type {
  Commands,
  ConversationView,
  FeedMessage,
  MeView,
  RosterEntry,
} from "../../../schemas/typescript/fernamt.js";
import { Cards, type Deed } from "./cards.js";
import { Client } from "./client.js";
import { NumberedFeed } from "./feed.js";
import { beat } from "./heartbeat.js";
import { arrange, attempt, inside, made, part, putWords, showLink, showTrouble } from "./page.js";
import { Picture } from "./picture.js";
import { Bell } from "./ring.js";
import { readSettings } from "./settings.js";
import { Texts } from "./texts.js";
import { speak, word, type Word } from "./words.js";

const settings = await readSettings("workspace", "actor");
const { actor: me } = settings;
speak(settings.language);
putWords(document);
part("me", HTMLElement).textContent = me;

const SESSION = `${settings.workspace}.${me}.session`;
const client = await Client.connect(settings, "operator", showLink);

const texts = new Texts(() => mine.refresh());
const mine = new Cards(part("mine", HTMLElement), me, texts, act);
const waiting = new Cards(part("waiting", HTMLElement), me, texts, act);

const feed = new NumberedFeed(client, "operator", hear, showTrouble);
const self = new Picture(client, ["me", {}], showMe, showTrouble);
const inbox = new Picture(client, ["inbox", { view: "mine" }], showMine, showTrouble);
const unassigned = new Picture(client, ["inbox", { view: "unassigned" }], showWaiting, showTrouble);
const team = new Picture(client, ["roster", {}], showTeam, showTrouble);

/** Subscribe, then ask, then apply; and log in in between, as what that brings is to ring. */
async function logIn(session_id: string): Promise<void> {
  login.disabled = true;
  login.onclick = () => location.reload(); // should it fail halfway
  const done = await attempt(async () => {
    client.listen("team", hearTeam);
    await feed.begin(null);
    await client.command("log_in", { session_id });
    sessionStorage.setItem(SESSION, session_id);
    beat(client, session_id);
    for (const picture of [self, inbox, unassigned, team]) picture.begin();
  });
  login.disabled = false;
  document.body.dataset["working"] = String(done);
}

async function logOut(): Promise<void> {
  await client.command("log_out", { session_id: sessionStorage.getItem(SESSION) ?? "" });
  sessionStorage.removeItem(SESSION);
  location.reload();
}

function hear(message: FeedMessage<"operator">): void {
  inbox.need(message.position);
  const over = inbox.shows(message.position) && !mine.has(message.conversation_id);
  if (message.alert && !over) ring(message); // told late, it may be somebody else's by now
}

function hearTeam(message: FeedMessage<"team">): void {
  for (const picture of [unassigned, team]) picture.need(message.position);
  if (message.type === "status_changed" && message.operator_id === me) self.need(message.position);
}

// --- alerts -----------------------------------------------------------------------------------

const RINGS: { [type in FeedMessage<"operator">["type"]]?: Word } = {
  assigned: "ring_new",
  forwarded: "ring_new",
  added: "ring_new",
  offered: "ring_offered",
  visitor_wrote: "ring_wrote",
};
const alerts = new Map<string, FeedMessage<"operator">>();
const bell = new Bell();

function ring(message: FeedMessage<"operator">): void {
  alerts.set(message.conversation_id, message);
  bell.ring();
  showAlerts();
}

function showAlerts(): void {
  const make = (id: string) => {
    const alert = made("alert");
    inside(alert, "dismiss", HTMLButtonElement).onclick = () => dismiss(id);
    inside(alert, "text", HTMLButtonElement).onclick = () => {
      mine.focus(id);
      dismiss(id);
    };
    return alert;
  };
  arrange(part("alerts", HTMLElement), [...alerts.keys()], make, (alert, id) => {
    const what = RINGS[alerts.get(id)?.type ?? "slow"] ?? "ring_other";
    const visitor = mine.visitorOf(id) ?? waiting.visitorOf(id) ?? id;
    inside(alert, "text", HTMLElement).textContent = word(what, { visitor });
  });
  document.title = `${alerts.size ? `(${alerts.size}) ` : ""}${word("inbox")}`;
}

function dismiss(id: string): void {
  alerts.delete(id);
  showAlerts();
}

// --- what there is ----------------------------------------------------------------------------

function showMine({ conversations }: { conversations: ConversationView[] }, position: number): void {
  mine.show(conversations);
  for (const [id, told] of alerts) {
    if (told.position <= position && !mine.has(id)) alerts.delete(id); // somebody else's by now
  }
  part("none_mine", HTMLElement).hidden = conversations.length > 0;
  showAlerts();
}

function showWaiting({ conversations }: { conversations: ConversationView[] }): void {
  const unclaimed = conversations.filter(({ state }) => state === "waiting");
  waiting.show(unclaimed);
  part("none_waiting", HTMLElement).hidden = unclaimed.length > 0;
}

function showTeam({ operators }: { operators: RosterEntry[] }): void {
  mine.offerTargets(operators);
  const by = new Map(operators.map((one) => [one.operator_id, one]));
  arrange(part("team", HTMLElement), [...by.keys()], () => made("colleague"), (entry, id) => {
    const { effective, cause, load, capacity, groups } = by.get(id) as RosterEntry;
    const why = cause === "chosen" ? word(effective) : `${word(effective)} (${word(cause)})`;
    entry.dataset["effective"] = effective;
    inside(entry, "who", HTMLElement).textContent = id;
    inside(entry, "status", HTMLElement).textContent = `${why}, ${load}/${capacity}`;
    inside(entry, "groups", HTMLElement).textContent = groups.join(", ");
  });
}

const status = part("status", HTMLSelectElement);
status.onchange = () =>
  void attempt(() => client.command("set_status", { status: status.value as MeView["chosen"] }));

function showMe({ chosen, effective, cause }: MeView): void {
  status.value = chosen;
  const words = { effective: word(effective), cause: word(cause) };
  part("shown_as", HTMLElement).textContent = chosen === effective ? "" : word("shown_as", words);
}

// --- what one does ----------------------------------------------------------------------------

function act({ conversation_id }: ConversationView, deed: Deed): Promise<boolean> {
  alerts.delete(conversation_id);
  return attempt(async () => {
    const [name, body] = commandFor(conversation_id, deed);
    const { result } = await client.command(name, body);
    if (deed.what === "reply") texts.send({ conversation_id, from: me, text: deed.text });
    mine.refresh();
    if (result.warnings?.includes("nobody_reachable")) {
      part("trouble", HTMLElement).textContent = word("nobody_reachable");
    }
    showAlerts();
  });
}

type About = "accept_offer" | "claim" | "close" | "decline_offer" | "forward" | "reply";

function commandFor(conversation_id: string, deed: Deed): [About, Commands[About]["body"]] {
  switch (deed.what) {
    case "accept":
      return ["accept_offer", { conversation_id, offer: deed.offer }];
    case "decline":
      return ["decline_offer", { conversation_id, offer: deed.offer, reason: "busy" }];
    case "claim":
      return ["claim", { conversation_id }];
    case "close":
      return ["close", { conversation_id, reason: "solved" }];
    case "forward":
      return ["forward", { conversation_id, to: deed.to }];
    case "reply":
      return ["reply", { conversation_id }]; // the text goes its own way
  }
}

// --- and begin --------------------------------------------------------------------------------

const login = part("login", HTMLButtonElement);
login.textContent = word("log_in", { who: me });
login.onclick = () => void logIn(crypto.randomUUID());
login.disabled = false;
part("logout", HTMLButtonElement).onclick = () => void attempt(logOut);
const session = sessionStorage.getItem(SESSION);
if (session) void logIn(session); // the page was loaded again: the same device goes on
