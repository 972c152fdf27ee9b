"""The demands of a node before it keeps anything: its terms, as text and never as markup, work, an invitation."""

from ui import sync_words
from ui.client import AgentError
from ui.kit.dom import say, show, slot
from ui.shell import banner


class Registration:
    """The part of a node's card that asks.

    Parameters:
        item: the card.
        refresh: called when the person has answered.
    """

    def __init__(self, agent, item, endpoint, refresh):
        self._agent = agent
        self._item = item
        self._endpoint = endpoint
        self._refresh = refresh
        self._found = {"state": "not needed"}
        self._read = None
        self.actions = {
            "terms-show": self._show_terms,
            "terms-accept": self._accept_terms,
            "work-accept": self._accept_work,
            "invitation-use": self._use_invitation,
            "register-again": self._try_again,
        }

    def show(self, found):
        """Show the state of the registration."""
        if found["state"] != "terms" or found["terms_hash"] != self._read:
            self._read = None
        self._found = found
        text = sync_words.registration(found)
        show(slot(self._item, "registration"), bool(text))
        say(slot(self._item, "registration-words"), text)
        self._show_parts()

    def _show_parts(self):
        asks_terms, read = self._found["state"] == "terms", self._read is not None
        show(slot(self._item, "terms"), read)
        show(slot(self._item, "terms-show"), asks_terms and not read)
        show(slot(self._item, "terms-accept"), asks_terms and read)
        show(slot(self._item, "work-accept"), self._found["state"] == "work")
        show(slot(self._item, "invitation"), self._found["state"] == "invitation")
        show(slot(self._item, "register-again"), self._found["state"] == "failed")

    async def _show_terms(self, _):
        try:
            demands = await self._agent.call("registration", endpoint=self._endpoint)
        except AgentError as error:
            banner.show_error(error, lambda: self._show_terms(_))
            return
        self._found["terms_hash"] = self._read = demands["terms_hash"]
        say(slot(self._item, "terms"), demands["terms"] or "")
        self._show_parts()

    async def _accept_terms(self, _):
        await self._answer("accept_terms", terms_hash=self._read)

    async def _accept_work(self, _):
        await self._answer("accept_work", hashes=self._found["hashes"])

    def _use_invitation(self, event):
        event.preventDefault()
        code = slot(self._item, "invitation-code").value.strip()
        return self._answer("use_invitation", code=code) if code else None

    async def _try_again(self, _):
        await self._answer("retry")

    async def _answer(self, method, **arguments):
        await banner.attempt(self._agent, method, endpoint=self._endpoint, **arguments)
        await self._refresh()
