"""The texts of the home screen. As words.py, it touches no page."""

from ui import sync_words, words
from ui.kit import file_words
from ui.kit.texts import plural, t

_FULL = 507
_LONGEST = 120


def needs(state, requests):
    """Return what needs the person, as (tone, words, label of the link, address).

    Parameters:
        state: as the agent has it.
        requests: the number of people who want to write for the first time.
    """
    found = []
    nodes = state["endpoints"] + state["keys"]
    full = sorted({node["endpoint"] for node in nodes if _is_full(node)})
    refused = sum([node["refused"] for node in nodes if not _is_full(node)])
    asking = sorted({(node["endpoint"], node["registration"]["state"]) for node in nodes if sync_words.asks(node)})
    if state["storage"]["trouble"]:
        found.append(("bad", t("This browser does not store what you write."), t("Settings"), "settings"))
    lack = t("{name} has no room left for you.")
    found.extend([("bad", lack.format(name=words.node_name(one)), t("Look at it"), "nodes") for one in full])
    if refused:
        said = plural(refused, "A message was refused by a node.", "{n} messages were refused by a node.")
        found.append(("bad", said, t("See why"), "nodes"))
    consent, invitation = t("{name} asks for your consent."), t("{name} asks for an invitation.")
    for one, asked in asking:
        said = (invitation if asked == "invitation" else consent).format(name=words.node_name(one))
        found.append(("warn", said, t("Answer"), "nodes"))
    if requests:
        said = plural(requests, "{n} person wants to write to you.", "{n} people want to write to you.")
        found.append(("warn", said, t("Look"), "messages"))
    if state["vault"]["words"]:
        said = t("Your twelve words are not on paper: nothing else brings everything back.")
        found.append(("warn", said, t("Write them down"), "settings"))
    if not state["endpoints"] and not state["did_error"]:
        said = t("You have no node: everything is in this browser only.")
        found.append(("warn", said, t("Add one"), "nodes"))
    return found


def _is_full(node):
    error = node["last_error"]
    return bool(error and error["code"] == _FULL)


def steps(has_notes, has_people, has_devices, vault):
    """Return the first steps, as (done, words, label of the link, address); none once all are taken."""
    found = [
        (
            has_notes,
            t("Write something. It is here, and on your nodes, when you close this."),
            t("Write"),
            "notes",
        ),
        (
            not vault["words"],
            t("Put your twelve words on paper. They bring all of this back if every device is lost."),
            t("Show them"),
            "settings",
        ),
        (
            has_devices,
            t("Take your phone or another computer along. Both have everything then, and stay in step."),
            t("Add it"),
            "settings",
        ),
        (has_people, t("Give somebody your address, and write to one another."), t("Messages"), "messages"),
    ]
    return [] if all(step[0] for step in found) else found


def first_line(text):
    """Write the beginning of a note in one line, without the marks of a heading."""
    line = " ".join(file_words.without_pictures(text[: 20 * _LONGEST]).split())[:_LONGEST].lstrip("# ")
    return words.theirs(line) or t("An empty note")


def message(entry):
    """Write the last message of a conversation in one line."""
    name = words.theirs(entry["name"]) if entry["name"] else words.short_did(words.theirs(entry["did"]))
    said = entry["text"] or entry.get("file") or entry.get("invited") or ""
    text = words.theirs(" ".join(said.split()))
    return name + ": " + (t("you: {text}", text=text) if entry["mine"] else text)


def places(nodes, tone_and_words):
    """Return tone and words for where everything is.

    Parameters:
        tone_and_words: as the header has them.
    """
    name, text = tone_and_words
    where = t("In this browser.")
    if nodes:
        where = plural(len(nodes), "In this browser and on {n} node.", "In this browser and on {n} nodes.")
    return name, where + " " + text + "."
