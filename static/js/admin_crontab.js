// The form of a periodic task in the Django admin says in words what the chosen crontab means.

const { jQuery } = window.django;
const words = JSON.parse(document.getElementById("readable-crontabs").textContent);
const field = document.getElementById("id_crontab");
const line = document.createElement("div");
document.querySelector(".field-crontab .help")?.append(line);
// The line of the package's own that has no script to fill it.
document.querySelector(".field-crontab_translation")?.classList.add("hidden");

function say() {
  const meaning = words[field.value];
  line.textContent = meaning ? `Means: ${meaning}` : "";
}

// Not addEventListener: the admin's pop-ups tell of their choice by jQuery's events, which are no real ones.
jQuery(field).on("change", say);
say();
