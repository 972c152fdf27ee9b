"""The texts of the home screen. As words.py, it touches no page."""

from ui import words

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
    asking = sorted({(node["endpoint"], node["registration"]["state"]) for node in nodes if words.asks(node)})
    if state["storage"]["trouble"]:
        found.append(("bad", "This browser does not store what you write.", "Settings", "settings"))
    found.extend([("bad", words.node_name(one) + " has no room left for you.", "Look at it", "nodes") for one in full])
    if refused:
        found.append(
            (
                "bad",
                words.count(refused, "message") + " were refused by a node."
                if refused > 1
                else "A message was refused by a node.",
                "See why",
                "nodes",
            )
        )
    for one, asked in asking:
        found.append(("warn", words.node_name(one) + " " + words.ASKS[asked].lower() + ".", "Answer", "nodes"))
    if requests:
        found.append(
            ("warn", words.count(requests, "person wants", "people want") + " to write to you.", "Look", "messages")
        )
    if state["vault"]["words"]:
        found.append(
            (
                "warn",
                "Your twelve words are not on paper: nothing else brings everything back.",
                "Write them down",
                "settings",
            )
        )
    if not state["endpoints"] and not state["did_error"]:
        found.append(("warn", "You have no node: everything is in this browser only.", "Add one", "nodes"))
    return found


def _is_full(node):
    error = node["last_error"]
    return bool(error and error["code"] == _FULL)


def steps(has_notes, has_people, vault):
    """Return the first steps, as (done, words, label of the link, address); none once all are taken."""
    found = [
        (has_notes, "Write something. It is here, and on your nodes, when you close this.", "Write", "notes"),
        (
            not vault["words"],
            "Put your twelve words on paper. They open all of this on a second device, too.",
            "Show them",
            "settings",
        ),
        (has_people, "Give somebody your address, and write to one another.", "Messages", "messages"),
    ]
    return [] if all(step[0] for step in found) else found


def first_line(text):
    """Write the beginning of a note in one line, without the marks of a heading."""
    line = " ".join(text[: 4 * _LONGEST].split())[:_LONGEST].lstrip("# ")
    return words.theirs(line) or "An empty note"


def message(entry):
    """Write the last message of a conversation in one line."""
    name = words.theirs(entry["name"]) if entry["name"] else words.short_did(words.theirs(entry["did"]))
    text = words.theirs(" ".join(entry["text"].split()))
    return name + ": " + ("you: " if entry["mine"] else "") + text


def places(nodes, tone_and_words):
    """Return tone and words for where everything is.

    Parameters:
        tone_and_words: as the header has them.
    """
    name, text = tone_and_words
    where = "In this browser" + (" and on " + words.count(len(nodes), "node") if nodes else "")
    return name, where + ". " + text + "."
