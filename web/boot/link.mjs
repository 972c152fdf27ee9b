// Carries the page's calls to its node, in this tab or in another; where it is to be in this one, its worker is started at
// once, while PyScript is still on its way. The build writes ASSETS in: the version of this page, and its texts.
// In a frame it starts nothing: whoever frames the page could have somebody click on what he does not see, or read it.
import { followAddress } from "./address.mjs";
import { carryFiles } from "./files.mjs";
import { speak, t } from "./language.mjs";
import { putMarkup } from "./markup.mjs";
import { Place, refusal } from "./place.mjs";
import { showPreview } from "./preview.mjs";

// As web/app/service.py has them; what else there is never leaves this tab.
const SHARED = new Set([
  "add_member",
  "address_code",
  "check_store",
  "choose_identity",
  "compare",
  "conversation",
  "conversations",
  "create_identity",
  "create_note",
  "data_message",
  "data_messages",
  "data_records",
  "delete_note",
  "delete_record",
  "device_here",
  "export_message",
  "export_notes",
  "grants",
  "identities",
  "join_group",
  "judge_person",
  "last_hour",
  "leave_group",
  "lock",
  "make_group",
  "note",
  "note_tags",
  "note_versions",
  "notes",
  "protocols",
  "publish_note",
  "read_conversation",
  "read_file",
  "read_message_file",
  "read_note",
  "read_version",
  "registration",
  "remove_member",
  "remove_device",
  "rename_device",
  "rename_identity",
  "rename_person",
  "render_note",
  "retry",
  "retry_conversation",
  "revive",
  "send_message",
  "set_sync",
  "state",
  "sync_now",
  "tell_person",
  "turn_on_messages",
  "unsettled",
  "update_note",
  "verify_message",
]);

if (window.top !== window) {
  window.stop();
  const body = document.createElement("body");
  body.textContent = t("This page does not run inside another one. Open it in a tab of its own.");
  document.documentElement.append(body);
} else {
  speak(document.currentScript.src);
  // The one thing Python cannot do: say that Python did not come.
  const shellFailed = () => {
    document.getElementById("boot-words").textContent = t("The page has not loaded completely");
    document.getElementById("boot-hint").textContent = t("Check the connection, then wait or reload. Nothing can be saved now.");
  };
  document.addEventListener("error", ({ target }) => target.localName === "script" && shellFailed(), true);
  setTimeout(() => performance.getEntriesByName("web5-shell").length || shellFailed(), 15000);

  // A browser that stores nothing throws at the very mention of these, which MicroPython does not survive.
  globalThis.web5Kept = (store, name) => {
    try {
      return globalThis[store].getItem(name);
    } catch {
      return null;
    }
  };
  globalThis.web5Keep = (store, name, text) => {
    try {
      text === null || text === undefined ? globalThis[store].removeItem(name) : globalThis[store].setItem(name, text);
    } catch {} // or there is no room
  };

  followAddress();
  showPreview("web5");

  const quiet = (is) => document.dispatchEvent(new CustomEvent("web5-quiet", { detail: is }));
  const place = new Place("web5", ASSETS.built, SHARED, quiet);

  // What keeps a page from ever having a node is said at once, and not only when the worker finds out.
  const STORAGE_MS = 4000;
  const lookForStorage = async () => {
    const late = setTimeout(() => {
      document.getElementById("boot-words").textContent = t("This browser's storage does not answer");
      document.getElementById("boot-hint").textContent = t(
        "Close other tabs of this page, or restart the browser. What you write stays on this page meanwhile.",
      );
    }, STORAGE_MS);
    try {
      if (!globalThis.indexedDB) throw new Error("this browser has no IndexedDB here");
      await indexedDB.databases?.();
    } catch (error) {
      place.refuse(refusal("StorageBlocked", String(error)));
    }
    clearTimeout(late);
  };
  if (isSecureContext) lookForStorage();
  else place.refuse(refusal("InsecurePage", location.origin));

  document.addEventListener("freeze", () => place.freeze());
  document.addEventListener("resume", () => place.resume());

  globalThis.web5Link = (name, args, blob) => place.call(name, args, blob);
  carryFiles(place);
  globalThis.web5Markup = putMarkup;
  globalThis.web5Superseded = () => place.superseded();
  globalThis.web5Shown = () => place.shown();
}
