"""The home screen: what is new, what needs the person, and the first steps; and the welcome on the first visit."""

from ui import words
from ui.client import AgentError
from ui.kit.dom import clone, document, el, go, keep, local_time, now, on, place, say, show, slot, tone
from ui.kit.rounds import Rounds
from ui.kit.texts import t
from ui.screens.home import home_words
from ui.screens.settings.keys import key_words
from ui.shell import banner

_WELCOMED = "web5-welcomed"
_NEWEST = 5
_NOBODY = {"on": False, "people": [], "requests": []}


class Home:
    """What there is today.

    Parameters:
        agent: has it.
        recover: opens the dialog for the twelve words.
        join: opens that for the code of another device.
    """

    def __init__(self, agent, recover, join):
        self._agent = agent
        self._state = None
        self._times = []
        self._shown = {}
        self._rounds = Rounds(self._ask)
        on(el("welcome-start"), "click", self._start)
        on(el("welcome-recovery"), "click", lambda _: recover())
        on(el("welcome-join"), "click", lambda _: join())

    def show(self, state):
        """Show the state of the identity in use."""
        if self._state and self._state["did"] != state["did"]:
            self.close()
        self._state = state
        show(el("welcome-alone"), not state["endpoints"] and not state["did_error"])

    def close(self):
        """Take everything off the page until there is an identity again."""
        self._state = None
        self._times = []
        self._shown.clear()
        show(el("home-body"), False)
        show(el("home-wait"), True)
        for name in ("needs-list", "steps-list", "home-notes", "home-messages"):
            el(name).replaceChildren()

    async def refresh(self):
        """Show what there is now, if anybody looks."""
        if self._state and place()[0] == "home":
            try:
                await self._rounds.run()
            except AgentError as error:
                banner.show_error(error, self.refresh)

    def tick(self):
        """Say again how old everything is."""
        for element, moment in self._times:
            say(element, words.ago((now() - moment) / 1000))

    def _start(self, _):
        keep("localStorage", _WELCOMED, "yes")
        document.documentElement.removeAttribute("data-visit")
        if place()[0] != "notes":
            go("notes")
        el("note-text").focus()

    async def _ask(self):
        state = self._state
        notes = (await self._agent.call("notes", limit=_NEWEST))["notes"]
        people = await self._agent.call("conversations", limit=_NEWEST)
        if not self._state or self._state["did"] != state["did"]:
            return
        state = self._state
        talks = [one for one in people["people"] if one["created"] is not None][:_NEWEST]
        show(el("home-wait"), False)
        show(el("home-body"), True)
        _facts(self._changed("needs", home_words.needs(state, len(people["requests"]))), "needs-list", "needs-part")
        taken = [
            ("good" if done else None, text, "" if done else label, to)
            for done, text, label, to in home_words.steps(
                bool(notes), bool(talks), len(state["devices"]) > 1, state["vault"]
            )
        ]
        _facts(self._changed("steps", taken), "steps-list", "steps-part")
        rows = [(home_words.first_line(one["text"]), "notes/" + one["id"], one["modified"]) for one in notes]
        talked = [(home_words.message(one), "messages/" + one["did"], one["created"]) for one in talks]
        self._rows(self._changed("notes", rows), "home-notes")
        self._rows(self._changed("messages", talked), "home-messages")
        said = key_words.summary(state["endpoints"], state["syncing"], state["did_error"], state["keys"])
        name, text = home_words.places(state["endpoints"], said)
        tone(el("home-nodes"), name)
        say(el("home-nodes-words"), text)
        self.tick()

    def _changed(self, name, found):
        """Return what is to be shown, or None if that is shown already."""
        if self._shown.get(name) == found:
            return None
        self._shown[name] = found
        return found

    def _rows(self, rows, name):
        if rows is None:
            return
        parent = el(name)
        show(el(name + "-part"), bool(rows))
        self._times = [one for one in self._times if not parent.contains(one[0])]
        parent.replaceChildren()
        for text, address, moment in rows:
            row = clone("home-row-template")
            slot(row, "link").href = "#/" + address
            say(slot(row, "text"), text)
            slot(row, "time").title = local_time(moment)
            self._times.append((slot(row, "time"), moment))
            parent.append(row)


def _facts(facts, name, part):
    if facts is None:
        return
    show(el(part), bool(facts))
    parent = el(name)
    parent.replaceChildren()
    for kind, text, label, address in facts:
        row = clone("home-fact-template")
        tone(slot(row, "dot"), kind)
        say(slot(row, "words"), text)
        link = slot(row, "link")
        if label:
            link.href = "#/" + address
            say(link, label)
        else:
            link.remove()
            row.setAttribute("data-done", "")
            say(slot(row, "words"), t("Done: {text}", text=text))
        parent.append(row)
