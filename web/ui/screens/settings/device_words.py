"""The texts of the other devices. As words.py, it touches no page."""

from ui import words

_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)
_STALE_SECONDS = 30 * 60
_NOW = "Here now"


def own_name(user_agent):
    """Return what this device calls itself, such as "Firefox on Linux"."""
    browser = _first(_BROWSERS, user_agent) or "A browser"
    system = _first(_SYSTEMS, user_agent)
    return browser + (" on " + system if system else "")


def _first(known, text):
    for part, name in known:
        if part in text:
            return name
    return ""


def name(device):
    """Return the name of a device."""
    return words.theirs(device["name"]) or "A device without a name"


def seen(device, now):
    """Return tone and words for when a device was there last.

    Parameters:
        now: milliseconds since 1970.
    """
    if device["here"]:
        return "good", "This one"
    seconds = (now - device["seen"]) / 1000
    if seconds < _STALE_SECONDS:
        return "good", "There just now"
    return None, "Last there " + words.ago(seconds)


def removal(device):
    """Ask whether to take a device off the list, with what that means."""
    return (
        "Take "
        + name(device)
        + " off this list? It is not locked out: it keeps your keys and what is on it, and is here "
        "again when it is used. If it is lost, what is on it is as safe as its password."
    )


def minutes(seconds):
    """Write for how long the code is of use."""
    return "It is of use once, for " + words.count(seconds // 60 + 1, "minute") + "."


def asks(name_of_device):
    """Write who has read the code."""
    return (
        "“" + (words.theirs(name_of_device) or "Another device") + "” has read the code. Type the number that it shows."
    )


def show_number(name_of_device):
    """Write what to do with the number."""
    return "Type this number on the other device, “" + (words.theirs(name_of_device) or "the one with the code") + "”:"
