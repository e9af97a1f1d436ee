// The time machine: the slider, the steps and the keys replace what is shown without a new page.

import { fragment } from "./console.js";

let machine = document.getElementById("machine");
let under_way = null;
let wanted = null;

const by = () => machine.dataset.by;
const base = () => machine.dataset.base;

function addressAt(value) {
  if (by() === "time") return `${base()}?by=time&at=${value}`;
  if (by() === "decision") return `${base()}/step?by=decision&step=0&position=${value}`;
  return `${base()}?by=event&position=${value}`;
}

function addressOfStep(step) {
  if (step === "first") return `${base()}?by=${by()}&position=0`;
  if (step === "last") return `${base()}?by=${by()}`;
  return `${base()}/step?by=${by()}&step=${step}&position=${machine.dataset.position}`;
}

// Only the newest wish counts: while one is fetched the next waits, and replaces what waited.
async function go(address) {
  wanted = address;
  if (under_way) return under_way;
  under_way = travel();
  await under_way;
  under_way = null;
}

async function travel() {
  while (wanted) {
    const address = wanted;
    wanted = null;
    try {
      const { html, ok } = await fragment(address);
      if (wanted) continue;
      if (!ok) return location.assign(address);
      show(html);
    } catch {
      return location.assign(address);
    }
  }
}

function show(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const next = holder.content.querySelector("#machine");
  const slider = document.getElementById("slider");
  const focused = document.activeElement;
  const keep = focused === slider ? "#slider" : mark(focused);
  const dragging = focused === slider && wanted;
  machine.replaceWith(next);
  machine = next;
  quicken();
  if (keep && !dragging) machine.querySelector(keep)?.focus();
  const address = `${base()}?position=${machine.dataset.position}&by=${by()}`;
  history.replaceState(null, "", address);
  document.title = document.title.replace(/^[^·]*/, `${machine.dataset.title} ${machine.dataset.position} `);
}

function mark(focused) {
  if (focused?.dataset?.step) return `[data-step="${focused.dataset.step}"]`;
  if (focused?.dataset?.kind) return `[data-kind="${focused.dataset.kind}"]`;
  return null;
}

const KEYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10, Home: "first", End: "last" };

function quicken() {
  const slider = document.getElementById("slider");
  slider.addEventListener("input", () => go(addressAt(slider.value)));
  slider.addEventListener("keydown", (event) => {
    const step = KEYS[event.key];
    if (step === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    go(addressOfStep(step));
  });
  for (const link of machine.querySelectorAll("a[data-step], a[data-kind]")) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go(link.dataset.step ? addressOfStep(link.dataset.step) : link.getAttribute("href"));
    });
  }
  const copy = document.getElementById("copy");
  copy.hidden = !navigator.clipboard;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(location.href);
    copy.textContent = copy.dataset.done;
  });
}

document.addEventListener("keydown", (event) => {
  if (event.target.closest("input, select, textarea") || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    if (event.target.closest(".scroll")) return;
    event.preventDefault();
    go(addressOfStep(KEYS[event.key]));
  }
});

quicken();
