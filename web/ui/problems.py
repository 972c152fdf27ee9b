"""Errors in words, with what the person can do. As words.py, it touches no page."""

from ui import library_words
from ui.kit.texts import t
from ui.screens.settings import storage_words

# Error kind (the Python class's name) to a title and what the person can do.
_PROBLEMS = {
    "StorageFull": (
        storage_words.FULL,
        t(
            "What is here is safe, but the last change was not saved. Delete notes that you can spare, which still "
            "works, or free some room on this device; then try again."
        ),
    ),
    "StorageBlocked": (
        t("This browser lets this page store nothing"),
        t(
            "Allow this page cookies and site data in the browser's settings (some private windows cannot), then "
            "reload. Copy what you wrote first: it cannot be saved here."
        ),
    ),
    "InsecurePage": (
        t("This page needs a secure address"),
        t(
            "Open it by https://, or on the device that serves it by http://localhost. At an address like this one, "
            "browsers give a page neither keys nor safe storage. Copy what you wrote first: it cannot be saved here."
        ),
    ),
    "StorageCorrupt": (
        t("The notes stored in this browser cannot be read"),
        t(
            "If another browser holds this identity, export it there and import it in a fresh profile: "
            "the notes come back from your remote nodes."
        ),
    ),
    "StorageBusy": (
        t("Another tab has your notes, or had them until now"),
        t("See whether your last change is here, then try again. If this stays, close the other tabs and reload."),
    ),
    "StorageNewer": (
        t("A newer version of this page has your notes"),
        t(
            "Reload this page to get it; nothing was changed here. If this stays, the site went back to an older "
            "version: try again later."
        ),
    ),
    "StorageLost": (
        t("What this browser had stored is gone"),
        t("This change was not saved. Try again: what is still in this page is stored anew."),
    ),
    "StorageError": (
        t("This browser's storage failed"),
        t("What was not saved stays on this page. Try again; if this stays, reload the page or restart the browser."),
    ),
    "BlobMissing": (
        t("The text of this note is not here"),
        t("Sync now to fetch it from a remote node."),
    ),
    "MessageDamaged": (
        t("What is stored of this note cannot be read"),
        t("It is fetched again from your remote nodes, if one has it; all other notes are as they were."),
    ),
    "Unreachable": (
        t("A remote could not be reached"),
        t("Your notes are safe in this browser. Check the connection; the next sync tries again."),
    ),
    "TimedOut": (
        t("A remote did not answer in time"),
        t("Your notes are safe in this browser. The next sync tries again."),
    ),
    "BadReply": (
        t("A remote answered something that is not a node's answer"),
        t("Check the address of the node. Your notes are safe in this browser."),
    ),
    "SettingsError": (
        t("This site's settings cannot be used"),
        t(
            "Whoever runs this site has to mend its config.json; then reload the page. On another network, or later, "
            "they may be right again."
        ),
    ),
    "NodeNeeded": (
        t("A node alone has something of yours"),
        t("Try again when it can be reached, or remove it all the same."),
    ),
    "IdentityError": (
        t("This identity cannot be used"),
        t("Another browser or tab may have changed it. If you imported it, export it again where it comes from."),
    ),
    "DidError": (
        t("The identity's public document is not right, or could not be found"),
        t("Try again in a moment. If it stays so, the identity's publisher has a problem."),
    ),
    "VaultError": (
        t("That cannot be done with your keys as they are"),
        t("Look at Protection below your identities; another tab may have changed it."),
    ),
    "CryptoError": (
        t("A key cannot be used"),
        t("If you imported this identity, export it again where it comes from."),
    ),
    "RegistrationError": (
        t("A node does not say what it asks of you"),
        t("Nothing was agreed to. Try again later, or ask whoever runs the node."),
    ),
    "Quiet": (
        t("Your node does not answer"),
        t(
            "It may only be busy. If this stays, reload the page: what was saved is here, and what was not stays on "
            "this page."
        ),
    ),
    "Newer": (
        t("A newer version of this page is ready"),
        t("Reload to use it; other tabs are told to follow. What you wrote stays."),
    ),
    "NotFound": (
        t("That note is no longer here"),
        t("It was deleted, perhaps on another device."),
    ),
}


def problem(kind, message):
    """Return title and advice for an error; the message itself belongs in the details."""
    return _PROBLEMS.get(kind) or (
        library_words.said(message) or t("Something went wrong"),
        t("Try again. If it happens again, reload the page."),
    )


def complaint(kind, message):
    """Return what is wrong with what was typed into a form."""
    if kind == "WrongPassword":
        return t("That is not the password.")
    if kind == "VaultLocked":
        return t("Your notes are locked. Close this, unlock them with your password, then try again.")
    if kind == "Worker":
        return problem(kind, message)[0]
    if kind == "NodeNeeded":
        return t(
            "The old node was not left: it may have something that is nowhere else yet. Both are your nodes for now. "
            "Try again in a moment."
        )
    found = library_words.said(message)
    return found or (_PROBLEMS[kind][0] + "." if kind in _PROBLEMS else t("That could not be used. Check it."))


def left_out(kind, message):
    """Return what of an error `complaint` does not say: its message, where it is not known in the language."""
    if kind == "NodeNeeded":
        return message
    return "" if kind in ("WrongPassword", "VaultLocked", "Worker") or library_words.said(message) else message
