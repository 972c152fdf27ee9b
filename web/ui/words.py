"""The texts of the page. Nothing here touches the page, so that CPython can test it."""

from ui import reasons
from ui.kit.texts import counted, forms, plural, t, tenths

_SPANS = (
    (60, 1, forms("{n} second", "{n} seconds")),
    (3600, 60, forms("{n} minute", "{n} minutes")),
    (86400, 3600, forms("{n} hour", "{n} hours")),
    (86400 * 30, 86400, forms("{n} day", "{n} days")),
    (86400 * 365, 86400 * 30, forms("{n} month", "{n} months")),
    (None, 86400 * 365, forms("{n} year", "{n} years")),
)
_AGO = (
    forms("{n} second ago", "{n} seconds ago"),
    forms("{n} minute ago", "{n} minutes ago"),
    forms("{n} hour ago", "{n} hours ago"),
    forms("{n} day ago", "{n} days ago"),
    forms("{n} month ago", "{n} months ago"),
    forms("{n} year ago", "{n} years ago"),
)

SKEW_SECONDS = 60
"""The time by which clocks may differ without anybody being told."""

DAMAGED = t("The text of this note cannot be read here. It is fetched again from your remote nodes, if one has it.")

_LONGEST = 1000
"""Characters of other people's words that are worth showing."""

_UNSEEN = "\x7f\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_BROKEN = "\ufffd"


def ago(seconds):
    """Write how long ago something was, in one unit, or how far it is ahead of this device's clock."""
    if seconds < -SKEW_SECONDS:
        return t("{span} ahead", span=span(-seconds))
    return t("just now") if seconds < 5 else _in_one_unit(seconds, _AGO)


def true_for(seconds):
    """Return for how many seconds what `ago` writes stays true, about; it is never more than a second too long."""
    if seconds < 60:
        return 1
    for limit, unit, _ in _SPANS[:-1]:
        if seconds < limit:
            return unit - seconds % unit
    return 86400


def span(seconds):
    """Write a time in one unit."""
    return _in_one_unit(seconds, [both for _, _, both in _SPANS])


def _in_one_unit(seconds, units):
    at = 0
    while _SPANS[at][0] and seconds >= _SPANS[at][0]:
        at += 1
    return counted(int(seconds // _SPANS[at][1]), units[at])


def loaded(done, total):
    """Write how many of the bytes that are fetched have arrived; nothing once they all have."""
    return t("{done} of {total} MB", done=_megabytes(done), total=_megabytes(total)) if done < total else ""


def _megabytes(size):
    return tenths((size + 50_000) // 100_000)


def broken_line(tries, most):
    """Write that the connection broke while the page was fetched."""
    return t(
        "The connection is broken. What has arrived stays; the rest is asked for again (try {tries} of {most}).",
        tries=tries,
        most=most - 1,
    )


def no_settings(failures):
    """Write that the first launch waits for the site's settings."""
    return plural(
        failures,
        "This site does not say yet which nodes to use: its settings cannot be fetched. Tried {n} time; trying again",
        "This site does not say yet which nodes to use: its settings cannot be fetched. Tried {n} times; trying again",
    )


def number_of_messages(number):
    """Write a number of messages."""
    return plural(number, "{n} message", "{n} messages")


def messages(number):
    """Write how many messages wait."""
    return number_of_messages(number) if number else t("nothing")


def short_did(did):
    """Shorten a DID for a panel: method, start and end."""
    method, _, identifier = did.rpartition(":")
    if len(identifier) <= 16:
        return did
    return method + ":" + identifier[:7] + "…" + identifier[-5:]


def theirs(text):
    """Return other people's words so that they stay within ours: of bounded length, without marks that turn lines."""
    cut = text[:_LONGEST]
    seen = "".join([" " if char < " " else _BROKEN if char in _UNSEEN else char for char in cut])
    return seen + "…" if len(text) > _LONGEST else seen


def node_name(endpoint):
    """Return the host and path of an endpoint."""
    return theirs(endpoint.split("://")[-1].rstrip("/"))


def code_and_detail(error):
    """Write an error as the node gave it; code 0 means that no node answered."""
    return (str(error["code"]) + " " if error["code"] else "") + theirs(error["detail"])


def because(text, reason):
    """Write a text with the reason that a machine gave for it, if there are words for that."""
    meant = theirs(reasons.why(reason))
    return text + " " + meant if meant else text


def damaged(number):
    """Write how much of what is stored here cannot be read."""
    if not number:
        return ""
    return plural(
        number,
        "{n} stored message cannot be read here. Nodes that have it are asked for it again.",
        "{n} stored messages cannot be read here. Nodes that have them are asked for them again.",
    )


def did_error(reason):
    """Write why the endpoints of the identity are not known for sure, or nothing can be signed for it."""
    if not reason:
        return ""
    return because(t("The identity's public document, or its keys, are not at hand."), reason)


def publish_error(reason, before, tried=True):
    """Write why other devices cannot find the identity, or not as it is now.

    Parameters:
        before: True if they find it as it was.
        tried: False if nobody tries, since the site names no gateway.
    """
    if not reason:
        return ""
    if not tried:
        return t(
            "This site names no DID DHT gateway in its config.json, so this identity is not published: other devices "
            "cannot find it, and nodes take nothing from it. What you write stays in this browser."
        )
    told = (
        t(
            "Your last change of this identity is not published yet, so other devices and your nodes still go by what "
            "was there before. It is tried again."
        )
        if before
        else t("Not published yet, so other devices cannot find this identity. It is tried again.")
    )
    return because(told, reason)


def shared_origin(host, path):
    """Warn that other pages have the same origin, since this one lives below its root; an empty text if it does not."""
    if path.rsplit("/", 1)[0] == "":
        return ""
    return t(
        "This page shares {host} with other pages. They can reach what it keeps in this browser, and without a "
        "password also its keys. It should have an address of its own.",
        host=host,
    )
