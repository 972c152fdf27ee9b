"""The picture of the nodes: this browser in the middle, the others around it; and the same as a table."""

import math

from ui import words
from ui.kit.dom import clone, el, now, say, show, slot, tone

_MOST = 8
"""Nodes in the picture; the list below it has all."""


class Picture:
    """The picture, and the table for whoever does not see it."""

    def __init__(self):
        self._shown = {}

    def show(self, nodes):
        """Show how each node stands to this browser."""
        here = [node["endpoint"] for node in nodes[:_MOST]]
        if here != list(self._shown):
            self._place(here)
        show(el("sky"), bool(here))
        for node in nodes[:_MOST]:
            self._show(node, *self._shown[node["endpoint"]])

    def _place(self, endpoints):
        self._shown = {}
        el("sky-nodes").replaceChildren()
        el("sky-rows").replaceChildren()
        for at in range(len(endpoints)):
            endpoint = endpoints[at]
            # Two stand beside this browser, and not above and below it: there is more room.
            angle = math.pi + 2 * math.pi * at / len(endpoints) + (math.pi / 2 if len(endpoints) % 2 else 0)
            body, row = clone("sky-template"), clone("sky-row-template")
            body.style.setProperty("--x", str(round(math.cos(angle), 4)))
            body.style.setProperty("--y", str(round(math.sin(angle), 4)))
            for part in (body, row):
                say(slot(part, "name"), words.node_name(endpoint))
            el("sky-nodes").append(body)
            el("sky-rows").append(row)
            self._shown[endpoint] = body, row

    def _show(self, node, body, row):
        left = (node["next_try"] - now()) / 1000 if node["next_try"] else 0
        name, text = words.node_state(node, left if left > 0 else None)
        waiting = node["pending_out"] + node["pending_in"]
        if name == "good" and waiting:
            name = "busy"
        tone(body, name)
        say(slot(body, "state"), text)
        say(slot(row, "state"), text)
        show(slot(body, "count"), bool(waiting))
        say(slot(body, "count"), words.grouped(waiting) if waiting else "")
        say(slot(row, "count"), words.messages(waiting))
