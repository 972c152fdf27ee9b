"""A page of the records, or of the messages: the rows on the screen, the filter, the order, and where the page begins.

However many there are, there are rows for one page, which are used again for the next.
"""

import asyncio

from ui import words
from ui.kit.dom import clone, document, el, local_time, now, on, place, say, show, slot, tone
from ui.kit.rounds import Rounds
from ui.screens.data import data_words

PAGE = 50
_AT_ONCE = 10


class Listing:
    """The list of a tab.

    Parameters:
        agent: has what is listed.
        opened: returns the CID of the message that is shown beside it, or an empty text.
    """

    def __init__(self, agent, opened):
        self._agent = agent
        self._opened = opened
        self._tab = ""
        self._filter = ""
        self._order = ""
        self._starts = [None]
        self._next = None
        self._count = 0
        self._rows = []
        self._chips = ()
        self._protocols = ()
        self._rounds = Rounds(self._ask)
        on(el("data-before"), "click", lambda _: self._turn(False))
        on(el("data-after"), "click", lambda _: self._turn(True))
        on(el("data-order"), "change", self._reorder)
        on(el("data-chips"), "click", self._choose)

    def open(self, tab):
        """List what belongs to a tab, from its beginning; nothing changes if that is shown already."""
        if tab == self._tab:
            return
        self._tab, self._filter = tab, ""
        self._order = data_words.ORDERS[tab][0][0]
        self._begin()
        say(el("data-lead"), data_words.LEADS[tab])
        el("data-rows").setAttribute("aria-label", data_words.NAMES[tab])
        el("data-rows").replaceChildren()
        el("data-order").replaceChildren()
        for name, text in data_words.ORDERS[tab]:
            option = document.createElement("option")
            option.value = name
            option.textContent = text
            el("data-order").append(option)
        self._show_chips(True)

    def close(self):
        """Take everything off the page."""
        self._tab = ""
        self._rows = []
        self._protocols = ()
        el("data-rows").replaceChildren()

    async def refresh(self):
        """Show what there is now."""
        if self._tab:
            await self._rounds.run()

    def mark(self):
        """Mark the row of the message that is shown."""
        cid = self._opened()
        for row in self._rows:
            row.mark(cid)

    def tick(self):
        """Say again how old everything is."""
        if place()[0] == "data":
            for row in self._rows:
                row.tick()

    def _begin(self):
        self._starts, self._next = [None], None

    def _turn(self, on_):
        if on_ and self._next is not None:
            self._starts.append(self._next)
        elif not on_ and len(self._starts) > 1:
            self._starts.pop()
        else:
            return None
        self._next = None  # what follows the page that comes is not known yet
        el("data-after").disabled = True
        return self._jump()

    async def _jump(self):
        await self.refresh()
        el("data-listing").scrollIntoView(True)
        if self._rows and not document.activeElement.closest("#data-pager"):
            self._rows[0].link.focus()

    def _reorder(self, _):
        self._order = el("data-order").value
        self._begin()
        return self.refresh()

    def _choose(self, event):
        button = event.target.closest("button[data-filter]")
        if not button:
            return None
        self._filter = button.getAttribute("data-filter")
        self._begin()
        self._show_chips(False)
        return self.refresh()

    async def _ask(self):
        tab, start = self._tab, self._starts[-1]
        if tab == "records":
            if len(self._starts) == 1:
                self._protocols = [one["protocol"] for one in await self._agent.call("protocols")]
            found = await self._agent.call(
                "data_records", order=self._order, limit=PAGE, cursor=start, **self._filters()
            )
        elif tab:
            method = self._filter or None
            newest = self._order == "newest"
            found = await self._agent.call(
                "data_messages", newest_first=newest, limit=PAGE, method=method, cursor=start
            )
        else:
            return
        if tab == self._tab and start == self._starts[-1]:
            await self._show(found, start)

    def _filters(self):
        if self._filter == "published":
            return {"published": True}
        return {"protocol": self._filter} if self._filter else {}

    async def _show(self, found, start):
        rows = found["rows"]
        tab = self._tab
        self._show_chips(False)
        for at in range(len(rows)):
            if at and at % _AT_ONCE == 0:
                await asyncio.sleep(0)  # whoever types or scrolls meanwhile is not kept waiting
                if tab != self._tab or start != self._starts[-1]:
                    return
            if at == len(self._rows):
                self._rows.append(_Row())
            row = self._rows[at]
            row.show(rows[at])
            if not row.element.isConnected:
                el("data-rows").append(row.element)
        for row in self._rows[len(rows) :]:
            row.element.remove()
        self._rows = self._rows[: len(rows)]
        self.mark()
        show(el("data-empty"), not rows)
        self._next = found["cursor"]
        first = (len(self._starts) - 1) * PAGE
        el("data-before").disabled = len(self._starts) < 2
        el("data-after").disabled = self._next is None
        show(el("data-pager"), bool(first or self._next))
        say(el("data-range"), data_words.range_of(first, len(rows), self._next is not None))

    def _show_chips(self, anew):
        """Show the filters of the tab, of which one is chosen."""
        if self._tab == "records":
            protocols = [one for one in self._protocols if one != data_words.PERMISSIONS]
            protocols.append(data_words.PERMISSIONS)
            chips = data_words.ALL + tuple([(one, data_words.uri(one)) for one in protocols])
        else:
            chips = data_words.METHODS
        group = el("data-chips")
        if anew or chips != self._chips:
            self._chips = chips
            group.replaceChildren()
            for name, text in chips:
                button = document.createElement("button")
                button.type = "button"
                button.setAttribute("data-filter", name)
                button.title = name if "://" in name else text
                button.textContent = text
                group.append(button)
        for button in group.children:
            pressed = button.getAttribute("data-filter") == self._filter
            button.setAttribute("aria-pressed", "true" if pressed else "false")


class _Row:
    """A row, which shows one thing after the other."""

    def __init__(self):
        self._shown = None
        self._marked = False
        self.element = clone("datum-template")
        self.link = slot(self.element, "link")
        self._what, self._about = slot(self.element, "what"), slot(self.element, "about")
        self._time, self._chip = slot(self.element, "time"), slot(self.element, "chip")

    def show(self, row):
        """Show something, if it is not shown already."""
        if row == self._shown:
            return
        self._shown = row
        self.link.href = "#/data/messages/" + row["cid"]
        say(self._what, data_words.what(row))
        say(self._about, data_words.about(row))
        name, text = data_words.chip(row)
        show(self._chip, bool(text))
        if text:
            tone(self._chip, name)
            say(self._chip, text)
        self._time.title = local_time(row["date"])
        self.tick()

    def mark(self, cid):
        """Mark it if it is that of the message that is shown."""
        marked = bool(cid) and cid == self._shown["cid"]
        if marked != self._marked:
            self._marked = marked
            if marked:
                self.link.setAttribute("aria-current", "true")
            else:
                self.link.removeAttribute("aria-current")

    def tick(self):
        """Say again how old it is."""
        say(self._time, words.ago((now() - self._shown["date"]) / 1000))
