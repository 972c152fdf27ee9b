"""Files that are added to the notes: chosen, dropped or pasted.

A picture that is dropped or pasted where a note is being written is shown in that note, too.
"""

from ui.kit import file_words
from ui.kit.dom import el, go, now, place, window
from ui.kit.file_choice import on_chosen, on_dropped, on_pasted
from ui.kit.file_queue import FileQueue


class Uploads:
    """The files that are on their way into the node.

    Parameters:
        agent: takes them.
        added: called with each record as the agent gives it back.
    """

    def __init__(self, agent, added):
        self._added = added
        self._moment = 0
        self._queue = FileQueue(agent, "uploads", "add_file", "stop_file", file_words.NOT_ADDED, self._taken)
        self.progress = self._queue.progress
        on_chosen("file-open", "file-choose", self._take)
        on_dropped("notes", self._take)
        on_pasted(el("notes"), self._take, lambda event: _is_text(event.target))

    def _take(self, found, target=None):
        area = target if target and _is_text(target) else None
        if place()[1] and not area:
            go("notes")
        for at in range(found.length):
            # No two of this page share a moment: it tells the agent a new one from a call that is repeated.
            self._moment = max(self._moment + 1, int(now() * 1000))
            into = area if file_words.is_picture(found[at].type) else None
            self._queue.add("file-" + str(self._moment), found[at], into, created=self._moment)

    async def _taken(self, queued, note):
        if note and queued.place:
            window.web5Insert(queued.place, file_words.picture(queued.file.name, note["drl"]))
        if note:
            self._added(note)


def _is_text(element):
    return element.localName == "textarea"
