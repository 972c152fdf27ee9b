"""A file that is fetched from the node in parts, with how far it has come; boot/files.mjs does it."""

import json

from ui.client import AgentError, result_of
from ui.kit import file_words
from ui.kit.dom import say, show, slot, window
from ui.shell import banner

LARGEST_PICTURE = 12_000_000
"""Bytes up to which a picture is shown by itself."""

_MOST_TRIES = 5
"""Times that a picture is asked for that is not here yet."""

_last = 0


class FileReader:
    """Fetches the file of one item of a list.

    Parameters:
        element: the item, with the slots `picture`, `coming`, `bar` and `come`.
        call: of the agent, that gives a part.
    """

    def __init__(self, element, call):
        self._element = element
        self._call = call
        self._key = ""
        self._shown = ""
        self._tries = 0

    def progress(self, key, done, total):
        """Say how much of it has come."""
        if key == self._key:
            bar = slot(self._element, "bar")
            bar.max, bar.value = max(total, 1), done
            say(slot(self._element, "come"), file_words.come(done, total))

    def stop(self):
        """Fetch it no further."""
        if self._key:
            window.web5StopReading(self._key)

    def close(self):
        """Stop, and forget the picture."""
        self.stop()
        if self._shown:
            window.web5DropAddress(self._shown)
            self._shown = ""

    def watch(self, media_type, size):
        """Have "web5-seen" tell when it comes into sight, if it is a picture that may be shown."""
        waits = not (self._shown or self._key) and self._tries < _MOST_TRIES
        if waits and file_words.is_picture(media_type) and size <= LARGEST_PICTURE:
            window.web5Watch(self._element)

    async def show_picture(self, item_id, name, media_type, size):
        """Show it as a picture."""
        if self._shown or self._key:
            return
        self._tries += 1
        url = await self._read(item_id, size, media_type, False)
        if not url or not self._element.isConnected:
            return
        self._shown = url
        picture = slot(self._element, "picture")
        picture.alt = name
        picture.src = url
        show(picture, True)

    async def save(self, item_id, name, size):
        """Let the browser save it, as bytes whatever it says it is."""
        if not self._key:
            url = await self._read(item_id, size, "", True)
            if url:
                window.web5SaveFile(url, name or file_words.NAMELESS)

    async def _read(self, item_id, size, kind, by_hand):
        """Return the address of what the file holds; an empty text if it was stopped, or cannot be had."""
        global _last
        _last += 1
        key = self._key = "read-" + str(_last) + "-" + item_id
        show(slot(self._element, "coming"), by_hand)
        self.progress(key, 0, size)
        try:
            answer = json.loads(await window.web5ReadFile(item_id, key, kind, self._call))
        finally:
            self._key = ""
            show(slot(self._element, "coming"), False)
            window.web5ForgetReading(key)
        try:
            return result_of(answer)
        except AgentError as error:
            if by_hand:
                banner.show_error(error)
            return ""
