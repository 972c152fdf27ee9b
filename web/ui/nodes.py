"""The remote nodes: reachable or not, last sync, what waits and what was refused."""

from ui import banner, words
from ui.client import AgentError
from ui.dom import clone, document, el, now, on, say, show, slot, tone, window
from ui.registration import Registration

MODE_KEPT = "web5-sync-mode"
DEFAULT_MODE = "live"

_FEW = 20
"""A sync of so few messages needs no numbers."""

_NEWS_MILLISECONDS = 60000
"""So long news is news."""


class Nodes:
    """The panel of remote nodes and the summary in the header.

    Parameters:
        agent: who syncs.
        refresh: called after a sync on demand.
    """

    def __init__(self, agent, refresh):
        self._agent = agent
        self._refresh = refresh
        self._items = {}
        self._registrations = {}
        self._nodes = []
        self._asked = False
        self._compared = False
        self._old_at = None
        on(el("sync-now"), "click", self.sync)
        on(el("sync-mode"), "change", self._choose_mode)
        on(el("compare"), "click", self._compare)

    def show(self, state):
        """Show the agent's state."""
        self._nodes = state["endpoints"]
        syncing = state["syncing"] or self._asked
        here = {node["endpoint"] for node in self._nodes}
        for endpoint in list(self._items):
            if endpoint not in here:
                self._items.pop(endpoint).remove()
                self._registrations.pop(endpoint)
        for node in self._nodes:
            if node["endpoint"] not in self._items:
                item = self._items[node["endpoint"]] = clone("node-template")
                item.setAttribute("data-endpoint", node["endpoint"])
                on(slot(item, "retry"), "click", self._retrier(node["endpoint"]))
                self._registrations[node["endpoint"]] = Registration(self._agent, item, node["endpoint"], self._refresh)
                el("node-list").append(item)
            self._fill(self._items[node["endpoint"]], node)
        show(el("nodes-wait"), not self._nodes)
        say(el("nodes-wait"), "No remote node is known for this identity, so its notes are in this browser only.")
        show(el("did-error"), bool(state["did_error"]))
        say(el("did-error"), words.did_error(state["did_error"]))
        el("sync-mode").disabled = False
        if window.document.activeElement.id != "sync-mode":
            el("sync-mode").value = state["interval"]
        el("sync-mode").title = words.interval(state["interval"])
        el("compare").disabled = not self._nodes
        self._busy(syncing)
        name, text = words.summary(self._nodes, syncing)
        tone(el("summary"), name)
        say(el("summary-words"), text)

    def down(self):
        """Say in the header that there is no node in this page."""
        tone(el("summary"), "bad")
        say(el("summary-words"), "Not running")

    @property
    def counting_down(self):
        """Whether a node is to be tried again in so many seconds."""
        return any(node["next_try"] for node in self._nodes)

    def tick(self):
        """Say again how long ago the last syncs were, and how long it is until the next try."""
        if self._old_at and now() > self._old_at:
            self._tell("")
        for node in self._nodes:
            self._say_last(self._items[node["endpoint"]], node)
            self._say_state(self._items[node["endpoint"]], node)

    def _busy(self, syncing):
        button = el("sync-now")
        button.disabled = syncing or not self._nodes
        say(button, "Syncing…" if syncing else "Sync now")
        show(el("sync-bar"), syncing)
        if not syncing:
            say(el("sync-words"), "")
        elif self._compared:
            self._tell("")  # it may not be so any more

    def _say_last(self, item, node):
        last = node["last_success"]
        say(slot(item, "last"), "never" if last is None else words.ago((now() - last) / 1000))

    def _say_state(self, item, node):
        left = (node["next_try"] - now()) / 1000 if node["next_try"] else 0
        name, text = words.node_state(node, left if left > 0 else None)
        tone(slot(item, "dot"), name)
        say(slot(item, "state"), text)

    def _fill(self, item, node):
        self._say_state(item, node)
        self._registrations[node["endpoint"]].show(node["registration"])
        say(slot(item, "name"), words.node_name(node["endpoint"]))
        slot(item, "name").title = node["endpoint"]
        self._say_last(item, node)
        say(slot(item, "out"), words.messages(node["pending_out"]))
        say(slot(item, "in"), words.messages(node["pending_in"]))
        error = None if words.asks(node) else node["last_error"]
        show(slot(item, "error"), bool(error))
        if error:
            say(slot(item, "error-detail"), words.code_and_detail(error))
        self._fill_refused(item, node)

    def _fill_refused(self, item, node):
        show(slot(item, "refused"), bool(node["refused"]))
        if not node["refused"]:
            return
        say(slot(item, "refused-title"), words.count(node["refused"], "message") + " refused")
        lines = slot(item, "refused-list")
        lines.replaceChildren()
        for entry in node["refusals"]:
            line = document.createElement("li")
            line.textContent = words.code_and_detail(entry)
            line.title = entry["message_cid"]
            lines.append(line)

    def progress(self, done, total):
        """Show how far the sync that runs has come, in messages."""
        if total and done < total:
            el("sync-bar").max = total
            el("sync-bar").value = done
            say(el("sync-words"), words.progress(done, total) if total > _FEW else "")
        else:
            el("sync-bar").removeAttribute("value")

    def news(self, entries):
        """Say what happened to endpoints."""
        self._tell("\n".join([words.news(entry) for entry in entries]))
        self._old_at = now() + _NEWS_MILLISECONDS

    def _tell(self, text):
        """Say something below the nodes, until there is something else to say."""
        self._compared = False
        self._old_at = None
        say(el("nodes-news"), text)

    async def _choose_mode(self, _):
        mode = el("sync-mode").value
        window.localStorage.setItem(MODE_KEPT, mode)
        try:
            await self._agent.call("set_sync", interval=mode)
        except AgentError as error:
            banner.tell(error)
        await self._refresh()

    async def _compare(self, _):
        el("compare").disabled = True
        self._tell("Comparing…")
        try:
            found = await self._agent.call("compare")
            self._tell("\n".join([words.difference(one) for one in found]))
            self._compared = True
        except AgentError as error:
            self._tell("")
            banner.tell(error)
        await self._refresh()

    def _retrier(self, endpoint):
        async def retry(_):
            try:
                await self._agent.call("retry", endpoint=endpoint)
            except AgentError as error:
                banner.tell(error)
            await self._refresh()

        return retry

    async def sync(self, *_):
        """Run a round now."""
        self._asked = True
        self._tell("")
        self._busy(True)
        try:
            await self._agent.call("sync_now")
        except AgentError as error:
            banner.tell(error, self.sync)
        self._asked = False
        await self._refresh()
