"""Setting, changing and removing the password."""

from ui.kit.dom import el, on, say, show
from ui.kit.form import Form, same_twice
from ui.kit.texts import t
from ui.screens.settings.keys import vault_words


class PasswordDialog:
    """The dialog for a new password.

    Parameters:
        agent: holds the keys.
        refresh: called when it was changed.
    """

    def __init__(self, agent, refresh):
        self._agent = agent
        self._refresh = refresh
        self._has_one = False
        self._form = Form("password", self._save, t("Saving…"))
        on(el("password-remove"), "click", lambda _: self._form.run(self._remove))
        on(el("password-cancel"), "click", lambda _: el("password-dialog").close())
        on(el("password-dialog"), "close", lambda _: self._form.clear())

    def open(self, has_one):
        """Ask for a new password, and for the old one where there is one."""
        self._has_one = has_one
        self._form.clear()
        title, hint = vault_words.password_dialog(self._has_one)
        say(el("password-title"), title)
        say(el("password-hint"), hint)
        show(el("password-old-field"), self._has_one)
        show(el("password-remove"), self._has_one)
        el("password-dialog").showModal()

    async def _save(self):
        new = el("password-new").value
        wrong = same_twice(new, el("password-again").value)
        if wrong:
            self._form.complain(wrong)
        else:
            await self._change(new)

    async def _remove(self):
        await self._change(None)

    async def _change(self, new):
        old = el("password-old").value if self._has_one else None
        if old == "":
            self._form.complain(t("Type the password that it has had until now."))
            return
        await self._agent.call("change_password", old=old, new=new)
        el("password-dialog").close()
        await self._refresh()
