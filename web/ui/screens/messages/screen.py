"""The screen of messages: the conversations, the requests of strangers apart, and whoever one writes to."""

import asyncio

from ui import words
from ui.client import AgentError
from ui.kit.dom import clone, copied, el, go, local_time, now, on, place, say, show, slot, window
from ui.kit.form import Form
from ui.kit.rounds import Rounds
from ui.kit.texts import t
from ui.screens.messages import message_words
from ui.screens.messages.conversation import Conversation
from ui.shell import banner
from ui.shell.places import need

_PAGE = 50
"""Conversations that are listed at first, and more each time that the person asks."""

_AT_A_TIME = 10
"""Rows that are made, or taken off, before the page may do something else."""

_OFFERED = 100
"""People who are offered for a group by their names."""


class Messages:
    """The lists of conversations, and the one that is open.

    Parameters:
        agent: has the messages.
    """

    def __init__(self, agent):
        self._agent = agent
        self._me = ""
        self._open = False
        self._known = {}
        self._requests = {}
        self._rounds = Rounds(self._look)
        self._limit = _PAGE
        self._token = ""
        self._closings = 0
        self._marked = None
        self._group_key = ""
        self._conversation = Conversation(agent, self.refresh, self._others)
        self._form = Form("person", self._write_to, t("Looking…"))
        self._group_form = Form("group", self._make_group, t("Beginning…"))
        on(el("person-open"), "click", lambda _: self._ask("person", True))
        on(el("person-cancel"), "click", lambda _: self._ask("person", False))
        on(el("group-open"), "click", lambda _: self._ask("group", True))
        on(el("group-cancel"), "click", lambda _: self._ask("group", False))
        on(el("people-older"), "click", self._older)
        on(el("messages-on"), "click", self._turn_on)
        on(el("address-code-part"), "toggle", self._show_code)
        on(el("person-address"), "paste", self._pasted)
        on(el("person-scan"), "click", self._scan)
        show(el("person-scan"), bool(window.web5CanReadCodes))
        on(el("link-copy"), "click", lambda _: self._copy("link-copy", self._link(), t("Copy the link")))
        on(el("address-copy"), "click", lambda _: self._copy("address-copy", self._me, t("Copy the address alone")))

    def show(self, state):
        """Show the messages of the identity in use."""
        if self._me != state["did"]:
            self.close()
        self._me = state["did"]
        self._open = True

    def close(self):
        """Take everything off the page until there is an identity again."""
        self._open = False
        self._me = ""
        el("address-code-part").open = False
        show(el("address-code"), False)
        el("address-code").removeAttribute("src")
        _stop_camera()
        self._limit = _PAGE
        self._token = ""
        self._closings += 1
        for rows in (self._known, self._requests):
            for did in list(rows):
                rows.pop(did).element.remove()
        self._conversation.open(None)
        need("messages", 0, "")
        for part in ("people-part", "requests-part", "address-part", "messages-off", "begin"):
            show(el(part), False)
        show(el("messages-wait"), True)

    async def refresh(self):
        """Show what the agent has now."""
        if self._open:
            try:
                await self._rounds.run()
            except AgentError as error:
                banner.show_error(error, self.refresh)

    def go(self, did):
        """Show the conversation with somebody, or none of them."""
        before = self._conversation.did
        self._conversation.open(did if self._open and did and place()[0] == "messages" else None)
        self._mark()
        if place()[0] != "messages":
            self._limit = _PAGE
        if before and not did and before in self._known:
            self._known[before].link.focus()

    def progress(self, entries):
        """Say how much of the files is stored that are being sent."""
        self._conversation.progress(entries)

    def tick(self):
        """Say again how old the last messages are."""
        for rows in (self._known, self._requests):
            for row in rows.values():
                row.tick()
        self._conversation.tick()

    async def _look(self):
        me = self._me
        await self._look_at_one()
        found = await self._agent.call("conversations", limit=self._limit, since=self._token)
        if not self._open or me != self._me:
            return
        show(el("messages-wait"), False)
        show(el("messages-off"), not found["on"])
        show(el("begin"), el("person-form").hidden and el("group-form").hidden)
        show(el("address-part"), found["on"])
        show(el("people-more"), found["more"])
        self._token = ""  # until all of it is shown
        requests = found["requests"]
        for at in range(len(requests)):
            requests[at]["after"] = requests[at - 1]["did"] if at else ""
        await self._list(self._requests, "requests", {"whole": True, "put": requests})
        if await self._list(self._known, "people", found["people"]):
            self._token = found["people"]["token"]
        said = message_words.blocked(found["blocked"])
        show(el("blocked-words"), bool(said))
        say(el("blocked-words"), said)
        new, requests = found["new"], len(found["requests"])
        need("messages", new + requests, message_words.needs(requests, new))
        self._mark()

    async def _look_at_one(self):
        """Show what is new in the conversation that is open, which the person looks at."""
        where, did = place()
        if where == "messages" and did:
            if self._conversation.did != did:
                self._conversation.open(did)
            await self._conversation.refresh()

    async def _list(self, rows, name, changes):
        """Show what has changed in a list, some rows at a time; return False if it was closed meanwhile.

        Parameters:
            changes: as the agent has them; `Lists.since` says what they are.
        """
        closings, put = self._closings, changes["put"]
        gone = changes.get("gone")
        if changes["whole"]:
            here = {person["did"] for person in put}
            gone = [did for did in rows if did not in here]
        show(el(name + "-part"), bool(put) or len(rows) > len(gone))
        for number in range(len(gone) + len(put)):
            if number % _AT_A_TIME == _AT_A_TIME - 1:
                await asyncio.sleep(0)
                if closings != self._closings:
                    return False
            if number < len(gone):
                row = rows.pop(gone[number], None)
                if row:
                    row.element.remove()
            else:
                person = put[number - len(gone)]
                row = rows.get(person["did"])
                if row is None:
                    row = rows[person["did"]] = _Row(person["did"])
                row.show(person)
                _put_after(el(name), row, rows.get(person["after"]))
        return True

    def _others(self):
        """Return the identity in use, and people who are known."""
        return self._me, [row.person for row in list(self._known.values())[:_OFFERED]]

    def _mark(self):
        did = self._conversation.did
        for rows in (self._known, self._requests):
            if did != self._marked and self._marked in rows:
                rows[self._marked].mark(False)
            if did in rows:
                rows[did].mark(True)
        self._marked = did

    def _ask(self, name, asking):
        (self._form if name == "person" else self._group_form).clear()
        show(el(name + "-form"), asking)
        show(el("begin"), not asking)
        if not asking:
            _stop_camera()
        first = {"person": "person-address", "group": "group-name"}[name]
        el(first if asking else name + "-open").focus()

    async def _older(self, _):
        self._limit += _PAGE
        await self.refresh()

    async def _make_group(self):
        name = el("group-name").value.strip()
        if not name:
            self._group_form.complain(t("A group has a name."))
            return
        # A call that is repeated begins no second group.
        self._group_key = self._group_key or window.crypto.randomUUID()
        group = await self._agent.call("make_group", called=name, key=self._group_key)
        self._group_key = ""
        self._ask("group", False)
        await self.refresh()
        go("messages/" + group)

    async def _write_to(self):
        did = message_words.address_in(el("person-address").value)
        if did is None:
            self._form.complain(message_words.NO_ADDRESS)
            return
        if did == self._me:
            self._form.complain(t("That is your own address: give it to others, and they can write to you."))
            return
        self._ask("person", False)
        go("messages/" + did)

    async def _turn_on(self, _):
        await banner.attempt(self._agent, "turn_on_messages")
        await self.refresh()

    async def _show_code(self, _):
        if not el("address-code-part").open or not self._me:
            return
        picture = await banner.attempt(self._agent, "address_code", link=self._link())
        if picture:
            el("address-code").src = picture
            show(el("address-code"), True)

    async def _pasted(self, event):
        """Read the code in a picture that was pasted, where the browser can do that."""
        files = event.clipboardData.files
        if files.length and window.web5CanReadPictures:
            event.preventDefault()
            self._found(await window.web5CodeIn(files[0]))

    async def _scan(self, _):
        if not el("person-video").hidden:
            _stop_camera()
            return
        show(el("person-video"), True)
        try:
            found = await window.web5ReadCode(el("person-video"))
        except Exception:
            found = None
            self._form.complain(t("The camera cannot be used here. Paste the address instead."))
        show(el("person-video"), False)
        if found is not None:
            self._found(found)

    def _found(self, text):
        if message_words.address_in(text or "") is None:
            self._form.complain(t("There is no address in that code."))
            return
        el("person-address").value = text
        self._form.complain("")
        el("person-save").focus()

    def _link(self):
        return window.location.href.split("#")[0] + "#/messages/" + self._me

    async def _copy(self, button, text, label):
        if await copied(text):
            say(el(button), t("Copied"))
        else:
            # Without the permission the person can still copy what is now selected.
            show(el("address-shown"), True)
            say(el("address-shown"), text)
            window.getSelection().selectAllChildren(el("address-shown"))
            say(el(button), label)


def _stop_camera():
    if not el("person-video").hidden:  # it may be another's
        window.web5StopCamera()


def _put_after(parent, row, before):
    """Put a row where it belongs, after another or at the beginning, if it is not there."""
    at = before.element.nextElementSibling if before else parent.firstElementChild
    if at is None or at.getAttribute("data-person") != row.did:
        parent.insertBefore(row.element, at)


class _Row:
    """Somebody in the list.

    Attributes:
        person: what is shown of them.
    """

    def __init__(self, did):
        self.did = did
        self.person = None
        self._told_at = self._told_until = 0
        self.element = clone("person-template")
        self.element.setAttribute("data-person", did)
        self.link = self._slot("link")
        self.link.href = "#/messages/" + did
        self.link.title = did

    def show(self, person):
        """Show the last message, and how many are new."""
        if person == self.person:
            return
        self.person = person
        say(self._slot("face"), message_words.face(person))
        say(self._slot("name"), message_words.name(person))
        say(self._slot("last"), message_words.last(person))
        badge = self._slot("new")
        show(badge, bool(person["new"]))
        say(badge, str(person["new"]) if person["new"] else "")
        badge.setAttribute("title", message_words.new_messages(person["new"]))
        self._told_until = 0
        self.tick()

    def mark(self, is_open):
        """Mark the one that is open."""
        if is_open:
            self.link.setAttribute("aria-current", "true")
        else:
            self.link.removeAttribute("aria-current")

    def tick(self):
        """Say again how old the last message is, if that is another text by now."""
        moment = now()
        if self._told_at <= moment < self._told_until:
            return
        created, time = self.person["created"], self._slot("time")
        seconds = 0 if created is None else (moment - created) / 1000
        self._told_at = moment
        self._told_until = moment + 1000 * words.true_for(seconds)
        say(time, "" if created is None else words.ago(seconds))
        if created is not None:
            time.title = local_time(created)

    def _slot(self, name):
        return slot(self.element, name)
