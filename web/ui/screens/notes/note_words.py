"""The words of the place of the notes. As ui/words.py, it touches no page."""

from ui.words import count, grouped, node_name

DELETED = "Note deleted. It goes everywhere in a moment."
RESTORED = "Your text from before this page was loaded anew; it is not saved yet."
LEFT = "Your changes were left out."
LEFT_SECONDS = 8
CHANGED = "This note was changed elsewhere meanwhile. Saving replaces that change."
GONE = "This note was deleted elsewhere. Saving keeps your text as a new note."
EMPTY = "A note cannot be empty. Delete it instead."
COPIED = "Link copied"
NOT_COPIED = "The browser does not let this page copy. The link is selected: copy it by hand."


WAITS = "Waits for the one before"
READS = "Being read"
NOT_ADDED = "Not added"
NAMELESS = "file"

_KINDS = {
    "image": "Picture",
    "video": "Video",
    "audio": "Sound",
    "text": "Text",
}


def size(number):
    """Write a number of bytes, as exactly as anybody wants to know it."""
    if number < 1000:
        return count(number, "byte")
    for unit in ("kB", "MB", "GB"):
        number /= 1000
        if number < 999.5 or unit == "GB":
            return (str(int(number * 10 + 0.5) / 10) if number < 9.95 else grouped(int(number + 0.5))) + " " + unit


def about_file(media_type, number):
    """Write what a file is, and how large."""
    kind = "PDF" if media_type == "application/pdf" else _KINDS.get(media_type.split("/")[0], "File")
    return kind + " · " + size(number)


def come(done, total):
    """Write how much of a file has come."""
    return size(done) + " of " + size(total)


def found(number, more, searched, whole):
    """Write what a search has found.

    Parameters:
        more: True if there are others, which are not shown.
        searched: the notes that were looked through.
        whole: False while not all were.
    """
    notes = count(number, "note") + (" and more" if more else "") if number else "Nothing"
    if whole:
        return notes + " found"
    return notes + " found so far, in " + count(searched, "note")


def tag_button(tag, number):
    """Write a tag that can be chosen, with the number of notes that have it."""
    return "#" + tag + (" " + grouped(number) if number else "")


def lacking(waiting):
    """Write which nodes do not have something yet."""
    names = []
    for one in waiting:
        name = node_name(one["endpoint"])
        if name not in names:
            names.append(name)
    return "Not yet on " + ", ".join(names)


def sharing(published, links, waiting):
    """Write who can read a note.

    Parameters:
        links: the addresses at which it can be read.
        waiting: the nodes that do not have it yet.
    """
    if not published:
        return (
            "Only you can read it. If you publish it, anybody who has its link can, without an account, "
            "and may keep a copy."
        )
    if not links:
        return "It is published, but you have no node: add one, and there is a link that others can open."
    if len(waiting) >= len(links):
        return "It is published. The link works once your node has it, which is on its way."
    return "Anybody who has this link can read it. It comes from " + node_name(links[0].split("/did:")[0]) + "."
