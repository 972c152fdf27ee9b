// Lists the modules of the standard library that are loaded once everything that a page starts with is imported.
// Usage: node needed.mjs PYODIDE_MODULE_URL TARGET_FILE NAMES MICROPIP_WHEEL WHEEL…
// NAMES is a JSON array of modules that are imported besides; of the wheels, which are installed as a page does, all of
// `web5` that runs in a browser is.
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";

const [pyodideUrl, target, names, installer, ...wheels] = process.argv.slice(2);
const { loadPyodide } = await import(pyodideUrl);
const pyodide = await loadPyodide({ stdout: (line) => console.log(line) });
const content = async (path) => new Uint8Array(await readFile(path));
pyodide.unpackArchive(await content(installer), "wheel");
const micropip = pyodide.pyimport("micropip");
for (const wheel of wheels) {
  const path = `/tmp/${basename(wheel)}`;
  pyodide.FS.writeFile(path, await content(wheel));
  await micropip.install.callKwargs(`emfs:${path}`, { deps: false });
}
pyodide.globals.set("NAMES", names);
const found = pyodide.runPython(`
import importlib, json, sys, pkgutil

ELSEWHERE = ("web5.cli", "web5.node", "web5.cpython")
for name in json.loads(NAMES):
    importlib.import_module(name)
import web5
for module in pkgutil.walk_packages(web5.__path__, "web5."):
    if not module.name.startswith(ELSEWHERE):
        importlib.import_module(module.name)


def is_read(module):
    """Return whether Python has read it from the archive: some modules are in the interpreter, and in there besides."""
    file, spec = getattr(module, "__file__", None), getattr(module, "__spec__", None)
    return str(file).startswith("/lib/python") and ".zip/" in file and getattr(spec, "origin", None) != "frozen"


json.dumps(sorted(name for name, module in sys.modules.items() if is_read(module)))
`);
await writeFile(target, found);
