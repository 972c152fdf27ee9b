"""Banners above the page: errors in words, with something to do."""

from ui import problems, words
from ui.client import AgentError
from ui.kit.dom import clone, el, on_items, say, show, slot, tone, window
from ui.kit.texts import t

_open = {}


class _Banner:
    """A banner on the page.

    Attributes:
        actions: what its buttons do, by their names in the template.
    """

    def __init__(self, title):
        self.element = clone("banner-template")
        self.element.setAttribute("data-banner", title)
        self.actions = {"close": lambda _: clear(title)}


async def attempt(agent, name, **arguments):
    """Call the agent and return its answer; if it fails, show the error and return None."""
    try:
        return await agent.call(name, **arguments)
    except AgentError as error:
        show_error(error)


def show_error(error, action=None, label=None):
    """Show an `AgentError` above the page, once per kind of error; the page itself shows that a vault is locked.

    Parameters:
        action: called when the person presses the button; without it there is none.
        label: what is on that; None: that it is tried again.
    """
    if error.kind == "VaultLocked":
        return
    if error.kind == "StorageNewer":
        action, label = window.location.reload, t("Reload")
    title, advice = problems.problem(error.kind, error.message)
    title = words.theirs(title)
    parts = [part for part in (error.code, words.theirs(error.message), error.detail) if part and part != title]
    name = "warn" if error.kind in ("Unreachable", "TimedOut") else None
    put(title, advice, " · ".join(parts), name, ((label or t("Try again"), action),) if action else (), closes=True)


def put(title, advice, detail, name, actions, closes=False):
    """Show a banner, in the place of one with the same title.

    Parameters:
        name: its tone.
        actions: labels of buttons, at most two, and what is called when one is pressed.
        closes: a button does away with the banner.
    """
    clear(title)
    made = _Banner(title)
    banner = made.element
    say(slot(banner, "title"), title)
    say(slot(banner, "advice"), advice)
    show(slot(banner, "details"), bool(detail))
    say(slot(banner, "detail"), words.theirs(detail))
    for at in range(len(actions)):
        label, action = actions[at]
        button = slot(banner, ("action", "more")[at])
        show(button, True)
        say(button, label)
        made.actions[("action", "more")[at]] = _act(title, action, closes)
    tone(banner, name)
    _open[title] = made
    el("banners").append(banner)


def _act(title, action, closes):
    def act(_):
        if closes:
            clear(title)
        return action()

    return act


def clear(title):
    """Remove a banner."""
    banner = _open.pop(title, None)
    if banner:
        banner.element.remove()


on_items(el("banners"), "data-banner", _open)
