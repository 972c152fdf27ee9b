"""The texts about the agent's own records: the identities with their keys, which the twelve words bring back.

As words.py, it touches no page.
"""

from ui import words


def summary(nodes, syncing, error, keys):
    """Return tone and words for the header, from the worst that is true of the nodes, and of those of the keys.

    Parameters:
        nodes, error: as `words.summary` has them.
        keys: the nodes of the agent's own records.
    """
    tone, text = words.summary(nodes, syncing, error)
    return (tone, text) if tone != "good" else _of_keys(keys) or (tone, text)


def _of_keys(keys):
    if not keys:
        return "warn", "Keys kept here only"
    if any(node["refused"] or words.refuses(node) for node in keys):
        return "bad", "Keys refused"
    down = [node for node in keys if node["reachable"] is False]
    if down:
        return "warn", "Keys: " + str(len(down)) + " of " + str(len(keys)) + " unreachable"
    if any(words.asks(node) or words.fails(node) for node in keys):
        return "warn", "Keys: not synced"
    if any(node["pending_out"] or node["pending_in"] for node in keys):
        return "warn", "Keys waiting"
    if any(node["last_success"] is None for node in keys):
        return None, "Keys not synced yet"
    return None


def trouble(nodes):
    """Write where the identities and their keys are not yet, from which words bring them back; or an empty text."""
    if not nodes:
        return "Your keys are in this browser only: no node keeps them, so your words bring nothing back."
    told = []
    for node in nodes:
        error = node["last_error"]
        if node["refused"] or words.refuses(node):
            found = "refuses them" + (" (" + words.code_and_detail(error) + ")" if error else "")
        elif node["pending_out"]:
            found = "lacks " + words.count(node["pending_out"], "message") + " of them"
        elif node["pending_in"]:
            found = "has " + words.count(node["pending_in"], "message") + " of them that are not here yet"
        elif node["last_success"] is None:
            found = "may not have them yet"
        else:
            continue
        told.append(words.node_name(node["endpoint"]) + " " + found)
    return "Your keys and identities: " + "; ".join(told) + "." if told else ""


def publish_error(reason, before):
    """Write why the words find nothing, or not what is there now.

    Parameters:
        before: True if they find what was there.
    """
    if not reason:
        return ""
    told = "still lead to the nodes that your keys had before" if before else "find nothing"
    return "Your keys are not published yet, so your words " + told + ". It is tried again. " + words.theirs(reason)
