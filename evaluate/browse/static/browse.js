// Keys, forms that send themselves, and copying. Every page works without it.
"use strict";

const form = document.getElementById("state");
const where = document.getElementById("where");

function send() {
  form.requestSubmit();
}

// What is as always stays out of the address.
function tidy() {
  for (const field of form.elements) {
    if (field.name && field.name !== "show" && (field.value === "" || field.value === field.dataset.usual)) {
      field.disabled = true;
    }
  }
  const panels = document.querySelector(".shown");
  if (!panels) return;
  const shown = [...panels.querySelectorAll(":checked")].map((box) => box.value);
  const fields = panels.querySelectorAll("input");
  if (shown.sort().join(" ") === panels.dataset.usual) for (const field of fields) field.disabled = true;
}

function typing(target) {
  return target.closest("input, textarea, select, button, dialog") !== null;
}

function follow(relation) {
  const link = document.querySelector(`a[rel~="${relation}"]`);
  if (link) link.click();
  return link !== null;
}

// The next or previous row of a list gets the focus; a row's own page goes to the next one's.
function step(by) {
  const links = [...document.querySelectorAll("main .open, main .statuses a")];
  if (document.querySelector("main.one")) return follow(by > 0 ? "next" : "prev");
  if (!links.length) return false;
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + by, 0), links.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

const KEYS = {
  "/": () => { where.focus(); where.select(); return true; },
  "j": () => step(1),
  "k": () => step(-1),
  "ArrowLeft": () => follow("prev"),
  "ArrowRight": () => follow("next"),
  "Escape": () => follow("up"),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === where) {
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); send(); }
    if (event.key === "Escape") where.blur();
    return;
  }
  if (!typing(event.target) && KEYS[event.key] && KEYS[event.key]()) event.preventDefault();
});

form.addEventListener("submit", tidy);
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return; // back, to a page that was kept as it was left
  for (const field of form.elements) field.disabled = false;
});
for (const field of form.elements) {
  if (field !== where && field.type !== "submit") field.addEventListener("change", send);
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const text = document.querySelector(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      window.getSelection().selectAllChildren(text);
      button.textContent = "Selected: copy it";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}

document.addEventListener("error", (event) => {
  if (event.target instanceof HTMLImageElement) event.target.classList.add("gone");
}, true);
