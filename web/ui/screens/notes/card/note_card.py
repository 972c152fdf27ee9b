"""One note on the page: reading, editing, deleting."""

from ui import words
from ui.client import AgentError
from ui.kit.dom import clone, document, now, saves, say, show, slot, spawn, window
from ui.kit.texts import t
from ui.screens.notes import note_words
from ui.screens.notes.card import edits
from ui.screens.notes.card.editor import Editor
from ui.screens.notes.card.history import History
from ui.screens.notes.card.item import Item
from ui.shell import banner, toast

_LONG_LINES = 12
_LONG_CHARACTERS = 900


def is_long(text):
    """Return True if a list shows only the beginning of this text."""
    return len(text) > _LONG_CHARACTERS or text.count("\n") >= _LONG_LINES


class NoteCard(Item):
    """The list item of a note.

    Parameters:
        agent: stores the changes.
        notes: the list that it is in.
    """

    def __init__(self, agent, notes):
        super().__init__(agent, notes, clone("note-template"))
        self._editor = None
        self._full = None
        self._gone = False
        self._history = None
        self._text = slot(self.element, "text")
        self.actions["edit"] = self._edit
        self.actions["history"] = self._look_back
        self.actions["whole"] = self._show_whole
        self.actions["tag"] = lambda event: self._notes.on_tag(event.target.getAttribute("data-tag"))
        self.actions["preview"] = lambda _: self._editor.toggle()
        self.actions["cancel"] = lambda _: self._cancel()

    @property
    def is_edited(self):
        """True while the person is changing it, so that nothing else may."""
        return self._editor is not None

    def update(self, note):
        """Show the newest version of the note."""
        self._gone = False
        super().update(note)

    def _changed(self, note, before):
        self._full = None
        if note["damaged"]:
            self._put_text(words.DAMAGED)
        else:
            self._put(note["html"], clamp=True)
        self._put_tags(note["tags"])
        show(slot(self.element, "history"), note["edited"] and not self._editor)
        if self._history:
            spawn(self._history.refresh())
        if self._editor and before:
            self._editor.warn(note_words.CHANGED)

    def restore(self):
        """Go on with what was written into it before a reload."""
        found = edits.unsaved(self._note["id"])
        if found:
            self._open_editor(found[0], found[1])
            self._editor.warn(note_words.RESTORED if found[1] == self._note["version"] else note_words.CHANGED)

    def lost(self):
        """Warn that the note was deleted elsewhere while it is edited here."""
        self._gone = True
        self._editor.warn(note_words.GONE)

    def _put_text(self, text):
        self._text.classList.remove("rich")
        say(self._text, text)
        self._text.classList.remove("clamped")
        show(slot(self.element, "whole"), False)

    def _put_tags(self, tags):
        row = slot(self.element, "tags")
        row.replaceChildren()
        for tag in tags:
            button = document.createElement("button")
            button.type = "button"
            button.className = "chip tag"
            button.setAttribute("data-slot", "tag")
            button.setAttribute("data-tag", tag)
            say(button, note_words.tag_button(tag, 0))
            row.append(button)

    def _put(self, html, clamp):
        window.web5Markup(self._text, html)
        long = clamp and (not self._note["whole"] or is_long(self._note["text"]))
        self._text.classList.toggle("clamped", long)
        show(slot(self.element, "whole"), long)

    async def _whole(self):
        if self._full is None:
            note = self._note
            self._full = note["text"] if note["whole"] else await self._agent.call("read_note", id=note["id"])
        return self._full

    async def _show_whole(self, _):
        try:
            self._put(await self._agent.call("render_note", text=await self._whole()), clamp=False)
        except AgentError as error:
            banner.show_error(error)

    async def _look_back(self, _):
        if self._history:
            self._close_history()
            return
        self._history = History(self._agent, self._note["id"], self._bring_back)
        self.actions.update(self._history.actions)
        self.element.append(self._history.element)
        slot(self.element, "history").setAttribute("aria-expanded", "true")
        await self._history.refresh()
        self._history.focus()

    def _close_history(self):
        self._history.close()
        self._history = None
        button = slot(self.element, "history")
        button.setAttribute("aria-expanded", "false")
        button.focus()

    async def _bring_back(self, text):
        """Make an earlier text the note's again; what it has now is kept among the earlier ones."""
        if await banner.attempt(self._agent, "update_note", id=self._note["id"], text=text):
            self._close_history()
            await self._notes.refresh()

    async def _edit(self, _):
        if self._editor:
            return
        try:
            text = await self._whole()
        except AgentError as error:
            banner.show_error(error)
            return
        self._open_editor(text, self._note["version"])
        self._editor.focus()

    def _open_editor(self, text, version):
        self._editor = Editor(self._agent, self._note["id"], text, version)
        self._reading(False)
        self.element.prepend(self._editor.element)

    def key(self, event):
        """Take a key that was pressed in the editor."""
        if event.key == "Escape":
            return self._cancel()
        if saves(event):
            event.preventDefault()
            return self._save()

    def typed(self):
        """Keep what is being written."""
        return self._editor.typed()

    def submit(self, event):
        """Save what was edited."""
        event.preventDefault()
        return self._save()

    async def _save(self):
        text = self._editor.text.strip()
        if not text:
            self._editor.warn(note_words.EMPTY)
            return
        self._editor.saving(True)
        try:
            if self._gone:
                await self._agent.call("create_note", text=text, created=int(now() * 1000))
            elif text != self._editor.before:
                await self._agent.call("update_note", id=self._note["id"], text=text)
        except AgentError as error:
            self._editor.saving(False)
            if error.kind == "NotFound":
                self.lost()
            else:
                banner.show_error(error)
            return
        await self._close()

    async def _cancel(self):
        text, before, version = self._editor.text, self._editor.before, self._note["version"]
        await self._close()
        if text.strip() and text != before and not self._gone:
            undo = t("Undo")
            toast.offer(note_words.LEFT, undo, lambda: self._reopen(text, version), None, note_words.LEFT_SECONDS)

    def _reopen(self, text, version):
        if not self._editor and self.element.isConnected:
            edits.put(self._note["id"], text, version)
            self._open_editor(text, version)
            self._editor.focus()

    async def _close(self):
        self._editor.close()
        self._editor = None
        self._reading(True)
        slot(self.element, "edit").focus()
        if self._gone:
            self._notes.drop(self._note["id"])
        await self._notes.refresh()

    def _reading(self, reading):
        for name in ("text", "tags", "edit", "share", "delete"):
            show(slot(self.element, name), reading)
        show(slot(self.element, "history"), reading and self._note["edited"])
        show(slot(self.element, "whole"), reading and self._text.classList.contains("clamped"))
