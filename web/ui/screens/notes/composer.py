"""Writing a new note. It can be typed at once; it is saved when the node is there.

Invariants:
1. Text that the person asked to save is on the page until the node has acknowledged it, after a reload too.
2. Notes are saved in the order in which they were written. When one cannot be, none behind it is; the person tries
   again, or gives it up.
"""

import json

from ui.client import AgentError
from ui.kit.dom import clone, el, keep, kept, now, on, on_items, on_window, saves, say, show, slot, tone
from ui.kit.texts import t
from ui.screens.notes.card.note_card import is_long
from ui.screens.settings import storage_words
from ui.shell import banner

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
        self._cards = {}
        self._moment = 0
        self._working = False
        self._text = el("note-text")
        self._text.value = self._text.value or kept("sessionStorage", _KEPT) or ""
        on(el("composer"), "submit", self._submit)
        on(self._text, "keydown", self._key)
        on(self._text, "input", lambda _: keep("sessionStorage", _KEPT, self._text.value))
        on_items(el("drafts"), "data-draft", self._cards)
        on(el("drafts-again"), "click", lambda _: self.work())
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

    def _save(self):
        """Take the text at once, since the person may write on; return what saves it."""
        text = self._text.value.strip()
        self._text.focus()
        if not text:
            return None
        self._text.value = ""
        keep("sessionStorage", _KEPT, None)
        # No two notes of this page share a moment: it tells the agent a new note from a repeated call. A clock that was
        # put back is followed.
        moment = int(now() * 1000)
        self._wait(text, self._moment + 1 if moment <= self._moment < moment + _SLEWED else moment)
        self._keep()
        return self.work()

    def _wait(self, text, created):
        draft = _Draft(text, created, self._give_up)
        self._cards[draft.key] = draft
        el("drafts").prepend(draft.element)
        self._moment = created
        self._queue.append(draft)

    def _give_up(self, draft):
        if draft in self._queue and not self._working:
            self._done(draft)

    def _done(self, draft):
        self._queue.remove(draft)
        self._keep()
        del self._cards[draft.key]
        draft.element.remove()
        self._tell(bool(self._queue) and not self._working)

    def _tell(self, stopped):
        show(el("drafts-stopped"), stopped)
        if stopped:
            say(el("drafts-words"), storage_words.not_saved(len(self._queue)))

    def _mark(self, name, text, stopped=False):
        """Say of all that waits how it stands."""
        for draft in self._queue:
            draft.mark(name, text, stopped)
        self._tell(stopped)

    def _keep(self):
        unsaved = [(draft.text, draft.created) for draft in self._queue]
        keep("sessionStorage", _UNSAVED, json.dumps(unsaved))

    async def work(self):
        """Save what waits."""
        if self._working:
            return
        self._working = True
        self._mark(None, t("Being saved"))
        try:
            while self._queue:
                draft = self._queue[0]
                try:
                    note = await self._agent.call("create_note", text=draft.text, created=draft.created)
                except AgentError as error:
                    if error.kind == "VaultLocked":
                        self._mark("bad", t("Saved once you unlock"))
                    else:
                        self._mark("bad", t("Not saved"), stopped=True)
                    banner.show_error(error)
                    return
                self._done(draft)
                self._saved(note)
        finally:
            self._working = False


class _Draft:
    """A note that waits to be saved.

    Parameters:
        created: when it was written, in microseconds since 1970.
        give_up: called with it when the person wants it no more.

    Attributes:
        actions: what its buttons do, by their names in the template.
    """

    def __init__(self, text, created, give_up):
        self.text = text
        self.created = created
        self.key = str(created)
        self.element = clone("note-template")
        self.element.classList.add("unsaved")
        self.element.setAttribute("data-draft", self.key)
        self.actions = {
            "whole": lambda _: self._shorten(False),
            "delete": lambda _: self._ask(True),
            "delete-no": lambda _: self._ask(False),
            "delete-yes": lambda _: give_up(self),
        }
        say(self._slot("text"), text)
        self._shorten(is_long(text))
        for name in ("time", "edit", "share", "delete"):
            show(self._slot(name), False)
        show(self._slot("waiting"), True)
        say(self._slot("waiting"), t("Being saved"))
        say(self._slot("delete-words"), t("Delete it? It is saved nowhere."))

    def mark(self, name, text, stopped):
        """Say how it stands; if that has `stopped`, it may be given up."""
        tone(self._slot("waiting"), name)
        say(self._slot("waiting"), text)
        show(self._slot("delete"), stopped)
        show(self._slot("ask"), False)

    def _slot(self, name):
        return slot(self.element, name)

    def _shorten(self, short):
        self._slot("text").classList.toggle("clamped", short)
        show(self._slot("whole"), short)

    def _ask(self, asking):
        show(self._slot("ask"), asking)
        self._slot("delete-no" if asking else "delete").focus()
