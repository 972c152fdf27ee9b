"""Writing a new note. It can be typed at once; it is saved when the node is there.

Invariants:
1. Text that the person asked to save is on the page until the node has acknowledged it, after a reload too.
2. Notes are saved in the order in which they were written.
"""

import json

from ui import banner
from ui.client import AgentError
from ui.dom import clone, el, keep, kept, now, on, on_window, saves, say, show, slot, tone

_KEPT = "web5-notes-draft"
_UNSAVED = "web5-notes-unsaved"

_SLEWED = 1_000_000
"""Microseconds that the clock may go back without being put right."""


class Composer:
    """The form above the notes, and the notes that wait to be saved.

    Parameters:
        agent: where to save.
        saved: called with each note as the agent gives it back.
    """

    def __init__(self, agent, saved):
        self._agent = agent
        self._saved = saved
        self._queue = []
        self._moment = 0
        self._working = False
        self._text = el("note-text")
        self._text.value = self._text.value or kept("sessionStorage", _KEPT) or ""
        on(el("composer"), "submit", self._submit)
        on(self._text, "keydown", self._key)
        on(self._text, "input", lambda _: keep("sessionStorage", _KEPT, self._text.value))
        on_window("beforeunload", self._leave)
        for text, created in json.loads(kept("sessionStorage", _UNSAVED) or "[]"):
            self._wait(text, created)

    def _key(self, event):
        if saves(event):
            event.preventDefault()
            return self._save()

    def _submit(self, event):
        event.preventDefault()
        return self._save()

    def _leave(self, event):
        if self._queue:
            event.preventDefault()

    async def _save(self):
        text = self._text.value.strip()
        self._text.focus()
        if not text:
            return
        self._text.value = ""
        keep("sessionStorage", _KEPT, None)
        # No two notes of this page share a moment: it tells the agent a new note from a repeated call. A clock that was
        # put back is followed.
        moment = int(now() * 1000)
        self._wait(text, self._moment + 1 if moment <= self._moment < moment + _SLEWED else moment)
        self._keep()
        await self.work()

    def _wait(self, text, created):
        card = clone("note-template")
        card.classList.add("unsaved")
        say(slot(card, "text"), text)
        show(slot(card, "edit"), False)
        show(slot(card, "delete"), False)
        show(slot(card, "waiting"), True)
        say(slot(card, "waiting"), "Being saved")
        el("drafts").prepend(card)
        self._moment = created
        self._queue.append((text, created, card))

    def _keep(self):
        unsaved = [(text, created) for text, created, _ in self._queue]
        keep("sessionStorage", _UNSAVED, json.dumps(unsaved))

    async def work(self):
        """Save what waits."""
        if self._working:
            return
        self._working = True
        try:
            while self._queue:
                text, created, card = self._queue[0]
                chip = slot(card, "waiting")
                tone(chip, None)
                say(chip, "Being saved")
                try:
                    note = await self._agent.call("create_note", text=text, created=created)
                except AgentError as error:
                    tone(chip, "bad")
                    say(chip, "Saved once you unlock" if error.kind == "VaultLocked" else "Not saved")
                    banner.show_error(error, self.work)
                    return
                self._queue.pop(0)
                self._keep()
                card.remove()
                self._saved(note)
        finally:
            self._working = False
