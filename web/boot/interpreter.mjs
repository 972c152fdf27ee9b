// PyScript's interpreter for the worker: Pyodide with web5 and all it needs, started fast. Configure the script with
//   {"interpreter": "./boot/interpreter.mjs", "sync_main_only": true, "packages_cache": "passthrough"}
// and name no packages. Progress is told on the BroadcastChannel "web5-events".
import { loadPyodide as startPyodide, version } from "../node_modules/pyodide/pyodide.mjs";
import { archives, extensions, indexURL, script, stdlibURL, tell } from "./downloads.mjs";
import { unpack } from "./unpack.mjs";

export { version };

// Python cannot ask where the site is: the address of a PyScript worker is a blob's.
globalThis.WEB5_SITE = new URL("..", import.meta.url).href;
// The version of this site by which tabs tell who is newer: when it was built, in seconds since 1970.
globalThis.WEB5_BUILT = ASSETS.built;

export async function loadPyodide(options) {
  let root;
  const pyodide = await startPyodide({
    ...options,
    indexURL,
    stdLibURL: stdlibURL,
    lockFileContents: { info: ASSETS.info, packages: {} },
    packageBaseUrl: indexURL,
    createPyodideModule: async (settings) => (await script).default(settings),
    fsInit: async (FS, { sitePackages }) => {
      root = sitePackages;
      for (const archive of archives) unpack(FS, new Uint8Array(await archive), { "site-packages": root, home: "/home/pyodide" });
      // The files only have to exist: their code is handed to the loader below.
      for (const { path } of extensions) FS.writeFile(`${root}/${path}`, "");
    },
  });
  tell("packages", 1, 2);
  const loader = pyodide._module.preloadPlugins.find((plugin) => plugin.canHandle("module.so"));
  for (const { path, module } of extensions) await loader.handle(await module, `${root}/${path}`);
  tell("packages", 2, 2);
  return pyodide;
}
