"""The dialog of the device that takes another one along."""

from ui import problems
from ui.client import AgentError
from ui.kit.dom import copied, el, on, say, show, spawn, tone, window
from ui.kit.form import Form
from ui.kit.texts import t
from ui.screens.settings.devices import device_words
from ui.screens.settings.devices.devices import own_name

_STAGES = ("offer-form", "offer-code", "number-form", "offer-end")


class OfferDialog:
    """The dialog: the password if there is one, the code, the number, the end.

    Parameters:
        agent: has the keys.
    """

    def __init__(self, agent):
        self._agent = agent
        self._has_password = False
        self._round = 0
        self._form = Form("offer", self._offer, t("Making it…"))
        self._number = Form("number", self._approve, t("Letting it in…"))
        for button in ("offer-cancel", "offer-stop", "number-refuse", "offer-close"):
            on(el(button), "click", lambda _: el("offer-dialog").close())
        on(el("offer-dialog"), "close", self._closed)
        on(el("offer-again"), "click", lambda _: self.open(self._has_password))
        on(el("offer-copy"), "click", self._copy)

    def open(self, has_password):
        """Ask whether the person means it.

        Parameters:
            has_password: True if there is a password to be asked for.
        """
        self._has_password = has_password
        self._form.clear()
        self._number.clear()
        show(el("offer-password-field"), has_password)
        self._stage("offer-form")
        if not el("offer-dialog").open:
            el("offer-dialog").showModal()

    async def _offer(self):
        address = window.location.origin + window.location.pathname
        made = await self._agent.call(
            "offer_device", called=own_name(), page=address, password=el("offer-password").value or None
        )
        self._form.clear()
        el("offer-picture").src = made["picture"]
        el("offer-link").value = made["link"]
        say(el("offer-minutes"), device_words.minutes(made["seconds"]))
        say(el("offer-copy"), t("Copy the text"))
        self._stage("offer-code")
        self._round += 1
        spawn(self._wait(self._round))

    async def _wait(self, number):
        """Wait for the other device, as long as this very code is shown."""
        try:
            name = await self._agent.call("device_request")
        except AgentError as error:
            if number == self._round:
                self._end("bad", problems.complaint(error.kind, error.message))
            return
        if number == self._round:
            say(el("number-asks"), device_words.asks(name))
            self._stage("number-form")
            el("number-text").focus()

    async def _approve(self):
        try:
            await self._agent.call("approve_device", number=el("number-text").value)
        except AgentError as error:
            if error.kind == "NotPaired" and error.code != "wrong_number":
                self._end("bad", problems.complaint(error.kind, error.message))
                return
            el("number-text").select()
            raise
        self._end("good", t("Your other device is in. It fetches everything from your nodes now."))

    def _end(self, kind, text):
        self._round += 1
        tone(el("offer-verdict"), kind)
        say(el("offer-verdict-words"), text)
        show(el("offer-again"), kind != "good")
        self._stage("offer-end")
        el("offer-close").focus()

    async def _closed(self, _):
        self._round += 1
        el("offer-picture").removeAttribute("src")
        el("offer-link").value = ""
        if el("offer-end").hidden and el("offer-form").hidden:
            try:
                await self._agent.call("refuse_device")
            except AgentError:
                return  # its time runs out all the same

    async def _copy(self, _):
        if await copied(el("offer-link").value):
            say(el("offer-copy"), t("Copied"))
        else:
            el("offer-link").select()

    def _stage(self, shown):
        for stage in _STAGES:
            show(el(stage), stage == shown)
