"""What the page says of what this browser stores. As words.py, it touches no page."""

from ui.kit.texts import plural, t, tenths

FULL = t("This browser has no room left")

_TROUBLES = {
    "full": (
        "bad",
        FULL,
        t(
            "What is here is safe, but the last change was not saved. Delete notes that you can spare, which still "
            "works, or free some room on this device."
        ),
    ),
    "failing": (
        "bad",
        t("This browser stores nothing at the moment"),
        t(
            "Your notes can be read, but changes are not saved. It is tried again. If this stays, save your keys and "
            "notes to files, then reload the page or restart the browser."
        ),
    ),
    "lost": (
        "bad",
        t("This browser's storage is gone"),
        t(
            "Its data were cleared, or it cannot be reached any more. All of it is still in this page, which goes on "
            "and sends your notes to your nodes, but nothing is stored here: that is tried again and again. Keep this "
            "page open, and save your keys and notes to files."
        ),
    ),
    "slow": (
        "warn",
        t("This browser's storage does not answer"),
        t(
            "Your last change is not stored yet. Keep this page open; if this stays, save your keys and notes to "
            "files, then restart the browser."
        ),
    ),
}

_RESTORED = (
    "warn",
    t("This browser's storage was gone, and everything is stored again"),
    t(
        "Somebody cleared this page's data, or the browser did. This page still had your notes; long ones come back "
        "from your nodes. If you wanted them gone, close all tabs of this page, then clear its data once more."
    ),
)


def trouble(storage):
    """Return tone, title and advice for the state of the storage; None if there is nothing to say."""
    if storage["trouble"] in _TROUBLES:
        return _TROUBLES[storage["trouble"]]
    return _RESTORED if storage["losses"] else None


def offers_files(storage):
    """Return True if keys and notes should be saved elsewhere now."""
    return bool(storage["losses"]) or storage["trouble"] in ("failing", "lost", "slow")


def kept(persisted, used):
    """Return tone and words for how long the browser keeps what it stores.

    Parameters:
        persisted: whether it promised to; None if it cannot.
        used: bytes that this site takes; None if that is not known.
    """
    takes = "" if used is None else " " + t("All that is stored here takes {size}.", size=size(used))
    if persisted:
        return "good", t("This browser keeps what is stored until you delete it.") + takes
    said = t("This browser may delete what is stored here when it needs room; your nodes keep theirs.")
    return "warn", said + takes


def not_saved(number):
    """Write how many notes are on the page alone."""
    return plural(number, "{n} note is not saved.", "{n} notes are not saved.")


def size(number):
    """Write a number of bytes."""
    for unit, factor in (("GB", 1000000000), ("MB", 1000000)):
        if number >= factor:
            return tenths(int(10 * number / factor)) + " " + unit
    return str(int(number / 1000)) + " kB"
