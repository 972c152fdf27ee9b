"""Who has access, who asks for it, and giving it to an app."""

from ui.kit.dom import clone, copied, document, download, el, now, on, on_items, say, show, slot, tone
from ui.kit.form import Form
from ui.kit.texts import t
from ui.screens.data import data_words
from ui.shell import banner

_ASKED_DAYS = 30


class Grants:
    """The list of those who have access, and the forms by which an app gets it.

    Parameters:
        agent: has the grants.
    """

    def __init__(self, agent):
        self._agent = agent
        self._apps = {}
        self._asked = {}
        self._nobody = False
        self._request = ""
        self._by_link = False
        self._request_form = Form("request", self._look, t("Looking…"))
        self._give_form = Form("give", self._give, t("Giving access…"))
        on_items(el("app-list"), "data-app", self._apps)
        on_items(el("asked-list"), "data-asked", self._asked)
        on(el("request-open"), "click", lambda _: self._step("request-form", "request-text"))
        on(el("request-cancel"), "click", lambda _: self._step("", "request-open"))
        on(el("give-cancel"), "click", lambda _: self._step("", "request-open"))
        on(el("given-close"), "click", lambda _: self._step("", "request-open"))
        on(el("given-copy"), "click", self._copy)
        on(el("given-download"), "click", lambda _: download("delegation.json", el("given-text").value))
        for days, text in data_words.DAYS:
            option = document.createElement("option")
            option.value = str(days)
            option.textContent = text
            el("give-days").append(option)

    def close(self):
        """Take everything off the page."""
        for rows in (self._apps, self._asked):
            for key in list(rows):
                rows.pop(key).element.remove()
        self._step("", None)

    async def refresh(self):
        """Show what there is now."""
        found = await self._agent.call("grants")
        apps = {one["did"]: one for one in found["apps"]}
        asked = {one["id"]: one for one in found["requests"]}
        _list(el("app-list"), self._apps, apps, lambda did: _App(did, self._revoke))
        _list(el("asked-list"), self._asked, asked, lambda id: _Asked(id, self._grant))
        show(el("asked-part"), bool(asked))
        self._nobody = not apps and not asked
        self._show_empty()

    def _show_empty(self):
        show(el("apps-empty"), self._nobody and el("request-open").hidden is False)

    async def _revoke(self, ids):
        await banner.attempt(self._agent, "revoke_grants", ids=ids)
        await self.refresh()

    async def _grant(self, id):
        await banner.attempt(self._agent, "grant_request", id=id, days=_ASKED_DAYS)
        await self.refresh()

    def _step(self, shown, focused):
        """Show one of the steps to give access, or none."""
        self._request_form.clear()
        self._give_form.complain("")
        for part in ("request-form", "give-form", "given"):
            show(el(part), part == shown)
        show(el("request-open"), not shown)
        self._show_empty()
        if shown != "given":
            el("given-text").value = ""
            say(el("given-pin"), "")
        if focused:
            el(focused).focus()

    async def _look(self):
        text = el("request-text").value
        found = await self._agent.call("read_request", text=text)
        self._request = text
        self._by_link = bool(found["server"])
        say(el("give-title"), data_words.give_title(found))
        say(el("give-who"), data_words.give_who(found))
        parent = el("give-asks")
        parent.replaceChildren()
        for one in found["asks"]:
            line = document.createElement("li")
            line.textContent = data_words.asks(one["permissions"], one["protocol"])
            parent.append(line)
            brings = data_words.installs(one)
            if brings:
                more = document.createElement("li")
                more.className = "quiet"
                more.textContent = brings
                parent.append(more)
        el("give-days").value = str(data_words.USUAL_DAYS)
        self._step("give-form", "give-title")

    async def _give(self):
        given = await self._agent.call("give_access", text=self._request, days=int(el("give-days").value))
        self._request = ""
        self._step("given", "given-title")
        show(el("given-pin"), self._by_link)
        for part in ("given-field", "given-copy", "given-download"):
            show(el(part), not self._by_link)
        if self._by_link:
            say(el("given-pin"), given)
            say(el("given-words"), data_words.PIN)
        else:
            say(el("given-words"), data_words.given("delegatePortableDid" in given))
            el("given-text").value = given
        await self.refresh()

    async def _copy(self, _):
        if await copied(el("given-text").value):
            say(el("given-copy"), t("Copied"))
        else:
            el("given-text").select()  # without the permission the person can still copy what is now selected


class _App:
    """Somebody who has, or had, access.

    Attributes:
        actions: what its buttons do, by their names in the template.
    """

    def __init__(self, did, revoke):
        self._shown = None
        self.element = clone("app-template")
        self.element.setAttribute("data-app", did)
        slot(self.element, "name").title = did
        self.actions = {
            "revoke": lambda _: self._ask(True),
            "revoke-no": lambda _: self._ask(False),
            "revoke-yes": lambda _: revoke([one["id"] for one in self._shown["grants"] if one["state"] == "holds"]),
        }

    def show(self, app):
        """Show what they may do, until when."""
        if app == self._shown:
            return
        self._shown = app
        name = data_words.app_title(app)
        say(slot(self.element, "name"), name)
        slot(self.element, "revoke").setAttribute("aria-label", t("Take away the access of {name}", name=name))
        holds = any(one["state"] == "holds" for one in app["grants"])
        show(slot(self.element, "revoke"), holds)
        show(slot(self.element, "ask"), False)
        parent = slot(self.element, "lines")
        parent.replaceChildren()
        for name, text in data_words.access(app["grants"], now()):
            line = clone("check-template")
            tone(slot(line, "dot"), name)
            say(slot(line, "words"), text)
            parent.append(line)

    def _ask(self, asking):
        show(slot(self.element, "ask"), asking)
        show(slot(self.element, "revoke"), not asking)
        slot(self.element, "revoke-no" if asking else "revoke").focus()


class _Asked:
    """A request that came.

    Attributes:
        actions: what its buttons do, by their names in the template.
    """

    def __init__(self, id, grant):
        self.element = clone("asked-template")
        self.element.setAttribute("data-asked", id)
        self.actions = {"grant": lambda _: grant(id)}

    def show(self, request):
        """Show who asks for what."""
        say(slot(self.element, "name"), data_words.short(request["did"]))
        slot(self.element, "name").title = request["did"]
        say(slot(self.element, "asks"), data_words.asked(request))
        show(slot(self.element, "why"), bool(request["description"]))
        say(slot(self.element, "why"), request["description"])


def _list(parent, rows, found, make):
    """Show items by their keys, with a row for each."""
    for key in list(rows):
        if key not in found:
            rows.pop(key).element.remove()
    for key in found:
        if key not in rows:
            rows[key] = make(key)
            parent.append(rows[key].element)
        rows[key].show(found[key])
