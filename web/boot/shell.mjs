// The files of the page itself, which are compressed as the worker's are. The build writes SHELL in.
import { follow } from "./line.mjs";

const nothing = () => {};

function unpacked({ url, bytes }, type) {
  const path = new URL(url, import.meta.url).href;
  return follow(path, { bytes, type, arrived: nothing, waiting: nothing, ended: nothing });
}

// A file's content, under way from now on.
export function early(asset, type) {
  const coming = unpacked(asset, type);
  coming.catch(nothing); // whoever needs it hears why
  return coming;
}

let runtime = early(SHELL.runtime, "application/wasm");

// MicroPython's WebAssembly.
export function runtimeFetched() {
  const found = runtime ?? unpacked(SHELL.runtime, "application/wasm");
  runtime = undefined;
  return found;
}
