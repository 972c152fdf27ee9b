"""The texts of the messages. As words.py, it touches no page."""

from ui import problems, words
from ui.kit.texts import plural, t

_STATES = {
    "sending": ("○", t("Being sent")),
    "here": ("○", t("Only in this browser yet")),
    "mine": ("◐", t("On your nodes, not on theirs yet")),
    "theirs": ("●", t("On their nodes")),
    "group": ("●", t("Where all of the group can read it")),
    "read": ("✓", t("Read")),
    "failed": ("!", t("Not delivered")),
}

UNREADABLE = t("This message cannot be read here.")
NOT_SENT = t("Not sent")
EMPTY = t("Say hello. Only the two of you can read what you write here.")
EMPTY_GROUP = t("Nothing was written yet. Only the people of this group can read it.")
NO_ADDRESS = t("That is not an address. It begins with did:, or is a link that somebody gave you.")

_STAGES = {
    "waiting": t("You have joined. What was written comes as soon as their node answers."),
    "leaving": t("You are leaving. Their node is told as soon as it answers."),
    "left": t("You have left this group."),
    "out": t("You are not in this group any more. What was written before stays here."),
}


def delivery(state):
    """Return the mark of where a message is, and what it means; empty ones for a message that came."""
    return _STATES.get(state, ("", ""))


def name(person):
    """Write who somebody is: by the name that they were given, or else by their address."""
    if person["did"].startswith("group:") and not person["name"]:
        return t("Group")
    return words.theirs(person["name"]) if person["name"] else words.short_did(words.theirs(person["did"]))


def face(person):
    """Return the letter that stands for somebody."""
    return name(person)[:1] if person["name"] else "?"


def last(entry):
    """Write the beginning of the last message of a conversation, in one line."""
    if entry["created"] is None:
        return ""
    text = words.theirs(entry["text"])
    if not text and entry["invited"]:
        text = t("Group: {name}", name=words.theirs(entry["invited"]))
    text = text or words.theirs(entry["file"]) or UNREADABLE
    if entry["mine"]:
        return t("You: {text}", text=text)
    return name(entry["from"]) + ": " + text if entry["from"] else text


def judge(person):
    """Ask whether somebody who wrote for the first time is to be heard."""
    return t(
        "{name} writes to you for the first time. Nobody is told whether you have read this. Do you know them?",
        name=name(person),
    )


def invited(invitation, mine):
    """Write to which group somebody is invited, and what has come of it."""
    group = words.theirs(invitation["name"])
    if mine:
        return t("You have added them to the group “{name}”.", name=group)
    if invitation["stage"] in ("waiting", "joined"):
        return t("You have joined the group “{name}”.", name=group)
    return t("You are invited to the group “{name}”.", name=group)


def stage(group):
    """Write what is to be said of one's own part in a group; nothing of a plain one."""
    return _STAGES.get(group["stage"], "")


def members(number):
    """Write how many people are in a group."""
    return plural(number, "{n} person", "{n} people")


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
