"""The identities: the one in use, and making, naming, choosing and deleting them."""

from ui import words
from ui.kit.dom import clone, copied, el, on, on_items, say, show, slot, window
from ui.kit.form import Form
from ui.kit.texts import t
from ui.screens.settings.keys import key_words
from ui.shell import banner


class Identities:
    """The list in the panel, and the dialog for a name.

    Parameters:
        agent: holds the keys.
        refresh: called when another identity is in use, or one has changed.
    """

    def __init__(self, agent, refresh):
        self._agent = agent
        self._refresh = refresh
        self._rows = {}
        self._renamed = None
        self._form = Form("name", self._save, t("Saving…"))
        on_items(el("identity-list"), "data-identity", self._rows)
        on(el("name-open"), "click", lambda _: self._ask_name(None))
        on(el("name-cancel"), "click", lambda _: el("name-dialog").close())

    def show(self, state):
        """Show the agent's state."""
        show(el("identity-wait"), False)
        show(el("identity-body"), True)
        show(el("name-open"), True)
        show(el("protection"), True)
        self._show_who(state)
        el("identity").setAttribute("data-did", state["did"])
        unpublished = words.publish_error(state["publish_error"], state["published_before"], state["publish_tried"])
        unpublished = unpublished or key_words.publish_error(
            state["keys_publish_error"], state["keys_published_before"]
        )
        show(el("publish-error"), bool(unpublished))
        say(el("publish-error"), unpublished)
        here = {identity["did"] for identity in state["identities"]}
        for did in list(self._rows):
            if did not in here:
                self._rows.pop(did).element.remove()
        for identity in state["identities"]:
            did = identity["did"]
            if did not in self._rows:
                self._rows[did] = _Row(self, did)
                el("identity-list").append(self._rows[did].element)
            self._rows[did].show(identity["name"], did == state["did"], len(here) > 1)

    def _show_who(self, state):
        """Say beside the places who the person is."""
        names = [one["name"] for one in state["identities"] if one["did"] == state["did"]]
        name = words.theirs(names[0] if names else words.short_did(state["did"]))
        show(el("who"), True)
        say(el("who-name"), name)
        say(el("who-face"), name[:1])

    async def use(self, did):
        """Use another identity."""
        await self.act("choose_identity", did=did)

    async def act(self, name, **arguments):
        """Call the agent, and show the state after it."""
        await banner.attempt(self._agent, name, **arguments)
        await self._refresh()

    def rename(self, did, name):
        """Ask for another name."""
        self._ask_name(did)
        el("name-text").value = name
        el("name-text").select()

    def _ask_name(self, did):
        self._renamed = did
        self._form.clear()
        say(el("name-title"), t("Rename this identity") if did else t("A new identity"))
        show(el("name-hint"), not did)
        el("name-dialog").showModal()

    async def _save(self):
        name = el("name-text").value.strip()
        if not name:
            self._form.complain(t("It needs a name, so that you know it again."))
            return
        if self._renamed:
            await self._agent.call("rename_identity", did=self._renamed, called=name)
            el("name-dialog").close()
            await self._refresh()
        else:
            did = await self._agent.call("create_identity", called=name, known=list(self._rows))
            el("name-dialog").close()
            await self.use(did)


class _Row:
    """One identity in the list."""

    def __init__(self, identities, did):
        self._identities = identities
        self._did = did
        self._name = ""
        self.element = clone("identity-template")
        self.element.setAttribute("data-identity", did)
        say(self._slot("did"), words.short_did(did))
        self._slot("did").title = did
        self.actions = {
            "use": lambda _: identities.use(did),
            "copy": self._copy,
            "rename": lambda _: identities.rename(did, self._name),
            "delete": lambda _: self._ask(True),
            "delete-no": lambda _: self._ask(False),
            "delete-yes": lambda _: identities.act("delete_identity", did=did),
        }

    def show(self, name, in_use, may_go):
        """Show its name, and what may be done with it."""
        self._name = name
        say(self._slot("name"), words.theirs(name))
        show(self._slot("used"), in_use)
        show(self._slot("use"), not in_use)
        show(self._slot("delete"), may_go)
        self._slot("use").setAttribute("aria-label", t("Use {name}", name=name))
        self._slot("ask").setAttribute("aria-label", t("Delete {name}?", name=name))

    def _slot(self, name):
        return slot(self.element, name)

    def _ask(self, asking):
        show(self._slot("ask"), asking)
        show(self._slot("actions"), not asking)
        self._slot("delete-no" if asking else "delete").focus()

    async def _copy(self, _):
        if await copied(self._did):
            say(self._slot("copy"), t("Copied"))
        else:
            # Without the permission the person can still copy what is now selected.
            say(self._slot("did"), self._did)
            window.getSelection().selectAllChildren(self._slot("did"))
            say(self._slot("copy"), t("Selected"))
