"""Files on their way into the node, one after the other, each with how far it has come and a way to stop it."""

from ui import words
from ui.client import AgentError, ask
from ui.kit import file_words
from ui.kit.dom import clone, el, on_items, say, show, slot, spawn
from ui.kit.rounds import Rounds
from ui.kit.texts import t
from ui.shell import banner


class FileQueue:
    """A list of files that the agent is to take.

    Parameters:
        rows: the ID of the list.
        call: the agent's method that takes a file.
        stop: its method that stops one on its way.
        failed: the words for one that it did not take.
        taken: awaited with a `QueuedFile` and the agent's answer, once it has it.
    """

    def __init__(self, agent, rows, call, stop, failed, taken):
        self._agent = agent
        self._list = el(rows)
        self._call = call
        self._stop_call = stop
        self._failed = failed
        self._taken = taken
        self._files = {}
        self._waiting = []
        self._rounds = Rounds(self._hand_over_all)
        on_items(self._list, "data-upload", self._files)

    def add(self, key, file, place, **more):
        """Hand a file to the agent, after those that wait.

        Parameters:
            key: its name among all files that are on their way.
            place: where it goes, for `taken`.
            more: arguments of the agent's method.
        """
        queued = QueuedFile(key, file, place, more, self._stop)
        self._files[key] = queued
        self._list.append(queued.element)
        self._waiting.append(queued)
        spawn(self._rounds.run())

    def progress(self, entries):
        """Say how much of each is stored."""
        for entry in entries:
            queued = self._files.get(entry["key"])
            if queued:
                queued.progress(entry["done"], entry["total"])

    def show(self, place):
        """Show those that go to a place, and no others."""
        for queued in self._files.values():
            show(queued.element, queued.place == place)

    async def _hand_over_all(self):
        while self._waiting:
            await self._hand_over(self._waiting.pop(0))

    async def _hand_over(self, queued):
        queued.say(file_words.READS)
        try:
            answer = await ask(self._call, queued.arguments, queued.file)
        except AgentError as error:
            queued.fail(self._failed)
            banner.show_error(error)
            return
        self._drop(queued)
        await self._taken(queued, answer)

    async def _stop(self, queued):
        if queued in self._waiting:
            self._waiting.remove(queued)
            self._drop(queued)
        elif queued.failed:
            self._drop(queued)
        else:
            await banner.attempt(self._agent, self._stop_call, key=queued.key)

    def _drop(self, queued):
        self._files.pop(queued.key, None)
        queued.element.remove()


class QueuedFile:
    """A file on its way.

    Attributes:
        arguments: of the agent's method.
        actions: what its button does.
        failed: True once it was not taken; then the same button takes it off the page.
    """

    def __init__(self, key, file, place, more, stop):
        self.key = key
        self.file = file
        self.place = place
        self.arguments = dict(more, key=key, called=file.name, media_type=file.type)
        self.failed = False
        self.actions = {"stop": lambda _: stop(self)}
        self.element = clone("upload-template")
        self.element.setAttribute("data-upload", key)
        say(slot(self.element, "name"), words.theirs(file.name))
        slot(self.element, "bar").setAttribute("aria-label", words.theirs(file.name))
        self.say(file_words.WAITS)

    def say(self, text):
        """Say how far it has come."""
        say(slot(self.element, "come"), text)

    def progress(self, done, total):
        """Say how much of it is stored."""
        bar = slot(self.element, "bar")
        bar.max, bar.value = max(total, 1), done
        self.say(file_words.come(done, total))

    def fail(self, text):
        """Say that it was not taken."""
        self.failed = True
        show(slot(self.element, "bar"), False)
        self.say(text)
        say(slot(self.element, "stop"), t("Dismiss"))
