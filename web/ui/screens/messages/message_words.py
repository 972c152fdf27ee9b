"""The texts of the messages. As words.py, it touches no page."""

from ui import problems, words

_STATES = {
    "sending": ("○", "Being sent"),
    "here": ("○", "Only in this browser yet"),
    "mine": ("◐", "On your nodes, not on theirs yet"),
    "theirs": ("●", "On their nodes"),
    "failed": ("!", "Not delivered"),
}

UNREADABLE = "This message cannot be read here."


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
    return "You: " + text if entry["mine"] else text


def judge(person):
    """Ask whether somebody who wrote for the first time is to be heard."""
    return (
        name(person) + " writes to you for the first time. Nobody is told whether you have read this. Do you know them?"
    )


def refusal(kind, message):
    """Write why a message could not be sent, from the error."""
    if kind in ("EncryptionError", "DidError"):
        return "Nobody can be found under this address now. Check it, or try again later."
    return problems.complaint(kind, message)


def blocked(number):
    """Write how many people are blocked."""
    return words.count(number, "person", "people") + " blocked." if number else ""


def needs(requests, new):
    """Write what in the messages needs the person."""
    parts = []
    if new:
        parts.append(words.count(new, "new message"))
    if requests:
        parts.append(words.count(requests, "request"))
    return " and ".join(parts)


def address_in(text):
    """Return the DID in what was pasted: an address, or a link to one; None if there is none."""
    text = text.strip()
    found = text.split("#/messages/")[-1] if "#/messages/" in text else text
    if not found.startswith("did:") or len(found) > 2048 or len(found.split()) != 1 or found.count(":") < 2:
        return None
    return found
