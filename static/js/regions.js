// What the regions of a page need beyond htmx: waiting, failing, announcing, and where the focus goes.
// A region is what a request targets; ids in templates/customers and templates/tracking.

const WAIT = 150; // ms; a quicker answer shows no sign of waiting
const FORMS = new Set([409, 422]); // the answer is the region again, with what is wrong in it
const CLOSED = new Set([400, 403, 404, 410]); // what is shown may not stay
const timers = new WeakMap();

const announcer = document.getElementById("announce");

function announce(text) {
  if (!announcer || !text?.trim()) return;
  announcer.textContent = "";
  // The same words twice are news only if the region was empty in between.
  requestAnimationFrame(() => { announcer.textContent = text.trim(); });
}

// --- Waiting ---------------------------------------------------------------------------------------

function isReplacedWhole(target) {
  return target.id === "tab";
}

document.addEventListener("htmx:beforeRequest", ({ detail: { target } }) => {
  target.setAttribute("aria-busy", "true");
  clearTimeout(timers.get(target));
  timers.set(target, setTimeout(() => {
    target.classList.add("is-waiting");
    if (isReplacedWhole(target)) target.classList.add("bones");
  }, WAIT));
});

document.addEventListener("htmx:afterRequest", ({ detail: { target } }) => {
  clearTimeout(timers.get(target));
  target.removeAttribute("aria-busy");
  target.classList.remove("is-waiting", "bones");
});

// --- Failing -----------------------------------------------------------------------------------------

document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target, requestConfig } = event.detail;
  if (wasSentElsewhere(xhr, requestConfig)) { // the session has ended: sign in and come back
    event.detail.shouldSwap = false;
    window.location.reload();
  } else if (FORMS.has(xhr.status) && !isWholePage(xhr.responseText)) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  } else if (xhr.status >= 400) {
    event.detail.shouldSwap = false;
    event.detail.isError = false; // said below, not on the console
    fail(target, requestConfig, xhr);
  }
});

for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, ({ detail }) => fail(detail.target, detail.requestConfig));
}

function wasSentElsewhere(xhr, config) {
  if (!xhr.responseURL || xhr.status >= 400) return false;
  return new URL(xhr.responseURL).pathname !== new URL(config.path, window.location).pathname;
}

function isWholePage(text) {
  return /^\s*<!doctype/i.test(text);
}

function fail(target, config, xhr) {
  // Cells and feet hold their message themselves; they keep the button that was pressed.
  const place = target.matches("tr") ? target.cells[0] : target;
  place.querySelector(":scope > .failed")?.remove();
  const panel = panelOf(xhr);
  if (CLOSED.has(xhr?.status) && place === target && !target.matches(".more")) {
    target.replaceChildren(panel);
    showCount("");
    return;
  }
  if (!target.matches(".more")) {
    panel.append(retryButton(config));
    target.classList.add("is-stale");
    place.prepend(panel);
  } else {
    place.append(panel);
  }
}

function panelOf(xhr) {
  const said = document.createElement("template");
  if (xhr && !isWholePage(xhr.responseText)) said.innerHTML = xhr.responseText;
  const panel = said.content.querySelector(".failed");
  if (panel) return panel;
  const own = document.getElementById("failed").content.firstElementChild.cloneNode(true);
  own.setAttribute("role", "alert");
  const id = xhr?.getResponseHeader("X-Request-Id");
  if (id) {
    const line = own.querySelector("[data-request]");
    line.hidden = false;
    line.querySelector(".id").textContent = id;
  }
  return own;
}

function retryButton({ verb, path, elt, target, parameters }) {
  const button = document.createElement("button");
  button.className = "button small";
  button.type = "button";
  button.textContent = "Retry";
  button.addEventListener("click", () => {
    // The form is sent as it stands now; a link is followed again.
    if (elt.isConnected) window.htmx.trigger(elt, elt.matches("form") ? "submit" : "click");
    else window.htmx.ajax(verb, path, { target, values: parameters, swap: "outerHTML" });
  });
  return button;
}

// --- Done ------------------------------------------------------------------------------------------------

// Where somebody goes on who pressed "Load more" with the keyboard: the place of the first new row, or -1.
let goesOnAt = -1;
const rows = () => document.querySelectorAll("main [data-row]");

document.addEventListener("htmx:beforeSwap", ({ detail: { target, xhr } }) => {
  const isAppended = xhr.status < 400 && target.matches(".more");
  goesOnAt = isAppended && target.contains(document.activeElement) ? rows().length : -1;
});

// htmx tells this of each new element.
document.addEventListener("htmx:afterSwap", ({ detail: { elt, target } }) => {
  target.classList.remove("is-stale");
  if (elt.matches?.(".more")) joinPages();
  if (elt.dataset?.count) showCount(elt.dataset.count);
});

document.addEventListener("htmx:afterSettle", ({ detail: { elt, requestConfig } }) => {
  announce(elt.dataset?.announce);
  if (elt.id === "tab") elt.querySelector(".tabs [aria-current]")?.focus({ preventScroll: true });
  // Whoever searched by Enter goes on among the results: j and k work there, in the field they are letters.
  const isSearched = elt.id === "results" && requestConfig?.triggeringEvent?.type === "submit";
  if (isSearched && document.getElementById("q")?.value) elt.focus({ preventScroll: true });
});

function showCount(words) {
  const place = document.getElementById("results-count");
  if (place) place.textContent = words.trim();
}

function joinPages() {
  if (goesOnAt >= 0) rows()[goesOnAt]?.focus({ preventScroll: true });
  goesOnAt = -1;
  // The new page may open with the heading that the last one ended under.
  const headings = [...document.querySelectorAll("[data-heading]")];
  headings.forEach((heading, place) => {
    const before = headings[place - 1];
    if (before?.dataset.heading !== heading.dataset.heading) return;
    const list = heading.nextElementSibling;
    heading.remove();
    if (!list.matches("ol")) return;
    before.nextElementSibling.append(...list.children);
    list.remove();
  });
  announce("More is shown");
}
