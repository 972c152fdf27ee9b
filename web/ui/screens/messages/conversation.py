"""One conversation: what was written, where each message is, and writing the next."""

import json

from ui import problems, words
from ui.client import AgentError
from ui.kit.dom import document, el, go, keep, kept, on, on_items, place, saves, say, show, window
from ui.kit.form import Form
from ui.kit.rounds import Rounds
from ui.kit.texts import t
from ui.screens.messages import message_words
from ui.screens.messages.bubble import Bubble
from ui.screens.messages.group import GroupPart
from ui.screens.messages.outbox import Outbox
from ui.screens.messages.sending import Sending
from ui.shell import banner

_PAGE = 50
_DRAFT = "web5-message-draft"
_PARTS = (
    "judge",
    "bubbles-more",
    "bubbles-empty",
    "message-form",
    "rename-form",
    "message-problem",
    "conversation-rename",
    "conversation-block",
    "conversation-tells-part",
    "conversation-words",
)


class Conversation:
    """The conversation that is open, if one is.

    Parameters:
        agent: has the messages.
        changed: called when the list of conversations may be another.
        others: returns the identity in use, and the people who are known.

    Attributes:
        did: whom it is with, or the name of a group's; None if none is open.
    """

    def __init__(self, agent, changed, others):
        self._agent = agent
        self._changed = changed
        self._others = others
        self.did = None
        self._person = None
        self._telling = False
        self._limit = _PAGE
        self._bubbles = {}
        self._rounds = Rounds(self._ask)
        self._outbox = Outbox(agent, self._sent, self._refused)
        self._sending = Sending(agent, self._whom, self._sent)
        self._group = GroupPart(agent, self._judged)
        self._name_form = Form("rename", self._rename, t("Saving…"))
        on_items(el("bubbles"), "data-message", self._bubbles)
        on(el("bubbles"), "web5-seen", self._seen)
        on(document, "web5-file", self._read_along)
        on(el("message-form"), "submit", self._submit)
        on(el("message-text"), "keydown", self._key)
        on(el("message-text"), "input", lambda _: self._keep_draft())
        on(el("bubbles-earlier"), "click", self._earlier)
        on(el("judge-accept"), "click", lambda _: self._judge("accepted"))
        on(el("judge-block"), "click", lambda _: self._judge("blocked"))
        on(el("conversation-block"), "click", lambda _: self._judge(self._other_standing()))
        on(el("conversation-rename"), "click", lambda _: self._ask_name())
        on(el("conversation-tells"), "change", self._tell)

    def open(self, did):
        """Open the conversation with somebody, or none."""
        if did == self.did:
            return
        self.did = did
        self._person = None
        self._limit = _PAGE
        for key in list(self._bubbles):
            self._bubbles.pop(key).take_off()
        for part in _PARTS:
            show(el(part), False)
        self._group.open(did)
        self._sending.show(did)
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

    def progress(self, entries):
        """Say how much of the files is stored that are being sent."""
        self._sending.progress(entries)

    async def retry(self):
        """Send again what was not delivered."""
        await banner.attempt(self._agent, "retry_conversation", did=self.did)
        await self.refresh()

    async def join(self, message):
        """Join the group to which a message invites, and go there."""
        group = await banner.attempt(self._agent, "join_group", message=message)
        if group:
            await self._changed()
            go("messages/" + group)

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
                self._complain(problems.complaint(error.kind, error.message))

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
        group = found["group"]
        me, known = self._others()
        self._group.show(found, me, known)
        show(el("conversation-block"), standing in ("accepted", "blocked") and not group)
        show(el("conversation-rename"), standing == "accepted" and not group)
        show(el("conversation-tells-part"), standing == "accepted" and not group)
        if not self._telling:
            el("conversation-tells").checked = found["tells"]
        say(el("conversation-block"), t("Unblock") if standing == "blocked" else t("Block"))
        said = message_words.stage(group) if group else ""
        show(el("conversation-words"), bool(said))
        say(el("conversation-words"), said)
        show(el("message-form"), self._may_write(found))
        keys = [message["key"] for message in found["messages"]]
        waiting = [one for one in self._outbox.waiting(found["did"]) if one["key"] not in keys]
        show(el("bubbles-empty"), not found["messages"] and not waiting and self._may_write(found))
        say(el("bubbles-empty"), message_words.EMPTY_GROUP if group else message_words.EMPTY)
        show(el("bubbles-more"), found["more"])
        is_low = first or self._is_at_the_end()
        here = {message["id"] for message in found["messages"]} | {one["key"] for one in waiting}
        for key in list(self._bubbles):
            if key not in here:
                self._bubbles.pop(key).take_off()
        parent = el("bubbles")
        at = parent.firstElementChild
        for message in found["messages"] + waiting:
            key = message.get("id") or message["key"]
            bubble = self._bubbles.get(key)
            if bubble is None:
                bubble = self._bubbles[key] = Bubble(key, message, self)
            bubble.show(message, standing == "accepted")
            if at is not None and at.getAttribute("data-message") == key:
                at = at.nextElementSibling
            else:
                parent.insertBefore(bubble.element, at)
        if is_low and parent.lastElementChild:
            parent.lastElementChild.scrollIntoView(False)

    @staticmethod
    def _may_write(found):
        group = found["group"]
        return group["stage"] == "joined" if group else found["standing"] != "blocked" and _is_person(found["did"])

    def _whom(self):
        return self.did if self._person and self._may_write(self._person) else None

    def _seen(self, event):
        bubble = self._bubbles.get(event.target.getAttribute("data-message") or "")
        return bubble.seen() if bubble else None

    def _read_along(self, event):
        heard = json.loads(event.detail)
        bubble = self._bubbles.get(heard["key"].split("-", 2)[-1])
        if bubble:
            bubble.progress(heard["key"], heard["done"], heard["total"])

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
        if document.activeElement is None or document.activeElement.localName == "body":  # the button has gone
            el("message-text" if standing == "accepted" else "conversation-name").focus()

    async def _judged(self):
        await self.refresh()
        await self._changed()

    async def _tell(self, _):
        self._telling = True  # what was asked for before this does not count any more
        try:
            await banner.attempt(self._agent, "tell_person", did=self.did, tells=el("conversation-tells").checked)
        finally:
            self._telling = False
        await self.refresh()

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


def _is_person(did):
    return did.startswith("did:")
