"""The texts about the agent's own records: the identities with their keys, which the twelve words bring back.

As words.py, it touches no page.
"""

from ui import reasons, sync_words, words
from ui.kit.texts import plural, t


def summary(nodes, syncing, error, keys):
    """Return tone and words for the header, from the worst that is true of the nodes, and of those of the keys.

    Parameters:
        nodes, error: as `sync_words.summary` has them.
        keys: the nodes of the agent's own records.
    """
    tone, text = sync_words.summary(nodes, syncing, error)
    return (tone, text) if tone != "good" else _of_keys(keys) or (tone, text)


def _of_keys(keys):
    if not keys:
        return "warn", t("Keys kept here only")
    if any(node["refused"] or sync_words.refuses(node) for node in keys):
        return "bad", t("Keys refused")
    down = [node for node in keys if node["reachable"] is False]
    if down:
        return "warn", t("Keys: {n} of {all} unreachable", n=len(down), all=len(keys))
    if any(sync_words.asks(node) or sync_words.fails(node) for node in keys):
        return "warn", t("Keys: not synced")
    if any(node["pending_out"] or node["pending_in"] for node in keys):
        return "warn", t("Keys waiting")
    if any(node["last_success"] is None for node in keys):
        return None, t("Keys not synced yet")
    return None


def trouble(nodes):
    """Write where the identities and their keys are not yet, from which words bring them back; or an empty text."""
    if not nodes:
        return t("Your keys are in this browser only: no node keeps them, so your words bring nothing back.")
    told = [one for one in [_trouble(node) for node in nodes] if one]
    return t("Your keys and identities: {troubles}.", troubles="; ".join(told)) if told else ""


def _trouble(node):
    name, error = words.node_name(node["endpoint"]), node["last_error"]
    if node["refused"] or sync_words.refuses(node):
        why = reasons.why(words.code_and_detail(error)).rstrip(".") if error else ""
        if why:
            return t("{name} refuses them ({why})", name=name, why=why)
        return t("{name} refuses them", name=name)
    if node["pending_out"]:
        return plural(
            node["pending_out"], "{name} lacks {n} message of them", "{name} lacks {n} messages of them", name=name
        )
    if node["pending_in"]:
        return plural(
            node["pending_in"],
            "{name} has {n} message of them that is not here yet",
            "{name} has {n} messages of them that are not here yet",
            name=name,
        )
    return t("{name} may not have them yet", name=name) if node["last_success"] is None else ""


def publish_error(reason, before):
    """Write why the words find nothing, or not what is there now.

    Parameters:
        before: True if they find what was there.
    """
    if not reason:
        return ""
    if before:
        told = t(
            "Your keys are not published yet, so your words still lead to the nodes that your keys had before. It is "
            "tried again."
        )
    else:
        told = t("Your keys are not published yet, so your words find nothing. It is tried again.")
    return words.because(told, reason)
