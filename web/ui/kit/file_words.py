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


def come(done, total):
    """Write how much of a file has come."""
    return t("{done} of {total}", done=size(done), total=size(total))
