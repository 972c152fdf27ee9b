"""The words about files, wherever they are. As ui/words.py, it touches no page."""

from ui.kit.texts import grouped, plural, t, tenths

WAITS = t("Waits for the one before")
READS = t("Being read")
NOT_ADDED = t("Not added")
NAMELESS = t("file")

_KINDS = {
    "image": t("Picture"),
    "video": t("Video"),
    "audio": t("Sound"),
    "text": t("Text"),
}


def size(number):
    """Write a number of bytes, as exactly as anybody wants to know it."""
    if number < 1000:
        return plural(number, "{n} byte", "{n} bytes")
    for unit in ("kB", "MB", "GB"):
        number /= 1000
        if number < 999.5 or unit == "GB":
            return (tenths(int(number * 10 + 0.5)) if number < 9.95 else grouped(int(number + 0.5))) + " " + unit


def about_file(media_type, number):
    """Write what a file is, and how large."""
    kind = "PDF" if media_type == "application/pdf" else _KINDS.get(media_type.split("/")[0], t("File"))
    return kind + " · " + size(number)


def is_picture(media_type):
    """Return True for what a page shows as a picture; nothing else that somebody gave is opened in the page."""
    return media_type in ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif")


def picture(name, address):
    """Write a picture in Markdown, with its name in the place of a description."""
    said = name.rsplit(".", 1)[0]
    for mark in "\\[]!*_`<&":
        said = said.replace(mark, " ")
    return "![" + " ".join(said.split()) + "](" + address + ")"


def without_pictures(text):
    """Write a Markdown text with the names of its pictures alone."""
    parts = text.split("![")
    for at in range(1, len(parts)):
        name, found, rest = parts[at].partition("](")
        parts[at] = name + rest.partition(")")[2] if found else "![" + parts[at]
    return "".join(parts)


def come(done, total):
    """Write how much of a file has come."""
    return t("{done} of {total}", done=size(done), total=size(total))
