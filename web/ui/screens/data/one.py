"""One message, as it was signed: what it says, whether that is genuine, and where it is."""

from ui import words
from ui.client import AgentError
from ui.kit.dom import clone, document, download, el, go, local_time, on, say, show, slot, tone
from ui.kit.texts import t
from ui.screens.data import data_words
from ui.shell import banner


class One:
    """The message that is shown, if one is.

    Parameters:
        agent: has it.
        deleted: called when its record was deleted.

    Attributes:
        cid: its CID; an empty text if none is shown.
    """

    def __init__(self, agent, deleted):
        self._agent = agent
        self._deleted = deleted
        self.cid = ""
        self._shown = None
        self._folded = {}
        on(el("one-export"), "click", self._export)
        on(el("one-delete"), "click", lambda _: self._ask(True))
        on(el("one-delete-no"), "click", lambda _: self._ask(False))
        on(el("one-delete-yes"), "click", self._delete)
        on(el("one-check-data"), "click", lambda _: self._verify(True))
        on(el("one-parts"), "click", self._unfold)

    def open(self, cid, tab):
        """Show a message, or with an empty text none.

        Parameters:
            tab: where the way back leads.
        """
        el("one-back").href = "#/data/" + tab
        if cid == self.cid:
            return
        self.cid = cid
        self._shown = None
        self._folded.clear()
        show(el("data-one"), bool(cid))
        for part in ("one-body", "one-gone", "one-ask"):
            show(el(part), False)
        for part in ("one-checks", "one-places", "one-facts", "one-others", "one-parts"):
            el(part).replaceChildren()
        say(el("one-title"), "")

    async def refresh(self):
        """Show what is known of it now."""
        cid = self.cid
        if not cid:
            return
        try:
            found = await self._agent.call("data_message", cid=cid)
        except AgentError as error:
            if cid != self.cid:
                return
            if error.kind not in ("NotFound", "InvalidArgument"):
                banner.show_error(error, self.refresh)
                return
            self._shown = None
            say(el("one-title"), t("Gone"))
            show(el("one-body"), False)
            show(el("one-gone"), True)
            return
        if cid == self.cid and found != self._shown:
            first = self._shown is None
            self._shown = found
            self._show(found)
            if first:
                el("data-one").scrollTop = 0
                if not document.activeElement.closest("nav"):
                    el("one-title").focus()
                self._show_parts(found)
                await self._verify(False)

    def _show(self, one):
        say(el("one-title"), data_words.title(one))
        show(el("one-gone"), False)
        show(el("one-body"), True)
        show(el("one-text"), one["text"] is not None)
        say(el("one-text"), one["text"] or "")
        can_delete = one["kind"] == "RecordsWrite" and not one["deleted"]
        show(el("one-delete"), can_delete)
        if not can_delete:
            show(el("one-ask"), False)
        there = [data_words.HERE]
        there.extend([_line(data_words.place(node), node) for node in one["places"]])
        _checks("one-places", there)
        facts = el("one-facts")
        facts.replaceChildren()
        for name, value, mono in data_words.facts(one, local_time(one["date"])):
            pair = clone("fact-template")
            say(slot(pair, "name"), name)
            say(slot(pair, "value"), value)
            if mono:
                slot(pair, "value").setAttribute("data-mono", "")
            facts.append(pair)
        others = el("one-others")
        show(el("one-others-part"), bool(one["others"]))
        others.replaceChildren()
        for other in one["others"]:
            item, link = document.createElement("li"), document.createElement("a")
            link.href = "#/data/messages/" + other["cid"]
            link.textContent = data_words.other(other) + ", " + local_time(other["date"])
            item.append(link)
            others.append(item)

    async def _verify(self, data_too):
        cid = self.cid
        tone(el("one-verdict"), "busy")
        say(el("one-verdict-words"), data_words.CHECKING)
        show(el("one-check-data"), False)
        found = await banner.attempt(self._agent, "verify_message", cid=cid, data_too=data_too)
        if cid != self.cid or found is None:
            return
        name, text = data_words.verdict(found)
        tone(el("one-verdict"), name)
        say(el("one-verdict-words"), text)
        _checks("one-checks", [_line(data_words.check(one), one) for one in found])
        show(el("one-check-data"), any(one["state"] == "large" for one in found))

    def _show_parts(self, one):
        parts = el("one-parts")
        parts.replaceChildren()
        self._folded.clear()
        self._build(parts, one["parts"], "")
        for name in ("data", "descriptor", "signed by"):
            for fold in parts.children:
                if fold.getAttribute("data-fold") == "/" + name:
                    self._fill(fold)
                    fold.open = True

    def _build(self, parent, parts, path):
        """Show parts; what is in those that are folded is made when they are opened."""
        for name, value in parts:
            if isinstance(value, str):
                line = clone("part-template")
                say(slot(line, "name"), data_words.part(name))
                say(slot(line, "value"), words.theirs(value))
            else:
                line = clone("fold-template")
                say(slot(line, "name"), data_words.folded(name, value))
                line.setAttribute("data-fold", path + "/" + name)
                self._folded[path + "/" + name] = value
            parent.append(line)

    def _unfold(self, event):
        summary = event.target.closest("summary")
        if summary:
            self._fill(summary.closest("[data-fold]"))

    def _fill(self, fold):
        path = fold.getAttribute("data-fold")
        value = self._folded.pop(path, None)
        if value is not None:
            self._build(slot(fold, "inner"), value, path)

    async def _export(self, _):
        cid = self.cid
        text = await banner.attempt(self._agent, "export_message", cid=cid)
        if text is not None:
            download("message-" + cid[-8:] + ".json", text)

    def _ask(self, asking):
        show(el("one-ask"), asking)
        el("one-delete-no" if asking else "one-delete").focus()

    async def _delete(self, _):
        if self._shown is None:
            return
        record = self._shown["record"]
        button = el("one-delete-yes")
        button.disabled = True
        try:
            await self._agent.call("delete_record", id=record)
        except AgentError as error:
            banner.show_error(error)
            return
        finally:
            button.disabled = False
        go(el("one-back").getAttribute("href")[2:])
        await self._deleted()


def _line(said, found):
    name, text = said
    return name, text, words.theirs(found["detail"])


def _checks(name, lines):
    """Show lines of (tone, words, detail)."""
    parent = el(name)
    parent.replaceChildren()
    for name, text, detail in lines:
        line = clone("check-template")
        tone(slot(line, "dot"), name)
        say(slot(line, "words"), text)
        show(slot(line, "detail"), bool(detail))
        say(slot(line, "detail"), detail)
        slot(line, "detail").lang = "en"
        parent.append(line)
