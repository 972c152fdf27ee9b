"""The texts of the nodes beside those that words.py has. As words.py, it touches no page."""

from ui import words

STEPS = (
    ("fill", "The new node gets everything"),
    ("compare", "Both are compared, message by message"),
    ("publish", "Others learn of the new node"),
    ("leave", "The old one is let go of"),
)
"""The steps of a move, in their order."""


def flow(direction, done, total):
    """Write what flows between this browser and a node."""
    return ("Sending " if direction == "push" else "Fetching ") + words.grouped(done) + " of " + words.grouped(total)


def waits(node, interval):
    """Write why something waits for a node, or comes from it, and what happens next; an empty text if nothing does.

    Parameters:
        interval: that of sync.
    """
    if not node["pending_out"] + node["pending_in"]:
        return ""
    if words.asks(node):
        return "It keeps nothing before you have answered what it asks."
    if node["registration"]["state"] == "working":
        return "It comes as soon as this node knows you."
    if node["reachable"] is False:
        return "The node does not answer. What waits is safe here, and goes by itself once it does."
    if words.refuses(node):
        return "The node answers, and does not take it now. What waits is safe here, and is tried again."
    if words.fails(node):
        return "The last try broke off. What waits is safe here, and is tried again."
    if interval == "off":
        return "You sync only when you ask: press “Sync now”."
    return "It is on its way."


def step(name, steps):
    """Return tone and words for a step of a move.

    Parameters:
        steps: "done" and "total" by the name of each that was begun.
    """
    text = dict(STEPS)[name]
    if name not in steps:
        return None, text
    done, total = steps[name]["done"], steps[name]["total"]
    later = [other for other, _ in STEPS[[one for one, _ in STEPS].index(name) + 1 :]]
    if any(other in steps for other in later) or (name != "fill" and done and done == total):
        return "good", text
    return "busy", text + (": " + words.progress(done, total) if name == "fill" and total > 1 else "…")


def moved(found):
    """Write the proof that both nodes held the same.

    Parameters:
        found: the comparisons of both, as the agent gives them.
    """
    number = max([one["both"] for one in found if not one["keys"]] or [0])
    same = words.count(number, "message")
    return "Done. Both nodes held the same " + same + ", and your keys, before the old one was left."


def unfinished(source, target):
    """Write that a move was interrupted."""
    return (
        "The move from "
        + words.node_name(source)
        + " to "
        + words.node_name(target)
        + " is not finished. Both are your "
        "nodes for now, and nothing is lost."
    )


def move_hint(source):
    """Write what a move does."""
    name = words.node_name(source)
    return (
        "Everything of yours goes from "
        + name
        + " to another node. The old one is let go of only once both are shown to "
        "hold the same; it keeps what it has, and gets nothing new. If it is interrupted, go on later."
    )


def size(number):
    """Write a number of bytes."""
    if number < 1000:
        return words.count(number, "byte")
    if number < 1_000_000:
        return str(number // 1000) + " kB"
    return str(number // 1_000_000) + "." + str(number // 100_000 % 10) + " MB"


def delay(seconds):
    """Write how long it took until all nodes had something."""
    if not seconds:
        return "none"
    if seconds < 10:
        tenths = int(seconds * 10 + 0.5)
        return str(tenths // 10) + "." + str(tenths % 10) + " s"
    return words.span(seconds)


def hour(told):
    """Return what the three plots say: messages, bytes, the longest delay."""
    sent, fetched = sum(told["sent"]), sum(told["fetched"])
    messages = words.grouped(sent) + " out, " + words.grouped(fetched) + " in"
    return messages, size(sum(told["bytes"])), delay(max(told["delays"]))


def spans(told, minutes):
    """Return the rows of the table: since when, messages out, in, bytes and the longest delay of so many minutes each.

    Rows in which nothing flowed are left out; the newest is the first.
    """
    found = []
    count = len(told["sent"])
    for begin in range(count - minutes, -1, -minutes):
        end = begin + minutes
        sent, fetched = sum(told["sent"][begin:end]), sum(told["fetched"][begin:end])
        moved, slowest = sum(told["bytes"][begin:end]), max(told["delays"][begin:end])
        if sent or fetched or moved or slowest:
            since = words.count(count - begin, "minute") + " to " + words.count(count - end, "minute") + " ago"
            found.append((since, words.grouped(sent), words.grouped(fetched), size(moved), delay(slowest)))
    return found


def bars(values, width, height):
    """Return the path of a plot: a bar for each value that is not 0."""
    most, step = max(values), width / len(values)
    path = ""
    for at in range(len(values)):
        if values[at]:
            tall = max(height * values[at] / most, 1)
            corners = (at * step, height - tall, step * 0.8, tall, step * 0.8)
            path += "M{:.2f} {:.2f}h{:.2f}v{:.2f}h-{:.2f}z".format(*corners)
    return path


def tabs(number):
    """Write how many other tabs of this browser have the page open."""
    return "and " + words.count(number, "other tab") if number > 0 else ""
