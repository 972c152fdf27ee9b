// What MicroPython's own start-up code, bundled with micropython.mjs, gets in place of its `fetch`: esbuild's --inject puts
// it in at build time. That code fetches nothing but its WebAssembly, for which it would look under another name.
import { runtimeFetched } from "./shell.mjs";

export { runtimeFetched as fetch };
