// What Pyodide's own start-up code, bundled with interpreter.mjs, gets in place of these two: esbuild's --inject puts
// them in at build time, in that code alone. They hand over downloads that are already under way.
import { runtime, runtimeURL, stdlib, stdlibURL } from "./downloads.mjs";

const early = new Map([
  [runtimeURL, () => new Response()], // what is compiled is `runtime`, below
  [stdlibURL, stdlib],
]);

export async function fetch(resource, options) {
  const found = early.get(String(resource));
  return found ? found() : globalThis.fetch(resource, options);
}

async function instantiateStreaming(_source, imports) {
  const module = await runtime;
  return { module, instance: await WebAssembly.instantiate(module, imports) };
}

export { instantiateStreaming as "WebAssembly.instantiateStreaming" };
