"""The list of the person's devices, and the dialog for the name of one."""

from ui.kit.dom import clone, el, now, on, on_items, say, show, slot, spent, tone, window
from ui.kit.form import Form
from ui.kit.texts import t
from ui.screens.settings.devices import device_words
from ui.shell import banner

_HERE_MILLISECONDS = 20 * 60 * 1000
"""The time after which this device says again that it is there."""


class Devices:
    """The part of the settings.

    Parameters:
        agent: has the list.
        refresh: called when it has changed.
        offer, join: the dialogs for a device more.
        has_password: called to know whether the person has to prove to be there.
    """

    def __init__(self, agent, refresh, offer, join, has_password):
        self._agent = agent
        self._refresh = refresh
        self._rows = {}
        self._order = []
        self._renamed = ""
        self._said = None
        self._did = None
        self._form = Form("device", self._rename, t("Saving…"))
        on_items(el("device-list"), "data-device", self._rows)
        on(el("device-cancel"), "click", lambda _: el("device-dialog").close())
        on(el("offer-open"), "click", lambda _: offer.open(has_password()))
        on(el("join-open"), "click", lambda _: join.open())

    def show(self, state):
        """Show the devices."""
        if self._did != state["did"]:
            self._did, self._said = state["did"], None
        devices = state["devices"]
        here = [one["id"] for one in devices]
        for id in list(self._rows):
            if id not in here:
                self._rows.pop(id).element.remove()
        for device in devices:
            if device["id"] not in self._rows:
                self._rows[device["id"]] = _Row(self, device["id"])
            self._rows[device["id"]].show(device)

        if here != self._order:
            self._order = here
            for id in here:
                el("device-list").append(self._rows[id].element)

    async def tick(self):
        """Say again when each was there; and that this one is."""
        for row in self._rows.values():
            row.tick()
        if self._did and (self._said is None or spent() - self._said > _HERE_MILLISECONDS):
            self._said = spent()
            await banner.attempt(self._agent, "device_here", called=own_name())

    def close(self):
        """Know of none until there is an identity again."""
        self._did = None

    def ask_name(self, id, name):
        """Ask for another name."""
        self._renamed = id
        self._form.clear()
        el("device-name").value = name
        el("device-dialog").showModal()
        el("device-name").select()

    async def remove(self, id):
        """Take a device off the list."""
        await banner.attempt(self._agent, "remove_device", id=id)
        await self._refresh()

    async def _rename(self):
        name = el("device-name").value.strip()
        if not name:
            self._form.complain(t("It needs a name, so that you know it again."))
            return
        await self._agent.call("rename_device", id=self._renamed, called=name)
        el("device-dialog").close()
        await self._refresh()


class _Row:
    """One device in the list."""

    def __init__(self, devices, id):
        self._device = None
        self.element = clone("device-template")
        self.element.setAttribute("data-device", id)
        self.actions = {
            "rename": lambda _: devices.ask_name(id, self._device["name"]),
            "remove": lambda _: self._ask(True),
            "remove-no": lambda _: self._ask(False),
            "remove-yes": lambda _: devices.remove(id),
        }

    def show(self, device):
        """Show its name, and when it was there."""
        self._device = device
        name = device_words.name(device)
        say(self._slot("name"), name)
        self._slot("rename").setAttribute("aria-label", t("Rename {name}", name=name))
        self._slot("remove").setAttribute("aria-label", t("Remove {name}", name=name))
        self._slot("ask").setAttribute("aria-label", t("Remove {name}?", name=name))
        say(self._slot("ask-words"), device_words.removal(device))
        show(self._slot("remove"), not device["here"])
        self.tick()

    def tick(self):
        """Say again when it was there."""
        kind, text = device_words.seen(self._device, now())
        tone(self._slot("dot"), kind)
        say(self._slot("seen"), text)

    def _slot(self, name):
        return slot(self.element, name)

    def _ask(self, asking):
        show(self._slot("ask"), asking)
        show(self._slot("actions"), not asking)
        self._slot("remove-no" if asking else "remove").focus()


def own_name():
    """Return what this device calls itself."""
    return device_words.own_name(window.navigator.userAgent)
