"""The last hour as small plots, and the same as a table."""

from ui.client import AgentError
from ui.kit.dom import clone, el, place, say, show, slot
from ui.kit.rounds import Rounds
from ui.screens.nodes import hour_words

_MINUTES = 5
_COLUMNS = ("since", "sent", "fetched", "bytes", "delay")
_PLOTS = ("messages", "bytes", "delays")
WIDTH, HEIGHT = 240, 40


class Hour:
    """The plots.

    Parameters:
        agent: knows what flowed.
    """

    def __init__(self, agent):
        self._agent = agent
        self._told = None
        self._rounds = Rounds(self._ask)

    async def refresh(self):
        """Show what flowed, if anybody looks."""
        if place()[0] == "nodes":
            try:
                await self._rounds.run()
            except AgentError:
                return  # what is wrong is said elsewhere

    async def _ask(self):
        told = await self._agent.call("last_hour")
        if told == self._told:
            return
        self._told = told
        show(el("hour"), True)
        both = [told["sent"][at] + told["fetched"][at] for at in range(len(told["sent"]))]
        values = (both, told["bytes"], told["delays"])
        said = hour_words.hour(told)
        for at in range(len(_PLOTS)):
            say(el("hour-" + _PLOTS[at]), said[at])
            el("plot-" + _PLOTS[at]).setAttribute("d", hour_words.bars(values[at], WIDTH, HEIGHT))
        rows = hour_words.spans(told, _MINUTES)
        show(el("hour-quiet"), not rows)
        el("hour-rows").replaceChildren()
        for row in rows:
            line = clone("hour-row-template")
            for at in range(len(_COLUMNS)):
                say(slot(line, _COLUMNS[at]), row[at])
            el("hour-rows").append(line)
