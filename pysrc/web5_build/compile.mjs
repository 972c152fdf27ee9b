// Compiles Python to .pyc with Pyodide itself, so that the browser runs exactly what its own compiler made.
// Usage: node compile.mjs PYODIDE_MODULE_URL SOURCE_FOLDER TARGET_FOLDER
// Every .py of the source becomes a .pyc in the same place of the target; other files are left out.
const [pyodideUrl, source, target] = process.argv.slice(2);
const { loadPyodide } = await import(pyodideUrl);
const pyodide = await loadPyodide({ stdout: (line) => console.log(line) });
pyodide.mountNodeFS("/source", source);
pyodide.mountNodeFS("/target", target);
pyodide.runPython(`
import pathlib, py_compile

source, target = pathlib.Path("/source"), pathlib.Path("/target")
files = sorted(source.rglob("*.py"))
for number, file in enumerate(files, 1):
    name = file.relative_to(source)
    compiled = (target / name).with_suffix(".pyc")
    compiled.parent.mkdir(parents=True, exist_ok=True)
    py_compile.compile(
        str(file),
        cfile=str(compiled),
        dfile=str(name),  # what tracebacks show
        doraise=True,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if number % 50 == 0:
        print(f"{number} of {len(files)} modules")
`);
