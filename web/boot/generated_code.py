"""The code of texts that the standard library compiles: for each dataclass, named tuple and annotation in a string.

That is a fifth of what an import of web5 takes. The build notes the texts and their code while it imports everything
(`note`), and packs that beside this module; a start has it in place of the compiler (`install`). A text that is not
there is compiled as ever.
"""

import collections
import dataclasses
import hashlib
import marshal

FILE = "generated_code.bin"

_codes = None


def _key(mode, text):
    return hashlib.sha256(f"{mode} {text}".encode()).digest()[:16]


def _compiled(text, file, mode):
    return compile(text, file, mode, dont_inherit=True)


def note():
    """Note what is compiled from now on; return what gives all of that, as the file has it."""
    codes = {}

    def noted(text, file, mode):
        return codes.setdefault(_key(mode, text), _compiled(text, file, mode))

    _use(noted)
    return lambda: marshal.dumps(codes)


def install():
    """Let the standard library have the code that is there."""

    def found(text, file, mode):
        code = _found().get(_key(mode, text)) if isinstance(text, str) else None
        return _compiled(text, file, mode) if code is None else code

    _use(found)


def _use(compiler):
    dataclasses.exec = lambda text, *where: exec(compiler(text, "<string>", "exec"), *where)
    collections.eval = lambda text, *where: eval(compiler(text, "<string>", "eval"), *where)
    if annotations := getattr(dataclasses, "annotationlib", None):  # since Python 3.14, which a browser has
        annotations.compile = compiler


def _found():
    global _codes
    if _codes is None:
        folder = __file__.rpartition("/")[0]
        _codes = marshal.loads(__spec__.loader.get_data(f"{folder}/{FILE}"))
    return _codes
