"""Files that are being sent: chosen, dropped or pasted, one after the other, each with a way to stop it."""

import json

from ui import words
from ui.client import AgentError
from ui.kit import file_words
from ui.kit.dom import clone, el, on, on_items, say, show, slot, spawn, window
from ui.kit.texts import t
from ui.screens.messages import message_words
from ui.shell import banner


class Sending:
    """The files on their way to the people with whom the person talks.

    Parameters:
        agent: stops one.
        whom: returns the DID, or name, of the conversation that is open; None if none is, or nothing may be sent.
        sent: called with that, and awaited, when the agent has a file.
    """

    def __init__(self, agent, whom, sent):
        self._agent = agent
        self._whom = whom
        self._sent = sent
        self._rows = {}
        self._queue = []
        self._working = False
        on_items(el("message-files"), "data-upload", self._rows)
        on(el("message-file"), "click", lambda _: el("message-choose").click())
        on(el("message-choose"), "change", self._chosen)
        screen = el("conversation")
        on(screen, "dragover", self._over)
        on(screen, "dragleave", self._left)
        on(screen, "drop", self._dropped)
        on(el("message-text"), "paste", self._pasted)

    def show(self, to):
        """Show those that are on their way to somebody, and no others."""
        for row in self._rows.values():
            show(row.element, row.to == to)

    def progress(self, entries):
        """Say how much of each is stored."""
        for entry in entries:
            row = self._rows.get(entry["key"])
            if row:
                row.progress(entry["done"], entry["total"])

    def _chosen(self, _):
        self._take(el("message-choose").files)
        el("message-choose").value = ""

    def _over(self, event):
        if self._whom() and "Files" in list(event.dataTransfer.types):
            event.preventDefault()
            el("conversation").classList.add("dropping")

    def _left(self, event):
        if event.target.id == "conversation":
            el("conversation").classList.remove("dropping")

    def _dropped(self, event):
        el("conversation").classList.remove("dropping")
        if event.dataTransfer.files.length:
            event.preventDefault()
            self._take(event.dataTransfer.files)

    def _pasted(self, event):
        if event.clipboardData.files.length:
            event.preventDefault()
            self._take(event.clipboardData.files)

    def _take(self, found):
        to = self._whom()
        if not to:
            return
        for at in range(found.length):
            row = _Row(found[at], to, self._stop)
            self._rows[row.key] = row
            el("message-files").append(row.element)
            self._queue.append(row)
        spawn(self._work())

    async def _work(self):
        if self._working:
            return
        self._working = True
        try:
            while self._queue:
                await self._send(self._queue.pop(0))
        finally:
            self._working = False

    async def _send(self, row):
        say(slot(row.element, "come"), file_words.READS)
        arguments = {"key": row.key, "did": row.to, "called": row.file.name, "media_type": row.file.type}
        try:
            answer = json.loads(await window.web5Link("send_file", json.dumps(arguments), row.file))
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
        await self._sent(row.to)

    async def _stop(self, row):
        if row in self._queue:
            self._queue.remove(row)
            self._drop(row)
        elif row.failed:
            self._drop(row)
        else:
            await banner.attempt(self._agent, "stop_message_file", key=row.key)

    def _drop(self, row):
        self._rows.pop(row.key, None)
        row.element.remove()


class _Row:
    """A file on its way.

    Parameters:
        to: whose conversation it is for.
        stop: called with it when the person wants it no more.

    Attributes:
        actions: what its button does.
        failed: True once it was not stored; then the same button takes it off the page.
    """

    def __init__(self, file, to, stop):
        self.file = file
        self.to = to
        self.key = "file-" + window.crypto.randomUUID()
        self.failed = False
        self.actions = {"stop": lambda _: stop(self)}
        self.element = clone("upload-template")
        self.element.setAttribute("data-upload", self.key)
        say(slot(self.element, "name"), words.theirs(file.name))
        say(slot(self.element, "come"), file_words.WAITS)
        slot(self.element, "bar").setAttribute("aria-label", words.theirs(file.name))

    def progress(self, done, total):
        """Say how much of it is stored."""
        bar = slot(self.element, "bar")
        bar.max, bar.value = max(total, 1), done
        say(slot(self.element, "come"), file_words.come(done, total))

    def fail(self):
        """Say that it is not sent."""
        self.failed = True
        show(slot(self.element, "bar"), False)
        say(slot(self.element, "come"), message_words.NOT_SENT)
        say(slot(self.element, "stop"), t("Dismiss"))
