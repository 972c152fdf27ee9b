"""The identity in use: showing it, taking it elsewhere, bringing another in."""

from ui import banner, words
from ui.client import AgentError
from ui.dom import document, download, el, on, say, show, window


class Identity:
    """The identity panel and its two dialogs.

    Parameters:
        agent: who holds the keys.
        refresh: called when another identity is in use.
        sync: called when an imported identity is to be filled.
    """

    def __init__(self, agent, refresh, sync):
        self._agent = agent
        self._refresh = refresh
        self._sync = sync
        self._did = ""
        on(el("did-copy"), "click", self._copy)
        on(el("identity-choice"), "change", self._choose)
        on(el("export-open"), "click", lambda _: el("export-dialog").showModal())
        on(el("export-save"), "click", self._export)
        on(el("import-open"), "click", self._open_import)
        on(el("import-cancel"), "click", lambda _: el("import-dialog").close())
        on(el("import-file"), "change", self._take_file)
        on(el("import-form"), "submit", self._submit)

    def show(self, state):
        """Show the agent's state."""
        show(el("identity-wait"), False)
        show(el("identity-body"), True)
        if self._did != state["did"]:
            self._did = state["did"]
            say(el("did"), words.short_did(self._did))
            el("did").title = self._did
            el("did").setAttribute("data-did", self._did)
        show(el("publish-error"), bool(state["publish_error"]))
        say(el("publish-error"), words.publish_error(state["publish_error"]))
        choice = el("identity-choice")
        show(choice, len(state["identities"]) > 1)
        choice.replaceChildren()
        for identity in state["identities"]:
            option = document.createElement("option")
            option.value = identity["did"]
            option.textContent = (identity["name"] or "Identity") + " · " + words.short_did(identity["did"])
            option.selected = identity["did"] == self._did
            choice.append(option)

    async def _copy(self, _):
        try:
            await window.navigator.clipboard.writeText(self._did)
            say(el("did-copy"), "Copied")
        except Exception:
            # Without the permission the person can still copy what is now selected.
            say(el("did"), self._did)
            window.getSelection().selectAllChildren(el("did"))
            say(el("did-copy"), "Selected")

    async def _choose(self, _):
        await self._use(el("identity-choice").value)

    async def _use(self, did):
        try:
            await self._agent.call("choose_identity", did=did)
            say(el("did-copy"), "Copy")
        except AgentError as error:
            banner.tell(error)
        await self._refresh()

    async def _export(self, _):
        try:
            text = await self._agent.call("export_identity")
        except AgentError as error:
            banner.tell(error)
            return
        name = "web5-identity-" + self._did.split(":")[-1][:8] + ".json"
        download(name, text)

    def _open_import(self, _):
        el("import-text").value = ""
        el("import-file").value = ""
        self._complain("")
        el("import-dialog").showModal()

    async def _take_file(self, _):
        chosen = el("import-file").files
        if chosen.length:
            el("import-text").value = await chosen.item(0).text()
            self._complain("")

    def _submit(self, event):
        event.preventDefault()
        return self._import()

    async def _import(self):
        el("import-save").disabled = True
        try:
            did = await self._agent.call("import_identity", text=el("import-text").value)
        except AgentError as error:
            self._complain(error.message)
            return
        finally:
            el("import-save").disabled = False
        el("import-dialog").close()
        await self._use(did)
        await self._sync()

    def _complain(self, text):
        show(el("import-problem"), bool(text))
        say(el("import-problem"), text)
