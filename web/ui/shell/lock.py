"""The form that stands in the place of the notes while the vault is locked."""

from ui.kit.dom import document, el, on, place, say, show
from ui.kit.form import Form
from ui.kit.texts import t
from ui.screens.settings.keys import vault_words


class Lock:
    """The form for the password.

    Parameters:
        agent: holds the keys.
        refresh: called when it is unlocked.
        recover: called when the person would rather use the words.
    """

    def __init__(self, agent, refresh, recover):
        self._agent = agent
        self._refresh = refresh
        self._state = ""
        self._form = Form("lock", self._unlock, t("Unlocking…"))
        on(el("lock-recovery"), "click", lambda _: recover())

    def show(self, vault):
        """Show the vault's state: the form, how far a recovery has come in another tab, or nothing at all."""
        state = vault["state"]
        if state == self._state:
            return
        self._state = state
        document.body.setAttribute("data-vault", state)
        say(el("lock-title"), vault_words.lock_title(state))
        show(el("lock-form"), state == "locked")
        show(el("lock-wait"), state == "recovering")
        self._form.clear()
        if state == "locked" and not document.querySelector("dialog[open]"):
            el("lock-password").focus()

    def progress(self, steps):
        """Show how far a recovery has come."""
        say(el("lock-step"), vault_words.recovery(steps))

    async def _unlock(self):
        password = el("lock-password").value
        if not password:
            self._form.complain(t("Type your password."))
            return
        try:
            await self._agent.call("unlock", password=password)
        finally:
            el("lock-password").value = ""
            el("lock-password").focus()
        await self._refresh()
        el("note-text" if place()[0] == "notes" else "main").focus()
