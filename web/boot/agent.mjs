// The worker that is the page's node: web/agent.py on Pyodide, started by web/boot/place.mjs.
// In: {id, name, args, blob}, the last one where a call has a Blob along. Out: {id, answer} or {id, error}; {leads}, the name of this tab once it is the node, "" when it no
// longer is; {failed}, the reason for which there is no node; {other}, if this is not of the version that the page is of,
// which is in this worker's name, if it has one.
// In, besides: {life}, "freeze" or "resume", when the browser is about to stop the page, or lets it go on; or "ping",
// which is answered by {} as long as the worker lives and comes to it.
//
// Under the name of SNAPSHOT, it makes a snapshot for a later start instead, and posts {} or {error}.
import { keepOneReady } from "./idle.mjs";
import { mark } from "./python.mjs";
import { makeSnapshot, startOrRestore } from "./restore.mjs";
import { SNAPSHOT } from "./role.mjs";

// Python cannot ask where the site is, nor how old.
globalThis.WEB5_SITE = new URL("..", import.meta.url).href;
globalThis.WEB5_BUILT = ASSETS.built;

self.web5Leads = (leads) => self.postMessage({ leads });

async function start() {
  const pyodide = await startOrRestore();
  globalThis.pyodide = pyodide; // for whoever looks into the worker: developer tools, tests
  await pyodide.runPythonAsync("import agent, gc; gc.freeze(); gc.enable(); agent.start()");
  mark("imports");
  return pyodide.pyimport("agent");
}

function beTheNode() {
  const agent = start();
  let busy = () => {};
  agent.then(() => (busy = keepOneReady()), (error) => self.postMessage({ failed: String(error) }));
  self.onmessage = async ({ data: { id, name, args, blob, life } }) => {
    if (life === "ping") return self.postMessage({});
    if (life) return (await agent)[life]();
    busy();
    try {
      self.postMessage({ id, answer: await (await agent).ask(...(blob ? [name, args, blob] : [name, args])) });
    } catch (error) {
      self.postMessage({ id, error: String(error) });
    }
  };
}

if (self.name === SNAPSHOT) makeSnapshot().then(() => self.postMessage({}), (error) => self.postMessage({ error: String(error) }));
else if (!self.name || self.name === `agent ${ASSETS.built}`) beTheNode();
else self.postMessage({ other: true });
