"""One note on the page: reading, editing, deleting."""

from ui import banner, words
from ui.client import AgentError
from ui.dom import clone, local_time, now, saves, say, show, slot, tone

_LONG_LINES = 12
_LONG_CHARACTERS = 900


def is_long(text):
    """Return True if a list shows only the beginning of this text."""
    return len(text) > _LONG_CHARACTERS or text.count("\n") >= _LONG_LINES


class NoteCard:
    """The list item of a note.

    Parameters:
        agent: stores the changes.
        notes: the list that it is in.

    Attributes:
        actions: what its buttons do, by their names in the template.
        is_leaving: True while a deletion is not acknowledged; until then the note may come back, so it stays.
        is_placed: True once it stands where the agent has it among the others.
    """

    def __init__(self, agent, notes):
        self._agent = agent
        self._notes = notes
        self.is_leaving = self.is_placed = False
        self._note = None
        self._editor = None
        self._full = None
        self._gone = False
        self._told_at = self._told_until = 0
        self.element = clone("note-template")
        self._text = slot(self.element, "text")
        self._time = slot(self.element, "time")
        self.actions = {
            "edit": self._edit,
            "whole": self._show_whole,
            "delete": lambda _: self._ask(True),
            "delete-no": lambda _: self._ask(False),
            "delete-yes": self._delete,
            "cancel": lambda _: self._close(),
        }

    @property
    def is_edited(self):
        """True while the person is changing it, so that nothing else may."""
        return self._editor is not None

    def update(self, note):
        """Show the newest version of the note."""
        before, self._note = self._note, note
        self._gone = False
        if before is None or any(before[what] != note[what] for what in ("version", "damaged")):
            self._full = None
            self._told_until = 0
            self.element.id = "note-" + note["id"]
            self.element.setAttribute("data-note", note["id"])
            slot(self.element, "link").href = "#/notes/" + note["id"]
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
        """Say again how long ago it was written, if that is another text by now."""
        moment = now()
        if self._told_at <= moment < self._told_until:
            return
        note = self._note
        seconds = (moment - note["modified"]) / 1000
        self._told_at = moment
        self._told_until = moment + 1000 * words.true_for(seconds)
        say(self._time, ("Edited " if note["edited"] else "") + words.ago(seconds))
        self._time.title = local_time(note["modified"])

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
            self.is_leaving = False
            self._ask(False)
            banner.show_error(error)
            await self._notes.refresh_all()
            return
        self._notes.drop(self._note["id"])
        await self._notes.refresh()

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
        self._reading(False)
        self.element.prepend(editor)
        area.focus()
        area.setSelectionRange(len(text), len(text))

    def key(self, event):
        """Take a key that was pressed in the editor."""
        if event.key == "Escape":
            return self._close()
        if saves(event):
            event.preventDefault()
            return self._save()

    def submit(self, event):
        """Save what was edited."""
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
        if self._gone:
            self._notes.drop(self._note["id"])
        await self._notes.refresh()

    def _reading(self, reading):
        for name in ("text", "edit", "delete"):
            show(slot(self.element, name), reading)
        show(slot(self.element, "whole"), reading and self._text.classList.contains("clamped"))

    def _warn(self, text):
        problem = slot(self._editor, "problem")
        show(problem, True)
        say(problem, text)
