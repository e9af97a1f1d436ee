// What every page does beyond plain HTML: explanations that open in place, and jobs that go on.
// Everything here makes something shorter that also works by links and forms.

export async function fragment(address, signal) {
  const answer = await fetch(address, { headers: { "X-Fragment": "1" }, signal });
  if (answer.status === 401) location.assign("/~/login");
  return { html: await answer.text(), ok: answer.ok, address: answer.url };
}

async function fill(place, address) {
  place.setAttribute("aria-busy", "true");
  try {
    place.innerHTML = (await fragment(address)).html;
    place.dataset.filled = "1";
    for (const then of place.querySelectorAll("[data-then]")) fill(then, then.dataset.then);
  } catch {
    location.assign(address);
  } finally {
    place.removeAttribute("aria-busy");
  }
}

function openLazily(details) {
  const place = details.querySelector(":scope > .inside");
  if (details.open && place && !place.dataset.filled) fill(place, details.dataset.from);
}

export function quicken(root) {
  for (const details of root.querySelectorAll("details.lazy")) {
    details.addEventListener("toggle", () => openLazily(details));
    openLazily(details);
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form.asks")) return;
  event.preventDefault();
  const query = new URLSearchParams(new FormData(form));
  fill(document.getElementById(form.dataset.into), `${form.getAttribute("action")}?${query}`);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.asks");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  fill(document.getElementById(link.dataset.into), link.getAttribute("href"));
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  const search = document.getElementById("q");
  if (event.key === "/" && !typing && search && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    search.focus();
  }
});

async function followJob() {
  const job = document.querySelector(".job[data-again]");
  if (!job) return;
  try {
    const { html } = await fragment(job.dataset.again);
    const next = document.createElement("template");
    next.innerHTML = html;
    job.replaceWith(next.content);
  } catch {
    // not there just now
  }
  setTimeout(followJob, 700);
}

quicken(document);
if (document.querySelector(".job[data-again]")) setTimeout(followJob, 400);
const hash = location.hash && document.getElementById(location.hash.slice(1));
if (hash) hash.classList.add("target");
