"""Errors in words, with what the person can do. As words.py, it touches no page."""

from ui.screens.settings import storage_words

# Error kind (the Python class's name) to a title and what the person can do.
_PROBLEMS = {
    "StorageFull": (
        storage_words.FULL,
        "What is here is safe, but the last change was not saved. Delete notes that you can spare, which still works, "
        "or free some room on this device; then try again.",
    ),
    "StorageBlocked": (
        "This browser lets this page store nothing",
        "Allow this page cookies and site data in the browser's settings (some private windows cannot), then reload. "
        "Copy what you wrote first: it cannot be saved here.",
    ),
    "InsecurePage": (
        "This page needs a secure address",
        "Open it by https://, or on the device that serves it by http://localhost. At an address like this one, "
        "browsers give a page neither keys nor safe storage. Copy what you wrote first: it cannot be saved here.",
    ),
    "StorageCorrupt": (
        "The notes stored in this browser cannot be read",
        "If another browser holds this identity, export it there and import it in a fresh profile: "
        "the notes come back from your remote nodes.",
    ),
    "StorageBusy": (
        "Another tab has your notes, or had them until now",
        "See whether your last change is here, then try again. If this stays, close the other tabs and reload.",
    ),
    "StorageNewer": (
        "A newer version of this page has your notes",
        "Reload this page to get it; nothing was changed here. If this stays, the site went back to an older version: "
        "try again later.",
    ),
    "StorageLost": (
        "What this browser had stored is gone",
        "This change was not saved. Try again: what is still in this page is stored anew.",
    ),
    "StorageError": (
        "This browser's storage failed",
        "What was not saved stays on this page. Try again; if this stays, reload the page or restart the browser.",
    ),
    "BlobMissing": (
        "The text of this note is not here",
        "Sync now to fetch it from a remote node.",
    ),
    "MessageDamaged": (
        "What is stored of this note cannot be read",
        "It is fetched again from your remote nodes, if one has it; all other notes are as they were.",
    ),
    "Unreachable": (
        "A remote could not be reached",
        "Your notes are safe in this browser. Check the connection; the next sync tries again.",
    ),
    "TimedOut": (
        "A remote did not answer in time",
        "Your notes are safe in this browser. The next sync tries again.",
    ),
    "BadReply": (
        "A remote answered something that is not a node's answer",
        "Check the address of the node. Your notes are safe in this browser.",
    ),
    "SettingsError": (
        "This site's settings cannot be used",
        "Whoever runs this site has to mend its config.json; then reload the page. On another network, or later, they "
        "may be right again.",
    ),
    "NodeNeeded": (
        "A node alone has something of yours",
        "Try again when it can be reached, or remove it all the same.",
    ),
    "IdentityError": (
        "This identity cannot be used",
        "Another browser or tab may have changed it. If you imported it, export it again where it comes from.",
    ),
    "DidError": (
        "The identity's public document is not right, or could not be found",
        "Try again in a moment. If it stays so, the identity's publisher has a problem.",
    ),
    "VaultError": (
        "That cannot be done with your keys as they are",
        "Look at Protection below your identities; another tab may have changed it.",
    ),
    "CryptoError": (
        "A key cannot be used",
        "If you imported this identity, export it again where it comes from.",
    ),
    "RegistrationError": (
        "A node does not say what it asks of you",
        "Nothing was agreed to. Try again later, or ask whoever runs the node.",
    ),
    "Quiet": (
        "Your node does not answer",
        "It may only be busy. If this stays, reload the page: what was saved is here, and what was not stays on this "
        "page.",
    ),
    "Newer": (
        "A newer version of this page is ready",
        "Reload to use it; other tabs are told to follow. What you wrote stays.",
    ),
    "NotFound": (
        "That note is no longer here",
        "It was deleted, perhaps on another device.",
    ),
}


def problem(kind, message):
    """Return title and advice for an error; the message itself belongs in the details."""
    return _PROBLEMS.get(kind) or (
        message or "Something went wrong",
        "Try again. If it happens again, reload the page.",
    )


def complaint(kind, message):
    """Return what is wrong with what was typed into a form."""
    if kind == "WrongPassword":
        return "That is not the password."
    if kind == "VaultLocked":
        return "Your notes are locked. Close this, unlock them with your password, then try again."
    if kind == "Worker":
        return problem(kind, message)[0]
    return message
