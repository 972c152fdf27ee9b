"""Runs the programs of the playground, one after the other, all with the same names: `web5` and `did` are there."""

import asyncio
import linecache
import traceback
from contextlib import redirect_stderr, redirect_stdout

from js import Object, postMessage
from pyodide.code import eval_code_async
from pyodide.ffi import to_js

from web5 import Web5
from web5.errors import Web5Error

FILE = "<program>"
names = {"__name__": "__main__"}
running = None


def tell(**message):
    postMessage(to_js(message, dict_converter=Object.fromEntries))


class Output:
    """A text file whose lines the page shows."""

    def __init__(self, kind):
        self._kind = kind

    def write(self, text):
        if text:
            tell(print=self._kind, text=text)
        return len(text)

    def flush(self):
        pass


def run(program):
    """Begin a program; the page waits until it has ended before it runs another."""
    global running
    running = asyncio.ensure_future(_run(program))


def stop():
    """Cancel the program that runs."""
    if running is not None:
        running.cancel()


async def _run(program):
    linecache.cache[FILE] = (len(program), None, program.splitlines(keepends=True), FILE)
    with redirect_stdout(Output("out")), redirect_stderr(Output("error")):
        try:
            if "web5" not in names:
                names["web5"], names["did"] = await Web5.connect()
            value = await eval_code_async(program, names, filename=FILE)
            if value is not None:
                tell(print="value", text=repr(value))
        except asyncio.CancelledError:
            tell(stopped=True)
        except SystemExit:
            pass
        except BaseException as error:
            tell(print="error", text=explained(error))
        finally:
            tell(ended=True)


def explained(error):
    """Return the traceback of an error from the program on, without the frames of what runs it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != FILE:
        trace = trace.tb_next
    if trace is None and isinstance(error, Web5Error):
        return f"{type(error).__name__}: {error}"
    return "".join(traceback.format_exception(type(error), error, trace)).rstrip()
