// PyScript's interpreter for the worker: Pyodide with web5 and all it needs, started fast. Configure the script with
//   {"interpreter": "./boot/interpreter.mjs", "sync_main_only": true, "packages_cache": "passthrough"}
// and name no packages. Progress is told on the BroadcastChannel "web5-events".
import { version } from "../node_modules/pyodide/pyodide.mjs";
import { startPython } from "./python.mjs";

export { version };

// Python cannot ask where the site is: the address of a PyScript worker is a blob's.
globalThis.WEB5_SITE = new URL("..", import.meta.url).href;
// The version of this site by which tabs tell who is newer: when it was built, in seconds since 1970.
globalThis.WEB5_BUILT = ASSETS.built;

export const loadPyodide = async (options) => (await startPython(options)).pyodide;
