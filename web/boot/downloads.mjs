// Everything the worker loads, under way from the moment this module is evaluated: before PyScript has finished its own
// preparations and calls loadPyodide. ASSETS is written in by the build.
//
// 1. All of it is compressed, since not every server does that.
// 2. Few files are under way at once, in the order in which they are needed, and one alone until the longest has ended: by
//    then, the page itself is there on a slow line, too. Once all is here that Python starts with, the browser is to have
//    enough under way for the time in which nobody here asks for more.
import { follow } from "./line.mjs";
import { SNAPSHOT } from "./role.mjs";

const AT_ONCE = 2;
const AT_ONCE_MEANWHILE = 4;
const here = (path) => new URL(path, import.meta.url).href;

// Nobody waits for a snapshot, or reads how far Pyodide alone is.
const isTold = self.name !== SNAPSHOT && ASSETS.packages.length > 0;
const progress = isTold ? new BroadcastChannel("web5-events") : undefined;

export const tell = (step, done, total) => progress?.postMessage(JSON.stringify({ type: "boot", step, done, total }));
const waiting = (tries, most) => tell("line", tries, most);

const total = ASSETS.total;
let done = 0;
let told = 0;

function arrived(bytes) {
  done += bytes;
  if (done - told > total / 50 || done >= total) {
    told = done;
    tell("runtime", done, total);
  }
}

const queue = [];
let underway = 0;
let atOnce = 1;

function next() {
  while (queue.length && underway < atOnce) {
    underway += 1;
    queue.shift()();
  }
}

// A response with the content of a file.
function unpacked({ url, bytes }, type = "application/zip") {
  let counted = 0; // never more than the file has: what the browser has unpacked is longer
  const count = (more) => {
    const counts = Math.min(more, bytes - counted);
    counted += counts;
    arrived(counts);
  };
  const ended = () => {
    count(bytes);
    underway -= 1;
    if (url === ASSETS.runtime.url) atOnce = AT_ONCE;
    if (url === ASSETS.stdlib.url) atOnce = AT_ONCE_MEANWHILE;
    next();
  };
  return new Promise((resolve, reject) => {
    queue.push(() => follow(here(url), { bytes, type, arrived: count, waiting, ended }).then(resolve, reject));
    next();
  });
}

// A module of JavaScript. Its own address has it unpacked where the service worker gives it so.
async function imported(asset) {
  const response = await unpacked(asset, "text/javascript");
  if (response.url) {
    response.body.cancel();
    return import(response.url);
  }
  const address = URL.createObjectURL(await response.blob());
  return import(address).finally(() => URL.revokeObjectURL(address));
}

tell("runtime", 0, total);

export const indexURL = here(ASSETS.pyodide);
export const stdlibURL = here(ASSETS.stdlib.url);
export const runtimeURL = `${indexURL}pyodide.asm.wasm`;

export const script = imported(ASSETS.script); // first: a module takes its time to come, and not the line's
export const runtime = unpacked(ASSETS.runtime, "application/wasm").then(WebAssembly.compileStreaming);
let early = unpacked(ASSETS.stdlib);
// Python reads it whole at each start, of which a worker may have a second one.
export function stdlib() {
  const found = early ?? unpacked(ASSETS.stdlib);
  early = undefined;
  return found;
}

export const archives = ASSETS.packages.map(async (asset) => (await unpacked(asset)).arrayBuffer());
export const extensions = Object.entries(ASSETS.extensions).map(([path, asset]) => {
  const download = unpacked(asset, "application/wasm");
  // The runtime is needed first, so it gets the processors first.
  return { path, module: runtime.then(() => download).then(WebAssembly.compileStreaming) };
});
