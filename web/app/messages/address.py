"""The link to an address as a picture that a camera reads."""

from __future__ import annotations

from web5.errors import InvalidArgument

LONGEST = 2_300
"""Characters of a link that fit into a QR code."""


def code_of(link: str) -> str:
    """Return a QR code as a data: URL of an SVG, black on white also where the page is dark.

    Raises:
        InvalidArgument: the text is empty, or too long for a code.
    """
    from segno import make_qr  # a start has no use for it

    if not link or len(link.encode()) > LONGEST:
        raise InvalidArgument(f"A QR code has 1 to {LONGEST:,} bytes. Copy the link instead.")
    picture: str = make_qr(link, error="l").svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
    return picture
