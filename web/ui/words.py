"""The texts of the page. Nothing here touches the page, so that CPython can test it."""

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

_SKEW_SECONDS = 60
"""The time by which clocks may differ without anybody being told."""

DAMAGED = "The text of this note cannot be read here. It is fetched again from your remote nodes, if one has it."

_LONGEST = 1000
"""Characters of other people's words that are worth showing."""

_UNSEEN = "\x7f\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_BROKEN = "\ufffd"


def count(number, noun, plural=None):
    """Write 1 note, 2 notes, 1,000 notes; 2 identities, with their plural given."""
    return grouped(number) + " " + (noun if number == 1 else plural or noun + "s")


def grouped(number):
    """Write a number with commas: 1,000."""
    text = str(number)
    groups = ""
    while len(text) > 3:
        groups = "," + text[-3:] + groups
        text = text[:-3]
    return text + groups


def ago(seconds):
    """Write how long ago something was, in one unit, or how far it is ahead of this device's clock."""
    if seconds < -_SKEW_SECONDS:
        return span(-seconds) + " ahead"
    return "just now" if seconds < 5 else span(seconds) + " ago"


def true_for(seconds):
    """Return for how many seconds what `ago` writes stays true, about; it is never more than a second too long."""
    if seconds < 60:
        return 1
    for limit, unit, _ in _SPANS:
        if seconds < limit:
            return unit - seconds % unit
    return 86400


def span(seconds):
    """Write a time in one unit."""
    for limit, unit, name in _SPANS:
        if seconds < limit:
            return count(int(seconds // unit), name)
    return count(int(seconds // (86400 * 365)), "year")


def loaded(done, total):
    """Write how many of the bytes that are fetched have arrived; nothing once they all have."""
    return _megabytes(done) + " of " + _megabytes(total) + " MB" if done < total else ""


def _megabytes(size):
    tenths = (size + 50_000) // 100_000
    return str(tenths // 10) + "." + str(tenths % 10)


def broken_line(tries, most):
    """Write that the connection broke while the page was fetched."""
    return (
        "The connection is broken. What has arrived stays; the rest is asked for again (try "
        + str(tries)
        + " of "
        + str(most - 1)
        + ")."
    )


def no_settings(failures):
    """Write that the first launch waits for the site's settings."""
    return (
        "This site does not say yet which nodes to use: its settings cannot be fetched. Tried "
        + count(failures, "time")
        + "; trying again"
    )


def messages(number):
    """Write how many messages wait."""
    return count(number, "message") if number else "nothing"


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


def clocks(nodes):
    """Write which clock is wrong, this device's or a node's; an empty text if none is known to be."""
    known = [node for node in nodes if node.get("clock_ahead") is not None]
    wrong = [node for node in known if abs(node["clock_ahead"]) > _SKEW_SECONDS]
    if not wrong:
        return ""
    if len(wrong) < len(known):
        named = [("The clock of " + node_name(node["endpoint"]), -node["clock_ahead"]) for node in wrong]
        return "\n".join([_differs(clock, ahead, "this device's") for clock, ahead in named])
    ahead = wrong[0]["clock_ahead"]
    return _differs("This device's clock", ahead, "your node's" if len(wrong) == 1 else "your nodes'") + (
        " Set it right: what you write now may reach your other devices only when its time has come."
        if ahead > 0
        else " Set it right: what you write now counts as older than it is."
    )


def _differs(clock, ahead, other):
    return clock + " is " + span(abs(ahead)) + (" ahead of " if ahead > 0 else " behind ") + other + "."


def interval(text):
    """Write a sync interval such as "2m" in words."""
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
    """Return tone and words for one endpoint.

    Parameters:
        seconds: until it is tried again, if that is known.
    """
    if node["registration"]["state"] == "working":
        return "busy", "Registering"
    if asks(node) and node["reachable"] is not False:
        return "warn", ASKS[node["registration"]["state"]]
    if node["activity"] == "syncing":
        return "busy", "Syncing" + rate(node["rate"])
    if node["reachable"] is None:
        return None, "Not tried yet"
    if not node["reachable"]:
        return "bad", "Unreachable" + (", again in " + count(int(seconds) + 1, "second") if seconds else "")
    if node["refused"] or refuses(node):
        return "warn", "Reachable, but refuses"
    if fails(node):
        return "warn", "Reachable, but the last sync failed"
    return "good", "Live" if node["activity"] == "live" else "Reachable"


def asks(node):
    """Return True if the node waits for the person's consent, or invitation, before it keeps anything."""
    return node["registration"]["state"] in ASKS


def troubles(node):
    """Return True if a node waits for the person: for consent, or for something to be done about what it refuses."""
    return bool(node["refused"]) or asks(node) or refuses(node)


ASKS = {"terms": "Asks for your consent", "work": "Asks for your consent", "invitation": "Asks for an invitation"}
_UNINVITED = {
    "InvitationCodeUnknown": "This node knows no such code. Look whether it is complete.",
    "InvitationCodeUsedUp": "This invitation was used up. Ask for another one.",
    "InvitationCodeEnded": "This invitation has ended. Ask for another one.",
}


def registration(found):
    """Write what a registration needs, or an empty text."""
    if found["state"] == "invitation":
        reason = found["reason"] or ""
        for code in _UNINVITED:
            if code in reason:
                return _UNINVITED[code]
        if reason:
            return "That code was not taken: " + theirs(reason)
        return "This node is for people who were invited. Enter the code that you were given."
    if found["state"] == "terms":
        return "This node asks you to agree to its terms before it keeps anything for you."
    if found["state"] == "work":
        return (
            "Before it keeps anything for you, this node asks for a long proof of work: about "
            + hashes(found["hashes"])
            + ". This device would be busy for minutes, or longer."
        )
    if found["state"] == "working":
        seconds = found["hashes"] // found["rate"] + 1 if found["rate"] else 0
        return (
            "Doing the work that this node asks for: "
            + hashes(found["tried"])
            + " so far, about "
            + hashes(found["hashes"])
            + " on average"
            + (", which takes " + count(seconds, "second") + " here." if seconds else ".")
        )
    if found["state"] == "failed":
        return "Could not register: " + theirs(found["reason"] or "")
    return ""


def hashes(number):
    """Write a number of hashes, as exactly as anybody wants to know it."""
    if number < 1_000_000:
        return grouped(number) + (" hash" if number == 1 else " hashes")
    return grouped(number // 1_000_000) + " million hashes"


def rate(number):
    """Write bytes a second, where that is worth reading."""
    if number < 10_000:
        return ""
    if number < 1_000_000:
        return ", " + str(int(number // 1000)) + " kB/s"
    return ", " + str(int(number // 100_000) / 10) + " MB/s"


def progress(done, total):
    """Write how far a sync has come."""
    return count(done, "message").split(" ")[0] + " of " + count(total, "message")


def news(entry):
    """Write what happened to an endpoint."""
    name = node_name(entry["endpoint"])
    if entry["kind"] == "removed":
        return name + " is no longer one of your nodes."
    if entry["kind"] == "added":
        return name + " is now one of your nodes."
    return name + " had lost " + count(entry["total"], "message") + "; it gets them again."


def comparison(found):
    """Write how the endpoints compare with this browser; of the keys, only where they differ."""
    shown = [one for one in found if not one["keys"] or one["error"] or one["only_here"] or one["only_there"]]
    return "\n".join([difference(one) for one in shown])


def difference(found):
    """Write how an endpoint compares with this browser."""
    name = node_name(found["endpoint"])
    if found["error"]:
        return name + ": could not be asked (" + code_and_detail(found["error"]) + ")"
    if found.get("keys"):
        name += " (your keys)"
    lost = found.get("displaced", 0)
    if not found["only_here"] and not found["only_there"] and not lost:
        return name + ": the same " + count(found["both"], "message")
    return (
        name
        + ": "
        + ", ".join(
            [count(found["both"], "message") + " at both"]
            + ([str(found["only_here"]) + " only here"] if found["only_here"] else [])
            + ([str(found["only_there"]) + " only there"] if found["only_there"] else [])
            + ([count(lost, "record") + " lost to another's copy"] if lost else [])
            + (["being mended"] if found["mended"] else [])
        )
    )


def refuses(node):
    """Return True if the node answers, but takes or gives nothing."""
    if asks(node) or node["registration"]["state"] == "working":
        return False
    return bool(node["reachable"] and node["last_error"] and node["last_error"]["code"])


def fails(node):
    """Return True if the last visit to a node that answers failed for another reason, on this side for instance."""
    if not node["reachable"]:
        return False
    return node["activity"] in ("failing", "blocked") and not asks(node)


def summary(nodes, syncing, error=None):
    """Return tone and words for the header, from the worst that is true of the nodes.

    Parameters:
        error: why they are not known for sure.
    """
    if syncing:
        return "busy", "Syncing"
    if not nodes:
        return ("warn", "Nodes not known") if error else (None, "Kept here only")
    down = [node for node in nodes if node["reachable"] is False]
    if len(down) == len(nodes):
        return "bad", "No node reachable"
    if sum(node["refused"] for node in nodes):
        return "bad", count(sum(node["refused"] for node in nodes), "message") + " refused"
    asking = [node for node in nodes if asks(node)]
    if asking:
        return "warn", str(len(asking)) + " of " + str(len(nodes)) + (" asks you" if len(asking) == 1 else " ask you")
    refusing = [node for node in nodes if refuses(node)]
    if refusing:
        return "bad", str(len(refusing)) + " of " + str(len(nodes)) + (" refuses" if len(refusing) == 1 else " refuse")
    if down:
        return "warn", str(len(down)) + " of " + str(len(nodes)) + " unreachable"
    failing = [node for node in nodes if fails(node)]
    if failing:
        return "warn", str(len(failing)) + " of " + str(len(nodes)) + (" fails" if len(failing) == 1 else " fail")
    waiting = sum(node["pending_out"] + node["pending_in"] for node in nodes)
    if waiting:
        return "warn", count(waiting, "message") + " waiting"
    if any(node["last_success"] is None for node in nodes):
        return None, "Not synced yet"
    if error:
        return "warn", "Nodes not known"
    return "good", "All synced"


def nodes_unknown(error):
    """Write why no node is shown."""
    if error:
        return "Which nodes this identity has is not known now."
    return "No remote node is known for this identity, so its notes are in this browser only."


def kept(nodes):
    """Write where notes are kept."""
    if nodes:
        return "What you write is kept in this browser and copied to your remote nodes."
    return "What you write is kept in this browser only."


def waiting(states):
    """Return tone and words for a note that some node does not have yet, from its unsettled entries.

    What somebody else is to have comes after what the own nodes lack; it has a `target`.
    """
    others = [state for state in states if state.get("target")]
    if others and len(others) == len(states):
        return _waiting_for_others(others)
    states = [state for state in states if not state.get("target")]
    refused = [state for state in states if state["state"] == "refused"]
    if refused:
        return "bad", "Refused by " + count(len({state["endpoint"] for state in refused}), "node")
    lost = [state for state in states if state["state"] == "displaced"]
    if lost:
        return "bad", "Lost by " + count(len({state["endpoint"] for state in lost}), "node")
    if any(state["state"] == "early" for state in states):
        return "warn", "Waits for its time: the clock was ahead"
    return None, "Waiting for " + count(len({state["endpoint"] for state in states}), "node")


def _waiting_for_others(states):
    refused = [state for state in states if state["state"] == "refused"]
    targets = {state["target"] for state in refused or states}
    whose = short_did(next(iter(targets))) + "'s node" if len(targets) == 1 else "the nodes of " + str(len(targets))
    return ("bad", "Refused by " + whose) if refused else (None, "Waits for " + whose)


def code_and_detail(error):
    """Write an error as the node gave it; code 0 means that no node answered."""
    return (str(error["code"]) + " " if error["code"] else "") + theirs(error["detail"])


def damaged(number):
    """Write how much of what is stored here cannot be read."""
    if not number:
        return ""
    return count(number, "stored message") + " cannot be read here. Nodes that have it are asked for it again."


def did_error(reason):
    """Write why the endpoints of the identity are not known for sure, or nothing can be signed for it."""
    return "The identity's public document, or its keys, are not at hand: " + theirs(reason) if reason else ""


def publish_error(reason, before, tried=True):
    """Write why other devices cannot find the identity, or not as it is now.

    Parameters:
        before: True if they find it as it was.
        tried: False if nobody tries, since the site names no gateway.
    """
    if not reason:
        return ""
    if not tried:
        return (
            "This site names no DID DHT gateway in its config.json, so this identity is not published: other devices "
            "cannot find it, and nodes take nothing from it. What you write stays in this browser."
        )
    return (
        "Your last change of this identity is not published yet, so other devices and your nodes still go by what was "
        "there before. It is tried again. "
        if before
        else "Not published yet, so other devices cannot find this identity. It is tried again. "
    ) + theirs(reason)


def shared_origin(host, path):
    """Warn that other pages have the same origin, since this one lives below its root; an empty text if it does not."""
    if path.rsplit("/", 1)[0] == "":
        return ""
    return (
        "This page shares "
        + host
        + " with other pages. They can reach what it keeps in this browser, and without a password also its keys. "
        + "It should have an address of its own."
    )


def node_removal(is_last):
    """Ask whether to remove a node, with what that means."""
    if is_last:
        return (
            "Remove your last node? It keeps what it has, but new notes are then in this browser only, and your words "
            + "bring nothing back of this identity's notes."
        )
    return "Remove this node? It keeps what it has, and gets nothing new. What it alone has is fetched first."


def node_needed(reason):
    """Ask whether to remove a node that alone has something."""
    return "What only this node has would be lost to you. " + theirs(reason) + " Remove it all the same?"
