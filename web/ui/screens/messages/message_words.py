"""The texts of the messages. As words.py, it touches no page."""

from ui import problems, words
from ui.kit.texts import plural, t

_STATES = {
    "sending": ("○", t("Being sent")),
    "here": ("○", t("Only in this browser yet")),
    "mine": ("◐", t("On your nodes, not on theirs yet")),
    "theirs": ("●", t("On their nodes")),
    "failed": ("!", t("Not delivered")),
}

UNREADABLE = t("This message cannot be read here.")


def delivery(state):
    """Return the mark of where a message is, and what it means; empty ones for a message that came."""
    return _STATES.get(state, ("", ""))


def name(person):
    """Write who somebody is: by the name that they were given, or else by their address."""
    return words.theirs(person["name"]) if person["name"] else words.short_did(words.theirs(person["did"]))


def face(person):
    """Return the letter that stands for somebody."""
    return name(person)[:1] if person["name"] else "?"


def last(entry):
    """Write the beginning of the last message of a conversation, in one line."""
    if entry["created"] is None:
        return ""
    text = words.theirs(entry["text"]) or UNREADABLE
    return t("You: {text}", text=text) if entry["mine"] else text


def judge(person):
    """Ask whether somebody who wrote for the first time is to be heard."""
    return t(
        "{name} writes to you for the first time. Nobody is told whether you have read this. Do you know them?",
        name=name(person),
    )


def refusal(kind, message):
    """Write why a message could not be sent, from the error."""
    if kind in ("EncryptionError", "DidError"):
        return t("Nobody can be found under this address now. Check it, or try again later.")
    return problems.complaint(kind, message)


def blocked(number):
    """Write how many people are blocked."""
    return plural(number, "{n} person blocked.", "{n} people blocked.") if number else ""


def needs(requests, new):
    """Write what in the messages needs the person."""
    parts = []
    if new:
        parts.append(new_messages(new))
    if requests:
        parts.append(plural(requests, "{n} request", "{n} requests"))
    return t("{some} and {last}", some=parts[0], last=parts[1]) if len(parts) == 2 else "".join(parts)


def new_messages(number):
    """Write how many messages are new."""
    return plural(number, "{n} new message", "{n} new messages")


def address_in(text):
    """Return the DID in what was pasted: an address, or a link to one; None if there is none."""
    text = text.strip()
    found = text.split("#/messages/")[-1] if "#/messages/" in text else text
    if not found.startswith("did:") or len(found) > 2048 or len(found.split()) != 1 or found.count(":") < 2:
        return None
    return found
