"""The move from one node to another: the dialog, and what is said of one that was interrupted."""

import json

from ui.client import AgentError
from ui.kit.dom import clone, el, keep, kept, on, say, show, slot, tone
from ui.kit.form import Form
from ui.kit.texts import t
from ui.screens.nodes import node_words

_KEPT = "web5-move"


class Move:
    """The dialog, and the note above the nodes.

    Parameters:
        agent: moves.
        changed: called at the end.
    """

    def __init__(self, agent, changed):
        self._agent = agent
        self._changed = changed
        self._source = ""
        self._running = False
        self._form = Form("move", self._move, t("Looking…"))
        self._rows = {}
        for name, _ in node_words.STEPS:
            row = clone("home-fact-template")
            slot(row, "link").remove()
            el("move-steps").append(row)
            self._rows[name] = row
        for button in ("move-cancel", "move-close"):
            on(el(button), "click", lambda _: el("move-dialog").close())
        on(el("move-again"), "click", self._again)
        on(el("move-forget"), "click", self._forget)

    def open(self, source):
        """Ask where to; or show the move that runs."""
        if not self._running:
            self._source = source
            self._form.clear()
            say(el("move-hint"), node_words.move_hint(source))
            self._stage(False)
        el("move-dialog").showModal()

    def show(self, nodes):
        """Say that a move was interrupted, if both nodes are still there."""
        begun = self._begun()
        here = [node["endpoint"].rstrip("/") for node in nodes]
        if begun and begun["source"].rstrip("/") not in here:
            keep("localStorage", _KEPT, None)
            begun = None
        waits = bool(begun) and not self._running
        show(el("move-note"), waits)
        if waits:
            say(el("move-note-words"), node_words.unfinished(begun["source"], begun["target"]))

    def progress(self, steps):
        """Show how far it has come."""
        if not self._running or not steps:
            return
        for name in self._rows:
            kind, text = node_words.step(name, steps)
            row = self._rows[name]
            tone(slot(row, "dot"), kind)
            say(slot(row, "words"), text)
        bar, fill = el("move-bar"), steps.get("fill")
        if fill and fill["total"] > 1 and "compare" not in steps:
            bar.max = fill["total"]
            bar.value = fill["done"]
        else:
            bar.removeAttribute("value")

    async def _move(self):
        target = el("move-url").value.strip()
        if not target:
            self._form.complain(t("Type the address of the node."))
            return
        await self._run(self._source, target)

    async def _run(self, source, target):
        self._running = True
        self._stage(True)
        self.progress({"fill": {"done": 0, "total": 1}})
        keep("localStorage", _KEPT, json.dumps({"source": source, "target": target}))
        show(el("move-note"), False)
        try:
            found = await self._agent.call("move_node", source=source, target=target)
        except AgentError as error:
            self._running = False
            if error.kind in ("InvalidArgument", "IdentityError", "DidError"):
                keep("localStorage", _KEPT, None)  # nothing was changed
            self._stage(False)
            el("move-url").value = target
            if not el("move-dialog").open:
                el("move-dialog").showModal()
            await self._changed()
            raise
        self._running = False
        keep("localStorage", _KEPT, None)
        for name in self._rows:
            tone(slot(self._rows[name], "dot"), "good")
            say(slot(self._rows[name], "words"), dict(node_words.STEPS)[name])
        say(el("move-words"), node_words.moved(found))
        show(el("move-bar"), False)
        say(el("move-close"), t("Close"))
        await self._changed()

    async def _again(self, _):
        begun = self._begun()
        if begun:
            self.open(begun["source"])
            el("move-url").value = begun["target"]
            await self._form.run(lambda: self._run(begun["source"], begun["target"]))

    async def _forget(self, _):
        keep("localStorage", _KEPT, None)
        show(el("move-note"), False)

    def _begun(self):
        try:
            begun = json.loads(kept("localStorage", _KEPT) or "null")
            return begun if begun and begun["source"] and begun["target"] else None
        except (ValueError, KeyError, TypeError):
            return None

    def _stage(self, running):
        show(el("move-form"), not running)
        show(el("move-run"), running)
        show(el("move-bar"), running)
        say(el("move-words"), "")
        say(el("move-close"), t("Go on in the background"))
