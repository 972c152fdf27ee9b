"""The texts and the bars of the last hour. As words.py, it touches no page."""

from ui import words
from ui.kit.texts import grouped, plural, t, tenths


def size(number):
    """Write a number of bytes."""
    if number < 1000:
        return plural(number, "{n} byte", "{n} bytes")
    if number < 1_000_000:
        return t("{size} kB", size=grouped(number // 1000))
    return t("{size} MB", size=tenths(number // 100_000))


def delay(seconds):
    """Write how long it took until all nodes had something."""
    if not seconds:
        return t("none")
    if seconds < 10:
        return t("{seconds} s", seconds=tenths(int(seconds * 10 + 0.5)))
    return words.span(seconds)


def hour(told):
    """Return what the three plots say: messages, bytes, the longest delay."""
    messages = t("{out} out, {in_} in", out=grouped(sum(told["sent"])), in_=grouped(sum(told["fetched"])))
    return messages, size(sum(told["bytes"])), delay(max(told["delays"]))


def spans(told, minutes):
    """Return the rows of the table: since when, messages out, in, bytes and the longest delay of so many minutes each.

    Rows in which nothing flowed are left out; the newest is the first.
    """
    found = []
    count = len(told["sent"])
    for begin in range(count - minutes, -1, -minutes):
        end = begin + minutes
        sent, fetched = sum(told["sent"][begin:end]), sum(told["fetched"][begin:end])
        moved, slowest = sum(told["bytes"][begin:end]), max(told["delays"][begin:end])
        if sent or fetched or moved or slowest:
            since = t("{first} to {last} minutes ago", first=count - begin, last=count - end)
            found.append((since, grouped(sent), grouped(fetched), size(moved), delay(slowest)))
    return found


def bars(values, width, height):
    """Return the path of a plot: a bar for each value that is not 0."""
    most, step = max(values), width / len(values)
    path = ""
    for at in range(len(values)):
        if values[at]:
            tall = max(height * values[at] / most, 1)
            corners = (at * step, height - tall, step * 0.8, tall, step * 0.8)
            path += "M{:.2f} {:.2f}h{:.2f}v{:.2f}h-{:.2f}z".format(*corners)
    return path
