// Lists the modules of the standard library that are loaded once everything that a page starts with is imported, and
// notes what code that has generated, and the shapes of messages.
// Usage: node needed.mjs PYODIDE_MODULE_URL TARGET_FILE SHAPES_FILE CODE_FILE CODE_MODULE NAMES MICROPIP_WHEEL WHEEL…
// CODE_MODULE is web/boot/generated_code.py, which makes CODE_FILE. NAMES is a JSON array of modules that are imported
// besides; of the wheels, which are installed as a page does, all of `web5` that runs in a browser is.
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";

const [pyodideUrl, target, shapesTarget, codeTarget, codeModule, names, installer, ...wheels] = process.argv.slice(2);
const { loadPyodide } = await import(pyodideUrl);
const env = { HOME: "/home/pyodide", PYTHONNODEBUGRANGES: "1" };
const pyodide = await loadPyodide({ env, stdout: (line) => console.log(line) });
const content = async (path) => new Uint8Array(await readFile(path));
pyodide.FS.writeFile(`/home/pyodide/${basename(codeModule)}`, await content(codeModule));
const noted = pyodide.pyimport("generated_code").note();
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
from web5.browser.warm import build_models
from web5.dwn.messages.prepared import prepare
from web5.dwn.messages.schema import Schema
build_models()
shapes = prepare({schema.key: schema.core() for schema in Schema.made})


def is_read(module):
    """Return whether Python has read it from the archive: some modules are in the interpreter, and in there besides."""
    file, spec = getattr(module, "__file__", None), getattr(module, "__spec__", None)
    return str(file).startswith("/lib/python") and ".zip/" in file and getattr(spec, "origin", None) != "frozen"


json.dumps(sorted(name for name, module in sys.modules.items() if is_read(module)))
`);
await writeFile(target, found);
await writeFile(codeTarget, noted().toJs());
await writeFile(shapesTarget, pyodide.globals.get("shapes").toJs());
