"""Writing down the twelve words."""

from ui.kit.dom import copied, document, el, on, say, show, window
from ui.kit.form import Form
from ui.kit.texts import t


class PhraseDialog:
    """Shows the words, and has two of them typed before the agent forgets them.

    Parameters:
        agent: keeps them until then.
        refresh: called when they are forgotten.
    """

    def __init__(self, agent, refresh):
        self._agent = agent
        self._refresh = refresh
        self._words = []
        self._asked = ()
        self._form = Form("phrase", self._check, t("Done"))
        self._reveal_form = Form("reveal", self._reveal, t("Fetching them…"))
        on(el("reveal-cancel"), "click", lambda _: el("phrase-dialog").close())
        on(el("phrase-copy"), "click", self._copy)
        on(el("phrase-later"), "click", lambda _: el("phrase-dialog").close())
        on(el("phrase-next"), "click", lambda _: self._ask())
        on(el("phrase-back"), "click", lambda _: self._show())
        on(el("phrase-dialog"), "close", lambda _: self._fill([]))

    def open(self, has_password):
        """Ask whether to show them, and for the password where there is one."""
        self._fill([])
        show(el("reveal-password-field"), has_password)
        show(el("reveal-form"), True)
        show(el("phrase-shown"), False)
        show(el("phrase-form"), False)
        el("phrase-dialog").showModal()
        if not has_password:
            el("reveal-save").focus()

    async def _reveal(self):
        given = await self._agent.call("words", password=el("reveal-password").value or None)
        if not given:  # another tab was quicker
            el("phrase-dialog").close()
            await self._refresh()
        elif el("phrase-dialog").open:
            self._fill(given)
            self._show()
            el("phrase-next").focus()

    def _fill(self, given):
        self._words = given
        self._form.clear()
        self._reveal_form.clear()
        items = el("phrase-words")
        items.replaceChildren()
        for word in given:
            item = document.createElement("li")
            item.textContent = word
            items.append(item)

    def _show(self):
        say(el("phrase-title"), t("Your twelve words"))
        say(el("phrase-copy"), t("Copy"))
        show(el("reveal-form"), False)
        show(el("phrase-form"), False)
        show(el("phrase-shown"), True)

    def _ask(self):
        first, second = _two_of(len(self._words))
        self._asked = (("first", first), ("second", second))
        say(el("phrase-title"), t("Are they on paper?"))
        for name, place in self._asked:
            say(el("phrase-" + name + "-label"), t("Word {n}", n=place + 1))
        self._form.clear()
        show(el("phrase-shown"), False)
        show(el("phrase-form"), True)
        el("phrase-first").focus()

    async def _check(self):
        for name, place in self._asked:
            field = el("phrase-" + name)
            if field.value.strip().lower() != self._words[place]:
                self._form.complain(t("Word {n} is another one. Look at your paper.", n=place + 1))
                field.focus()
                return
        await self._agent.call("forget_words")
        el("phrase-dialog").close()
        await self._refresh()

    async def _copy(self, _):
        if await copied(" ".join(self._words)):
            say(el("phrase-copy"), t("Copied"))
        else:
            # Without the permission the person can still copy what is now selected.
            window.getSelection().selectAllChildren(el("phrase-words"))
            say(el("phrase-copy"), t("Selected"))


def _two_of(number):
    """Return two different places, in their order."""
    first = int(window.Math.random() * number)
    second = int(window.Math.random() * (number - 1))
    second += second >= first
    return min(first, second), max(first, second)
