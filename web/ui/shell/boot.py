"""The progress of the worker's start."""

import asyncio

from ui import words
from ui.kit.dom import el, say, show, spawn
from ui.kit.texts import t

# Step, the share of the bar it ends at, and what it does. The shares are from measured times.
_STEPS = (
    ("runtime", 45, t("Loading Python")),
    ("packages", 70, t("Unpacking the node")),
    ("store", 85, t("Reading your stored notes")),
    ("identity", 98, t("Opening your identity")),
)
_STALLED_SECONDS = 20
_SETTINGS = "settings"
_LINE = "line"
_STORE_SECONDS = 4
_HINT = t("You can already write: notes are saved as soon as your node is up.")


class Boot:
    """The progress bar where the notes will be."""

    def __init__(self):
        self._value = 2
        self._finished = False
        self._heard = False
        self._in_store = False
        spawn(self._watch())

    def step(self, name, done, total):
        """Move to `done` of `total` within a step; the bar never goes back."""
        if name == _SETTINGS and not self._finished:
            self._heard = True
            say(el("boot-words"), words.no_settings(done))
        if name == _LINE and not self._finished:
            self._heard = True
            say(el("boot-hint"), words.broken_line(done, total) if done else _HINT)
        start = 2
        for step, end, text in _STEPS:
            if step == name and not self._finished:
                value = start + (end - start) * (done / total if total else 0)
                if value >= self._value:
                    self._value = value
                    el("boot-bar").value = value
                    say(el("boot-words"), text)
                    # Apart from the words, or each change would be read aloud.
                    say(el("boot-bytes"), words.loaded(done, total) if name == "runtime" else "")
                self._heard = True
                if name == "store" and done == 0:
                    self._in_store = True
                    spawn(self._watch_store())
                else:
                    self._in_store = False
            start = end

    def finish(self):
        """Hide the bar, since the node answers."""
        self._finished = True
        show(el("boot"), False)

    def fail(self):
        """Say that the node will not come; a banner says why."""
        self._finished = True
        show(el("boot-bar"), False)
        say(el("boot-words"), t("Your node is not running"))
        say(el("boot-hint"), t("Nothing can be saved now. What you wrote stays on this page until you leave it."))

    async def _watch_store(self):
        await asyncio.sleep(_STORE_SECONDS)
        if self._in_store and not self._finished:
            say(el("boot-words"), t("This browser's storage does not answer"))
            say(
                el("boot-hint"),
                t(
                    "Close other tabs of this page, or restart the browser. What you write stays on this page "
                    "meanwhile."
                ),
            )

    async def _watch(self):
        while not self._finished:
            self._heard = False
            await asyncio.sleep(_STALLED_SECONDS)
            if not self._heard and not self._finished and not self._in_store:
                say(el("boot-hint"), t("This takes longer than it should. You can wait, or reload the page."))
