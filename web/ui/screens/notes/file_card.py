"""A file in the list: what it is, a look at it if it is a picture, and the way to have it."""

import json

from ui import words
from ui.client import AgentError
from ui.kit.dom import clone, say, show, slot, window
from ui.screens.notes import note_words
from ui.screens.notes.item import Item
from ui.shell import banner

_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")
_LARGEST_PICTURE = 12_000_000
"""Bytes up to which a picture is shown by itself."""

_last = 0


class FileCard(Item):
    """The list item of a file."""

    def __init__(self, agent, notes):
        super().__init__(agent, notes, clone("file-template"))
        self._key = ""
        self._shown = ""
        self.actions["download"] = self._download
        self.actions["stop"] = lambda _: window.web5StopReading(self._key)

    def seen(self):
        """Show the picture, since somebody may look at it."""
        return self._show_picture()

    def progress(self, key, done, total):
        """Say how much of it has come."""
        if key == self._key:
            bar = slot(self.element, "bar")
            bar.max, bar.value = max(total, 1), done
            say(slot(self.element, "come"), note_words.come(done, total))

    def take_off(self):
        """Take it off the page, and forget the picture."""
        if self._key:
            window.web5StopReading(self._key)
        if self._shown:
            window.web5DropAddress(self._shown)
            self._shown = ""
        super().take_off()

    def _changed(self, note, before):
        name = words.theirs(note["text"]) or note_words.NAMELESS
        say(slot(self.element, "name"), name)
        say(slot(self.element, "about"), note_words.about_file(note["type"], note["size"]))
        if note["type"] in _PICTURES and note["size"] <= _LARGEST_PICTURE and not self._shown:
            window.web5Watch(self.element)

    async def _show_picture(self):
        if self._shown or self._key:
            return
        url = await self._read(self._note["type"], False)
        if not url or not self.element.isConnected:
            return
        self._shown = url
        picture = slot(self.element, "picture")
        picture.alt = words.theirs(self._note["text"])
        picture.src = url
        show(picture, True)

    async def _download(self, _):
        if self._key:
            return
        url = await self._read("", True)
        if url:
            window.web5SaveFile(url, self._note["text"] or note_words.NAMELESS)

    async def _read(self, kind, by_hand):
        """Return the address of what the file holds; an empty text if it was stopped, or cannot be had."""
        global _last
        _last += 1
        key = self._key = "read-" + str(_last) + "-" + self._note["id"]
        show(slot(self.element, "coming"), by_hand)
        self.progress(key, 0, self._note["size"])
        try:
            answer = json.loads(await window.web5ReadFile(self._note["id"], key, kind))
        finally:
            self._key = ""
            show(slot(self.element, "coming"), False)
            window.web5ForgetReading(key)
        if "error" in answer:
            error = answer["error"]
            if by_hand:
                banner.show_error(AgentError(error["kind"], error["message"], error["code"], error["detail"]))
            return ""
        return answer["ok"]
