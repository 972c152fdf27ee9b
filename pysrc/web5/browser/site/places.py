"""The places on an origin where a site may lie, by the addresses that are known in one of its pages or workers."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

INDEX = "simple/"
"""The folder of a site that is its package index, with a folder for each project."""


def places(own: str, origin: str, wheel: str | None, file: str) -> list[str]:
    """Return the URLs where a file of the site may be, the likeliest first.

    Beside this page or worker; in the site whose package index web5-py was installed from, if that is of this origin;
    at the root of the origin, which is all that the address of a blob tells.

    Parameters:
        own: the address of this page or worker.
        origin: its origin; "null" where it has none of its own.
        wheel: the URL that web5-py was installed from.
    """
    found = []
    is_page = urlsplit(own).scheme in ("http", "https")
    if is_page:
        found.append(urljoin(own, file))
    if wheel is not None and origin_of(wheel) == origin:
        folder = urlsplit(wheel).path.rsplit("/", 1)[0] + "/"
        index = folder.rfind(f"/{INDEX}")
        found.append(f"{origin}{folder[: index + 1] if index >= 0 else folder}{file}")
    if not is_page and origin != "null":
        found.append(f"{origin}/{file}")
    return list(dict.fromkeys(found))


def origin_of(url: str) -> str:
    """Return the origin of a URL of http or https; "" for any other."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else ""
