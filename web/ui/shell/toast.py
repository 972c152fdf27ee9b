"""A word below the page about what was just done, with a way back for a moment."""

import asyncio

from ui.kit.dom import el, on, say, show, spawn


class _Toast:
    """The one that is shown.

    Attributes:
        undo, over: what the person's way back does, and what happens once there is none.
        number: tells one from the next.
    """

    undo = over = None
    number = 0


_now = _Toast()


def _done(which):
    """Take it off the page, and do one of the two."""
    function = _now.undo if which == "undo" else _now.over
    _now.undo = _now.over = None
    show(el("toast"), False)
    if function:
        result = function()
        if hasattr(result, "send"):
            spawn(result)


def offer(words, label, undo, over, seconds, focus=False):
    """Show it for some seconds; what was offered before is over then.

    Parameters:
        label: of the button that calls `undo`.
        over: called when the time is up, or the person has closed it; None does nothing.
        focus: True leads to that button, since what had the focus is gone.
    """
    _done("over")
    _now.undo, _now.over = undo, over
    _now.number += 1
    say(el("toast-words"), words)
    say(el("toast-undo"), label)
    show(el("toast"), True)
    if focus:
        el("toast-undo").focus()
    spawn(_wait(_now.number, seconds))


async def _wait(number, seconds):
    await asyncio.sleep(seconds)
    if _now.number == number:
        _done("over")


on(el("toast-undo"), "click", lambda _: _done("undo"))
on(el("toast-close"), "click", lambda _: _done("over"))
