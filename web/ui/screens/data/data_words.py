"""The texts of the data. As words.py, it touches no page."""

from ui import words
from ui.kit.texts import grouped, plural, t

PERMISSIONS = "https://tbd.website/dwn/permissions"
TABS = ("records", "messages", "protocols", "grants")

NAMES = {"records": t("Records"), "messages": t("Messages")}
LEADS = {
    "records": t("Everything that is kept for you, whoever wrote it and in whichever app."),
    "messages": t("What your records and protocols are made of, in the order in which it came here."),
}
ORDERS = {
    "records": (
        ("createdDescending", t("Newest first")),
        ("createdAscending", t("Oldest first")),
        ("publishedDescending", t("Last published first")),
    ),
    "messages": (("newest", t("Newest first")), ("oldest", t("Oldest first"))),
}
METHODS = (("", t("All")), ("Write", t("Written")), ("Delete", t("Deleted")), ("Configure", t("Protocols")))
ALL = (("", t("All")), ("published", t("Published")))
DAYS = (
    (1, t("in a day")),
    (7, t("in a week")),
    (30, t("in a month")),
    (90, t("in three months")),
    (365, t("in a year")),
)
USUAL_DAYS = 30
CHECKING = t("Being checked")
PIN = t(
    "Type this PIN into the app, and tell it to nobody else: with it, the app gets the key by which it acts for you."
)
HERE = ("good", t("This browser has it"), "")

_KINDS = {
    "RecordsWrite": t("Written"),
    "RecordsDelete": t("Deleted"),
    "ProtocolsConfigure": t("Protocol"),
}
_FORMATS = {
    "text/plain": t("Text"),
    "text/markdown": t("Text"),
    "application/json": t("Data"),
    "application/octet-stream": t("File"),
}
_CHECKS = {
    "messageCid": {
        "ok": t("Its content has the address (CID) by which it is known"),
        "failed": t("Its content has another address (CID) than that by which it is known"),
    },
    "claims": {
        "ok": t("Everything in it is what was signed"),
        "failed": t("Something in it is not what was signed"),
    },
    "signatures": {
        "ok": t("Every signature is by a key of the one who is named"),
        "failed": t("A signature is not by the one who is named"),
        "unknown": t("The signatures cannot be checked now"),
    },
    "data": {
        "ok": t("The data are those that were signed"),
        "failed": t("The data are not those that were signed"),
        "unknown": t("The data cannot be checked"),
        "large": t("The data are large, and were not checked yet"),
    },
}
_TONES = {"ok": "good", "failed": "bad", "unknown": "warn", "large": None}
_PLACES = {
    "there": ("good", t("{name} has it")),
    "waiting": ("busy", t("{name} does not have it yet")),
    "refused": ("bad", t("{name} refused it")),
    "unknown": (None, t("{name} was not reached yet")),
}
_ROLES = {
    "data": t("what its data say"),
    "author": t("the author"),
    "owner": t("the owner"),
    "author's grantor": t("who let the author sign"),
    "owner's grantor": t("who let the owner sign"),
    "attester": t("who attests it"),
}
_VERBS = {
    "read": t("read"),
    "write": t("write"),
    "delete": t("delete"),
    "query": t("search"),
    "subscribe": t("follow"),
    "configure": t("change the rules of"),
}
_ACTIONS = {
    "create": t("write"),
    "read": t("read"),
    "update": t("change"),
    "co-update": t("change what others wrote"),
    "delete": t("delete"),
    "co-delete": t("delete what others wrote"),
    "prune": t("delete with all below"),
    "co-prune": t("delete what others wrote, with all below"),
    "query": t("search"),
    "subscribe": t("follow"),
}


def what(row):
    """Write what a row of a list is."""
    if row["kind"] == "RecordsDelete":
        return t("A record was deleted")
    if row["kind"] == "ProtocolsConfigure":
        return t("Protocol {name}", name=uri(row["protocol"]))
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
        protocol = row["protocol"]
        parts.append(t("in {name}", name=uri(protocol)) if protocol else uri(row["schema"]) or t("in no protocol"))
        if row["encrypted"]:
            parts.append(t("encrypted"))
    return " · ".join(parts)


def chip(row):
    """Return tone and words for what is special about a row; empty words for nothing."""
    if row["waiting"] == "refused":
        return "bad", t("Refused")
    if row["waiting"]:
        return None, t("On the way")
    return (None, t("Published")) if row["published"] else (None, "")


def person(who):
    """Write who somebody is."""
    if who["me"]:
        return t("You")
    return words.theirs(who["name"]) if who["name"] else words.short_did(words.theirs(who["did"]))


def uri(text):
    """Write a URI without what all of them have."""
    if text == PERMISSIONS:
        return t("permissions")
    return words.theirs(text).split("://")[-1].rstrip("/")


def bytes_of(number):
    """Write a size."""
    if number < 1000:
        return plural(number, "{n} byte", "{n} bytes")
    for limit, unit, name in ((1_000_000, 1000, "kB"), (1_000_000_000, 1_000_000, "MB")):
        if number < limit:
            return str(int(number) // unit) + " " + name
    return grouped(int(number) // 1_000_000) + " MB"


def range_of(first, count, more):
    """Write which part of a list is shown."""
    if not count:
        return ""
    first, last = grouped(first + 1), grouped(first + count)
    if more:
        return t("{first} to {last} and more", first=first, last=last)
    return t("{first} to {last}, the last", first=first, last=last)


def title(one):
    """Write what a message is, as its title."""
    if one["kind"] == "RecordsWrite":
        return named(one) if one["newest"] else t("{name} (an earlier state)", name=named(one))
    return what(one)


def facts(one, when):
    """Return what a message says as (name, value, whether that is for machines), without what it does not say.

    Parameters:
        when: its date as the reader's locale writes it.
    """
    kind = {"RecordsWrite": t("A record, or a new state of one"), "RecordsDelete": t("The end of a record")}
    others = one["signer"]["did"] != one["author"]["did"]
    found = [
        (t("Kind"), kind.get(one["kind"], t("The rules of a protocol")), False),
        (t("From"), person(one["author"]), False),
        (t("Signed by"), t("{name}, in their name", name=person(one["signer"])) if others else "", False),
        (t("To"), person(one["to"]) if one["to"] else "", False),
        (t("Date"), when, False),
        (t("Readable by"), _readers(one) if one["kind"] == "RecordsWrite" else "", False),
        (t("Format"), words.theirs(one["format"]), False),
        (t("Size"), "" if one["size"] is None else bytes_of(one["size"]), False),
        (t("Protocol"), words.theirs(one["protocol"]), False),
        (t("Place in it"), words.theirs(one["path"]), False),
        (t("Schema"), words.theirs(one["schema"]), False),
        (t("DID of the author"), words.theirs(one["author"]["did"]), True),
        (t("Record ID"), one["record"] or "", True),
        (t("Message CID"), one["cid"], True),
    ]
    return [fact for fact in found if fact[1]]


def _readers(one):
    if one["published"]:
        return t("anybody: it is published")
    if one["encrypted"]:
        return t("those whom it is encrypted for")
    return t("you, your nodes, and whom its protocol lets read")


def check(one):
    """Return tone and words of one check."""
    said = _CHECKS.get(one["subject"], {}).get(one["state"], one["subject"])
    return _TONES.get(one["state"]), said


def verdict(checks):
    """Return tone and words for what all checks say together."""
    states = [one["state"] for one in checks]
    if "failed" in states:
        return "bad", t("No. Do not rely on it.")
    if "unknown" in states:
        return "warn", t("As far as it can be checked now.")
    return "good", t("Yes, so far.") if "large" in states else t("Yes.")


def place(one):
    """Return tone and words for whether a node has a message."""
    name, said = _PLACES[one["state"]]
    return name, said.format(name=words.node_name(one["endpoint"]))


def other(one):
    """Write which other message of a record one is."""
    return {"Delete": t("Its end"), "Write": t("Another state of it")}.get(one["method"], one["method"])


def part(name):
    """Write the name of a part of a message, of those that are not its own in words."""
    return words.theirs(_ROLES.get(name, name))


def folded(name, inner):
    """Write the name of a part that has parts, with how many."""
    return part(name) + " (" + str(len(inner)) + ")"


def protocol_about(one):
    """Write what is to be known of a protocol at first."""
    parts = [plural(len(one["paths"]), "{n} kind of records", "{n} kinds of records")]
    parts.append(t("others can see it") if one["published"] else t("only you see it"))
    if one["encrypted"]:
        parts.append(t("encrypted"))
    return " · ".join(parts)


def rules(path):
    """Write who may do what at a path of a protocol."""
    said = [_rule(action) for action in path["actions"]]
    if path["role"]:
        said.append(t("gives a role to whom it is addressed to"))
    return "\n".join(said) or t("only you")


def _rule(action):
    verbs = ", ".join([_ACTIONS.get(verb, words.theirs(verb)) for verb in action["can"]])
    if action["by_role"]:
        return t("who has the role {role} may {verbs}", role=words.theirs(action["who"]), verbs=verbs)
    if action["who"] == "anyone":
        return t("anybody may {verbs}", verbs=verbs)
    of = words.theirs(action["of"])
    if action["who"] == "author":
        return t("the author of {of} may {verbs}", of=of, verbs=verbs)
    return t("the recipient of {of} may {verbs}", of=of, verbs=verbs)


def asks(permissions, protocol):
    """Write what an app asks for in a protocol."""
    verbs = [_VERBS.get(one, one) for one in permissions]
    return t("{verbs} in {place}", verbs=_joined(verbs), place=uri(protocol))


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
    where = uri(grant["protocol"]) or t("everything")
    if grant["within"]:
        where += ", " + words.theirs(grant["within"])
    does = t("{verbs} in {place}", verbs=_joined(verbs) if verbs else t("sync"), place=where)
    if grant["state"] == "revoked":
        return None, t("Taken away: {does}", does=does)
    if grant["state"] == "ended":
        return None, t("Ended {ago}: {does}", ago=words.ago((now - grant["until"]) / 1000), does=does)
    left = (grant["until"] - now) / 1000
    said = t("May {does}, for {span} more", does=does, span=words.span(max(left, 0)))
    return ("warn" if left < 7 * 86400 else "good"), said


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
    return t("This installs its rules, which say: {rules}.", rules=words.theirs("; ".join(said))) if said else ""


def asked(request):
    """Write what somebody asks for."""
    return t("asks to {does}.", does=asks([request["permission"]], request["protocol"]))


def give_title(request):
    """Write who asks for access, by the name that it gives itself."""
    return t("“{name}” asks to", name=words.theirs(request["name"])) if request["name"] else t("An app asks to")


def give_who(request):
    """Write whom the access would be for."""
    if request["server"]:
        return t(
            "The name is what the app says of itself. It gets its key by way of {server}, which cannot read it, and "
            "needs a PIN that you will see here.",
            server=words.theirs(request["server"]),
        )
    if request["did"]:
        return t(
            "The name is what the app says of itself. It acts with a key of its own: {key}", key=short(request["did"])
        )
    return t(
        "The name is what the app says of itself. It has no key yet: what you hand it will hold one, so give it to "
        "that app alone."
    )


def given(has_keys):
    """Write what to do with the delegation."""
    if has_keys:
        return t("Give this to the app, and to nobody else: it holds the key by which the app acts for you.")
    return t("Give this to the app. It is of use only to whoever has the app's own key.")


def _joined(parts):
    if len(parts) < 2:
        return "".join(parts)
    return t("{some} and {last}", some=", ".join(parts[:-1]), last=parts[-1])
