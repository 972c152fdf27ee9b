"""The page: made of its parts, and kept in step with the agent in the worker."""

import asyncio
import json

from pyscript import ffi
from ui import events, problems, words
from ui.client import Agent, AgentError
from ui.kit.dom import el, go, kept, on, on_window, place, say, show, spawn, window
from ui.kit.rounds import Rounds
from ui.kit.texts import t
from ui.screens.data.screen import Data
from ui.screens.home.screen import Home
from ui.screens.messages.screen import Messages
from ui.screens.nodes.nodes import DEFAULT_MODE, MODE_KEPT, Nodes
from ui.screens.notes.alone import NoteAlone
from ui.screens.notes.composer import Composer
from ui.screens.notes.deletions import Deletions
from ui.screens.notes.note_list import NoteList
from ui.screens.notes.search import NoteSearch
from ui.screens.notes.uploads import Uploads
from ui.screens.settings.devices.devices import Devices
from ui.screens.settings.devices.join import JoinDialog
from ui.screens.settings.devices.offer import OfferDialog
from ui.screens.settings.identities import Identities
from ui.screens.settings.keys.password import PasswordDialog
from ui.screens.settings.keys.phrase import PhraseDialog
from ui.screens.settings.keys.protection import Protection
from ui.screens.settings.keys.recovery import RecoveryDialog
from ui.screens.settings.language import Language
from ui.screens.settings.storage import Storage
from ui.screens.settings.transfer import Transfer
from ui.shell import banner
from ui.shell.boot import Boot
from ui.shell.keyboard import Keyboard
from ui.shell.lock import Lock
from ui.shell.places import Places, need

_TICK_SECONDS = 10
_CODE = "device/"
"""In an address, what the code of another device follows."""


class Page:
    """Everything on the page."""

    def __init__(self):
        self._agent = Agent(locked=lambda: spawn(self._show_state()))
        self._boot = Boot()
        self._deletions = Deletions(self._agent, self._show_notes)
        self._notes = NoteList(self._agent, self._deletions)
        self._search = NoteSearch(self._agent, self._notes)
        self._composer = Composer(self._agent, self._added)
        self._uploads = Uploads(self._agent, self._added)
        self._alone = NoteAlone(self._agent, self._deletions)
        self._notes.on_tag = self._alone.on_tag = self._search.choose
        self._notes.widen = self._search.widen
        self._messages = Messages(self._agent)
        self._data = Data(self._agent)
        self._nodes = Nodes(self._agent, self._refresh)
        self._identities = Identities(self._agent, self._refresh)
        self._transfer = Transfer(self._agent, self._use_imported, lambda: self._protection.has_password)
        self._recovery = RecoveryDialog(self._agent, self._refresh)
        self._join = JoinDialog(self._agent, self._refresh)
        self._home = Home(self._agent, lambda: self._recovery.open(False), self._join.open)
        self._lock = Lock(self._agent, self._refresh, lambda: self._recovery.open(True))
        phrase, password = (dialog(self._agent, self._refresh) for dialog in (PhraseDialog, PasswordDialog))
        self._protection = Protection(self._agent, phrase, password, self._recovery, self._refresh)
        self._devices = Devices(
            self._agent, self._refresh, OfferDialog(self._agent), self._join, lambda: self._protection.has_password
        )
        self._storage = Storage(self._agent, self._transfer.open_export)
        self._states = Rounds(self._ask_state)
        self._keyboard = Keyboard()
        self._language = Language()
        self._places = Places(self._go)
        self._running = False
        self._unlocked = False
        shared = words.shared_origin(window.location.host, window.location.pathname)
        show(el("origin-note"), bool(shared))
        say(el("origin-note"), shared)
        self._channel = window.BroadcastChannel.new("web5-events")
        on(self._channel, "message", self._event)
        on_window("online", self._revive)
        on(window.document, "resume", self._revive)
        on(window.document, "web5-quiet", self._quiet)
        on(window.document, "web5-offline", lambda _: show(el("protection-offline"), True))
        on(window.document, "web5-newer", self._newer)

    async def start(self):
        """Wait for the agent, then show what it has."""
        try:
            await self._apply_mode()
            state = await self._agent.call("state")
        except AgentError as error:
            self._boot.fail()
            self._nodes.down()
            await self._composer.work()  # it says that nothing is saved, of what an earlier visit left too
            banner.show_error(error, window.location.reload, t("Reload"))
            return
        self._running = True
        window.performance.mark("web5-ready")
        self._boot.finish()
        self._show(state)
        await self._show_notes()
        window.web5Shown()
        window.web5KeepSite()

    async def _apply_mode(self):
        """Start sync, since a node begins without, in the mode that was chosen on this or an earlier visit."""
        await self._agent.call("set_sync", interval=kept("localStorage", MODE_KEPT) or DEFAULT_MODE)

    async def watch_version(self):
        """Say so once a newer version of this page is open in another tab, which is the node then."""
        await window.web5Superseded()
        banner.show_error(AgentError("StorageNewer", t("It is open in another tab.")))

    async def _led_by_another(self):
        """Set up the tab that is the node now, this one or another."""
        try:
            await self._apply_mode()
        except AgentError as error:
            banner.show_error(error)
        await self._refresh()

    async def _revive(self, _):
        """Connect anew, since this device was asleep or offline: what looks connected may not be."""
        if self._running:
            await banner.attempt(self._agent, "revive")
            await self._show_state()

    def _quiet(self, js_event):
        """Say so while the worker does not answer; boot/place.mjs finds out."""
        title, advice = problems.problem("Quiet", "")
        if js_event.detail:
            banner.put(title, advice, "", "warn", ((t("Reload"), window.location.reload),))
        else:
            banner.clear(title)

    def _newer(self, _):
        """Say that a newer version of this page is here, for whenever the person wants it."""
        title, advice = problems.problem("Newer", "")
        banner.put(title, advice, "", "good", ((t("Reload"), window.web5TakeNewer),))

    async def _event(self, js_event):
        event = events.parse(js_event.data)
        if event is None:
            return
        if event["type"] == "boot":
            self._boot.step(event["step"], event["done"], event["total"])
        elif event["type"] == "leading" and self._running:
            await self._led_by_another()
        elif event["type"] == "changed" and self._running:
            if "progress" in event:
                self._nodes.progress(event["progress"]["done"], event["progress"]["total"])
            if "flows" in event:
                self._nodes.flows(event["flows"])
            if "move" in event:
                self._nodes.move(event["move"])
            if "files" in event:
                self._uploads.progress(event["files"])
                self._messages.progress(event["files"])
            if "news" in event:
                self._nodes.news(event["news"])
            if "recovery" in event:
                self._recovery.progress(event["recovery"])
                self._join.progress(event["recovery"])
                self._lock.progress(event["recovery"])
            if "messages" in event["what"]:
                await self._messages.refresh()
            if "state" in event["what"]:
                await self._show_state()
            if "notes" in event["what"]:
                await self._show_notes()
            if "notes" in event["what"]:
                await self._data.refresh()
            await self._home.refresh()

    def _go(self, where, what):
        """Show another place of the page."""
        self._messages.go(what if where == "messages" else "")
        self._take_code()
        if where == "home":
            spawn(self._home.refresh())
        elif where == "data":
            self._data.go(what)
            spawn(self._data.refresh())
        elif where == "nodes":
            spawn(self._nodes.look())
        elif where == "messages":
            spawn(self._messages.refresh())
        elif self._unlocked:
            spawn(self._alone.refresh())

    def _take_code(self):
        """Ask whether to go along with the device whose code is in the address, and let the address forget it."""
        where, what = place()
        if self._unlocked and where == "settings" and what.startswith(_CODE):
            window.history.replaceState(None, "", "#/settings")
            go("settings")
            self._join.open(what[len(_CODE) :])

    def _added(self, note):
        """Show a note that was just saved, before the next refresh; the header first, which says if all is synced."""
        self._nodes.add(note)
        self._notes.add(note)

    async def _use_imported(self, did):
        await self._identities.use(did)
        await self._nodes.sync()

    async def _refresh(self):
        await self._show_state()
        await self._show_notes()

    async def _show_notes(self):
        if self._unlocked:
            await self._notes.refresh()
            await self._alone.refresh()
            if not self._notes.is_empty:
                self._storage.look()

    async def _show_state(self):
        if self._running:
            await self._states.run()

    async def _ask_state(self):
        if self._running:
            state = await banner.attempt(self._agent, "state")
            if state:
                self._show(state)

    def _show(self, state):
        self._storage.show(state["storage"])
        vault = state["vault"]
        if vault["state"] == "recovering" and (self._recovery.running or self._join.running):
            return  # its dialog shows that; what is behind it stays until the end
        self._lock.show(vault)
        self._unlocked, before = vault["state"] == "unlocked", self._unlocked
        if not self._unlocked:
            self._search.close()
            self._notes.close()
            self._alone.close()
            self._nodes.locked(vault["state"])
            self._messages.close()
            self._data.close()
            self._home.close()
            self._devices.close()
            need("settings", 0, "")
            return
        self._protection.show(vault)
        self._nodes.show(state)
        self._identities.show(state)
        show(el("devices"), True)
        self._devices.show(state)
        self._deletions.use(state["did"])
        self._search.use(state["did"])
        self._messages.show(state)
        self._data.show(state)
        self._home.show(state)
        need("settings", int(vault["words"]), t("Your twelve words are not written down yet"), "warn")
        if not before:
            spawn(self._show_notes())
            spawn(self._messages.refresh())
            spawn(self._data.refresh())
            spawn(self._home.refresh())
            spawn(self._composer.work())
            spawn(self._devices.tick())
            self._take_code()

    async def ask(self, name, arguments="{}"):
        """Call the agent, for whoever looks in with the browser's console: `await web5Ask("check_store")`."""
        return json.dumps(await self._agent.call(name, **json.loads(arguments)))

    async def tick(self):
        """Keep the "ago" times true for as long as the page lives."""
        while True:
            await asyncio.sleep(1 if self._nodes.counting_down else _TICK_SECONDS)
            self._nodes.tick()
            self._notes.tick()
            self._deletions.tick()
            self._alone.tick()
            self._messages.tick()
            self._data.tick()
            self._home.tick()
            spawn(self._devices.tick())


page = Page()
window.web5Ask = ffi.create_proxy(page.ask)
window.performance.mark("web5-shell")
spawn(page.start())
spawn(page.watch_version())
spawn(page.tick())
