// Going on with Python from a snapshot, and making one.
import { mark, startPython } from "./python.mjs";
import { keep, take } from "./snapshot.mjs";

const PREPARE = "import gc, sys; gc.disable(); sys.path.insert(0, '/home/pyodide')";
const IMPORT_ALL = `
import gc, importlib, pkgutil
import app, web5, agent
for package in (app, web5):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
from web5.browser.warm import build_models
build_models()
gc.collect()
`;
// Where a page has no plugins of pydantic's, to look for them takes longer than to build the first model.
const ENV = { PYDANTIC_DISABLE_PLUGINS: "__all__" };
const RENEW = "from web5.browser.chance import renew; renew()";

// Python, ready to import web/agent.py, and then to turn the collection of garbage on: what modules are made of is none.
export async function startOrRestore() {
  const snapshot = await take();
  if (snapshot) {
    try {
      return await restored(snapshot);
    } catch (error) {
      console.warn(`Python starts anew, since it could not go on from its snapshot: ${error}`);
    }
  }
  const { pyodide, laidOut } = await startPython({ env: ENV });
  prepare(pyodide, laidOut);
  return pyodide;
}

function prepare(pyodide, { roots, files }) {
  pyodide.runPython(PREPARE);
  pyodide.pyimport("placed_modules").install(roots.join("\n"), files.join("\n"));
}

async function restored(snapshot) {
  let open = true;
  const close = () => {
    if (open) snapshot.leave();
    open = false;
  };
  try {
    const options = { env: ENV, _loadSnapshot: new Uint8Array(snapshot.state), _snapshotDeserializer: ({ plain }) => plain };
    const restore = (Module, places) => {
      if (String(places) !== String(snapshot.places)) throw new Error("the side modules lie elsewhere");
      const memory = () => Module.HEAPU8;
      if (memory().length < snapshot.size && !Module.growMemory(snapshot.size)) throw new Error("there is too little memory");
      snapshot.read(memory());
      close();
      for (const [handle, name] of snapshot.libraries) Module.newDSO(name, handle, Module.preloadedWasm[name]);
    };
    const { pyodide } = await startPython(options, { first: true, restore });
    pyodide.runPython(RENEW);
    mark("restored");
    return pyodide;
  } finally {
    close();
  }
}

// Start Python, import everything, and keep what its memory is then.
export async function makeSnapshot() {
  const { pyodide, places, laidOut } = await startPython({ env: ENV, _makeSnapshot: true }, { first: true });
  prepare(pyodide, laidOut);
  pyodide.runPython(IMPORT_ALL);
  const Module = pyodide._module;
  if (Module.wasmTable.length !== places[1]) throw new Error("functions were added, which are not part of the memory");
  const made = pyodide.makeMemorySnapshot({ serializer: plainly });
  const start = new Uint32Array(made.buffer, 0, 2)[1]; // before it is what Pyodide notes itself
  const libraries = Object.entries(Module.LDSO.loadedLibsByHandle)
    .filter(([, { name }]) => name in Module.preloadedWasm)
    .map(([handle, { name }]) => [Number(handle), name]);
  await keep(made.subarray(start), { places, libraries, state: Array.from(made.subarray(0, start)) });
}

// The JavaScript values that Python has a hold of: settings of WebCrypto's, and nothing that lives.
function plainly(value) {
  const prototype = Object.getPrototypeOf(value);
  const isPlain = prototype === Object.prototype || prototype === null;
  if (!isPlain || Object.values(value).some((member) => typeof member !== "string")) {
    throw new Error(`Python has a hold of ${Object.prototype.toString.call(value)}: ${String(value).slice(0, 200)}`);
  }
  return { plain: value };
}
