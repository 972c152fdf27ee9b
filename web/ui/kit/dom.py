"""The little that the page needs of the DOM: find, clone, listen, store."""

import asyncio
import time

from pyscript import document, ffi, window

_running = set()


def el(element_id):
    """Return the element with that id."""
    return document.getElementById(element_id)


def place():
    """Return the place of the page that is shown, and what of it (an ID, or an empty text); see boot/address.mjs."""
    shown = document.documentElement
    return shown.getAttribute("data-place"), shown.getAttribute("data-what")


def go(address):
    """Show another place of the page, such as "messages" or "messages/did:…"."""
    window.web5Go(address)


def is_typing(element):
    """Return True if keys that are pressed there belong to what is typed."""
    return bool(element and element.closest("input, textarea, select, dialog[open]"))


async def copied(text):
    """Put a text on the clipboard; return False if the browser does not allow it, each in a way of its own."""
    try:
        await window.navigator.clipboard.writeText(text)
    except Exception:
        return False
    return True


def clone(template_id):
    """Return a fresh copy of a template's one root element."""
    return el(template_id).content.firstElementChild.cloneNode(True)


def slot(root, name):
    """Return the element that a template marks with `data-slot`."""
    return root.querySelector('[data-slot="' + name + '"]')


def on(element, event, handler):
    """Call `handler(event)` for each event; a coroutine function runs as a task of its own."""
    element.addEventListener(event, _listener(handler))


def on_items(parent, attribute, items):
    """Call what the items of a list do when one of their buttons is clicked, with one listener for all of them.

    A listener of its own holds an item for ever, since nothing sees that Python and the page hold one another.

    Parameters:
        attribute: the attribute of an item that has its key.
        items: by their keys; each has `actions`, functions by the `data-slot` of the button.
    """

    def clicked(event):
        button = event.target.closest("button[data-slot]")
        item = button and button.closest("[" + attribute + "]")
        found = items.get(item.getAttribute(attribute)) if item else None
        action = found and found.actions.get(button.getAttribute("data-slot"))
        return action(event) if action else None

    on(parent, "click", clicked)


def on_window(event, handler):
    """As `on`, for the window, whose functions MicroPython does not reliably call with the right `this`."""
    setattr(window, "on" + event, _listener(handler))


def spawn(coroutine):
    """Run a coroutine by itself."""
    task = asyncio.create_task(coroutine)
    _running.add(task)
    # MicroPython's tasks have no callbacks, so those that are done are dropped at the next start.
    for other in [other for other in _running if other.done()]:
        _running.discard(other)


def _listener(handler):
    def listen(js_event):
        result = handler(js_event)
        if hasattr(result, "send"):
            spawn(result)

    return ffi.create_proxy(listen)


def say(element, words):
    """Set an element's text, only if it differs, so that screen readers do not repeat it."""
    if element.textContent != words:
        element.textContent = words


def show(element, visible):
    """Show or hide an element."""
    element.hidden = not visible


def tone(element, name):
    """Colour an element's dot or frame: good, warn, bad, busy, or None for neutral."""
    if name:
        element.setAttribute("data-tone", name)
    else:
        element.removeAttribute("data-tone")


def saves(js_event):
    """Return True if this key press means "save": Ctrl+Enter, or Command+Enter."""
    return js_event.key == "Enter" and (js_event.ctrlKey or js_event.metaKey)


def download(file_name, text):
    """Let the browser save `text` as a JSON file."""
    blob = window.Blob.new(ffi.to_js([text]), ffi.to_js({"type": "application/json"}))
    link = document.createElement("a")
    link.href = window.URL.createObjectURL(blob)
    link.download = file_name
    link.click()
    window.URL.revokeObjectURL(link.href)


def kept(store, name):
    """Return what was kept in "localStorage" or "sessionStorage", or None; a browser may be set to keep nothing."""
    return window.web5Kept(store, name)


def keep(store, name, text):
    """Keep a text, or with None forget it, where the browser does that."""
    window.web5Keep(store, name, text)


def now():
    """Return milliseconds since 1970; JavaScript's would not fit, as MicroPython takes its whole numbers as 32 bits."""
    return time.time() * 1000


def spent():
    """Return milliseconds by a clock that never goes back, for measuring spans."""
    return window.performance.now()


def local_time(milliseconds):
    """Write a moment as the reader's own locale does."""
    return window.Date.new(float(milliseconds)).toLocaleString(window.web5Locale)
