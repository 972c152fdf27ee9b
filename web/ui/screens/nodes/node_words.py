"""The texts of the nodes beside those that words.py has: what flows and waits, and a move. It touches no page."""

from ui import sync_words, words
from ui.kit.texts import grouped, plural, t

STEPS = (
    ("fill", t("The new node gets everything")),
    ("compare", t("Both are compared, message by message")),
    ("publish", t("Others learn of the new node")),
    ("leave", t("The old one is let go of")),
)
"""The steps of a move, in their order."""


def flow(direction, done, total):
    """Write what flows between this browser and a node."""
    done, total = grouped(done), grouped(total)
    if direction == "push":
        return t("Sending {done} of {total}", done=done, total=total)
    return t("Fetching {done} of {total}", done=done, total=total)


def waits(node, interval):
    """Write why something waits for a node, or comes from it, and what happens next; an empty text if nothing does.

    Parameters:
        interval: that of sync.
    """
    if not node["pending_out"] + node["pending_in"]:
        return ""
    if sync_words.asks(node):
        return t("It keeps nothing before you have answered what it asks.")
    if node["registration"]["state"] == "working":
        return t("It comes as soon as this node knows you.")
    if node["reachable"] is False:
        return t("The node does not answer. What waits is safe here, and goes by itself once it does.")
    if sync_words.refuses(node):
        return t("The node answers, and does not take it now. What waits is safe here, and is tried again.")
    if sync_words.fails(node):
        return t("The last try broke off. What waits is safe here, and is tried again.")
    if interval == "off":
        return t("You sync only when you ask: press “Sync now”.")
    return t("It is on its way.")


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
    return "busy", text + (": " + sync_words.progress(done, total) if name == "fill" and total > 1 else "…")


def moved(found):
    """Write the proof that both nodes held the same.

    Parameters:
        found: the comparisons of both, as the agent gives them.
    """
    number = max([one["both"] for one in found if not one["keys"]] or [0])
    return plural(
        number,
        "Done. Both nodes held the same message, and your keys, before the old one was left.",
        "Done. Both nodes held the same {n} messages, and your keys, before the old one was left.",
    )


def unfinished(source, target):
    """Write that a move was interrupted."""
    return t(
        "The move from {source} to {target} is not finished. Both are your nodes for now, and nothing is lost.",
        source=words.node_name(source),
        target=words.node_name(target),
    )


def move_hint(source):
    """Write what a move does."""
    return t(
        "Everything of yours goes from {name} to another node. The old one is let go of only once both are shown to "
        "hold the same; it keeps what it has, and gets nothing new. If it is interrupted, go on later.",
        name=words.node_name(source),
    )


def tabs(number):
    """Write how many other tabs of this browser have the page open."""
    return plural(number, "and {n} other tab", "and {n} other tabs") if number > 0 else ""
