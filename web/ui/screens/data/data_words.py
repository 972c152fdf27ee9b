"""The texts of the data. As words.py, it touches no page."""

from ui import words

PERMISSIONS = "https://tbd.website/dwn/permissions"
TABS = ("records", "messages", "protocols", "grants")

LEADS = {
    "records": "Everything that is kept for you, whoever wrote it and in whichever app.",
    "messages": "What your records and protocols are made of, in the order in which it came here.",
}
ORDERS = {
    "records": (
        ("createdDescending", "Newest first"),
        ("createdAscending", "Oldest first"),
        ("publishedDescending", "Last published first"),
    ),
    "messages": (("newest", "Newest first"), ("oldest", "Oldest first")),
}
METHODS = (("", "All"), ("Write", "Written"), ("Delete", "Deleted"), ("Configure", "Protocols"))
ALL = (("", "All"), ("published", "Published"))
DAYS = ((1, "a day"), (7, "a week"), (30, "a month"), (90, "three months"), (365, "a year"))
USUAL_DAYS = 30
CHECKING = "Being checked"
PIN = "Type this PIN into the app, and tell it to nobody else: with it, the app gets the key by which it acts for you."
HERE = ("good", "This browser has it", "")

_KINDS = {
    "RecordsWrite": "Written",
    "RecordsDelete": "Deleted",
    "ProtocolsConfigure": "Protocol",
}
_FORMATS = {
    "text/plain": "Text",
    "text/markdown": "Text",
    "application/json": "Data",
    "application/octet-stream": "File",
}
_CHECKS = {
    "messageCid": {
        "ok": "Its content has the address (CID) by which it is known",
        "failed": "Its content has another address (CID) than that by which it is known",
    },
    "claims": {
        "ok": "Everything in it is what was signed",
        "failed": "Something in it is not what was signed",
    },
    "signatures": {
        "ok": "Every signature is by a key of the one who is named",
        "failed": "A signature is not by the one who is named",
        "unknown": "The signatures cannot be checked now",
    },
    "data": {
        "ok": "The data are those that were signed",
        "failed": "The data are not those that were signed",
        "unknown": "The data cannot be checked",
        "large": "The data are large, and were not checked yet",
    },
}
_TONES = {"ok": "good", "failed": "bad", "unknown": "warn", "large": None}
_PLACES = {
    "there": ("good", "has it"),
    "waiting": ("busy", "does not have it yet"),
    "refused": ("bad", "refused it"),
    "unknown": (None, "was not reached yet"),
}
_ROLES = {
    "data": "what its data say",
    "author": "the author",
    "owner": "the owner",
    "author's grantor": "who let the author sign",
    "owner's grantor": "who let the owner sign",
    "attester": "who attests it",
}
_VERBS = {
    "read": "read",
    "write": "write",
    "delete": "delete",
    "query": "search",
    "subscribe": "follow",
    "configure": "change the rules of",
}
_ACTIONS = {
    "create": "write",
    "read": "read",
    "update": "change",
    "co-update": "change what others wrote",
    "delete": "delete",
    "co-delete": "delete what others wrote",
    "prune": "delete with all below",
    "co-prune": "delete what others wrote, with all below",
    "query": "search",
    "subscribe": "follow",
}


def what(row):
    """Write what a row of a list is."""
    if row["kind"] == "RecordsDelete":
        return "A record was deleted"
    if row["kind"] == "ProtocolsConfigure":
        return "Protocol " + uri(row["protocol"])
    return words.theirs(row["excerpt"]) or _sized(row)


def _sized(row):
    return named(row) + ("" if row["size"] is None else " · " + bytes_of(row["size"]))


def named(row):
    """Write what a record is: by its place in a protocol, or else by its format."""
    if row["path"]:
        return words.theirs(row["path"])
    return _FORMATS.get(row["format"]) or words.theirs(row["format"]) or _KINDS.get(row["kind"], row["kind"])


def about(row):
    """Write by whom a message is, and where it belongs."""
    parts = [_sized(row)] if row["excerpt"] else []
    parts.append(person(row["author"]))
    if row["kind"] == "RecordsWrite":
        parts.append("in " + uri(row["protocol"]) if row["protocol"] else uri(row["schema"]) or "in no protocol")
        if row["encrypted"]:
            parts.append("encrypted")
    return " · ".join(parts)


def chip(row):
    """Return tone and words for what is special about a row; empty words for nothing."""
    if row["waiting"] == "refused":
        return "bad", "Refused"
    if row["waiting"]:
        return None, "On the way"
    return (None, "Published") if row["published"] else (None, "")


def person(who):
    """Write who somebody is."""
    if who["me"]:
        return "You"
    return words.theirs(who["name"]) if who["name"] else words.short_did(words.theirs(who["did"]))


def uri(text):
    """Write a URI without what all of them have."""
    if text == PERMISSIONS:
        return "permissions"
    return words.theirs(text).split("://")[-1].rstrip("/")


def bytes_of(number):
    """Write a size."""
    if number < 1000:
        return words.count(number, "byte")
    for limit, unit, name in ((1_000_000, 1000, "kB"), (1_000_000_000, 1_000_000, "MB")):
        if number < limit:
            return str(int(number) // unit) + " " + name
    return words.grouped(int(number) // 1_000_000) + " MB"


def range_of(first, count, more):
    """Write which part of a list is shown."""
    if not count:
        return ""
    return words.grouped(first + 1) + " to " + words.grouped(first + count) + (" and more" if more else ", the last")


def title(one):
    """Write what a message is, as its title."""
    if one["kind"] == "RecordsWrite":
        return named(one) + (" (an earlier state)" if not one["newest"] else "")
    return what(one)


def facts(one, when):
    """Return what a message says as (name, value, whether that is for machines), without what it does not say.

    Parameters:
        when: its date as the reader's locale writes it.
    """
    kind = {"RecordsWrite": "A record, or a new state of one", "RecordsDelete": "The end of a record"}
    found = [
        ("Kind", kind.get(one["kind"], "The rules of a protocol"), False),
        ("From", person(one["author"]), False),
        (
            "Signed by",
            "" if one["signer"]["did"] == one["author"]["did"] else person(one["signer"]) + ", in their name",
            False,
        ),
        ("To", person(one["to"]) if one["to"] else "", False),
        ("Date", when, False),
        ("Readable by", _readers(one) if one["kind"] == "RecordsWrite" else "", False),
        ("Format", words.theirs(one["format"]), False),
        ("Size", "" if one["size"] is None else bytes_of(one["size"]), False),
        ("Protocol", words.theirs(one["protocol"]), False),
        ("Place in it", words.theirs(one["path"]), False),
        ("Schema", words.theirs(one["schema"]), False),
        ("DID of the author", words.theirs(one["author"]["did"]), True),
        ("Record ID", one["record"] or "", True),
        ("Message CID", one["cid"], True),
    ]
    return [fact for fact in found if fact[1]]


def _readers(one):
    if one["published"]:
        return "anybody: it is published"
    return "those whom it is encrypted for" if one["encrypted"] else "you, your nodes, and whom its protocol lets read"


def check(one):
    """Return tone and words of one check."""
    said = _CHECKS.get(one["subject"], {}).get(one["state"], one["subject"])
    return _TONES.get(one["state"]), said


def verdict(checks):
    """Return tone and words for what all checks say together."""
    states = [one["state"] for one in checks]
    if "failed" in states:
        return "bad", "No. Do not rely on it."
    if "unknown" in states:
        return "warn", "As far as it can be checked now."
    return "good", "Yes, so far." if "large" in states else "Yes."


def place(one):
    """Return tone and words for whether a node has a message."""
    name, said = _PLACES[one["state"]]
    return name, words.node_name(one["endpoint"]) + " " + said


def other(one):
    """Write which other message of a record one is."""
    return {"Delete": "Its end", "Write": "Another state of it"}.get(one["method"], one["method"])


def part(name):
    """Write the name of a part of a message, of those that are not its own in words."""
    return words.theirs(_ROLES.get(name, name))


def folded(name, inner):
    """Write the name of a part that has parts, with how many."""
    return part(name) + " (" + str(len(inner)) + ")"


def protocol_about(one):
    """Write what is to be known of a protocol at first."""
    parts = [words.count(len(one["paths"]), "kind", "kinds") + " of records"]
    parts.append("others can see it" if one["published"] else "only you see it")
    if one["encrypted"]:
        parts.append("encrypted")
    return " · ".join(parts)


def rules(path):
    """Write who may do what at a path of a protocol."""
    said = [_rule(action) for action in path["actions"]]
    if path["role"]:
        said.append("gives a role to whom it is addressed to")
    return "\n".join(said) or "only you"


def _rule(action):
    verbs = ", ".join([_ACTIONS.get(verb, words.theirs(verb)) for verb in action["can"]])
    if action["by_role"]:
        return "who has the role " + words.theirs(action["who"]) + " may " + verbs
    if action["who"] == "anyone":
        return "anybody may " + verbs
    return "the " + words.theirs(action["who"]) + " of " + words.theirs(action["of"]) + " may " + verbs


def asks(permissions, protocol):
    """Write what an app asks for in a protocol."""
    verbs = [_VERBS.get(one, one) for one in permissions]
    return _joined(verbs) + " in " + uri(protocol)


def access(grants, now):
    """Return what somebody may do, as (tone, words), one a protocol and end.

    Parameters:
        now: milliseconds since 1970.
    """
    groups = {}
    order = []
    for grant in grants:
        key = (grant["protocol"], grant["within"], grant["state"], grant["until"] // 60_000)
        if key not in groups:
            groups[key] = []
            order.append((key, grant))
        verb = _VERBS.get(grant["permission"])
        if verb and verb not in groups[key]:
            groups[key].append(verb)
    return [_access(grant, groups[key], now) for key, grant in order]


def _access(grant, verbs, now):
    where = uri(grant["protocol"]) or "everything"
    if grant["within"]:
        where += ", " + words.theirs(grant["within"])
    does = (_joined(verbs) if verbs else "sync") + " in " + where
    if grant["state"] == "revoked":
        return None, "Taken away: " + does
    if grant["state"] == "ended":
        return None, "Ended " + words.ago((now - grant["until"]) / 1000) + ": " + does
    left = (grant["until"] - now) / 1000
    return ("warn" if left < 7 * 86400 else "good"), "May " + does + ", for " + words.span(max(left, 0)) + " more"


def app_title(app):
    """Write who has access: by what the app said of itself, or else by the DID."""
    said = [one["description"] for one in app["grants"] if one["description"]]
    return words.theirs(said[-1]) if said else short(app["did"])


def short(did):
    """Write a DID as short as it can be told from others."""
    return words.short_did(words.theirs(did))


def installs(one):
    """Write what a request brings along that is not here yet."""
    said = [path["path"] + ": " + rules(path).replace("\n", ", ") for path in one["installs"]]
    return "This installs its rules, which say: " + words.theirs("; ".join(said)) + "." if said else ""


def asked(request):
    """Write what somebody asks for."""
    return "asks to " + asks([request["permission"]], request["protocol"]) + "."


def give_title(request):
    """Write who asks for access, by the name that it gives itself."""
    return "“" + words.theirs(request["name"]) + "” asks to" if request["name"] else "An app asks to"


def give_who(request):
    """Write whom the access would be for."""
    if request["server"]:
        return (
            "The name is what the app says of itself. It gets its key by way of "
            + words.theirs(request["server"])
            + ", which cannot read it, and needs a PIN that you will see here."
        )
    if request["did"]:
        return "The name is what the app says of itself. It acts with a key of its own: " + short(request["did"])
    return (
        "The name is what the app says of itself. It has no key yet: what you hand it will hold one, so give it to "
        "that app alone."
    )


def given(has_keys):
    """Write what to do with the delegation."""
    if has_keys:
        return "Give this to the app, and to nobody else: it holds the key by which the app acts for you."
    return "Give this to the app. It is of use only to whoever has the app's own key."


def _joined(parts):
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + " and " + parts[-1]
