// Small things of every page: dialogs in older browsers, copying, menus that close, pages brought back.

// A page out of the back-forward cache may show what is hidden from this person by now.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// Buttons that name a dialog work by themselves in newer browsers.
if (!("commandForElement" in HTMLButtonElement.prototype)) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[commandfor]");
    const dialog = button && document.getElementById(button.getAttribute("commandfor"));
    if (!dialog) return;
    if (button.getAttribute("command") === "close") dialog.close();
    else dialog.showModal();
  });
}

document.addEventListener("click", (event) => {
  if (event.target instanceof HTMLDialogElement) event.target.close(); // its backdrop
  for (const pick of document.querySelectorAll(".pick[open]")) {
    if (!pick.contains(event.target)) pick.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const pick = event.key === "Escape" && event.target.closest?.(".pick[open]");
  if (!pick) return;
  pick.open = false;
  pick.querySelector("summary").focus();
});

// Where only Enter searches, emptying the box does too: it asks about nobody.
document.addEventListener("search", ({ target }) => {
  if (!target.value && target.form?.getAttribute("hx-trigger") === "submit") target.form.requestSubmit();
});

// The address may have changed since the page was drawn: searches push theirs.
document.addEventListener("submit", (event) => {
  const next = event.target.matches("[data-preferences]") && event.target.elements.namedItem("next");
  if (next) next.value = window.location.pathname + window.location.search;
});

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      document.getElementById("announce").textContent = "Copied";
    });
  }
}
