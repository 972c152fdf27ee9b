"""Protocol and schema URLs in the one form that DWN messages must carry (`src/utils/url.ts`).

The reference hands every URL to `new URL()`, drops the query and the fragment, and one slash at the end.
"""

from __future__ import annotations

import re

from web5.dwn.codes import Code
from web5.errors import BadRequest
from web5.lru import remember_short
from web5.urls import serialize

_HAS_SCHEME = re.compile(r"[^:]+:(/{2})?[^/]")


@remember_short(1024)
def normalize_url(url: str) -> str:
    """Return the URL as DWN messages carry it, with `http://` if it has no scheme, or raise BadRequest."""
    full = url if _HAS_SCHEME.match(url) else f"http://{url}"
    try:
        text = serialize(full)
    except ValueError as error:
        raise BadRequest(Code.UrlProtocolNotNormalizable, "Could not normalize protocol URI") from error
    return text.removesuffix("/")


def is_normalized(url: str) -> bool:
    """Return True if `normalize_url` leaves the URL as it is."""
    try:
        return normalize_url(url) == url
    except BadRequest:
        return False
