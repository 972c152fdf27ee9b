"""Errors, in words and with something to do."""

from ui import problems
from ui.dom import clone, el, on, say, show, slot, tone

_open = {}


def tell(error, action=None, label="Try again"):
    """Show an `AgentError` above the page, once per kind of error. Of a vault that is locked the page itself tells.

    Parameters:
        action: called when the person presses the button `label`; without it there is no button.
    """
    if error.kind == "VaultLocked":
        return
    title, advice = problems.problem(error.kind, error.message)
    clear(title)
    banner = clone("banner-template")
    say(slot(banner, "title"), title)
    say(slot(banner, "advice"), advice)
    parts = [part for part in (error.code, error.message, error.detail) if part and part != title]
    show(slot(banner, "details"), bool(parts))
    say(slot(banner, "detail"), " · ".join(parts))
    button = slot(banner, "action")
    if action:
        show(button, True)
        say(button, label)

        def act(_):
            clear(title)
            return action()

        on(button, "click", act)
    on(slot(banner, "close"), "click", lambda _: clear(title))
    tone(banner, "warn" if error.kind in ("Unreachable", "TimedOut") else None)
    _open[title] = banner
    el("banners").append(banner)


def clear(title):
    """Take a banner away."""
    banner = _open.pop(title, None)
    if banner:
        banner.remove()
