"""Adding files: chosen or dropped, one after the other, each with how far it has come and a way to stop it.

A picture that is dropped or pasted where a note is being written is shown in that note, too.
"""

import json

from ui import words
from ui.client import AgentError
from ui.kit import file_words
from ui.kit.dom import clone, el, go, now, on, on_items, place, say, show, slot, spawn, window
from ui.kit.texts import t
from ui.shell import banner


class Uploads:
    """The files that are on their way into the node.

    Parameters:
        agent: stops one.
        added: called with each record as the agent gives it back.
    """

    def __init__(self, agent, added):
        self._agent = agent
        self._added = added
        self._rows = {}
        self._queue = []
        self._working = False
        self._moment = 0
        on_items(el("uploads"), "data-upload", self._rows)
        on(el("file-open"), "click", lambda _: el("file-choose").click())
        on(el("file-choose"), "change", self._chosen)
        screen = el("notes")
        on(screen, "dragover", self._over)
        on(screen, "dragleave", lambda event: self._mark(False) if event.target.id == "notes" else None)
        on(screen, "drop", self._dropped)
        on(screen, "paste", self._pasted)

    def progress(self, entries):
        """Say how much of each is stored."""
        for entry in entries:
            row = self._rows.get(entry["key"])
            if row:
                row.progress(entry["done"], entry["total"])

    def _chosen(self, _):
        self._take(el("file-choose").files)
        el("file-choose").value = ""

    def _over(self, event):
        if "Files" in list(event.dataTransfer.types):
            event.preventDefault()
            self._mark(True)

    def _dropped(self, event):
        self._mark(False)
        if event.dataTransfer.files.length:
            event.preventDefault()
            self._take(event.dataTransfer.files, event.target)

    def _pasted(self, event):
        if event.clipboardData.files.length and event.target.localName == "textarea":
            event.preventDefault()
            self._take(event.clipboardData.files, event.target)

    def _mark(self, over):
        el("notes").classList.toggle("dropping", over)

    def _take(self, found, target=None):
        area = target if target and target.localName == "textarea" else None
        if place()[1] and not area:
            go("notes")
        for at in range(found.length):
            # No two of this page share a moment: it tells the agent a new one from a call that is repeated.
            self._moment = max(self._moment + 1, int(now() * 1000))
            into = area if file_words.is_picture(found[at].type) else None
            row = _Row(found[at], self._moment, self._stop, into)
            self._rows[row.key] = row
            el("uploads").append(row.element)
            self._queue.append(row)
        spawn(self._work())

    async def _work(self):
        if self._working:
            return
        self._working = True
        try:
            while self._queue:
                await self._add(self._queue.pop(0))
        finally:
            self._working = False

    async def _add(self, row):
        arguments = {"key": row.key, "called": row.name, "media_type": row.file.type, "created": row.created}
        row.begin()
        try:
            answer = json.loads(await window.web5Link("add_file", json.dumps(arguments), row.file))
        except Exception as error:
            answer = {"error": {"kind": "Worker", "message": t("The page's node did not start"), "detail": str(error)}}
        if "error" in answer:
            error = answer["error"]
            row.fail()
            banner.show_error(
                AgentError(error["kind"], error["message"], error.get("code") or "", error.get("detail") or "")
            )
            return
        self._drop(row)
        note = answer["ok"]
        if note and row.into:
            window.web5Insert(row.into, file_words.picture(row.name, note["drl"]))
        if note:
            self._added(note)

    async def _stop(self, row):
        if row in self._queue:
            self._queue.remove(row)
            self._drop(row)
        elif row.failed:
            self._drop(row)
        else:
            await banner.attempt(self._agent, "stop_file", key=row.key)

    def _drop(self, row):
        self._rows.pop(row.key, None)
        row.element.remove()


class _Row:
    """A file on its way.

    Parameters:
        created: when it was added, in microseconds since 1970.
        stop: called with it when the person wants it no more.
        into: where the note is written that is to show it; None if none is.

    Attributes:
        actions: what its button does.
        failed: True once it was not stored; then the same button takes it off the page.
    """

    def __init__(self, file, created, stop, into):
        self.file = file
        self.into = into
        self.name = file.name
        self.created = created
        self.key = "file-" + str(created)
        self.failed = False
        self.actions = {"stop": lambda _: stop(self)}
        self.element = clone("upload-template")
        self.element.setAttribute("data-upload", self.key)
        say(slot(self.element, "name"), words.theirs(self.name))
        say(slot(self.element, "come"), file_words.WAITS)
        slot(self.element, "bar").setAttribute("aria-label", words.theirs(self.name))

    def begin(self):
        """Say that it is being looked through, before anything of it is stored."""
        say(slot(self.element, "come"), file_words.READS)

    def progress(self, done, total):
        """Say how much of it is stored."""
        bar = slot(self.element, "bar")
        bar.max, bar.value = max(total, 1), done
        say(slot(self.element, "come"), file_words.come(done, total))

    def fail(self):
        """Say that it is not stored."""
        self.failed = True
        show(slot(self.element, "bar"), False)
        say(slot(self.element, "come"), file_words.NOT_ADDED)
        say(slot(self.element, "stop"), t("Dismiss"))
