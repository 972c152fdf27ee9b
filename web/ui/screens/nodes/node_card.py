"""One remote node: its state, and the messages that wait or were refused."""

from ui import sync_words, words
from ui.kit.dom import clone, document, now, say, show, slot, tone
from ui.kit.texts import plural, t
from ui.screens.nodes import node_words
from ui.screens.nodes.registration import Registration


class NodeCard:
    """The list item of a node.

    Parameters:
        agent: syncs with it.
        refresh: called when the person has answered what it asks.
        retry: called with the endpoint when the person wants that.
        remove: likewise, and with True if the person wants it though the node alone has something.
        move: called with the endpoint when the person wants to leave it for another.
    """

    def __init__(self, endpoint, agent, refresh, retry, remove, move):
        self._endpoint = endpoint
        self._node = None
        self._flow = ""
        self._needed = None
        self.element = clone("node-template")
        self.element.setAttribute("data-endpoint", endpoint)
        name = words.node_name(endpoint)
        say(self._slot("name"), name)
        self._slot("name").title = endpoint
        self._slot("remove").setAttribute("aria-label", t("Remove {name}", name=name))
        self._slot("move").setAttribute("aria-label", t("Move from {name} to another node…", name=name))
        self._slot("ask").setAttribute("aria-label", t("Remove {name}?", name=name))
        self._registration = Registration(agent, self.element, endpoint, refresh)
        self.actions = {
            "retry": lambda _: retry(endpoint),
            "move": lambda _: move(endpoint),
            "remove": lambda _: self._ask(True),
            "remove-no": lambda _: self._ask(False),
            "remove-yes": lambda _: self._remove(remove),
        }
        self.actions.update(self._registration.actions)

    def update(self, node, is_last, interval):
        """Show the state of the node.

        Parameters:
            is_last: True if the identity has no other.
            interval: that of sync.
        """
        self._node = node
        self.tick()
        say(self._slot("ask-words"), self._needed or sync_words.node_removal(is_last))
        say(self._slot("out"), words.messages(node["pending_out"]))
        say(self._slot("in"), words.messages(node["pending_in"]))
        why = node_words.waits(node, interval)
        show(self._slot("why"), bool(why))
        say(self._slot("why"), why)
        self._registration.show(node["registration"])
        error = None if sync_words.asks(node) else node["last_error"]
        show(self._slot("error"), bool(error))
        if error:
            say(self._slot("error-detail"), words.code_and_detail(error))
        self._show_refused(node)

    def ask_again(self, reason):
        """Ask whether to remove the node, though something would be lost by that."""
        self._needed = sync_words.node_needed(reason)
        say(self._slot("ask-words"), self._needed)
        self._removing(False)
        say(self._slot("remove-yes"), t("Remove anyway"))
        self._slot("remove-no").focus()

    def flow(self, text):
        """Say what flows just now; nothing, if it is empty."""
        if text != self._flow:
            self._flow = text
            self.tick()

    def tick(self):
        """Say again how long ago the last sync was, and how long it is until the next try."""
        node = self._node
        last = node["last_success"]
        say(self._slot("last"), t("never") if last is None else words.ago((now() - last) / 1000))
        left = (node["next_try"] - now()) / 1000 if node["next_try"] else 0
        name, text = ("busy", self._flow) if self._flow else sync_words.node_state(node, left if left > 0 else None)
        tone(self._slot("dot"), name)
        say(self._slot("state"), text)

    def _slot(self, name):
        return slot(self.element, name)

    def _remove(self, remove):
        self._removing(True)
        return remove(self._endpoint, bool(self._needed))

    def _removing(self, busy):
        button = self._slot("remove-yes")
        button.disabled = busy
        say(button, t("Removing…") if busy else t("Remove"))

    def _ask(self, asking):
        self._needed = None
        self._removing(False)
        show(self._slot("ask"), asking)
        show(self._slot("remove"), not asking)
        show(self._slot("move"), not asking)
        self._slot("remove-no" if asking else "remove").focus()

    def _show_refused(self, node):
        show(self._slot("refused"), bool(node["refused"]))
        if not node["refused"]:
            return
        say(self._slot("refused-title"), plural(node["refused"], "{n} message refused", "{n} messages refused"))
        lines = self._slot("refused-list")
        lines.replaceChildren()
        for entry in node["refusals"]:
            line = document.createElement("li")
            line.textContent = words.code_and_detail(entry)
            line.title = entry["message_cid"]
            lines.append(line)
