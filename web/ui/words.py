"""What the page says. Nothing here touches the page, so that CPython can test it."""

_SPANS = (
    (60, 1, "second"),
    (3600, 60, "minute"),
    (86400, 3600, "hour"),
    (86400 * 30, 86400, "day"),
    (86400 * 365, 86400 * 30, "month"),
)

_UNITS = {
    "s": "second",
    "sec": "second",
    "second": "second",
    "m": "minute",
    "min": "minute",
    "minute": "minute",
    "h": "hour",
    "hr": "hour",
    "hour": "hour",
    "d": "day",
    "day": "day",
}

# Error kind (the Python class's name) to a title and what the person can do.
_PROBLEMS = {
    "StorageFull": (
        "This browser has no room left",
        "Nothing was lost, but the last change was not saved. Free some disk space, then try again.",
    ),
    "StorageCorrupt": (
        "The notes stored in this browser cannot be read",
        "If another browser holds this identity, export it there and import it in a fresh profile: "
        "the notes come back from your remote nodes.",
    ),
    "StorageBusy": (
        "Another tab has your notes, or had them until now",
        "See whether your last change is here, then try again. If this stays, close the other tabs and reload.",
    ),
    "StorageError": (
        "This browser did not save the change",
        "Check that the page may store data (private windows often may not), then try again.",
    ),
    "BlobMissing": (
        "The text of this note is not here",
        "Sync now to fetch it from a remote node.",
    ),
    "Unreachable": (
        "A remote could not be reached",
        "Your notes are safe in this browser. Check the connection; the next sync tries again.",
    ),
    "TimedOut": (
        "A remote did not answer in time",
        "Your notes are safe in this browser. The next sync tries again.",
    ),
    "BadReply": (
        "A remote answered something that is not a node's answer",
        "Check the address of the node. Your notes are safe in this browser.",
    ),
    "IdentityError": (
        "This identity cannot be used",
        "Another browser or tab may have changed it. If you imported it, export it again where it comes from.",
    ),
    "DidError": (
        "The identity's public document is not right, or could not be found",
        "Try again in a moment. If it stays so, the identity's publisher has a problem.",
    ),
    "VaultError": (
        "That cannot be done with your keys as they are",
        "Look at Protection below your identities; another tab may have changed it.",
    ),
    "CryptoError": (
        "A key cannot be used",
        "If you imported this identity, export it again where it comes from.",
    ),
    "NotFound": (
        "That note is no longer here",
        "It was deleted, perhaps on another device.",
    ),
}

_MISSING = " Notes that are still missing come as soon as your nodes have them."


def count(number, noun, plural=None):
    """1 note, 2 notes, 1,000 notes; 2 identities, with their plural given."""
    text = str(number)
    grouped = ""
    while len(text) > 3:
        grouped = "," + text[-3:] + grouped
        text = text[:-3]
    return text + grouped + " " + (noun if number == 1 else plural or noun + "s")


def ago(seconds):
    """How long ago, in one unit."""
    if seconds < 5:
        return "just now"
    for limit, unit, name in _SPANS:
        if seconds < limit:
            return count(int(seconds // unit), name) + " ago"
    return count(int(seconds // (86400 * 365)), "year") + " ago"


def messages(number):
    """How many messages wait."""
    return count(number, "message") if number else "nothing"


def short_did(did):
    """A DID short enough for a panel: method, start and end."""
    method, _, identifier = did.rpartition(":")
    if len(identifier) <= 16:
        return did
    return method + ":" + identifier[:7] + "…" + identifier[-5:]


def node_name(endpoint):
    """An endpoint's host and path."""
    return endpoint.split("://")[-1].rstrip("/")


def interval(text):
    """A sync interval such as "2m" in words."""
    if not text or text == "off":
        return "Syncs only when you ask."
    if text == "live":
        return "Syncs at once."
    digits = "".join(char for char in text if char in "0123456789.")
    unit = _UNITS.get(text[len(digits) :].strip().rstrip("s") or "s", "")
    if not digits or not unit:
        return "Syncs every " + text + "."
    number = float(digits)
    if number == 1:
        return "Syncs every " + unit + "."
    return "Syncs every " + (str(int(number)) if number == int(number) else digits) + " " + unit + "s."


def node_state(node, seconds=None):
    """Tone and words for one endpoint.

    Parameters:
        seconds: until it is tried again, if that is known.
    """
    if node["activity"] == "syncing":
        return "busy", "Syncing" + rate(node["rate"])
    if node["reachable"] is None:
        return None, "Not tried yet"
    if not node["reachable"]:
        return "bad", "Unreachable" + (", again in " + count(int(seconds) + 1, "second") if seconds else "")
    if node["refused"] or _refuses(node):
        return "warn", "Reachable, but refuses"
    return "good", "Live" if node["activity"] == "live" else "Reachable"


def rate(number):
    """Bytes a second, where that is worth telling."""
    if number < 10_000:
        return ""
    if number < 1_000_000:
        return ", " + str(int(number // 1000)) + " kB/s"
    return ", " + str(int(number // 100_000) / 10) + " MB/s"


def progress(done, total):
    """How far a sync has come."""
    return count(done, "message").split(" ")[0] + " of " + count(total, "message")


def news(entry):
    """What happened to an endpoint."""
    name = node_name(entry["endpoint"])
    if entry["kind"] == "removed":
        return name + " is no longer one of your nodes."
    if entry["kind"] == "added":
        return name + " is now one of your nodes."
    return name + " had lost " + count(entry["total"], "message") + "; it gets them again."


def difference(found):
    """How an endpoint compares with this browser."""
    name = node_name(found["endpoint"])
    if found["error"]:
        return name + ": could not be asked (" + code_and_detail(found["error"]) + ")"
    if not found["only_here"] and not found["only_there"]:
        return name + ": the same " + count(found["both"], "message")
    return (
        name
        + ": "
        + ", ".join(
            [count(found["both"], "message") + " at both"]
            + ([str(found["only_here"]) + " only here"] if found["only_here"] else [])
            + ([str(found["only_there"]) + " only there"] if found["only_there"] else [])
            + (["being mended"] if found["mended"] else [])
        )
    )


def _refuses(node):
    """True if the node answers, but takes or gives nothing."""
    return bool(node["reachable"] and node["last_error"] and node["last_error"]["code"])


def summary(nodes, syncing):
    """Tone and words for the header, from the worst that is true."""
    if syncing:
        return "busy", "Syncing"
    if not nodes:
        return None, "Kept here only"
    down = [node for node in nodes if node["reachable"] is False]
    if len(down) == len(nodes):
        return "bad", "No node reachable"
    if sum(node["refused"] for node in nodes):
        return "bad", count(sum(node["refused"] for node in nodes), "message") + " refused"
    refusing = [node for node in nodes if _refuses(node)]
    if refusing:
        return "bad", str(len(refusing)) + " of " + str(len(nodes)) + " refuses"
    if down:
        return "warn", str(len(down)) + " of " + str(len(nodes)) + " unreachable"
    waiting = sum(node["pending_out"] + node["pending_in"] for node in nodes)
    if waiting:
        return "warn", count(waiting, "message") + " waiting"
    if any(node["last_success"] is None for node in nodes):
        return None, "Not synced yet"
    return "good", "All synced"


def waiting(states):
    """Tone and words for a note that some node does not have yet, from its unsettled entries."""
    refused = [state for state in states if state["state"] == "refused"]
    if refused:
        return "bad", "Refused by " + count(len({state["endpoint"] for state in refused}), "node")
    return None, "Waiting for " + count(len({state["endpoint"] for state in states}), "node")


def code_and_detail(error):
    """An error as the node gave it; code 0 means that no node answered."""
    return (str(error["code"]) + " " if error["code"] else "") + error["detail"]


def did_error(reason):
    """Why the endpoints of the identity are not known for sure."""
    return "The identity's public document could not be fetched: " + reason if reason else ""


def publish_error(reason):
    """Why other devices cannot find the identity yet."""
    return (
        "Not published yet, so other devices cannot find this identity. It is tried again. " + reason if reason else ""
    )


def problem(kind, message):
    """Title and advice for an error; the message itself belongs in the details."""
    return _PROBLEMS.get(kind) or (
        message or "Something went wrong",
        "Try again. If it happens again, reload the page.",
    )


def complaint(kind, message):
    """What is wrong with what was typed into a form."""
    if kind == "WrongPassword":
        return "That is not the password."
    if kind == "Worker":
        return problem(kind, message)[0]
    return message


def node_removal(is_last):
    """What it means to remove a node."""
    if is_last:
        return "Remove your last node? Your notes are then in this browser only, and your words bring nothing back."
    return "Remove this node? It keeps what it has, and gets nothing new."


def protection_key(has_password):
    """Tone and words for what opens the vault."""
    if has_password:
        return "good", "Keys: locked by your password"
    return "warn", "Keys: open to whoever can use this browser profile"


def protection_phrase(owes_words):
    """Tone and words for the recovery phrase."""
    if owes_words:
        return "warn", "Twelve words: not written down yet"
    return "good", "Twelve words: written down"


def invitation(has_password, owes_words):
    """Title and text of the invitation to protect the keys; empty if nothing is left to do."""
    if has_password:
        if not owes_words:
            return "", ""
        return (
            "Write down your twelve words",
            "If you forget the password, or this browser's data are cleared, only they bring back your notes.",
        )
    if not owes_words:
        return (
            "Your keys have no password",
            "Whoever can use this browser profile can use them. A password keeps others out.",
        )
    return (
        "Your keys are protected by this browser only",
        "Whoever can use this browser profile can use them, and clearing the site's data destroys them. "
        "Twelve words on paper bring everything back; a password keeps others out.",
    )


def password_dialog(has_password):
    """Title and text of the dialog for the password."""
    hint = "It is asked for after each reload of the page. Nobody can tell it to you again: only your words help then."
    return ("Change the password" if has_password else "Set a password"), hint


def lock_title(state):
    """What stands where the notes were."""
    return "Your identities are coming back" if state == "recovering" else "Your notes are locked"


def recovery_hint(is_locked):
    """What the words do."""
    if is_locked:
        return (
            "They open this browser's notes again. The new password takes the place of the one you forgot; "
            "without one, whoever can use this browser profile can read them."
        )
    return (
        "Type the words that you wrote down: your identities and their notes come back from your remote nodes. "
        "What is in this browser already stays, and moves in with them."
    )


def recovery(steps):
    """How far a recovery has come.

    Parameters:
        steps: "done" and "total" by the step's name.
    """
    if not steps.get("agent", {}).get("done"):
        return "Looking for what the words belong to…"
    if "identities" not in steps:
        return "Found. Fetching your identities…"
    text = count(steps["identities"]["total"], "identity", "identities") + ": "
    if "records" in steps and steps["records"]["total"]:
        return text + progress(steps["records"]["done"], steps["records"]["total"])
    return text + "fetching their notes…"


def recovered(steps):
    """What has come back."""
    records = steps.get("records", {"done": 0, "total": 0})
    found = count(steps["identities"]["total"], "identity", "identities")
    if records["done"]:
        found += ", " + count(records["done"], "message")
    missing = "" if records["total"] and records["done"] == records["total"] else _MISSING
    return found + ": here again." + missing
