// Starts the worker that is the node at once, while PyScript is still on its way, and carries the page's calls to it.
// In a frame it starts nothing: whoever frames the page could have somebody click on what he does not see, or read it.
if (window.top !== window) {
  window.stop();
  const body = document.createElement("body");
  body.textContent = "This page does not run inside another one. Open it in a tab of its own.";
  document.documentElement.append(body);
} else {
  // The one thing Python cannot do: say that Python did not come.
  const shellFailed = () => {
    document.getElementById("boot-words").textContent = "The page has not loaded completely";
    document.getElementById("boot-hint").textContent = "Check the connection, then wait or reload. Nothing can be saved now.";
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

  // What keeps a page from ever having a node is said at once, and not only when the worker finds out.
  const refusal = (kind, message) => JSON.stringify({ error: { kind, message, code: "", detail: "" } });
  let refused = isSecureContext ? "" : refusal("InsecurePage", location.origin);
  const refuse = (answer) => {
    refused = answer;
    for (const { resolve } of waiting.values()) resolve(answer);
    waiting.clear();
  };
  const STORAGE_MS = 4000;
  const lookForStorage = async () => {
    const late = setTimeout(() => {
      document.getElementById("boot-words").textContent = "This browser's storage does not answer";
      document.getElementById("boot-hint").textContent =
        "Close other tabs of this page, or restart the browser. What you write stays on this page meanwhile.";
    }, STORAGE_MS);
    try {
      if (!globalThis.indexedDB) throw new Error("this browser has no IndexedDB here");
      await indexedDB.databases?.();
    } catch (error) {
      refuse(refusal("StorageBlocked", String(error)));
    }
    clearTimeout(late);
  };

  const worker = new Worker("boot/agent.mjs", { type: "module", name: "agent" });
  const waiting = new Map();
  let last = 0;
  let broken = "";
  lookForStorage();

  const fail = (reason) => {
    broken = reason;
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
  };

  // A worker that is dead says nothing. One that is asked and says nothing for so long is told of; it may only be busy.
  const QUIET_MS = 5000;
  const QUIET_TURNS = 2;
  let turns = 0;
  const quiet = (is) => document.dispatchEvent(new CustomEvent("web5-quiet", { detail: is }));
  setInterval(() => {
    if (document.hidden || broken || refused) return;
    worker.postMessage({ life: "ping" });
    turns += 1;
    if (turns === QUIET_TURNS + 1) quiet(true);
  }, QUIET_MS);

  worker.onmessage = ({ data: { id, answer, error } }) => {
    if (turns > QUIET_TURNS) quiet(false);
    turns = 0;
    const call = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) call?.resolve(answer);
    else call?.reject(new Error(error));
  };
  worker.onerror = (event) => fail(event.message || "the worker's program could not be loaded");

  // A page that is frozen takes its worker along, at once, so that no other tab could be the node. The worker runs on
  // only while this handler does: time enough to close its store. Nobody sees a page that is about to be frozen.
  const HANDOVER_MS = 300;
  document.addEventListener("freeze", () => {
    worker.postMessage({ life: "freeze" });
    for (const end = performance.now() + HANDOVER_MS; performance.now() < end; );
  });
  document.addEventListener("resume", () => worker.postMessage({ life: "resume" }));

  // Call a method of web/app/service.py with its arguments as JSON; a promise of the answer, as JSON.
  globalThis.web5Link = (name, args) =>
    new Promise((resolve, reject) => {
      if (refused) return resolve(refused);
      if (broken) return reject(new Error(broken));
      last += 1;
      waiting.set(last, { resolve, reject });
      worker.postMessage({ id: last, name, args });
    });
}
