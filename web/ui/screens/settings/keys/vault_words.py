"""The texts of the vault, of its words and of recovery. As words.py, it touches no page."""

from ui import sync_words, words
from ui.kit.texts import plural, t


def protection_key(has_password):
    """Return tone and words for the key that opens the vault."""
    if has_password:
        return "good", t("Keys: locked by your password")
    return "warn", t("Keys: open to whoever can use this browser profile")


def protection_phrase(owes_words):
    """Return tone and words for the recovery phrase."""
    if owes_words:
        return "warn", t("Twelve words: not written down yet")
    return "good", t("Twelve words: written down")


def invitation(has_password, owes_words):
    """Return title and text of the invitation to protect the keys; empty if nothing is left to do."""
    if has_password:
        if not owes_words:
            return "", ""
        return (
            t("Write down your twelve words"),
            t("If you forget the password, or this browser's data are cleared, only they bring back your notes."),
        )
    if not owes_words:
        return (
            t("Your keys have no password"),
            t("Whoever can use this browser profile can use them. A password keeps others out."),
        )
    return (
        t("Your keys are protected by this browser only"),
        t(
            "Whoever can use this browser profile can use them, and clearing the site's data destroys them. "
            "Twelve words on paper bring everything back; a password keeps others out."
        ),
    )


def password_dialog(has_password):
    """Return title and text of the dialog for the password."""
    hint = t(
        "It is asked for after each reload of the page. Nobody can tell it to you again: only your words help then."
    )
    return (t("Change the password") if has_password else t("Set a password")), hint


def lock_title(state):
    """Return the title in the place of the notes."""
    return t("Your identities are coming back") if state == "recovering" else t("Your notes are locked")


def recovery_hint(is_locked):
    """Write what the words do."""
    if is_locked:
        return t(
            "They open this browser's notes again. The new password takes the place of the one you forgot; "
            "without one, whoever can use this browser profile can read them."
        )
    return t(
        "Type the words that you wrote down: your identities and their notes come back from your remote nodes. "
        "What is in this browser already stays, and moves in with them."
    )


def recovery(steps):
    """Write how far a recovery has come.

    Parameters:
        steps: "done" and "total" by the step's name.
    """
    if not steps.get("agent", {}).get("done"):
        return t("Looking for what the words belong to…")
    if "identities" not in steps:
        return t("Found. Fetching your identities…")
    text = _identities(steps["identities"]["total"]) + ": "
    if "records" in steps and steps["records"]["total"]:
        return text + sync_words.progress(steps["records"]["done"], steps["records"]["total"])
    return text + t("fetching their notes…")


def _identities(number):
    return plural(number, "{n} identity", "{n} identities")


def recovered_title(steps):
    """Write whether all of it has come back."""
    return t("Not everything is back yet") if steps.get("nodes") else t("They are back")


def joined_title(steps):
    """Write whether all of it has come along."""
    return t("Not everything is here yet") if steps.get("nodes") else t("This device has everything now")


def recovered(steps, again=True):
    """Write what has come back, and what has not.

    Parameters:
        steps: as for `recovery`; with "nodes" if some of them could not be read.
        again: False if it was never here before.
    """
    records = steps.get("records", {"done": 0, "total": 0})
    found = _identities(steps["identities"]["total"])
    if records["done"]:
        found += ", " + words.number_of_messages(records["done"])
    found = t("{what}: here again.", what=found) if again else t("{what}: here.", what=found)
    nodes = steps.get("nodes")
    if nodes:
        return (
            found
            + " "
            + plural(
                nodes["total"],
                "{silent} of {n} node did not answer; identities and notes that only they have come as soon as they "
                "do.",
                "{silent} of {n} nodes did not answer; identities and notes that only they have come as soon as they "
                "do.",
                silent=nodes["total"] - nodes["done"],
            )
        )
    if records["total"] and records["done"] == records["total"]:
        return found
    return found + " " + t("Notes that are still missing come as soon as your nodes have them.")
