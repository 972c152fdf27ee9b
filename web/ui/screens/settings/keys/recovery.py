"""Bringing an agent back by its twelve words."""

from ui.client import AgentError
from ui.kit.dom import el, on, say, show
from ui.kit.form import Form, same_twice
from ui.kit.texts import t
from ui.screens.settings.keys import vault_words


class RecoveryDialog:
    """The dialog for the words, and for the progress of a recovery.

    Parameters:
        agent: brings the other one back.
        refresh: called at the end.
    """

    def __init__(self, agent, refresh):
        self._agent = agent
        self._refresh = refresh
        self.running = False
        self._form = Form("recovery", self._recover, t("Looking…"))
        on(el("recovery-cancel"), "click", lambda _: el("recovery-dialog").close())
        on(el("recovery-close"), "click", lambda _: el("recovery-dialog").close())
        on(el("recovery-dialog"), "cancel", self._escape)
        on(el("recovery-dialog"), "close", lambda _: self._form.clear())

    def open(self, is_locked):
        """Ask for the words.

        Parameters:
            is_locked: True if the person may want no more than into this vault.
        """
        self._form.clear()
        self._stage(t("Use your twelve words") if is_locked else t("Bring back your identities"), False)
        say(el("recovery-hint"), vault_words.recovery_hint(is_locked))
        say(el("recovery-save"), t("Unlock") if is_locked else t("Bring them back"))
        el("recovery-dialog").showModal()

    def progress(self, steps):
        """Show how far it has come."""
        if not self.running:
            return
        say(el("recovery-step"), vault_words.recovery(steps))
        bar, records = el("recovery-bar"), steps.get("records")
        if records and records["total"]:
            bar.max = records["total"]
            bar.value = records["done"]

    async def _recover(self):
        phrase, new = el("recovery-words").value, el("recovery-new").value
        wrong = same_twice(new, el("recovery-again").value) if new or el("recovery-again").value else ""
        if not phrase.strip():
            wrong = t("Type your twelve words.")
        if wrong:
            self._form.complain(wrong)
            return
        self.running = True
        self._stage(t("Bringing them back"), True)
        try:
            steps = await self._agent.call("recover", words=phrase, password=new or None)
        except AgentError:
            self._stage(t("Bring back your identities"), False)
            raise
        finally:
            self.running = False
            await self._refresh()
        self._form.clear()
        say(el("recovery-title"), vault_words.recovered_title(steps))
        say(el("recovery-step"), vault_words.recovered(steps))
        show(el("recovery-bar"), False)
        show(el("recovery-close"), True)
        el("recovery-close").focus()

    def _stage(self, title, running):
        say(el("recovery-title"), title)
        say(el("recovery-step"), vault_words.recovery({}))
        show(el("recovery-form"), not running)
        show(el("recovery-run"), running)
        show(el("recovery-bar"), running)
        show(el("recovery-close"), False)
        el("recovery-bar").removeAttribute("value")

    def _escape(self, event):
        if self.running:
            event.preventDefault()
