"""Functions that are written in JavaScript, beside the Python that calls them.

They are made when they are first called: an import makes no JavaScript function, so that Python's memory can be kept
once everything is imported (web/boot/snapshot.mjs), where no such function could be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyodide.code import run_js


class JsFunction:
    """A JavaScript function, made at its first call.

    Parameters:
        make: makes it.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._js_function: Any = None

    def __call__(self, *arguments: Any) -> Any:
        if self._js_function is None:
            self._js_function = self._make()
        return self._js_function(*arguments)


def js_function(source: str) -> JsFunction:
    """Return the function that this expression is."""
    return JsFunction(lambda: run_js(source))


def js_functions(source: str, *names: str) -> tuple[JsFunction, ...]:
    """Return several that share what is local to the expression.

    Parameters:
        source: a function without parameters, which returns an object.
        names: of the object's members.
    """
    made: list[Any] = []

    def member(name: str) -> Any:
        if not made:
            made.append(run_js(source)())
        return getattr(made[0], name)

    def lazy(name: str) -> JsFunction:
        return JsFunction(lambda: member(name))

    return tuple(lazy(name) for name in names)
