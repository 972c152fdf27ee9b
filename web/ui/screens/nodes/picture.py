"""The picture: this browser in the middle, its nodes and other devices around it; and the same as a table."""

import math

from ui import sync_words, words
from ui.kit.dom import clone, el, now, say, show, slot, tone
from ui.kit.texts import grouped
from ui.screens.nodes import node_words
from ui.screens.settings.devices import device_words

_MOST = 8
"""Nodes and devices in the picture; the lists have all."""
_DEVICE = "device:"


class Picture:
    """The picture, and the table for whoever does not see it."""

    def __init__(self):
        self._shown = {}

    def show(self, nodes, devices, flows):
        """Show how each node stands to this browser, and when each device was there.

        Parameters:
            flows: what flows, in words, by the node.
        """
        nodes = nodes[:_MOST]
        others = [one for one in devices if not one["here"]][: _MOST - len(nodes)]
        here = [node["endpoint"] for node in nodes] + [_DEVICE + one["id"] for one in others]
        if here != list(self._shown):
            self._place(here)
        show(el("sky"), bool(here))
        el("sky").setAttribute("data-count", str(len(here)))
        for node in nodes:
            self._show_node(node, flows.get(node["endpoint"]), *self._shown[node["endpoint"]])
        for device in others:
            body, row = self._shown[_DEVICE + device["id"]]
            kind, text = device_words.seen(device, now())
            tone(body, kind)
            for part in (body, row):
                say(slot(part, "name"), device_words.name(device))
                say(slot(part, "state"), text)

    def tabs(self, number):
        """Show how many other tabs there are."""
        text = node_words.tabs(number)
        for name in ("sky-tabs", "sky-tabs-said"):
            say(el(name), text)

    def _place(self, keys):
        self._shown = {}
        el("sky-nodes").replaceChildren()
        el("sky-rows").replaceChildren()
        for at in range(len(keys)):
            # Two stand beside this browser, and not above and below it: there is more room.
            angle = math.pi + 2 * math.pi * at / len(keys) + (math.pi / 2 if len(keys) % 2 else 0)
            body, row = clone("sky-template"), clone("sky-row-template")
            body.style.setProperty("--x", str(round(math.cos(angle), 4)))
            body.style.setProperty("--y", str(round(math.sin(angle), 4)))
            if keys[at].startswith(_DEVICE):
                body.classList.add("sky-device")
            else:
                for part in (body, row):
                    say(slot(part, "name"), words.node_name(keys[at]))
            el("sky-nodes").append(body)
            el("sky-rows").append(row)
            self._shown[keys[at]] = body, row

    def _show_node(self, node, flow, body, row):
        left = (node["next_try"] - now()) / 1000 if node["next_try"] else 0
        name, text = ("busy", flow) if flow else sync_words.node_state(node, left if left > 0 else None)
        waiting = node["pending_out"] + node["pending_in"]
        if name == "good" and waiting:
            name = "busy"
        tone(body, name)
        say(slot(body, "state"), text)
        say(slot(row, "state"), text)
        show(slot(body, "count"), bool(waiting))
        say(slot(body, "count"), grouped(waiting) if waiting else "")
        say(slot(row, "count"), words.messages(waiting))
