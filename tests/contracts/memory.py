"""How much memory Python takes, on CPython and on Pyodide."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

MIB = 1 << 20


@contextmanager
def at_most(allowed: int) -> Iterator[None]:
    """Fail if Python's objects take this many bytes more at any time in the block than at its start.

    In a browser, neither may the interpreter's whole memory (which only ever grows) grow by so much.
    """
    whole = _whole()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before <= allowed, f"Python took {(peak - before) / MIB:.1f} MiB of {allowed / MIB:g} allowed"
    grown = _whole() - whole
    assert grown <= allowed, f"the interpreter grew by {grown / MIB:.1f} MiB, {allowed / MIB:g} are allowed"


def _whole() -> int:
    """Bytes of the WebAssembly memory; 0 on CPython, where tracemalloc says enough."""
    if sys.platform != "emscripten":
        return 0
    import pyodide_js

    return int(pyodide_js._module.HEAP8.length)
