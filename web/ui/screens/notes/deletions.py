"""Deleting notes, with a moment to think better of it.

Invariants:
1. Until that moment is over nothing is deleted, here or elsewhere: an undo leaves no trace.
2. What the person deleted is deleted: if this tab is closed meanwhile, then by the next page that is open here, while
   the same identity is in use.
"""

import json

from ui.client import AgentError
from ui.kit.dom import keep, kept, now, on_window, spawn, window
from ui.kit.texts import t
from ui.screens.notes import note_words
from ui.shell import banner, toast

SECONDS = 8
"""The moment."""

_KEPT = "web5-notes-deleted"
_GRACE = 2000
"""Milliseconds that another tab, which showed the note, has to do it itself."""


class Deletions:
    """The notes that are to be deleted.

    Parameters:
        agent: deletes them.
        changed: called when one is gone from the page, or back; a coroutine function.
    """

    def __init__(self, agent, changed):
        self._agent = agent
        self._changed = changed
        self._did = None
        self._own = None
        on_window("pagehide", self._leave)

    def use(self, did):
        """Know which identity is in use."""
        if did != self._did:
            self._did = did
            self._own = None  # of another identity; it is deleted once that is in use again
            self.tick()

    def ids(self):
        """Return the IDs of the notes that the person has deleted."""
        return {entry[0] for entry in self._kept()}

    async def delete(self, note_id):
        """Take a note off the page, and delete it when the moment is over."""
        entries = self._kept()
        entries.append([note_id, self._did, int(now() / 1000) + SECONDS])
        self._keep(entries)
        self._own = note_id
        undo, over = lambda: self._undo(note_id), lambda: self._carry_out(note_id)
        toast.offer(note_words.DELETED, t("Undo"), undo, over, SECONDS, focus=True)
        await self._changed()

    def tick(self):
        """Delete what a tab that was closed has left."""
        late = now() - _GRACE
        for note_id, did, due in self._kept():
            if did == self._did and note_id != self._own and due * 1000 < late:
                spawn(self._carry_out(note_id))

    async def _undo(self, note_id):
        self._forget(note_id)
        await self._changed()

    async def _carry_out(self, note_id):
        if [note_id, self._did] not in [entry[:2] for entry in self._kept()]:
            return  # undone in another tab, or another identity is in use now
        try:
            await self._agent.call("delete_note", id=note_id)
        except AgentError as error:
            if error.kind == "VaultLocked":
                self._own = None  # it is deleted once it is unlocked
                return
            self._forget(note_id)
            banner.show_error(error)
        else:
            self._forget(note_id)
        await self._changed()

    def _leave(self, _):
        if self._own:
            window.web5Link("delete_note", json.dumps({"id": self._own}))

    def _forget(self, note_id):
        if self._own == note_id:
            self._own = None
        self._keep([entry for entry in self._kept() if entry[0] != note_id])

    def _kept(self):
        try:
            found = json.loads(kept("localStorage", _KEPT) or "[]")
        except ValueError:
            return []
        return [entry for entry in found if _is_entry(entry)] if isinstance(found, list) else []

    def _keep(self, entries):
        keep("localStorage", _KEPT, json.dumps(entries) if entries else None)


def _is_entry(entry):
    return isinstance(entry, list) and len(entry) == 3 and isinstance(entry[0], str) and isinstance(entry[2], int)
