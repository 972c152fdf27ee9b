"""A form that asks the agent for something: busy while it does, with what went wrong in its place."""

from ui import problems, words
from ui.client import AgentError
from ui.kit.dom import document, el, on, say, show
from ui.kit.texts import t

_MIN_PASSWORD = 8


class Form:
    """The elements `NAME-form`, `NAME-save` (the button) and `NAME-problem`.

    Parameters:
        send: a coroutine function that is called on submit; it raises AgentError, or `complain`s itself.
        busy: what the button says meanwhile.
    """

    def __init__(self, name, send, busy):
        self._element = el(name + "-form")
        self._button = el(name + "-save")
        self._problem = el(name + "-problem")
        self._busy = busy
        self._send = send
        on(self._element, "submit", self._submit)

    def clear(self):
        """Empty the fields, and hide what was wrong."""
        self._element.reset()
        self.complain("")

    def complain(self, text, detail=""):
        """Say what is wrong; nothing, if it is empty.

        Parameters:
            detail: what a developer wants to see, in whichever language.
        """
        show(self._problem, bool(text))
        say(self._problem, words.theirs(text))
        if detail:
            fold, title, inner = [document.createElement(name) for name in ("details", "summary", "code")]
            title.textContent, inner.textContent = t("Details"), words.theirs(detail)
            fold.append(title, inner)
            self._problem.append(fold)

    async def run(self, send):
        """Run something that the form is for, once at a time."""
        if self._button.disabled:
            return
        self.complain("")
        label = self._button.textContent
        self._button.disabled = True
        say(self._button, self._busy)
        try:
            await send()
        except AgentError as error:
            self.complain(problems.complaint(error.kind, error.message), problems.left_out(error.kind, error.message))
        finally:
            self._button.disabled = False
            say(self._button, label)

    def _submit(self, event):
        event.preventDefault()
        return self.run(self._send)


def same_twice(first, second):
    """Return what is wrong with a new password that is typed twice, or an empty text."""
    if not first.strip():
        return t("A password cannot be blank.")
    if len(first) < _MIN_PASSWORD:
        return t("A password has at least 8 characters: a shorter one is soon guessed.")
    return "" if first == second else t("The two are not the same. Type it again.")
