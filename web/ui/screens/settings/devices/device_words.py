"""The texts of the other devices. As words.py, it touches no page."""

from ui import words
from ui.kit.texts import plural, t

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


def own_name(user_agent):
    """Return what this device calls itself, such as "Firefox on Linux"."""
    browser = _first(_BROWSERS, user_agent) or t("A browser")
    system = _first(_SYSTEMS, user_agent)
    return t("{browser} on {system}", browser=browser, system=system) if system else browser


def _first(known, text):
    for part, name in known:
        if part in text:
            return name
    return ""


def name(device):
    """Return the name of a device."""
    return words.theirs(device["name"]) or t("A device without a name")


def seen(device, now):
    """Return tone and words for when a device was there last.

    Parameters:
        now: milliseconds since 1970.
    """
    if device["here"]:
        return "good", t("This one")
    seconds = (now - device["seen"]) / 1000
    if seconds < _STALE_SECONDS:
        return "good", t("There just now")
    return None, t("Last there {ago}", ago=words.ago(seconds))


def removal(device):
    """Ask whether to take a device off the list, with what that means."""
    return t(
        "Take {name} off this list? It is not locked out: it keeps your keys and what is on it, and is here again when "
        "it is used. If it is lost, what is on it is as safe as its password.",
        name=name(device),
    )


def minutes(seconds):
    """Write for how long the code is of use."""
    return plural((seconds + 59) // 60, "It is of use once, for a minute.", "It is of use once, for {n} minutes.")


def asks(name_of_device):
    """Write who has read the code."""
    name = words.theirs(name_of_device) or t("Another device")
    return t("“{name}” has read the code. Type the number that it shows.", name=name)


def show_number(name_of_device):
    """Write what to do with the number."""
    name = words.theirs(name_of_device) or t("the one with the code")
    return t("Type this number on the other device, “{name}”:", name=name)
