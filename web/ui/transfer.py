"""Taking the identity in use elsewhere, and bringing another in."""

from ui import banner
from ui.client import AgentError
from ui.dom import download, el, on
from ui.form import Form


class Transfer:
    """The dialogs of export and import.

    Parameters:
        agent: holds the keys.
        use: called with the DID of an identity that came, to use it.
    """

    def __init__(self, agent, use):
        self._agent = agent
        self._use = use
        self._form = Form("import", self._import, "Importing…")
        on(el("export-open"), "click", lambda _: el("export-dialog").showModal())
        on(el("export-save"), "click", self._export)
        on(el("import-open"), "click", self._open_import)
        on(el("import-cancel"), "click", lambda _: el("import-dialog").close())
        on(el("import-file"), "change", self._take_file)

    async def _export(self, _):
        try:
            did = (await self._agent.call("state"))["did"]
            text = await self._agent.call("export_identity")
        except AgentError as error:
            banner.show_error(error)
            return
        download("web5-identity-" + did.split(":")[-1][:8] + ".json", text)

    def _open_import(self, _):
        self._form.clear()
        el("import-dialog").showModal()

    async def _take_file(self, _):
        chosen = el("import-file").files
        if chosen.length:
            el("import-text").value = await chosen.item(0).text()
            self._form.complain("")

    async def _import(self):
        did = await self._agent.call("import_identity", text=el("import-text").value)
        el("import-dialog").close()
        await self._use(did)
