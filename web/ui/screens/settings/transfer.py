"""Taking the identity in use elsewhere, and bringing another in."""

import json

from ui.kit.dom import download, el, on, show
from ui.kit.form import Form
from ui.kit.texts import t

_MAX_FILE = 1000000
"""Bytes of a file that may be an exported identity."""


class Transfer:
    """The dialogs of export and import.

    Parameters:
        agent: holds the keys.
        use: called with the DID of an identity that came, to use it.
        has_password: returns True if the vault has a password, which an export needs.
    """

    def __init__(self, agent, use, has_password):
        self._agent = agent
        self._use = use
        self._has_password = has_password
        self._form = Form("import", self._import, t("Importing…"))
        self._export_form = Form("export", self._export, t("Exporting…"))
        on(el("export-open"), "click", lambda _: self.open_export())
        on(el("export-cancel"), "click", lambda _: el("export-dialog").close())
        on(el("export-dialog"), "close", lambda _: self._export_form.clear())
        on(el("import-open"), "click", self._open_import)
        on(el("import-cancel"), "click", lambda _: el("import-dialog").close())
        on(el("import-file"), "change", self._take_file)

    def open_export(self):
        """Open the dialog that saves the keys of the identity in use to a file."""
        self._export_form.clear()
        show(el("export-password-field"), self._has_password())
        el("export-dialog").showModal()

    async def _export(self):
        text = await self._agent.call("export_identity", password=el("export-password").value or None)
        did = json.loads(text)["portableDid"]["uri"]
        el("export-dialog").close()
        download("web5-identity-" + did.split(":")[-1][:8] + ".json", text)

    def _open_import(self, _):
        self._form.clear()
        el("import-dialog").showModal()

    async def _take_file(self, _):
        chosen = el("import-file").files
        if chosen.length:
            file = chosen.item(0)
            fits = file.size <= _MAX_FILE
            el("import-text").value = await file.text() if fits else ""
            self._form.complain("" if fits else t("That is not an exported identity: it is far too long."))

    async def _import(self):
        did = await self._agent.call("import_identity", text=el("import-text").value)
        el("import-dialog").close()
        await self._use(did)
