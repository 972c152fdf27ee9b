"""One message of a conversation."""

from ui import reasons, words
from ui.kit import file_words
from ui.kit.dom import clone, local_time, now, say, show, slot
from ui.kit.file_reader import FileReader
from ui.screens.messages import message_words


class Bubble:
    """The list item of a message.

    Parameters:
        conversation: sends again what was not delivered (`retry`), and joins the group of an invitation (`join`).

    Attributes:
        actions: what its buttons do, by their names in the template.
    """

    def __init__(self, key, message, conversation):
        self._shown = None
        self._key = key
        self.element = clone("bubble-template")
        self._reader = FileReader(self.element, "read_message_file")
        self.actions = {
            "again": lambda _: conversation.retry(),
            "join": lambda _: conversation.join(key),
            "download": lambda _: self._save(),
            "stop": lambda _: self._reader.stop(),
        }
        self.element.setAttribute("data-message", key)
        self.element.classList.toggle("mine", message["mine"])

    def show(self, message, known):
        """Show what it says, and where it is.

        Parameters:
            known: it is by somebody who is no stranger, whose pictures are shown.
        """
        if [message, known] == self._shown:
            return
        self._shown = [message, known]
        file, invitation = message["file"], message["invitation"]
        text = message["text"] or ("" if file or invitation else message_words.UNREADABLE)
        show(self._slot("text"), bool(text))
        say(self._slot("text"), text)
        show(self._slot("from"), bool(message["from"]))
        say(self._slot("from"), message_words.name(message["from"]) if message["from"] else "")
        show(self._slot("file"), bool(file))
        if file:
            say(self._slot("name"), words.theirs(file["name"]) or file_words.NAMELESS)
            say(self._slot("about"), file_words.about_file(file["type"], file["size"]))
        show(self._slot("invitation"), bool(invitation))
        if invitation:
            say(self._slot("invited"), message_words.invited(invitation, message["mine"]))
            show(self._slot("join"), known and not message["mine"] and invitation["stage"] in ("open", "left", "out"))
        if message["created"]:
            self._slot("time").title = local_time(message["created"])
        self.tick()
        self._show_delivery(message)

    def seen(self):
        """Show its picture, since somebody may look at it."""
        file = self._shown[0]["file"]
        return self._reader.show_picture(self._key, words.theirs(file["name"]), file["type"], file["size"])

    def progress(self, key, done, total):
        """Say how much of its file has come."""
        self._reader.progress(key, done, total)

    def tick(self):
        """Say again how old it is, and look for a picture that was not here before."""
        message, known = self._shown
        created, file = message["created"], message["file"]
        if file and (known or message["mine"]):
            self._reader.watch(file["type"], file["size"])
        say(self._slot("time"), words.ago((now() - created) / 1000) if created else "")

    def take_off(self):
        """Take it off the page, and forget its picture."""
        self._reader.close()
        self.element.remove()

    def _show_delivery(self, message):
        mark, meaning = message_words.delivery(message["state"])
        sign = self._slot("delivery")
        show(sign, bool(mark))
        if mark:
            say(sign, mark)
            sign.title = meaning
            sign.setAttribute("role", "img")
            sign.setAttribute("aria-label", meaning)
            sign.setAttribute("data-state", message["state"])
        failed = message["state"] == "failed"
        show(self._slot("again"), failed)
        why = words.theirs(reasons.why(message["why"])) if failed else ""
        show(self._slot("why"), bool(why))
        say(self._slot("why"), why)

    def _save(self):
        file = self._shown[0]["file"]
        return self._reader.save(self._key, file["name"], file["size"])

    def _slot(self, name):
        return slot(self.element, name)
