"""The texts of sync: how the remote nodes stand, and what waits for them. As words.py, it touches no page."""

from ui.kit.texts import forms, grouped, plural, t, tenths
from ui.words import SKEW_SECONDS, code_and_detail, node_name, short_did, span, theirs

_EVERY = {
    "s": (t("Syncs every second."), forms("Syncs every {n} second.", "Syncs every {n} seconds.")),
    "m": (t("Syncs every minute."), forms("Syncs every {n} minute.", "Syncs every {n} minutes.")),
    "h": (t("Syncs every hour."), forms("Syncs every {n} hour.", "Syncs every {n} hours.")),
    "d": (t("Syncs every day."), forms("Syncs every {n} day.", "Syncs every {n} days.")),
}
_UNITS = ("s", "sec", "second", "m", "min", "minute", "h", "hr", "hour", "d", "day")


def clocks(nodes):
    """Write which clock is wrong, this device's or a node's; an empty text if none is known to be."""
    known = [node for node in nodes if node.get("clock_ahead") is not None]
    wrong = [node for node in known if abs(node["clock_ahead"]) > SKEW_SECONDS]
    if not wrong:
        return ""
    if len(wrong) < len(known):
        return "\n".join([_wrong_clock(node["endpoint"], -node["clock_ahead"]) for node in wrong])
    ahead = wrong[0]["clock_ahead"]
    by = span(abs(ahead))
    if ahead > 0:
        found = plural(
            len(wrong),
            "This device's clock is {span} ahead of your node's.",
            "This device's clock is {span} ahead of your nodes'.",
            span=by,
        )
        return (
            found
            + " "
            + t("Set it right: what you write now may reach your other devices only when its time has come.")
        )
    found = plural(
        len(wrong),
        "This device's clock is {span} behind your node's.",
        "This device's clock is {span} behind your nodes'.",
        span=by,
    )
    return found + " " + t("Set it right: what you write now counts as older than it is.")


def _wrong_clock(endpoint, ahead):
    name, by = node_name(endpoint), span(abs(ahead))
    if ahead > 0:
        return t("The clock of {name} is {span} ahead of this device's.", name=name, span=by)
    return t("The clock of {name} is {span} behind this device's.", name=name, span=by)


def interval(text):
    """Write a sync interval such as "2m" in words."""
    if not text or text == "off":
        return t("Syncs only when you ask.")
    if text == "live":
        return t("Syncs at once.")
    digits = "".join(char for char in text if char in "0123456789.")
    unit = text[len(digits) :].strip().rstrip("s") or "s"
    if not digits or unit not in _UNITS:
        return t("Syncs every {time}.", time=text)
    once, both = _EVERY[unit[0]]
    number = float(digits)
    if number == 1:
        return once
    return both[1].format(n=str(int(number)) if number == int(number) else tenths(int(number * 10 + 0.5)))


def node_state(node, seconds=None):
    """Return tone and words for one endpoint.

    Parameters:
        seconds: until it is tried again, if that is known.
    """
    if node["registration"]["state"] == "working":
        return "busy", t("Registering")
    if asks(node) and node["reachable"] is not False:
        return "warn", ASKS[node["registration"]["state"]]
    if node["activity"] == "syncing":
        return "busy", _syncing(node["rate"])
    if node["reachable"] is None:
        return None, t("Not tried yet")
    if not node["reachable"]:
        if not seconds:
            return "bad", t("Unreachable")
        return "bad", plural(int(seconds) + 1, "Unreachable, again in {n} second", "Unreachable, again in {n} seconds")
    if node["refused"] or refuses(node):
        return "warn", t("Reachable, but refuses")
    if fails(node):
        return "warn", t("Reachable, but the last sync failed")
    return "good", t("Live") if node["activity"] == "live" else t("Reachable")


def _syncing(bytes_a_second):
    speed = rate(bytes_a_second)
    return t("Syncing, {speed}", speed=speed) if speed else t("Syncing")


def asks(node):
    """Return True if the node waits for the person's consent, or invitation, before it keeps anything."""
    return node["registration"]["state"] in ASKS


def troubles(node):
    """Return True if a node waits for the person: for consent, or for something to be done about what it refuses."""
    return bool(node["refused"]) or asks(node) or refuses(node)


ASKS = {
    "terms": t("Asks for your consent"),
    "work": t("Asks for your consent"),
    "invitation": t("Asks for an invitation"),
}
_UNINVITED = {
    "InvitationCodeUnknown": t("This node knows no such code. Look whether it is complete."),
    "InvitationCodeUsedUp": t("This invitation was used up. Ask for another one."),
    "InvitationCodeEnded": t("This invitation has ended. Ask for another one."),
}


def registration(found):
    """Write what a registration needs, or an empty text."""
    if found["state"] == "invitation":
        reason = found["reason"] or ""
        for code in _UNINVITED:
            if code in reason:
                return _UNINVITED[code]
        if reason:
            return t("That code was not taken: {reason}", reason=theirs(reason))
        return t("This node is for people who were invited. Enter the code that you were given.")
    if found["state"] == "terms":
        return t("This node asks you to agree to its terms before it keeps anything for you.")
    if found["state"] == "work":
        return t(
            "Before it keeps anything for you, this node asks for a long proof of work: about {hashes}. This device "
            "would be busy for minutes, or longer.",
            hashes=hashes(found["hashes"]),
        )
    if found["state"] == "working":
        seconds = found["hashes"] // found["rate"] + 1 if found["rate"] else 0
        tried, most = hashes(found["tried"]), hashes(found["hashes"])
        if not seconds:
            return t(
                "Doing the work that this node asks for: {tried} so far, about {most} on average.",
                tried=tried,
                most=most,
            )
        return plural(
            seconds,
            "Doing the work that this node asks for: {tried} so far, about {most} on average, which takes {n} second "
            "here.",
            "Doing the work that this node asks for: {tried} so far, about {most} on average, which takes {n} seconds "
            "here.",
            tried=tried,
            most=most,
        )
    if found["state"] == "failed":
        return t("Could not register: {reason}", reason=theirs(found["reason"] or ""))
    return ""


def hashes(number):
    """Write a number of hashes, as exactly as anybody wants to know it."""
    if number < 1_000_000:
        return plural(number, "{n} hash", "{n} hashes")
    return t("{n} million hashes", n=grouped(number // 1_000_000))


def rate(number):
    """Write bytes a second, where that is worth reading."""
    if number < 10_000:
        return ""
    if number < 1_000_000:
        return str(int(number // 1000)) + " kB/s"
    return tenths(int(number // 100_000)) + " MB/s"


def progress(done, total):
    """Write how far a sync has come."""
    return plural(total, "{done} of {n} message", "{done} of {n} messages", done=grouped(done))


def news(entry):
    """Write what happened to an endpoint."""
    name = node_name(entry["endpoint"])
    if entry["kind"] == "removed":
        return t("{name} is no longer one of your nodes.", name=name)
    if entry["kind"] == "added":
        return t("{name} is now one of your nodes.", name=name)
    return plural(
        entry["total"],
        "{name} had lost {n} message; it gets it again.",
        "{name} had lost {n} messages; it gets them again.",
        name=name,
    )


def comparison(found):
    """Write how the endpoints compare with this browser; of the keys, only where they differ."""
    shown = [one for one in found if not one["keys"] or one["error"] or one["only_here"] or one["only_there"]]
    return "\n".join([difference(one) for one in shown])


def difference(found):
    """Write how an endpoint compares with this browser."""
    name = node_name(found["endpoint"])
    if found["error"]:
        return t("{name}: could not be asked ({why})", name=name, why=code_and_detail(found["error"]))
    if found.get("keys"):
        name = t("{name} (your keys)", name=name)
    lost = found.get("displaced", 0)
    if not found["only_here"] and not found["only_there"] and not lost:
        return name + ": " + plural(found["both"], "the same {n} message", "the same {n} messages")
    said = [plural(found["both"], "{n} message at both", "{n} messages at both")]
    if found["only_here"]:
        said.append(t("{n} only here", n=grouped(found["only_here"])))
    if found["only_there"]:
        said.append(t("{n} only there", n=grouped(found["only_there"])))
    if lost:
        said.append(plural(lost, "{n} record lost to another's copy", "{n} records lost to another's copy"))
    if found["mended"]:
        said.append(t("being mended"))
    return name + ": " + ", ".join(said)


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
        return "busy", t("Syncing")
    if not nodes:
        return ("warn", t("Nodes not known")) if error else (None, t("Kept here only"))
    all_ = len(nodes)
    down = [node for node in nodes if node["reachable"] is False]
    if len(down) == all_:
        return "bad", t("No node reachable")
    refused = sum(node["refused"] for node in nodes)
    if refused:
        return "bad", plural(refused, "{n} message refused", "{n} messages refused")
    asking = [node for node in nodes if asks(node)]
    if asking:
        return "warn", plural(len(asking), "{n} of {all} asks you", "{n} of {all} ask you", all=all_)
    refusing = [node for node in nodes if refuses(node)]
    if refusing:
        return "bad", plural(len(refusing), "{n} of {all} refuses", "{n} of {all} refuse", all=all_)
    if down:
        return "warn", t("{n} of {all} unreachable", n=len(down), all=all_)
    failing = [node for node in nodes if fails(node)]
    if failing:
        return "warn", plural(len(failing), "{n} of {all} fails", "{n} of {all} fail", all=all_)
    waiting = sum(node["pending_out"] + node["pending_in"] for node in nodes)
    if waiting:
        return "warn", plural(waiting, "{n} message waiting", "{n} messages waiting")
    if any(node["last_success"] is None for node in nodes):
        return None, t("Not synced yet")
    if error:
        return "warn", t("Nodes not known")
    return "good", t("All synced")


def nodes_unknown(error):
    """Write why no node is shown."""
    if error:
        return t("Which nodes this identity has is not known now.")
    return t("No remote node is known for this identity, so its notes are in this browser only.")


def kept(nodes):
    """Write where notes are kept."""
    if nodes:
        return t("What you write is kept in this browser and copied to your remote nodes.")
    return t("What you write is kept in this browser only.")


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
        return "bad", plural(_nodes(refused), "Refused by {n} node", "Refused by {n} nodes")
    lost = [state for state in states if state["state"] == "displaced"]
    if lost:
        return "bad", plural(_nodes(lost), "Lost by {n} node", "Lost by {n} nodes")
    if any(state["state"] == "early" for state in states):
        return "warn", t("Waits for its time: the clock was ahead")
    return None, plural(_nodes(states), "Waiting for {n} node", "Waiting for {n} nodes")


def _nodes(states):
    return len({state["endpoint"] for state in states})


def _waiting_for_others(states):
    refused = [state for state in states if state["state"] == "refused"]
    targets = {state["target"] for state in refused or states}
    name = short_did(next(iter(targets)))
    if refused:
        return "bad", plural(len(targets), "Refused by {name}'s node", "Refused by the nodes of {n}", name=name)
    return None, plural(len(targets), "Waits for {name}'s node", "Waits for the nodes of {n}", name=name)


def node_removal(is_last):
    """Ask whether to remove a node, with what that means."""
    if is_last:
        return t(
            "Remove your last node? It keeps what it has, but new notes are then in this browser only, and your words "
            "bring nothing back of this identity's notes."
        )
    return t("Remove this node? It keeps what it has, and gets nothing new. What it alone has is fetched first.")


def node_needed(reason):
    """Ask whether to remove a node that alone has something."""
    return t("What only this node has would be lost to you. {reason} Remove it all the same?", reason=theirs(reason))
