"""Files that are sent to the people with whom the person talks: chosen, dropped or pasted."""

from ui.kit.dom import el, window
from ui.kit.file_choice import on_chosen, on_dropped, on_pasted
from ui.kit.file_queue import FileQueue
from ui.screens.messages import message_words


class Sending:
    """The files on their way to people.

    Parameters:
        agent: takes them.
        whom: returns the DID, or name, of the conversation that is open; None if none is, or nothing may be sent.
        sent: called with that, and awaited, when the agent has a file.
    """

    def __init__(self, agent, whom, sent):
        self._whom = whom
        self._sent = sent
        self._queue = FileQueue(
            agent, "message-files", "send_file", "stop_message_file", message_words.NOT_SENT, self._taken
        )
        self.show = self._queue.show
        self.progress = self._queue.progress
        on_chosen("message-file", "message-choose", self._take)
        on_dropped("conversation", self._take, lambda: bool(whom()))
        on_pasted(el("message-text"), self._take)

    def _take(self, found, _=None):
        to = self._whom()
        if to:
            for at in range(found.length):
                self._queue.add("file-" + window.crypto.randomUUID(), found[at], to, did=to)

    async def _taken(self, queued, _):
        await self._sent(queued.place)
