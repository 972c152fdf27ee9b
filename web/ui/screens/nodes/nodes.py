"""The remote nodes: reachable or not, last sync, and the messages that wait or were refused."""

from ui import library_words, sync_words, words
from ui.client import AgentError
from ui.kit.dom import el, keep, on, on_items, place, say, show, spawn, spent, tone, window
from ui.kit.form import Form
from ui.kit.texts import plural, t
from ui.screens.nodes import node_words
from ui.screens.nodes.hour import Hour
from ui.screens.nodes.move import Move
from ui.screens.nodes.node_card import NodeCard
from ui.screens.nodes.picture import Picture
from ui.screens.settings.keys import key_words
from ui.shell import banner
from ui.shell.places import need

MODE_KEPT = "web5-sync-mode"
DEFAULT_MODE = "live"

_FEW = 20
"""A sync of so few messages needs no numbers."""

_NEWS_MILLISECONDS = 60000
"""The time for which news is shown."""


class Nodes:
    """The panel of remote nodes and the summary in the header.

    Parameters:
        agent: syncs.
        refresh: called after a sync on demand.
    """

    def __init__(self, agent, refresh):
        self._agent = agent
        self._refresh = refresh
        self._cards = {}
        self._picture = Picture()
        self._nodes = []
        self._devices = []
        self._state = None
        self._flows = {}
        self._hour = Hour(agent)
        self._asked = False
        self._compared = False
        self._old_at = None
        self._form = _NodeForm(agent, self._changed)
        self._move = Move(agent, self._changed)
        on_items(el("node-list"), "data-endpoint", self._cards)
        on(el("sync-now"), "click", self.sync)
        on(el("sync-mode"), "change", self._choose_mode)
        on(el("compare"), "click", self._compare)

    def show(self, state):
        """Show the agent's state."""
        self._state = state
        self._nodes = state["endpoints"]
        self._devices = state["devices"]
        syncing = state["syncing"] or self._asked
        here = {node["endpoint"] for node in self._nodes}
        for endpoint in list(self._cards):
            if endpoint not in here:
                self._cards.pop(endpoint).element.remove()
        for node in self._nodes:
            endpoint = node["endpoint"]
            if endpoint not in self._cards:
                self._cards[endpoint] = NodeCard(
                    endpoint, self._agent, self._refresh, self._retry, self._remove, self._move.open
                )
                el("node-list").append(self._cards[endpoint].element)
            self._cards[endpoint].update(node, len(here) == 1, state["interval"])
        self._move.show(self._nodes)
        if not syncing:
            self._flows = {}
        self._draw()
        spawn(self._hour.refresh())
        self._form.allow()
        show(el("nodes-wait"), not self._nodes)
        clocks = sync_words.clocks(self._nodes)
        show(el("clock-note"), bool(clocks))
        say(el("clock-note"), clocks)
        show(el("damaged"), bool(state["damaged"]))
        say(el("damaged"), words.damaged(state["damaged"]))
        say(el("nodes-wait"), sync_words.nodes_unknown(state["did_error"]))
        say(el("notes-kept"), sync_words.kept(self._nodes))
        keys = key_words.trouble(state["keys"])
        show(el("keys-words"), bool(keys))
        say(el("keys-words"), keys)
        show(el("did-error"), bool(state["did_error"]))
        say(el("did-error"), words.did_error(state["did_error"]))
        el("sync-mode").disabled = False
        if window.document.activeElement.id != "sync-mode":
            el("sync-mode").value = state["interval"]
        el("sync-mode").title = sync_words.interval(state["interval"])
        el("compare").disabled = not self._nodes
        self._busy(syncing)
        self._summarize(syncing)
        troubled = [node for node in self._nodes if sync_words.troubles(node)]
        need("nodes", len(troubled), _needing(len(troubled)), "bad")

    def add(self, note):
        """Let the header not say that all is synced, from when a note is saved until the next state."""
        state = self._state
        if state is None or not note["waiting"]:
            return
        synced = self._summary(state["syncing"])[0] == "good"
        lacking = {one["endpoint"] for one in note["waiting"]}
        for node in self._nodes:
            if node["endpoint"] in lacking:
                node["pending_out"] = max(node["pending_out"], 1)
        self._summarize(state["syncing"] or (synced and state["interval"] == "live"))

    def _summarize(self, syncing):
        name, text = self._summary(syncing)
        tone(el("summary"), name)
        say(el("summary-words"), text)

    def _summary(self, syncing):
        return key_words.summary(self._nodes, syncing, self._state["did_error"], self._state["keys"])

    def down(self):
        """Say in the header that there is no node in this page."""
        tone(el("summary"), "bad")
        say(el("summary-words"), t("Not running"))

    def locked(self, state):
        """Say in the header that nothing syncs, since the vault is not open."""
        self._nodes, self._state = [], None
        need("nodes", 0, "")
        tone(el("summary"), "busy" if state == "recovering" else None)
        say(el("summary-words"), t("Coming back") if state == "recovering" else t("Locked"))

    @property
    def counting_down(self):
        """True if a node is to be tried again in a known number of seconds."""
        return any(node["next_try"] for node in self._nodes)

    def tick(self):
        """Say again how long ago the last syncs were, and how long it is until the next try."""
        if self._old_at and spent() > self._old_at:
            self._write_news("")
        for node in self._nodes:
            self._cards[node["endpoint"]].tick()
        self._draw()
        spawn(self.look())

    async def look(self):
        """Show what is asked for only while somebody looks."""
        await self._hour.refresh()
        if place()[0] == "nodes":
            self._picture.tabs(await window.web5OtherTabs())

    def flows(self, entries):
        """Show how far it is with each node, in messages."""
        self._flows = {}
        for one in entries:
            if one["total"] and one["done"] < one["total"]:
                self._flows[one["endpoint"]] = node_words.flow(one["direction"], one["done"], one["total"])
        self._draw()

    def _draw(self):
        for node in self._nodes:
            self._cards[node["endpoint"]].flow(self._flows.get(node["endpoint"]) or "")
        self._picture.show(self._nodes, self._devices, self._flows)

    def _busy(self, syncing):
        button = el("sync-now")
        button.disabled = syncing or not self._nodes
        say(button, t("Syncing…") if syncing else t("Sync now"))
        show(el("sync-bar"), syncing)
        if not syncing:
            say(el("sync-words"), "")
        elif self._compared:
            self._write_news("")  # it may not be so any more

    def progress(self, done, total):
        """Show how far the sync that runs has come, in messages."""
        if total and done < total:
            el("sync-bar").max = total
            el("sync-bar").value = done
            say(el("sync-words"), sync_words.progress(done, total) if total > _FEW else "")
        else:
            el("sync-bar").removeAttribute("value")

    def move(self, steps):
        """Show how far a move between nodes has come."""
        self._move.progress(steps)

    def news(self, entries):
        """Say what happened to endpoints."""
        self._write_news("\n".join([sync_words.news(entry) for entry in entries]))
        self._old_at = spent() + _NEWS_MILLISECONDS

    def _write_news(self, text):
        """Write something below the nodes, until there is something else."""
        self._compared = False
        self._old_at = None
        say(el("nodes-news"), text)

    async def _choose_mode(self, _):
        mode = el("sync-mode").value
        keep("localStorage", MODE_KEPT, mode)
        await self._act("set_sync", interval=mode)

    async def _compare(self, _):
        el("compare").disabled = True
        self._write_news(t("Comparing…"))
        try:
            found = await self._agent.call("compare")
            self._write_news(sync_words.comparison(found))
            self._compared = True
        except AgentError as error:
            self._write_news("")
            banner.show_error(error)
        await self._refresh()

    async def _retry(self, endpoint):
        await self._act("retry", endpoint=endpoint)

    async def _remove(self, endpoint, force):
        try:
            await self._agent.call("remove_node", url=endpoint, force=force)
        except AgentError as error:
            if error.kind == "NodeNeeded" and endpoint in self._cards:
                self._cards[endpoint].ask_again(library_words.said(error.message))
                return
            banner.show_error(error)
        await self._changed()

    async def _changed(self):
        """Show the nodes, which are others now; a sync that waits to be asked learns of them only when it is."""
        await self._refresh()
        if el("sync-mode").value == "off":
            await self.sync()

    async def _act(self, name, **arguments):
        await banner.attempt(self._agent, name, **arguments)
        await self._refresh()

    async def sync(self, *_):
        """Run a round now."""
        self._asked = True
        self._write_news("")
        self._busy(True)
        try:
            await self._agent.call("sync_now")
        except AgentError as error:
            banner.show_error(error, self.sync)
        self._asked = False
        await self._refresh()


def _needing(number):
    return plural(number, "{n} node needs you", "{n} nodes need you")


class _NodeForm:
    """The form below the nodes, and the button that opens it."""

    def __init__(self, agent, changed):
        self._agent = agent
        self._changed = changed
        self._form = Form("node", self._add, t("Adding…"))
        on(el("node-open"), "click", lambda _: self._open(True))
        on(el("node-cancel"), "click", lambda _: self._open(False))

    def allow(self):
        """Show the button, since there is an identity to which nodes can be added."""
        if el("node-form").hidden:
            show(el("node-open"), True)

    def _open(self, is_open):
        self._form.clear()
        show(el("node-form"), is_open)
        show(el("node-open"), not is_open)
        el("node-url" if is_open else "node-open").focus()

    async def _add(self):
        await self._agent.call("add_node", url=el("node-url").value)
        self._open(False)
        await self._changed()
