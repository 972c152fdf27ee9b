// The site's Pyodide, for any page: the interface of Pyodide's own module of this name, and the same runtime, but
// compressed, and with a standard library of which a part comes when it is imported.
import { loadPyodide as startPyodide, version } from "../node_modules/pyodide/pyodide.mjs";
import { indexURL, script, stdlibURL } from "./downloads.mjs";
import { installLate } from "./late.mjs";

export { version };

export async function loadPyodide(options) {
  const pyodide = await startPyodide({
    ...options,
    indexURL,
    stdLibURL: stdlibURL,
    createPyodideModule: async (settings) => (await script).default(settings),
  });
  installLate(pyodide);
  return pyodide;
}
