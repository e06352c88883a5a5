// Shortcuts. Single keys are off while somebody types, while a dialog is open, and by choice of the person
// (WCAG 2.1.4): the account menu sets data-shortcuts on <html>.

const CHORD = 1200; // ms between the two keys of "g c"

const isTyping = (target) => target.closest?.("input:not([type='checkbox'], [type='radio']), textarea, select, [contenteditable]");
const isOff = () => document.documentElement.dataset.shortcuts === "off";
const isCovered = () => document.querySelector("dialog[open], [popover]:popover-open") !== null;

function search() {
  const field = document.getElementById("q") ?? document.getElementById("find");
  field?.focus();
  field?.select();
}

const rows = () => [...document.querySelectorAll("main [data-row]")].filter((row) => row.checkVisibility());

function step(by) {
  const all = rows();
  const at = all.indexOf(document.activeElement);
  const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
  next?.focus({ focusVisible: true });
  next?.scrollIntoView({ block: "nearest" });
}

const actions = {
  "/": search,
  "?": () => document.getElementById("shortcuts")?.showModal(),
  "j": () => step(1),
  "k": () => step(-1),
  "[": () => document.querySelector("a[rel='prev']")?.click(),
  "]": () => document.querySelector("a[rel='next']")?.click(),
};

let chord = 0;

function isSecond() {
  return Date.now() - chord < CHORD;
}

document.addEventListener("keydown", (event) => {
  const { key, target } = event;
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && key === "k" && !isCovered()) {
    event.preventDefault();
    search();
    return;
  }
  if (key === "ArrowDown" && target.id === "q" && rows().length) {
    event.preventDefault();
    step(1);
    return;
  }
  if (key === "Escape" && isTyping(target) && !target.value && !isCovered()) target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || isOff() || isTyping(target) || isCovered()) return;
  if (isSecond()) {
    chord = 0;
    const link = document.querySelector(`.rail [data-go="${CSS.escape(key)}"]`);
    if (link) { event.preventDefault(); link.click(); }
  } else if (key === "g") {
    chord = Date.now();
  } else if (Object.hasOwn(actions, key)) {
    event.preventDefault();
    actions[key]();
  }
});
