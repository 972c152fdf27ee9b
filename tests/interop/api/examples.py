"""What the pages of web/examples declare: their protocols, and the models of their records."""

from __future__ import annotations

import ast
import sys
from types import ModuleType

from web5_build.paths import WEB

_BEGIN = '<script type="py" async>\n'


def declared(page: str) -> ModuleType:
    """Run the declarations in an example's script, and nothing else of it; the module that they make."""
    script = (WEB / "examples" / page).read_text(encoding="utf-8").partition(_BEGIN)[2].partition("</script>")[0]
    module = sys.modules[f"examples.{page}"] = ModuleType(f"examples.{page}")  # pydantic looks names up in it
    module.__dict__["__name__"] = f"examples.{page}"
    tree = ast.parse(script)
    tree.body = [statement for statement in tree.body if _declares(statement)]
    exec(compile(tree, page, "exec"), module.__dict__)
    return module


def _declares(statement: ast.stmt) -> bool:
    match statement:
        case ast.ImportFrom(module="pyscript"):
            return False
        case ast.Import() | ast.ImportFrom() | ast.ClassDef():
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id="Protocol"))):
            return True
    return False
