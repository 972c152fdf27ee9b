"""Adding a remote node."""

from ui.dom import el, on, show
from ui.form import Form


class NodeForm:
    """The form below the nodes, and the button that opens it.

    Parameters:
        agent: whose identity gets the node.
        changed: called when it has it.
    """

    def __init__(self, agent, changed):
        self._agent = agent
        self._changed = changed
        self._form = Form("node", self._add, "Adding…")
        on(el("node-open"), "click", lambda _: self._open(True))
        on(el("node-cancel"), "click", lambda _: self._open(False))

    def allow(self):
        """An identity is there, so nodes can be added to it."""
        if el("node-form").hidden:
            show(el("node-open"), True)

    def _open(self, opened):
        self._form.clear()
        show(el("node-form"), opened)
        show(el("node-open"), not opened)
        el("node-url" if opened else "node-open").focus()

    async def _add(self):
        await self._agent.call("add_node", url=el("node-url").value)
        self._open(False)
        await self._changed()
