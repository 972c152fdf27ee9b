"""The protocols, and installing one."""

from ui.kit.dom import clone, el, on, say, show, slot
from ui.kit.form import Form
from ui.kit.texts import t
from ui.screens.data import data_words


class Protocols:
    """The list of protocols.

    Parameters:
        agent: has them.
    """

    def __init__(self, agent):
        self._agent = agent
        self._shown = None
        self._form = Form("install", self._install, t("Installing…"))
        on(el("install-open"), "click", lambda _: self._ask(True))
        on(el("install-cancel"), "click", lambda _: self._ask(False))

    def close(self):
        """Take everything off the page."""
        self._shown = None
        el("protocol-list").replaceChildren()
        show(el("install-form"), False)
        show(el("install-open"), True)

    async def refresh(self):
        """Show what there is now."""
        found = await self._agent.call("protocols")
        if found == self._shown:
            return
        self._shown = found
        show(el("protocols-empty"), not found)
        parent = el("protocol-list")
        opened = [one.getAttribute("data-protocol") for one in parent.children if one.querySelector("details[open]")]
        parent.replaceChildren()
        for one in found:
            parent.append(_card(one, one["protocol"] in opened))

    def _ask(self, asking):
        self._form.clear()
        show(el("install-form"), asking)
        show(el("install-open"), not asking)
        el("install-text" if asking else "install-open").focus()

    async def _install(self):
        await self._agent.call("install_protocol", text=el("install-text").value)
        self._ask(False)
        await self.refresh()


def _card(one, is_open):
    card = clone("protocol-template")
    card.setAttribute("data-protocol", one["protocol"])
    card.querySelector("details").open = is_open
    say(slot(card, "name"), data_words.uri(one["protocol"]))
    slot(card, "name").title = one["protocol"]
    say(slot(card, "about"), data_words.protocol_about(one))
    slot(card, "message").href = "#/data/messages/" + one["cid"]
    for path in one["paths"]:
        pair = clone("fact-template")
        say(slot(pair, "name"), path["path"])
        say(slot(pair, "value"), data_words.rules(path))
        slot(card, "paths").append(pair)
    return card
