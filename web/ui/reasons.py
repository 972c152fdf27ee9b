"""The reasons that nodes, gateways and browsers give, in words. As words.py, it touches no page."""

from ui import library_words
from ui.kit.texts import t

_MEANT = (
    (("TimedOut", ": nothing"), t("No answer came in time.")),
    (("QuotaExceeded", "SizeLimitExceeded"), t("There is no room left for it.")),
    (("Unreachable", "failed: "), t("The other end could not be reached.")),
    (("gateway",), t("A gateway answered with an error.")),
    (("registered",), t("The identity is not registered there.")),
    (("BadReply", "Fruitless", "invalidDid", "invalidSignature"), t("What came back was of no use.")),
    (("notFound",), t("Nothing was found there.")),
)
"""What is in a reason, and what it means."""


def why(reason):
    """Return the reason that a machine gave, in words; an empty text if the language of the page has none for it."""
    for marks, meant in _MEANT:
        for mark in marks:
            if mark in reason:
                return meant
    return library_words.said(reason)
