"""What this browser stores: told above the page when something is wrong with it, and asked to be kept."""

import json

from ui.client import AgentError
from ui.kit.dom import download, el, on_window, say, show, spawn, tone, window
from ui.kit.texts import t
from ui.screens.settings import storage_words
from ui.shell import banner


class Storage:
    """The banner, the fact in the panel, and the files that keys and notes are saved to.

    Parameters:
        agent: the node.
        save_keys: opens the dialog that exports keys.
    """

    def __init__(self, agent, save_keys):
        self._agent = agent
        self._save_keys = save_keys
        self._said = None
        self._at_risk = False
        self._asked = False
        on_window("beforeunload", self._leave)

    def show(self, storage):
        """Say what is wrong, once for each change of it."""
        self._at_risk = storage["trouble"] == "lost"
        found = storage_words.trouble(storage)
        if found == self._said:
            return
        if self._said:
            banner.clear(self._said[1])
        self._said = found
        if found:
            name, title, advice = found
            files = storage_words.offers_files(storage)
            actions = ((t("Save keys"), self._save_keys), (t("Save notes"), self._save_notes)) if files else ()
            banner.put(title, advice, storage["detail"], name, actions)

    def look(self):
        """Ask the browser to keep what is stored, the first time that there is something, and say what it answers."""
        if not self._asked:
            self._asked = True
            spawn(self._ask())

    async def _ask(self):
        persisted = used = None
        try:
            manager = window.navigator.storage
            persisted = await manager.persisted() or await manager.persist()
            used = (await manager.estimate()).usage
        except Exception:  # browsers without it
            pass
        name, text = storage_words.kept(persisted, used)
        show(el("protection-storage"), True)
        tone(el("protection-storage"), name)
        say(el("protection-storage-words"), text)

    async def _save_notes(self):
        try:
            text = await self._agent.call("export_notes")
        except AgentError as error:
            banner.show_error(error)
            return
        download("web5-notes-" + json.loads(text)["did"].split(":")[-1][:8] + ".json", text)

    def _leave(self, event):
        if self._at_risk:
            event.preventDefault()
