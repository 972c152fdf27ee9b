"""One conversation: what was written, where each message is, and writing the next.

Invariants:
1. A text that the person sent is on the page until the agent has it: as a message that is being sent, after a reload
   too, or back in the field with what went wrong.
2. A message that is sent again, because an answer was lost, is one message: its key says so.
"""

import json

from ui import words
from ui.client import AgentError
from ui.kit.dom import (
    clone,
    document,
    el,
    keep,
    kept,
    local_time,
    now,
    on,
    on_items,
    place,
    saves,
    say,
    show,
    slot,
    spawn,
    window,
)
from ui.kit.form import Form
from ui.kit.rounds import Rounds
from ui.kit.texts import t
from ui.screens.messages import message_words
from ui.shell import banner

_PAGE = 50
_DRAFT = "web5-message-draft"
_UNSENT = "web5-messages-unsent"


class Conversation:
    """The conversation that is open, if one is.

    Parameters:
        agent: has the messages.
        changed: called when the list of conversations may be another.

    Attributes:
        did: whom it is with; None if none is open.
    """

    def __init__(self, agent, changed):
        self._agent = agent
        self._changed = changed
        self.did = None
        self._person = None
        self._limit = _PAGE
        self._bubbles = {}
        self._rounds = Rounds(self._ask)
        self._outbox = _Outbox(agent, self._sent, self._refused)
        self._name_form = Form("rename", self._rename, t("Saving…"))
        on_items(el("bubbles"), "data-message", self._bubbles)
        on(el("message-form"), "submit", self._submit)
        on(el("message-text"), "keydown", self._key)
        on(el("message-text"), "input", lambda _: self._keep_draft())
        on(el("bubbles-earlier"), "click", self._earlier)
        on(el("judge-accept"), "click", lambda _: self._judge("accepted"))
        on(el("judge-block"), "click", lambda _: self._judge("blocked"))
        on(el("conversation-block"), "click", lambda _: self._judge(self._other_standing()))
        on(el("conversation-rename"), "click", lambda _: self._ask_name())

    def open(self, did):
        """Open the conversation with somebody, or none."""
        if did == self.did:
            return
        self.did = did
        self._person = None
        self._limit = _PAGE
        for key in list(self._bubbles):
            self._bubbles.pop(key).element.remove()
        for part in ("judge", "bubbles-more", "bubbles-empty", "message-form", "rename-form", "message-problem"):
            show(el(part), False)
        show(el("conversation"), bool(did))
        if not did:
            return
        self._show_who({"did": did, "name": ""})
        draft = json.loads(kept("sessionStorage", _DRAFT) or "{}")
        el("message-text").value = draft.get("text", "") if draft.get("did") == did else ""
        if not document.activeElement.closest("nav"):
            el("conversation-name").focus()

    def tick(self):
        """Say again how old the messages are."""
        for bubble in self._bubbles.values():
            bubble.tick()

    async def refresh(self):
        """Show what the agent has of it now."""
        if self.did:
            try:
                await self._rounds.run()
            except AgentError as error:
                if error.kind != "InvalidArgument":
                    banner.show_error(error)
                    return
                self._show_who({"did": self.did, "name": ""})
                self._complain(error.message)

    async def _ask(self):
        did = self.did
        if not did:
            return
        found = await self._agent.call("conversation", did=did, limit=self._limit)
        if did == self.did:
            self._show(found)
            self._outbox.start()
            await self._read(found)

    async def _read(self, found):
        """Note that it was read, if it was seen."""
        theirs = [one for one in found["messages"] if not one["mine"]]
        seen = place()[0] == "messages" and document.visibilityState == "visible"
        if theirs and seen and found["standing"] == "accepted":
            await self._agent.call("read_conversation", did=found["did"])

    def _show(self, found):
        first = self._person is None
        self._person = found
        self._show_who(found)
        standing = found["standing"]
        show(el("judge"), standing == "stranger")
        say(el("judge-words"), message_words.judge(found) if standing == "stranger" else "")
        show(el("conversation-block"), standing in ("accepted", "blocked"))
        show(el("conversation-rename"), standing == "accepted")
        say(el("conversation-block"), t("Unblock") if standing == "blocked" else t("Block"))
        show(el("message-form"), standing != "blocked")
        keys = [message["key"] for message in found["messages"]]
        waiting = [one for one in self._outbox.waiting(found["did"]) if one["key"] not in keys]
        show(el("bubbles-empty"), not found["messages"] and not waiting and standing != "blocked")
        show(el("bubbles-more"), found["more"])
        is_low = first or self._is_at_the_end()
        here = {message["id"] for message in found["messages"]} | {one["key"] for one in waiting}
        for key in list(self._bubbles):
            if key not in here:
                self._bubbles.pop(key).element.remove()
        parent = el("bubbles")
        at = parent.firstElementChild
        for message in found["messages"] + waiting:
            key = message.get("id") or message["key"]
            bubble = self._bubbles.get(key)
            if bubble is None:
                bubble = self._bubbles[key] = _Bubble(key, message, self._retry)
            bubble.show(message)
            if at is not None and at.getAttribute("data-message") == key:
                at = at.nextElementSibling
            else:
                parent.insertBefore(bubble.element, at)
        if is_low and parent.lastElementChild:
            parent.lastElementChild.scrollIntoView(False)

    def _is_at_the_end(self):
        last = el("bubbles").lastElementChild
        return last is None or last.getBoundingClientRect().top < window.innerHeight

    def _show_who(self, person):
        say(el("conversation-name"), message_words.name(person))
        el("conversation-name").title = person["did"]
        say(el("conversation-face"), message_words.face(person))

    def _complain(self, text):
        show(el("message-problem"), bool(text))
        say(el("message-problem"), words.theirs(text))

    def _keep_draft(self):
        text = el("message-text").value
        keep("sessionStorage", _DRAFT, json.dumps({"did": self.did, "text": text}) if text else None)

    def _key(self, event):
        if saves(event):
            event.preventDefault()
            return self._send()

    def _submit(self, event):
        event.preventDefault()
        return self._send()

    def _send(self):
        """Take what was written, at once: what is typed next is another message."""
        text = el("message-text").value.strip()
        if not text or not self._person:
            return None
        el("message-text").value = ""
        self._keep_draft()
        self._complain("")
        self._outbox.add(self.did, text)
        el("message-text").focus()
        self._show(self._person)
        el("bubbles").lastElementChild.scrollIntoView(False)
        return self._outbox.work()

    async def _sent(self, did):
        if did == self.did:
            await self.refresh()
        await self._changed()

    def _refused(self, did, text, error):
        """Give a text back that could not be sent."""
        if did != self.did:
            keep("sessionStorage", _DRAFT, json.dumps({"did": did, "text": text}))
            banner.show_error(error)
            return
        if not el("message-text").value:
            el("message-text").value = text
            self._keep_draft()
        self._complain(message_words.refusal(error.kind, error.message))
        if self._person:
            self._show(self._person)

    async def _earlier(self, _):
        self._limit += _PAGE
        await self.refresh()

    def _other_standing(self):
        return "accepted" if self._person and self._person["standing"] == "blocked" else "blocked"

    async def _judge(self, standing):
        await banner.attempt(self._agent, "judge_person", did=self.did, standing=standing)
        await self.refresh()
        await self._changed()
        el("message-text" if standing == "accepted" else "conversation-name").focus()

    def _ask_name(self):
        asking = el("rename-form").hidden
        self._name_form.clear()
        show(el("rename-form"), asking)
        if asking:
            el("rename-text").value = self._person["name"] if self._person else ""
            el("rename-text").focus()

    async def _rename(self):
        await self._agent.call("rename_person", did=self.did, called=el("rename-text").value)
        show(el("rename-form"), False)
        el("conversation-rename").focus()
        await self.refresh()
        await self._changed()

    async def _retry(self):
        await banner.attempt(self._agent, "retry_conversation", did=self.did)
        await self.refresh()


class _Bubble:
    """One message.

    Attributes:
        actions: what its buttons do, by their names in the template.
    """

    def __init__(self, key, message, retry):
        self._shown = None
        self.actions = {"again": lambda _: retry()}
        self.element = clone("bubble-template")
        self.element.setAttribute("data-message", key)
        self.element.classList.toggle("mine", message["mine"])

    def show(self, message):
        """Show its text, and where it is."""
        if message == self._shown:
            return
        self._shown = message
        say(self._slot("text"), message["text"] or message_words.UNREADABLE)
        if message["created"]:
            self._slot("time").title = local_time(message["created"])
        self.tick()
        mark, meaning = message_words.delivery(message["state"])
        sign = self._slot("delivery")
        show(sign, bool(mark))
        if mark:
            say(sign, mark)
            sign.title = meaning
            sign.setAttribute("role", "img")
            sign.setAttribute("aria-label", meaning)
            sign.setAttribute("data-state", message["state"])
        failed = message["state"] == "failed"
        show(self._slot("again"), failed)
        show(self._slot("why"), failed)
        say(self._slot("why"), words.theirs(message["why"]) if failed else "")

    def tick(self):
        """Say again how old it is."""
        created = self._shown["created"]
        say(self._slot("time"), words.ago((now() - created) / 1000) if created else "")

    def _slot(self, name):
        return slot(self.element, name)


class _Outbox:
    """What was written and is not with the agent yet; invariants 1 and 2.

    Parameters:
        sent: called with the DID when the agent has a message.
        refused: called with DID, text and error when it cannot be.
    """

    def __init__(self, agent, sent, refused):
        self._agent = agent
        self._sent = sent
        self._refused = refused
        self._working = False
        self._queue = [list(one) for one in json.loads(kept("sessionStorage", _UNSENT) or "[]")]

    def waiting(self, did):
        """Return what waits for somebody, as messages."""
        own = {"mine": True, "state": "sending", "why": "", "created": None}
        return [dict(own, key=key, text=text) for to, text, key in self._queue if to == did]

    def add(self, did, text):
        """Put a message at the end."""
        self._queue.append([did, text, window.crypto.randomUUID()])
        self._keep()

    def start(self):
        """Send what an earlier visit, or a locked vault, has left."""
        if self._queue and not self._working:
            spawn(self.work())

    async def work(self):
        """Hand over what waits, one after the other."""
        if self._working:
            return
        self._working = True
        try:
            while self._queue:
                did, text, key = self._queue[0]
                try:
                    await self._agent.call("send_message", did=did, text=text, key=key)
                except AgentError as error:
                    if error.kind == "VaultLocked":
                        return  # it waits for whoever unlocks
                    self._queue.pop(0)
                    self._keep()
                    self._refused(did, text, error)
                    continue
                self._queue.pop(0)
                self._keep()
                await self._sent(did)
        finally:
            self._working = False

    def _keep(self):
        keep("sessionStorage", _UNSENT, json.dumps(self._queue) if self._queue else None)
