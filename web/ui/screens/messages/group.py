"""The people of the group whose conversation is open: who they are, adding and removing, and leaving."""

from ui.kit.dom import clone, document, el, on, on_items, say, show, slot
from ui.kit.form import Form
from ui.kit.texts import t
from ui.screens.messages import message_words
from ui.shell import banner


class GroupPart:
    """The panel with a group's people.

    Parameters:
        agent: has the group.
        changed: called without arguments, and awaited, when it is another.
    """

    def __init__(self, agent, changed):
        self._agent = agent
        self._changed = changed
        self._thread = None
        self._group = None
        self._me = ""
        self._members = {}
        self._form = Form("member", self._add, t("Adding…"))
        on_items(el("members"), "data-member", self._members)
        on(el("conversation-people"), "click", lambda _: self._unfold(el("group-part").hidden))
        on(el("group-leave"), "click", self._leave)

    def open(self, thread):
        """Show none of the people of the conversation before."""
        self._thread = thread
        self._group = None
        self._form.clear()
        for did in list(self._members):
            self._members.pop(did).element.remove()
        self._unfold(False)
        show(el("conversation-people"), False)

    def show(self, found, me, known):
        """Show the people of a group; of a conversation with one person, nothing.

        Parameters:
            found: the conversation.
            me: the identity in use.
            known: people who can be added, as the list of conversations has them.
        """
        group = self._group = found["group"]
        show(el("conversation-people"), bool(group))
        if not group:
            return
        own = group["owner"] == me
        first = me != self._me or not self._members
        self._me = me
        here = {person["did"] for person in group["members"]}
        for did in list(self._members):
            if did not in here:
                self._members.pop(did).element.remove()
        for person in group["members"]:
            did = person["did"]
            if did not in self._members:
                self._members[did] = _Member(did, self._remove)
                el("members").append(self._members[did].element)
            self._members[did].show(person, me, group["owner"])
        say(el("conversation-people"), message_words.members(len(here)))
        show(el("member-form"), own)
        show(el("group-leave"), not own and group["stage"] in ("waiting", "joined"))
        options = el("member-options")
        options.textContent = ""
        for person in known if own else []:
            if person["did"].startswith("did:") and person["did"] not in here:
                option = document.createElement("option")
                option.value = person["did"]
                option.label = message_words.name(person)
                options.append(option)
        if first and own and len(here) == 1:
            self._unfold(True)

    def _unfold(self, is_open):
        show(el("group-part"), is_open)
        el("conversation-people").setAttribute("aria-expanded", "true" if is_open else "false")

    async def _add(self):
        did = message_words.address_in(el("member-address").value)
        if did is None:
            self._form.complain(message_words.NO_ADDRESS)
            return
        await self._agent.call("add_member", did=self._thread, member=did)
        self._form.clear()
        el("member-address").focus()
        await self._changed()

    async def _remove(self, did):
        await banner.attempt(self._agent, "remove_member", did=self._thread, member=did)
        await self._changed()
        el("conversation-people").focus()

    async def _leave(self, _):
        await banner.attempt(self._agent, "leave_group", did=self._thread)
        await self._changed()
        el("conversation-name").focus()


class _Member:
    """Somebody in a group."""

    def __init__(self, did, remove):
        self.actions = {"remove": lambda _: remove(did)}
        self.element = clone("member-template")
        self.element.setAttribute("data-member", did)
        self.element.title = did

    def show(self, person, me, owner):
        """Show who it is, and a way to remove them for whoever began the group."""
        name = t("You") if person["did"] == me else message_words.name(person)
        say(slot(self.element, "name"), name)
        say(slot(self.element, "role"), t("began the group") if person["did"] == owner else "")
        removes = me == owner and person["did"] != me
        show(slot(self.element, "remove"), removes)
        slot(self.element, "remove").setAttribute("aria-label", t("Remove {name}", name=name))
