"""One note on the page: reading, editing, deleting."""

from ui import banner, words
from ui.client import AgentError
from ui.dom import clone, local_time, now, on, saves, say, show, slot, tone

_LONG_LINES = 12
_LONG_CHARACTERS = 900


def is_long(text):
    """Return True if a list shows only the beginning of this text."""
    return len(text) > _LONG_CHARACTERS or text.count("\n") >= _LONG_LINES


class NoteCard:
    """The list item of a note.

    Parameters:
        agent: stores the changes.
        changed: called after the agent has acknowledged an edit or a deletion.

    Attributes:
        is_leaving: True while a deletion is not acknowledged; until then the note may come back, so it stays.
    """

    def __init__(self, agent, changed):
        self._agent = agent
        self._changed = changed
        self._note = None
        self._editor = None
        self._full = None
        self._gone = False
        self.is_leaving = False
        self.element = clone("note-template")
        self._text = slot(self.element, "text")
        on(slot(self.element, "edit"), "click", self._edit)
        on(slot(self.element, "whole"), "click", self._show_whole)
        on(slot(self.element, "delete"), "click", lambda _: self._ask(True))
        on(slot(self.element, "delete-no"), "click", lambda _: self._ask(False))
        on(slot(self.element, "delete-yes"), "click", self._delete)

    @property
    def is_edited(self):
        """True while the person is changing it, so that nothing else may."""
        return self._editor is not None

    def update(self, note):
        """Show the newest version of the note."""
        before, self._note = self._note, note
        if before is None or any(before[what] != note[what] for what in ("version", "damaged")):
            self._full = None
            self.element.id = "note-" + note["id"]
            self._put(words.DAMAGED if note["damaged"] else note["text"], clamp=not note["damaged"])
            if self._editor and before:
                self._warn("This note was changed elsewhere meanwhile. Saving replaces that change.")
        chip = slot(self.element, "waiting")
        show(chip, bool(note["waiting"]))
        if note["waiting"]:
            name, text = words.waiting(note["waiting"])
            tone(chip, name)
            say(chip, text)
        self.tick()

    def tick(self):
        """Say again how long ago it was written."""
        note = self._note
        time = slot(self.element, "time")
        say(time, ("Edited " if note["edited"] else "") + words.ago((now() - note["modified"]) / 1000))
        time.title = local_time(note["modified"])

    def lost(self):
        """Warn that the note was deleted elsewhere while it is edited here."""
        self._gone = True
        self._warn("This note was deleted elsewhere. Saving keeps your text as a new note.")

    def _put(self, text, clamp):
        say(self._text, text)
        long = clamp and (not self._note["whole"] or is_long(text))
        self._text.classList.toggle("clamped", long)
        show(slot(self.element, "whole"), long)

    async def _whole(self):
        if self._full is None:
            note = self._note
            self._full = note["text"] if note["whole"] else await self._agent.call("read_note", id=note["id"])
        return self._full

    async def _show_whole(self, _):
        try:
            self._put(await self._whole(), clamp=False)
        except AgentError as error:
            banner.show_error(error)

    def _ask(self, asking):
        show(slot(self.element, "ask"), asking)
        slot(self.element, "delete-no" if asking else "delete").focus()

    async def _delete(self, _):
        self.is_leaving = True
        try:
            await self._agent.call("delete_note", id=self._note["id"])
        except AgentError as error:
            self._ask(False)
            banner.show_error(error)
            return
        finally:
            self.is_leaving = False
        await self._changed()

    async def _edit(self, _):
        if self._editor:
            return
        try:
            text = await self._whole()
        except AgentError as error:
            banner.show_error(error)
            return
        editor = self._editor = clone("editor-template")
        area = slot(editor, "text")
        area.value = text
        on(editor, "submit", self._submit)
        on(slot(editor, "cancel"), "click", lambda _: self._close())
        on(area, "keydown", self._key)
        self._reading(False)
        self.element.prepend(editor)
        area.focus()
        area.setSelectionRange(len(text), len(text))

    def _key(self, event):
        if event.key == "Escape":
            return self._close()
        if saves(event):
            event.preventDefault()
            return self._save()

    def _submit(self, event):
        event.preventDefault()
        return self._save()

    async def _save(self):
        text = slot(self._editor, "text").value.strip()
        if not text:
            self._warn("A note cannot be empty. Delete it instead.")
            return
        save = slot(self._editor, "save")
        save.disabled = True
        try:
            if self._gone:
                await self._agent.call("create_note", text=text, created=int(now() * 1000))
            elif text != self._full:
                await self._agent.call("update_note", id=self._note["id"], text=text)
        except AgentError as error:
            save.disabled = False
            if error.kind == "NotFound":
                self.lost()
            else:
                banner.show_error(error)
            return
        await self._close()

    async def _close(self):
        self._editor.remove()
        self._editor = None
        self._reading(True)
        slot(self.element, "edit").focus()
        await self._changed()

    def _reading(self, reading):
        for name in ("text", "edit", "delete"):
            show(slot(self.element, name), reading)
        show(slot(self.element, "whole"), reading and self._text.classList.contains("clamped"))

    def _warn(self, text):
        problem = slot(self._editor, "problem")
        show(problem, True)
        say(problem, text)
