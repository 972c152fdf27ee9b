// Compiles Python to .pyc with Pyodide itself, so that the browser runs exactly what its own compiler made.
// Usage: node compile.mjs PYODIDE_MODULE_URL SOURCE_FOLDER TARGET_FOLDER DOCUMENTED
// Every .py of the source becomes a .pyc in the same place of the target; other files are left out. What nobody reads in
// a browser is left out, too: docstrings, but of modules that match one of the patterns in DOCUMENTED, a JSON array; and
// columns, which are a quarter of the code. Lines stay. A class that is decorated has a docstring all the same, since for
// a dataclass without one its signature would be worked out at each import.
const [pyodideUrl, source, target, documented] = process.argv.slice(2);
const { loadPyodide } = await import(pyodideUrl);
const env = { HOME: "/home/pyodide", PYTHONNODEBUGRANGES: "1" };
const pyodide = await loadPyodide({ env, stdout: (line) => console.log(line) });
pyodide.mountNodeFS("/source", source);
pyodide.mountNodeFS("/target", target);
pyodide.globals.set("DOCUMENTED", documented);
pyodide.runPython(`
import ast, fnmatch, json, pathlib
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash

class WithoutDocstrings(ast.NodeTransformer):
    def visit_Module(self, node):
        self.generic_visit(node)
        if ast.get_docstring(node, clean=False) is not None:
            first = node.body.pop(0)
            node.body = node.body or [ast.copy_location(ast.Pass(), first)]
        if isinstance(node, ast.ClassDef) and node.decorator_list:
            node.body.insert(0, ast.fix_missing_locations(ast.copy_location(ast.Expr(ast.Constant("-")), node.body[0])))
        return node

    visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = visit_Module

source, target = pathlib.Path("/source"), pathlib.Path("/target")
documented = json.loads(DOCUMENTED)
files = sorted(source.rglob("*.py"))
for number, file in enumerate(files, 1):
    name = file.relative_to(source)
    text = file.read_bytes()
    tree = ast.parse(text, str(name))
    if not any(fnmatch.fnmatch(str(name), pattern) for pattern in documented):
        tree = WithoutDocstrings().visit(tree)
    code = compile(tree, str(name), "exec", dont_inherit=True)  # the name is what tracebacks show
    compiled = (target / name).with_suffix(".pyc")
    compiled.parent.mkdir(parents=True, exist_ok=True)
    compiled.write_bytes(_code_to_hash_pyc(code, source_hash(text), checked=False))
    if number % 50 == 0:
        print(f"{number} of {len(files)} modules")
`);
