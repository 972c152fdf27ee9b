// Shows the newest notes as this browser had them last, from the copy that the node keeps (web/app/notes/preview.py), while page
// and node are on their way. There is none where a password guards them. Any page of this origin can write the copy, so it
// is bounded, and what is put in can run nothing.
import { plural, t } from "./language.mjs";
import { putMarkup } from "./markup.mjs";

const LONGEST = 200_000;
const MOST = 20;
const LONG_LINES = 12; // as ui/screens/notes/card/note_card.py
const LONG_CHARACTERS = 900;
const SPANS = [
  [60, 1, (n) => plural(n, "{n} second ago", "{n} seconds ago")],
  [3600, 60, (n) => plural(n, "{n} minute ago", "{n} minutes ago")],
  [86400, 3600, (n) => plural(n, "{n} hour ago", "{n} hours ago")],
  [86400 * 30, 86400, (n) => plural(n, "{n} day ago", "{n} days ago")],
  [86400 * 365, 86400 * 30, (n) => plural(n, "{n} month ago", "{n} months ago")],
  [Infinity, 86400 * 365, (n) => plural(n, "{n} year ago", "{n} years ago")],
];
const INVITATION = "web5-invitation-shown"; // as ui/screens/settings/keys/protection.py
const DISMISSED = "web5-invitation-dismissed";
const DELETED = "web5-notes-deleted"; // as ui/screens/notes/deletions.py


function stored(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(`${name}.preview`);
    request.onupgradeneeded = () => request.transaction.abort(); // there is none, and none is made
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      if (!database.objectStoreNames.contains("texts")) return resolve(database.close()); // another page made it
      const found = database.transaction("texts").objectStore("texts").get("newest");
      found.onsuccess = () => resolve(found.result);
      found.onerror = () => reject(found.error);
      found.transaction.oncomplete = found.transaction.onabort = () => database.close();
    };
  });
}

function parsed(text) {
  if (typeof text !== "string" || text.length > LONGEST) return [];
  const notes = JSON.parse(text);
  const isNote = (note) => typeof note?.text === "string" && typeof note.id === "string" && typeof note.html === "string" && Number.isFinite(note.modified);
  return Array.isArray(notes) ? notes.filter(isNote).slice(0, MOST) : [];
}

// As words.ago in ui/words.py; a clock that was wrong is not told of before it is known.
function ago(seconds) {
  if (seconds < 5) return t("just now");
  const [, unit, said] = SPANS.find(([limit]) => seconds < limit);
  return said(Math.trunc(seconds / unit));
}

function card({ id, text, html, whole, edited, modified }) {
  const element = document.getElementById("note-template").content.firstElementChild.cloneNode(true);
  const slot = (name) => element.querySelector(`[data-slot="${name}"]`);
  const isLong = whole !== true || text.length > LONG_CHARACTERS || text.split("\n").length > LONG_LINES;
  element.id = `note-${id}`;
  slot("link").href = `#/notes/${id}`;
  putMarkup(slot("text"), html);
  slot("text").classList.toggle("clamped", isLong);
  slot("whole").hidden = !isLong;
  const written = ago((Date.now() - modified) / 1000);
  slot("time").textContent = edited === true ? t("Edited {ago}", { ago: written }) : written;
  element.dataset.preview = "";
  for (const button of element.querySelectorAll("button")) button.disabled = true;
  return element;
}

// The invitation above the notes as it was last, without its buttons' doing anything, or they would move when it comes.
function showInvitation() {
  const { title, text, phrase, password } = JSON.parse(globalThis.web5Kept("localStorage", INVITATION) ?? "{}");
  if (!title || globalThis.web5Kept("localStorage", DISMISSED)) return;
  const place = (part) => document.getElementById(`invitation${part}`);
  place("-title").textContent = title;
  place("-words").textContent = text;
  place("-phrase").hidden = !phrase;
  place("-password").hidden = !password;
  place("").inert = true;
  place("").hidden = false;
}

const parsing = () =>
  new Promise((resolve) => {
    if (document.readyState !== "loading") return resolve();
    document.addEventListener("readystatechange", resolve, { once: true });
  });

// Show the copy, if there is one, unless the notes themselves or the lock are there before it.
export async function showPreview(name) {
  let over = false;
  let list = null;
  globalThis.web5EndPreview = () => {
    over = true;
    if (!list) return;
    list.removeAttribute("aria-busy");
    document.getElementById("note-search").inert = false;
    for (const element of list.querySelectorAll("[data-preview]")) element.remove();
    list = null;
  };
  try {
    const [text] = await Promise.all([stored(name), parsing(), globalThis.web5Texts]);
    const deleted = globalThis.web5Kept("localStorage", DELETED) ?? "";
    const notes = parsed(text).filter(({ id }) => !deleted.includes(JSON.stringify(id)));
    if (over || !notes.length) return;
    list = document.getElementById("note-list");
    list.setAttribute("aria-busy", "true");
    list.append(...notes.map(card));
    document.getElementById("note-search").hidden = false;
    document.getElementById("note-search").inert = true;
    document.getElementById("boot-hint").textContent = t(
      "These are your notes as they were last here. You can already write: notes are saved as soon as your node is up.",
    );
    showInvitation();
    performance.mark("web5-preview");
  } catch {} // no copy, or none of ours
}
