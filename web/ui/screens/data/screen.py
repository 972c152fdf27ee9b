"""The screen of data: records, messages, protocols and access, and one message as it was signed."""

from ui.client import AgentError
from ui.kit.dom import document, el, place, show
from ui.kit.rounds import Rounds
from ui.screens.data import data_words
from ui.screens.data.grants import Grants
from ui.screens.data.listing import Listing
from ui.screens.data.one import One
from ui.screens.data.rules import Protocols
from ui.shell import banner


class Data:
    """What the DWN holds of the identity in use.

    Parameters:
        agent: has it.
    """

    def __init__(self, agent):
        self._tab = "records"
        self._did = ""
        self._rounds = Rounds(self._show)
        self._one = One(agent, self.refresh)
        self._listing = Listing(agent, lambda: self._one.cid)
        self._protocols = Protocols(agent)
        self._grants = Grants(agent)
        self._mark()

    def show(self, state):
        """Show the data of the identity in use."""
        if self._did != state["did"]:
            self.close()
            self._did = state["did"]
            self.go(place()[1] if place()[0] == "data" else "")

    def close(self):
        """Take everything off the page until there is an identity again."""
        self._did = ""
        self._one.open("", self._tab)
        for part in (self._listing, self._protocols, self._grants):
            part.close()
        for part in ("data-listing", "data-protocols", "data-grants"):
            show(el(part), False)
        show(el("data-wait"), True)

    def go(self, what):
        """Show another tab, or a message.

        Parameters:
            what: such as "protocols" or "messages/CID".
        """
        tab, _, cid = what.partition("/")
        if not cid:
            self._tab = tab if tab in data_words.TABS else "records"
        self._one.open(cid if self._did and tab == "messages" else "", self._tab)
        self._mark()
        self._listing.mark()

    async def refresh(self):
        """Show what there is now, if anybody looks."""
        if self._did and place()[0] == "data":
            try:
                await self._rounds.run()
            except AgentError as error:
                banner.show_error(error, self.refresh)

    def tick(self):
        """Say again how old everything is."""
        self._listing.tick()

    def _mark(self):
        for link in document.querySelectorAll("a[data-tab]"):
            if link.getAttribute("data-tab") == self._tab:
                link.setAttribute("aria-current", "page")
            else:
                link.removeAttribute("aria-current")

    async def _show(self):
        tab = self._tab
        show(el("data-wait"), False)
        show(el("data-listing"), tab in ("records", "messages"))
        show(el("data-protocols"), tab == "protocols")
        show(el("data-grants"), tab == "grants")
        if tab == "protocols":
            await self._protocols.refresh()
        elif tab == "grants":
            await self._grants.refresh()
        else:
            self._listing.open(tab)
            await self._listing.refresh()
        await self._one.refresh()
        self._listing.mark()
