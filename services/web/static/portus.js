// What makes the portal handier where scripts run. Every page works without it.
"use strict";

const COPIED_FOR_MS = 1600;

// Copying: any element with data-copy, with spoken confirmation.

async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Plain HTTP under another name than localhost has no clipboard; a selection can still be copied.
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error("the browser does not copy");
}

function announce(text) {
  const region = document.getElementById("announcements");
  // Cleared first, so that the same words are spoken again.
  region.textContent = "";
  window.setTimeout(() => { region.textContent = text; }, 50);
}

async function copyFrom(button) {
  const text = button.dataset.copy;
  try {
    await copyText(text);
  } catch {
    announce(document.body.dataset.sayNotCopied);
    return;
  }
  button.classList.add("is-copied");
  window.setTimeout(() => button.classList.remove("is-copied"), COPIED_FOR_MS);
  button.focus();
  announce(`${document.body.dataset.sayCopied}: ${text}`);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copyFrom(button);
});

// Menus close when somebody goes elsewhere.

function closeOtherMenus(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
}

document.addEventListener("click", closeOtherMenus);
document.addEventListener("focusin", closeOtherMenus);

// Keys: "/" searches, Escape leaves.

function isTyping(target) {
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !isTyping(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    const search = document.querySelector("[data-search]");
    search?.focus();
    search?.select();
  }
  if (event.key === "Escape") {
    const menu = event.target.closest("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    } else if (event.target.matches("[data-search]")) {
      event.target.blur();
    }
  }
});

// The theme changes without loading the page again.

async function chooseTheme(form, button) {
  const data = new FormData(form, button);
  const answer = await fetch(form.action, { method: "POST", body: data, redirect: "manual" });
  if (answer.type !== "opaqueredirect") {
    form.submit();
    return;
  }
  document.documentElement.dataset.theme = button.value;
  for (const other of form.querySelectorAll("button[name=theme]")) {
    other.setAttribute("aria-pressed", String(other === button));
  }
  announce(`${document.body.dataset.sayTheme}: ${button.textContent.trim()}`);
}

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-theme-form]") && event.submitter?.name === "theme") {
    event.preventDefault();
    chooseTheme(event.target, event.submitter);
  }
});

// Typing into the search suggests names; the newest answer wins, and none at all takes nothing away.

const SUGGEST_AFTER_MS = 200;
let suggesting = 0;

async function suggest(field) {
  const asked = ++suggesting;
  await new Promise((later) => { window.setTimeout(later, SUGGEST_AFTER_MS); });
  if (asked !== suggesting || field.value.trim().length < 2) {
    return;
  }
  const answer = await fetch(`${field.dataset.suggestions}?q=${encodeURIComponent(field.value)}`);
  if (!answer.ok || asked !== suggesting) {
    return;
  }
  const options = (await answer.json()).map((name) => {
    const option = document.createElement("option");
    option.value = name;
    return option;
  });
  field.list.replaceChildren(...options);
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-suggestions]")) {
    suggest(event.target).catch(() => {});
  }
});

// What is in view follows the registry: parts that say so are asked for again, and changed only where nobody is at work.

const REFRESH_AFTER_MS = 30_000;
const REFRESH_FOR_MS = 60 * 60_000;
const openedAt = performance.now();

function isAtWork(part) {
  return part.contains(document.activeElement) || part.querySelector("input:checked, details[open]") !== null;
}

async function refresh() {
  const parts = [...document.querySelectorAll("[data-live]")];
  const isLongAgo = performance.now() - openedAt > REFRESH_FOR_MS;
  if (document.hidden || isLongAgo || parts.every(isAtWork)) {
    return;
  }
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok || answer.redirected) {
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts) {
    const other = fresh.getElementById(part.id);
    if (other && !isAtWork(part) && other.innerHTML !== part.innerHTML) {
      part.replaceChildren(...other.childNodes);
    }
  }
}

if (document.querySelector("[data-live]")) {
  setInterval(refresh, REFRESH_AFTER_MS);
}
