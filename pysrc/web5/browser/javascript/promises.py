"""Promises whose errors Pyodide can take.

Pyodide makes a traceback of an error's stack, and never settles a promise whose error has none (WebKit's failures
of fetch) or is of a class that it does not know (Chromium's QuotaExceededError).
"""

from __future__ import annotations

from web5.browser.javascript.scripts import js_function

JS_PLAIN_ERROR = "(error) => Object.assign(new Error(error.message), { name: error.name })"
"""A JavaScript function that makes an error which Pyodide can take."""

js_plainly = js_function(
    f"""
    (object, method, ...args) =>
      Promise.resolve(object[method](...args)).catch((error) => {{ throw ({JS_PLAIN_ERROR})(error); }})
    """
)
"""A method called by its name, whose promise is rejected with a plain error.

It makes the promise itself: Pyodide breaks in WebKit where a function that gives a promise is given one.
"""
