"""The site that this page, worker or cell belongs to, and where its config.json may be.

Nothing tells a worker that was started from a blob which page has started it: its address has the origin alone. What is
known there as everywhere is where web5-py was installed from.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import urljoin, urlsplit

import js

from web5.browser.site.places import places

FILE = "config.json"


def base() -> str:
    """Return the URL that relative ones are relative to: the site's, the page's, or the origin's."""
    known = getattr(js, "WEB5_SITE", None)
    own = str(js.location.href)
    return str(known) if known else own if urlsplit(own).scheme in ("http", "https") else f"{origin()}/"


def origin() -> str:
    """Return the origin of this page or worker."""
    return str(js.location.origin)


def config_urls() -> Sequence[str]:
    """Return the URLs where the site's config.json may be, the likeliest first."""
    known = getattr(js, "WEB5_SITE", None)
    if known:
        return [urljoin(str(known), FILE)]
    return places(str(js.location.href), origin(), _wheel(), FILE)


def _wheel() -> str | None:
    """Return the URL that micropip has installed web5-py from; None where it came in another way."""
    try:
        return distribution("web5-py").read_text("PYODIDE_URL")
    except PackageNotFoundError:
        return None
