// The live page: the state after each change and decisions as they fall, by server-sent events.

import { fragment } from "./console.js";

const LINES_MAX = 100;

const state = document.getElementById("state");
const feed = document.getElementById("decisions");
const none = document.getElementById("no-decisions");
const link = document.getElementById("link");
const pause = document.getElementById("pause");

let last = Number(state.dataset.after);
let paused = false;
let kept = [];
let ahead = 0; // by how much our clock is ahead of the engine's

function says(text, live) {
  link.classList.toggle("live", live);
  const place = link.querySelector(".says");
  if (place.textContent !== text) place.textContent = text;
}

// --- ages ------------------------------------------------------------------------------------

function duration(ms) {
  const seconds = Math.max(Math.floor(ms / 1000), 0);
  const two = (n) => String(n).padStart(2, "0");
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days) return `${days} d ${two(hours)} h`;
  if (hours) return `${hours} h ${two(minutes)} min`;
  return minutes ? `${minutes} min ${two(seconds % 60)} s` : `${seconds} s`;
}

function tick() {
  const now = Date.now() - ahead;
  for (const age of document.querySelectorAll("[data-since]")) {
    const text = duration(now - Number(age.dataset.since));
    if (age.textContent !== text) age.textContent = text;
  }
}

function setClock() {
  const now = state.querySelector("[data-now]");
  if (now) ahead = Date.now() - Number(now.dataset.now);
  tick();
}

// --- what comes ------------------------------------------------------------------------------

function showState(html) {
  const focused = document.activeElement;
  const address = state.contains(focused) ? focused.getAttribute("href") : null;
  const scrolled = [...state.querySelectorAll(".scroll")].map((one) => one.scrollLeft);
  state.innerHTML = html;
  state.querySelectorAll(".scroll").forEach((one, n) => (one.scrollLeft = scrolled[n] ?? 0));
  if (address) state.querySelector(`a[href="${CSS.escape(address)}"]`)?.focus();
  setClock();
}

function linesOf(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return [...holder.content.querySelectorAll("li")]
    .reverse()
    .filter((line) => Number(line.dataset.position) > last);
}

function showDecisions(html) {
  const lines = linesOf(html);
  if (!lines.length) return;
  last = Number(lines.at(-1).dataset.position);
  if (paused) {
    kept = [...kept, ...lines].slice(-LINES_MAX);
    pause.textContent = pause.dataset.on + " · " + pause.dataset.new.replace("{n}", kept.length);
    return;
  }
  add(lines);
}

function add(lines) {
  if (!lines.length) return;
  none.hidden = true;
  for (const line of lines) line.classList.add("new");
  feed.prepend(...lines.reverse());
  while (feed.children.length > LINES_MAX) feed.lastElementChild.remove();
}

pause.hidden = false;
pause.setAttribute("aria-pressed", "false");
pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? pause.dataset.on : pause.dataset.pause;
  if (!paused) {
    add(kept);
    kept = [];
  }
});

// --- the stream ------------------------------------------------------------------------------

function listen() {
  const stream = new EventSource(`${state.dataset.stream}?after=${last}`);
  stream.addEventListener("state", (event) => {
    says(link.dataset.live, true);
    showState(event.data);
  });
  stream.addEventListener("decisions", (event) => showDecisions(event.data));
  stream.addEventListener("trouble", (event) => says(event.data, false));
  stream.addEventListener("error", () => {
    says(link.dataset.again, false);
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => recover(), 3000);
  });
  addEventListener("pagehide", () => stream.close(), { once: true });
}

async function recover() {
  // The stream was refused for good: see whether the page itself still comes.
  try {
    const { ok } = await fragment(location.href);
    if (ok) return listen();
  } catch {
    // not there yet
  }
  setTimeout(recover, 3000);
}

setClock();
setInterval(tick, 1000);
listen();
