"""The words of the place of the notes. As ui/words.py, it touches no page."""

from ui.kit import file_words
from ui.kit.texts import grouped, plural, t
from ui.words import node_name

DELETED = t("Note deleted. It goes everywhere in a moment.")
RESTORED = t("Your text from before this page was loaded anew; it is not saved yet.")
LEFT = t("Your changes were left out.")
_LONGEST_BEGINNING = 120
LEFT_SECONDS = 8
CHANGED = t("This note was changed elsewhere meanwhile. Saving replaces that change.")
GONE = t("This note was deleted elsewhere. Saving keeps your text as a new note.")
EMPTY = t("A note cannot be empty. Delete it instead.")
COPIED = t("Link copied")
NOT_COPIED = t("The browser does not let this page copy. The link is selected: copy it by hand.")


def found(number, more, searched, whole):
    """Write what a search has found.

    Parameters:
        more: True if there are others, which are not shown.
        searched: the notes that were looked through.
        whole: False while not all were.
    """
    if not number:
        notes = t("Nothing")
    elif more:
        notes = plural(number, "{n} note and more", "{n} notes and more")
    else:
        notes = plural(number, "{n} note", "{n} notes")
    if whole:
        return t("{notes} found", notes=notes)
    return plural(searched, "{notes} found so far, in {n} note", "{notes} found so far, in {n} notes", notes=notes)


def history(number):
    """Write how many earlier texts of a note there are."""
    if not number:
        return t("There is no earlier text. Whenever you save a change, the text before is kept here.")
    return plural(number, "{n} earlier text. The newest is first.", "{n} earlier texts. The newest is first.")


def beginning(text):
    """Write the first line of a Markdown text that says something, without the most common marks."""
    for line in file_words.without_pictures(text).split("\n"):
        line = line.replace("**", "").replace("`", "").strip().lstrip("#>*- ")
        if line:
            return line[:_LONGEST_BEGINNING]
    return ""


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
    return t("Not yet on {names}", names=", ".join(names))


def sharing(published, links, waiting):
    """Write who can read a note.

    Parameters:
        links: the addresses at which it can be read.
        waiting: the nodes that do not have it yet.
    """
    if not published:
        return t(
            "Only you can read it. If you publish it, anybody who has its link can, without an account, and may keep "
            "a copy."
        )
    if not links:
        return t("It is published, but you have no node: add one, and there is a link that others can open.")
    if len(waiting) >= len(links):
        return t("It is published. The link works once your node has it, which is on its way.")
    name = node_name(links[0].split("/did:")[0])
    return t("Anybody who has this link can read it. It comes from {name}.", name=name)
