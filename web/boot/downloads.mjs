// Everything the worker loads, under way from the moment this module is evaluated: before PyScript has finished its own
// preparations and calls loadPyodide. ASSETS is written in by the build.
import { SNAPSHOT } from "./role.mjs";

const here = (path) => new URL(path, import.meta.url).href;

// Nobody waits for a snapshot.
const progress = self.name === SNAPSHOT ? undefined : new BroadcastChannel("web5-events");

export const tell = (step, done, total) => progress?.postMessage(JSON.stringify({ type: "boot", step, done, total }));

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

// A response whose bytes are counted as they arrive.
async function counted(request) {
  const response = await request;
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${response.statusText}`);
  const counter = new TransformStream({
    transform(chunk, controller) {
      arrived(chunk.byteLength);
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counter), { headers: response.headers });
}

// A response that goes to the compiler as it is: browsers keep compiled code only for those.
async function whole({ url, bytes }) {
  const response = await globalThis.fetch(here(url));
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${response.statusText}`);
  return { response, bytes };
}

async function compile(asset) {
  const { response, bytes } = await asset;
  const module = await WebAssembly.compileStreaming(response);
  arrived(bytes);
  return module;
}

tell("runtime", 0, total);

export const indexURL = here(ASSETS.pyodide);
export const stdlibURL = here(ASSETS.stdlib.url);
export const runtimeURL = here(ASSETS.runtime.url);

export const script = import(`${indexURL}pyodide.asm.mjs`);
export const runtime = compile(whole(ASSETS.runtime));
export const stdlib = counted(globalThis.fetch(stdlibURL));
export const archives = ASSETS.packages.map(async ({ url }) => (await counted(globalThis.fetch(here(url)))).arrayBuffer());
export const extensions = Object.entries(ASSETS.extensions).map(([path, asset]) => {
  const download = whole(asset);
  // The runtime is needed first, so it gets the processors first.
  return { path, module: runtime.then(() => compile(download)) };
});
