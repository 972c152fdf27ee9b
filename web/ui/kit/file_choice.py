"""Files that a person chooses, drops on a screen, or pastes."""

from ui.kit.dom import el, on


def on_chosen(button, field, take):
    """Call `take` with the files that are chosen by a button, which opens a file field that nobody sees."""
    on(el(button), "click", lambda _: el(field).click())

    def chosen(_):
        take(el(field).files)
        el(field).value = ""

    on(el(field), "change", chosen)


def on_dropped(screen, take, may=lambda: True):
    """Call `take` with the files that are dropped on a screen, and with the element on which.

    Parameters:
        may: returns False if none are taken now.
    """

    def mark(over):
        el(screen).classList.toggle("dropping", over)

    def over(event):
        if may() and "Files" in list(event.dataTransfer.types):
            event.preventDefault()
            mark(True)

    def left(event):
        if event.target.id == screen:
            mark(False)

    def dropped(event):
        mark(False)
        if event.dataTransfer.files.length:
            event.preventDefault()
            take(event.dataTransfer.files, event.target)

    on(el(screen), "dragover", over)
    on(el(screen), "dragleave", left)
    on(el(screen), "drop", dropped)


def on_pasted(element, take, may=lambda event: True):
    """Call `take` with the files that are pasted, and with the element into which.

    Parameters:
        may: returns False if none are taken there.
    """

    def pasted(event):
        if event.clipboardData.files.length and may(event):
            event.preventDefault()
            take(event.clipboardData.files, event.target)

    on(element, "paste", pasted)
