"""The dialog of the device that another one takes along."""

from ui.client import AgentError
from ui.kit.dom import el, on, say, show, window
from ui.kit.form import Form, same_twice
from ui.kit.texts import t
from ui.screens.settings.devices import device_words
from ui.screens.settings.devices.devices import own_name
from ui.screens.settings.keys import vault_words


class JoinDialog:
    """The dialog: the code, the number, and how far it is.

    Parameters:
        agent: becomes that of the other device.
        refresh: called at the end.

    Attributes:
        running: True while the other agent takes the place of the one here.
    """

    def __init__(self, agent, refresh):
        self._agent = agent
        self._refresh = refresh
        self.running = False
        self._waiting = False
        self._form = Form("join", self._join, t("Reaching it…"))
        show(el("join-camera"), bool(window.web5CanReadCodes))
        on(el("join-camera"), "click", self._read)
        for button in ("join-cancel", "join-stop", "join-close"):
            on(el(button), "click", lambda _: el("join-dialog").close())
        on(el("join-dialog"), "cancel", self._escape)
        on(el("join-dialog"), "close", self._closed)

    def open(self, code=""):
        """Ask for the code.

        Parameters:
            code: if it came with the address of the page.
        """
        if el("join-dialog").open:
            return
        self._form.clear()
        el("join-text").value = code
        self._stage(False)
        el("join-dialog").showModal()
        el("join-save" if code else "join-text").focus()

    def progress(self, steps):
        """Show how far it has come."""
        if not self.running:
            return
        self._fetching()
        say(el("join-step"), vault_words.recovery(steps))
        bar, records = el("join-bar"), steps.get("records")
        if records and records["total"]:
            bar.max = records["total"]
            bar.value = records["done"]

    async def _read(self, _):
        show(el("join-video"), True)
        try:
            found = await window.web5ReadCode(el("join-video"))
        except Exception:
            found = None
            self._form.complain(t("The camera cannot be used here. Paste the text instead."))
        show(el("join-video"), False)
        if found:
            el("join-text").value = found
            el("join-save").focus()

    async def _join(self):
        new = el("join-new").value
        wrong = same_twice(new, el("join-again").value) if new or el("join-again").value else ""
        if not el("join-text").value.strip():
            wrong = t("Read the code, or paste its text.")
        if wrong:
            self._form.complain(wrong)
            return
        window.web5StopCamera()
        found = await self._agent.call("join_device", code=el("join-text").value, called=own_name())
        say(el("join-asks"), device_words.show_number(found["name"]))
        say(el("join-number"), found["number"][:3] + " " + found["number"][3:])
        say(el("join-step"), t("Waiting until you have typed it there…"))
        self._stage(True)
        self._waiting = self.running = True
        try:
            steps = await self._agent.call("finish_joining", password=new or None)
        except AgentError:
            self._stage(False)
            raise
        finally:
            self._waiting = self.running = False
            await self._refresh()
        if steps is None:
            return
        self._form.clear()
        self._fetching()
        say(el("join-title"), vault_words.joined_title(steps))
        say(el("join-step"), vault_words.recovered(steps, again=False))
        show(el("join-bar"), False)
        show(el("join-close"), True)
        el("join-close").focus()

    def _fetching(self):
        """The other device has let this one in: there is no way back."""
        self._waiting = False
        for part in ("join-asks", "join-number", "join-stop"):
            show(el(part), False)

    def _stage(self, running):
        say(el("join-title"), t("Take this device along"))
        show(el("join-form"), not running)
        show(el("join-run"), running)
        for part in ("join-asks", "join-number", "join-stop", "join-bar"):
            show(el(part), running)
        show(el("join-close"), False)
        el("join-bar").removeAttribute("value")

    def _escape(self, event):
        if self.running and not self._waiting:
            event.preventDefault()

    async def _closed(self, _):
        window.web5StopCamera()
        self._form.clear()
        if self._waiting:
            await self._agent.call("stop_joining")
