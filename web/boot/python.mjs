// Python with web5 and all it needs, started from nothing, or gone on with from a snapshot of its memory.
import { loadPyodide } from "../node_modules/pyodide/pyodide.mjs";
import { archives, extensions, indexURL, runtime, script, stdlibURL, tell } from "./downloads.mjs";
import { installLate } from "./late.mjs";
import { unpack } from "./unpack.mjs";

// What a start consists of, in the worker's performance timeline: `build.py bench --only start` reads it.
export const mark = (name) => performance.mark(`web5-${name}`);
mark("program");
const here = { script, runtime, archives: Promise.all(archives), extensions: Promise.all(extensions.map(({ module }) => module)) };
for (const [name, promise] of Object.entries(here)) promise.then(() => mark(name), () => {}); // whoever needs it hears why

// Options are Pyodide's. Whoever makes a snapshot, or goes on with one, has the side modules loaded `first`, before
// Python has touched its memory: so they come to lie in the same places of it, and of the table of functions, each time.
// `restore` is called then, with Emscripten's module and these places.
export async function startPython(options = {}, { first = false, restore } = {}) {
  let root;
  let places;
  let failure;
  const modules = [];
  const pyodide = await loadPyodide({
    ...options,
    env: { PYTHONTZPATH: "", ...options.env }, // there are none, and to find that out takes Python long
    indexURL,
    stdLibURL: stdlibURL,
    lockFileContents: { info: ASSETS.info, packages: {} },
    packageBaseUrl: indexURL,
    createPyodideModule: async (settings) => {
      settings.onRuntimeInitialized = () => {
        mark("instantiated");
        try {
          if (first) places = placed(settings, modules);
          restore?.(settings, places);
        } catch (error) {
          failure = error; // thrown here, it would reach nobody
        }
      };
      const started = await (await script).default(settings);
      if (failure) throw failure;
      return started;
    },
    fsInit: async (_FS, { sitePackages }) => {
      root = sitePackages;
      if (first) for (const { path, module } of extensions) modules.push([`${root}/${path}`, await module]);
    },
  });
  mark("python");
  const laidOut = await layOut(pyodide, root); // Python itself has needed none of them
  tell("packages", 1, 2);
  if (!first) {
    const loader = pyodide._module.preloadPlugins.find((plugin) => plugin.canHandle("module.so"));
    for (const { path, module } of extensions) await loader.handle(await module, `${root}/${path}`);
  }
  tell("packages", 2, 2);
  if (!options._makeSnapshot) installLate(pyodide); // a snapshot has no function of JavaScript's
  return { pyodide, places, laidOut };
}

// The roots of what was laid out, and the paths of all of it.
async function layOut({ FS, pyimport }, root) {
  const roots = { "site-packages": root, home: "/home/pyodide" };
  const files = [];
  for (const archive of archives) files.push(...unpack(FS, new Uint8Array(await archive), roots));
  // The files only have to exist: their code is handed to the loader.
  for (const { path } of extensions) FS.writeFile(`${root}/${path}`, "");
  pyimport("sys").path_importer_cache.clear(); // who invalidates all caches has Python read the library's directory again
  mark("files");
  return { roots: Object.values(roots), files };
}

// Load the side modules; where the next thing would come to lie says where all of them do.
function placed(Module, modules) {
  for (const [name, module] of modules) {
    Module.preloadedWasm[name] = Module.loadWebAssemblyModule(module, { loadAsync: false, nodelete: true }, name, {});
  }
  const next = Module._malloc(16);
  Module._free(next);
  return [next, Module.wasmTable.length];
}
