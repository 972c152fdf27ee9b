"""The protection of the keys: its state in the panel, and an invitation above the notes on the first visits."""

import json

from ui.kit.dom import el, keep, kept, on, say, show, tone
from ui.kit.texts import t
from ui.screens.settings.keys import vault_words
from ui.shell import banner

_DISMISSED = "web5-invitation-dismissed"
_SHOWN = "web5-invitation-shown"


class Protection:
    """The part of the panel, and the invitation.

    Parameters:
        agent: holds the keys.
        phrase, password, recovery: the dialogs.
        refresh: called when the vault was locked.
    """

    def __init__(self, agent, phrase, password, recovery, refresh):
        self._agent = agent
        self._refresh = refresh
        self.has_password = False
        self._kept = ""
        for place in ("phrase-open", "invitation-phrase"):
            on(el(place), "click", lambda _: phrase.open(self.has_password))
        for place in ("password-open", "invitation-password"):
            on(el(place), "click", lambda _: password.open(self.has_password))
        for place in ("recovery-open", "invitation-recovery"):
            on(el(place), "click", lambda _: recovery.open(False))
        on(el("lock-now"), "click", self._lock)
        on(el("invitation-close"), "click", self._dismiss)

    def show(self, vault):
        """Show the state of a vault that is unlocked."""
        self.has_password = has_password = vault["protection"] == "password"
        owes_words = vault["words"]
        name, text = vault_words.protection_key(has_password)
        tone(el("protection-key"), name)
        say(el("protection-key-words"), text)
        name, text = vault_words.protection_phrase(owes_words)
        tone(el("protection-phrase"), name)
        say(el("protection-phrase-words"), text)
        say(el("password-open"), t("Change password") if has_password else t("Set a password"))
        show(el("phrase-open"), owes_words)
        show(el("lock-now"), has_password)
        title, text = vault_words.invitation(has_password, owes_words)
        say(el("invitation-title"), title)
        say(el("invitation-words"), text)
        show(el("invitation-phrase"), owes_words)
        show(el("invitation-password"), not has_password)
        el("invitation").inert = False  # boot/preview.mjs may have shown it as it was last
        show(el("invitation"), bool(title) and not kept("localStorage", _DISMISSED))
        shown = json.dumps({"title": title, "text": text, "phrase": owes_words, "password": not has_password})
        if shown != self._kept:  # the state comes many times a second while much is synced
            self._kept = shown
            keep("localStorage", _SHOWN, shown)

    async def _lock(self, _):
        await banner.attempt(self._agent, "lock")
        await self._refresh()

    def _dismiss(self, _):
        keep("localStorage", _DISMISSED, "yes")
        show(el("invitation"), False)
        el("note-text").focus()
